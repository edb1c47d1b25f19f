import Capsule
import WriterQueue

/// Random bytes that are the same every time.
final class FixedRandom: RandomSource, @unchecked Sendable {
    private var dice = Dice(7)

    func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        // Eight bytes a throw: every writer draws a pool of salts.
        var index = 0
        while buffer.count - index >= 8 {
            buffer.storeBytes(of: dice.next(), toByteOffset: index, as: UInt64.self)
            index += 8
        }
        while index < buffer.count {
            buffer[index] = UInt8(truncatingIfNeeded: dice.next() >> 24)
            index += 1
        }
    }
}

/// A simulated machine on which processes append to one capsule, with a record of what they were told.
///
/// `thread` is idle: whoever calls takes its place, so that short turns are taken as a queue's caller takes them.
final class Machine {
    static let path: FilePath = "d/a.cpsl"
    static let start = Timestamp(nanoseconds: 1_767_225_600_000_000_000)
    static let run = RunID([0x01, 0x9b, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1])!
    static let policy = Array(#"{"policy":{"name":"acme","version":"1.0.0"}}"#.utf8)

    let disk: SimulatedDisk
    var expected: Expectation
    private let thread: WriterThread
    private let random = FixedRandom()
    private var processes: [SimulatedProcess?] = [nil, nil, nil]
    private var doors: [TurnDoor?] = [nil, nil, nil]
    /// Whether faults are injected: what is refused is then refused for a reason.
    var toleratesFaults = false
    /// Whether a sync failed: everyone who had the file open is told so once, at a sync of theirs.
    private var syncFailed = false

    init(_ disk: SimulatedDisk, _ expected: Expectation = Expectation(), on thread: WriterThread) {
        self.disk = disk
        self.expected = expected
        self.thread = thread
    }

    /// A capsule with a run in it, all of it safe.
    static func base(on thread: WriterThread) throws -> (disk: DiskImage, expected: Expectation) {
        let machine = Machine(SimulatedDisk(), on: thread)
        try machine.create()
        try machine.startRun(0)
        machine.kill(0)
        let disk = machine.disk
        return (DiskImage(files: disk.names.mapValues(\.cache)), machine.expected)
    }

    // MARK: Processes

    func process(_ number: Int) -> SimulatedProcess {
        if let process = processes[number], !process.isDead { return process }
        let process = disk.process()
        processes[number] = process
        doors[number] = nil
        return process
    }

    /// Turns so far that were taken in the caller's thread.
    var shortTurns: Int { ended + doors.reduce(0) { $0 + ($1?.shortTurns ?? 0) } }
    private var ended = 0

    func kill(_ number: Int) {
        ended += doors[number]?.shortTurns ?? 0
        processes[number]?.kill()
        processes[number] = nil
        doors[number] = nil
    }

    /// Opens the capsule in a process, if it has not.
    @discardableResult
    func door(_ number: Int) throws -> TurnDoor {
        let process = process(number)
        if let door = doors[number] { return door }
        var options = WriterQueue.Options()
        options.lockTimeout = 0.01
        options.shortSync = .seconds(3600)
        let mark = expected.mark
        options.evidence = { _ in OutsideEvidence(durableLength: mark) }
        let door = try TurnDoor(Self.path, options: options, storage: process, random: random, on: thread)
        doors[number] = door
        let tree = door.state.tree
        // What a crash took back is no history any more.
        expected.roots = expected.roots.filter { $0.key <= tree.size }
        return door
    }

    func create() throws {
        let header = try FileHeader(
            capsule: CapsuleID(words: (0x0011_2233_4455_6677, 0x8899_AABB_CCDD_EEFF)),
            created: Self.start,
            origin: "example.com/ledger"
        )
        try CapsuleFile.create(Self.path, header: header, body: Array("{}".utf8), storage: process(0), random: random)
        expected.isCreated = true
    }

    func startRun(_ number: Int) throws {
        let door = try door(number)
        if door.state.open[Self.run] != nil { return }
        let policy = try StoredObject(.snapshot, Self.policy)
        let first = EventDraft(.registered(.runStart), body: Array("{}".utf8), time: Self.start)
        let target = Submission.Target.newRun(Self.run, name: nil, snapshot: policy.id, token: nil)
        _ = try door.take([Submission(target, events: [first], objects: [policy])])[0].get()
        // Whoever was told of the run was told of the capsule.
        expected.isCreated = true
        expected.roots[door.state.tree.size] = door.state.tree.root
    }

    // MARK: Steps

    /// - Throws: `CrashFailure` if something fails that should not.
    func perform(_ step: Step) throws {
        switch step {
        case .append(let process, let events, let bytes, let durability):
            try append(process, [submission(events: events, bytes: bytes, durability)])
        case .twoBatches(let process, let bytes):
            var first = submission(events: 1, bytes: bytes, .durable)
            first.objects = [try StoredObject(.document, body(expected.bodies.count, bytes))]
            try append(process, [first, submission(events: 2, bytes: 20, .written)])
        case .checkpoint(let process):
            var submission = submission(events: 1, bytes: 10, .durable)
            submission.makesCheckpoint = true
            try append(process, [submission])
        case .failedSync(let process, let bytes): try failSync(process, bytes)
        case .killed(let process, let call): try appendKilled(process, at: call)
        case .restart(let process): kill(process)
        case .race(let process, let other): try race(process, other)
        case .read: try read()
        case .forgetNote:
            // What only the note knew, that a sync failed, is then not known: a limit that the specification states.
            if !syncFailed { disk.erase(DurableNote.path(for: Self.path)) }
        }
    }

    private func body(_ number: Int, _ bytes: Int) -> [UInt8] {
        var body = Array("event \(number);".utf8)
        var dice = Dice(UInt64(number) &* 1_000_003)
        while body.count < bytes { body.append(UInt8(truncatingIfNeeded: dice.next() >> 17)) }
        return body
    }

    private func submission(events count: Int, bytes: Int, _ durability: Durability) -> Submission {
        let events = (0..<count).map { _ in
            let body = body(expected.bodies.count, bytes)
            expected.bodies.append(body)
            return EventDraft(.registered(.note), media: .bytes, body: body, time: Self.start)
        }
        return Submission(.run(Self.run, token: nil), events: events, durability: durability)
    }

    /// One turn; what it acknowledges is expected from then on.
    private func append(_ number: Int, _ submissions: [Submission], mayFail: Bool = false) throws {
        let count = submissions.reduce(0) { $0 + $1.events.count }
        var event = expected.bodies.count - count
        do {
            let door = try door(number)
            // One submission goes the way of `WriterQueue.submit`, several that of a drain.
            let results = submissions.count == 1 ? [door.submit(submissions[0])] : door.take(submissions)
            let syncs = submissions.contains { $0.durability == .durable }
            for (submission, result) in zip(submissions, results) {
                for receipt in try result.get() {
                    // What shares a turn shares its sync.
                    if syncs || submission.durability == .durable {
                        expected.durable.append((event, receipt.leafIndex))
                    } else {
                        expected.written.append((event, receipt.leafIndex))
                    }
                    event += 1
                }
            }
            if let tree = doors[number]?.state.tree { expected.roots[tree.size] = tree.root }
        } catch {
            if mayFail || processes[number]?.isDead ?? true || isToldOfFailure(error) {
                let code = (error as? WriteError)?.code
                // A full disk leaves a queue at work; after anything worse it has to be opened again.
                if !toleratesFaults || code == .outcomeUnknown || code == .poisoned { doors[number] = nil }
                return
            }
            throw Self.refusal(error)
        }
    }

    private func isToldOfFailure(_ error: any Error) -> Bool {
        if toleratesFaults { return true }
        return syncFailed
            && ((error as? StorageError)?.errno == .ioError || (error as? WriteError)?.code == .outcomeUnknown)
    }

    /// A crash and nothing else came before: whatever is refused, is refused wrongly.
    static func refusal(_ error: any Error) -> CrashFailure {
        if let failure = error as? CrashFailure { return failure }
        return CrashFailure(.misread, "refused: \(error)")
    }

    private func failSync(_ number: Int, _ bytes: Int) throws {
        // Before the fault: a failed recovery would be another story.
        do { try door(number) } catch {
            if isToldOfFailure(error) { return }
            throw Self.refusal(error)
        }
        let process = process(number)
        var isDone = false
        process.fault = { _, name in
            guard name == "sync", !isDone else { return nil }
            isDone = true
            return .error(.ioError)
        }
        try append(number, [submission(events: 1, bytes: bytes, .durable)], mayFail: true)
        process.fault = nil
        doors[number] = nil
        syncFailed = true
    }

    private func appendKilled(_ number: Int, at call: Int) throws {
        let process = process(number)
        let last = process.calls + call
        process.fault = { index, _ in index == last ? .kill : nil }
        try append(number, [submission(events: 1, bytes: 300, .durable)])
        process.fault = nil
    }

    private func race(_ number: Int, _ other: Int) throws {
        do { try door(number) } catch {
            if isToldOfFailure(error) { return }
            throw Self.refusal(error)
        }
        var failure: (any Error)?
        disk.beforeLock = { [unowned self] in
            disk.beforeLock = nil
            do { try append(other, [submission(events: 1, bytes: 20, .durable)]) } catch { failure = error }
        }
        let mine = submission(events: 1, bytes: 30, .durable)
        let event = expected.bodies.count - 1
        // Half of them begin as a short turn, which finds that it is overtaken.
        let door = try door(number)
        let result = event.isMultiple(of: 2) ? door.submit(mine) : door.take([mine])[0]
        disk.beforeLock = nil
        if let failure { throw Self.refusal(failure) }
        do {
            expected.durable.append((event, try result.get()[0].leafIndex))
        } catch {
            guard isToldOfFailure(error) else { throw Self.refusal(error) }
            doors[number] = nil
        }
    }

    private func read() throws {
        do {
            let reading = try Reading(Self.path, disk.process(), limit: expected.mark, isReader: true)
            expected.mark = max(expected.mark, reading.end)
            expected.pins[reading.size] = reading.root
        } catch {
            if isToldOfFailure(error) { return }
            throw Self.refusal(error)
        }
    }

    /// Takes the checkpoint notes that stand in the file as kept by somebody: whoever follows the file can see them.
    func pinNotes() {
        guard let reading = try? Reading(Self.path, disk.process(), limit: nil, isReader: false) else { return }
        for note in reading.notes { expected.pins[note.size] = note.root }
    }
}
