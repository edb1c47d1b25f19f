import Capsule

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The exclusive right to write, across processes: `flock` on the capsule, with a place to queue before it.
///
/// Writers first lock the note, then the capsule, then let the note go. Who has just had a turn must pass the note
/// again, which
/// the next in line holds: so a busy writer cannot keep the others out.
struct TurnLock {
    let capsule: any StorageFile
    let note: any StorageFile
    let timeout: Double
    let observe: (@Sendable (WriterNotice) -> Void)?

    /// - Parameter holder: tells who has the lock, for the error and for whoever observes.
    /// - Throws: `WriteError.locked`, `StorageError`.
    func acquire(holder: () -> String?) throws {
        let deadline = Deadline(seconds: timeout)
        var start: ContinuousClock.Instant?
        let noteWait = {
            guard let observe, start == nil else { return }
            start = .now
            observe(.waiting(holder: holder()))
        }
        do {
            try wait(for: note, until: deadline, noteWait)
            defer { try? note.unlock() }
            try wait(for: capsule, until: deadline, noteWait)
            if let start { observe?(.waited(.now - start)) }
        } catch is TimedOut {
            let who = holder().map { "; last holder: \($0)" } ?? ""
            throw WriteError(.locked, "another writer holds the capsule, waited \(timeout) s\(who)")
        }
    }

    /// Takes the lock if nobody has it or waits for it.
    func tryAcquire() throws -> Bool {
        guard try note.tryLock(.exclusive) else { return false }
        defer { try? note.unlock() }
        return try capsule.tryLock(.exclusive)
    }

    func release() throws { try capsule.unlock() }

    private struct TimedOut: Error {}

    private func wait(for file: any StorageFile, until deadline: Deadline, _ noteWait: () -> Void) throws {
        // A blocking flock could not be given up in time, and turns are shorter than a scheduler's slice: try again
        // soon,
        // then less often.
        var pause: UInt32 = 50
        while try !file.tryLock(.exclusive) {
            if deadline.hasPassed { throw TimedOut() }
            noteWait()
            usleep(pause)
            pause = min(pause * 2, 2000)
        }
    }
}

/// A point on the clock that does not go back.
struct Deadline {
    private let end: ContinuousClock.Instant?

    /// For ever if `seconds` is infinite or more than a year.
    init(seconds: Double) {
        end = seconds < 31_536_000 ? ContinuousClock.now.advanced(by: .seconds(max(0, seconds))) : nil
    }

    var hasPassed: Bool { end.map { ContinuousClock.now >= $0 } ?? false }
}
