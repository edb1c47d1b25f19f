/// Brings a capsule to a state in which everything in it is durable, before anything is served or appended.
///
/// Call it under the exclusive lock. It changes nothing that a finished sync may have covered; see `spec/format.md`
/// section 10.3.
public struct Recovery {
    let path: FilePath
    let storage: any Storage
    let file: any StorageFile
    let header: FileHeader

    public init(path: FilePath, storage: any Storage, file: any StorageFile, header: FileHeader) {
        self.path = path
        self.storage = storage
        self.file = file
        self.header = header
    }

    /// Cuts a torn tail at `end` and makes all before it durable.
    ///
    /// - Parameters:
    ///   - end: where the last valid batch ends, as a reading under this lock found.
    ///   - durable: the length that is known to be durable: the note's, or the one that the newest header states.
    ///   - isNameDurable: whether a crash cannot take the capsule's name: who made it may have been killed before that.
    /// - Returns: what it did.
    /// - Throws: `StorageError`; `CapsuleError` with `cutShort` if the file became shorter meanwhile.
    @discardableResult
    public func run(end: UInt64, durable: UInt64, length: UInt64, isNameDurable: Bool) throws -> RecoveryOutcome {
        var outcome = RecoveryOutcome(
            end: end,
            cutBytes: length - min(end, length),
            syncedBytes: end - min(durable, end)
        )
        if length > end {
            if !Mutant.isOn(.tornTailIsNotKept) { outcome.keptTail = try keepTail(from: end, length: length) }
            if !Mutant.isOn(.recoveryDoesNotCut) { try file.truncate(to: end) }
        }
        if !Mutant.isOn(.recoveryDoesNotRewrite) { try rewrite(from: min(durable, end), to: end) }
        try file.sync()
        if !isNameDurable, Mutant.active.isDisjoint(with: [.directoriesAreNotSynced, .recoveryDoesNotSyncTheName]) {
            try storage.syncDirectory(path.directory)
        }
        return outcome
    }

    /// Writes the same bytes again: after a kill they may be in the cache only, and after a failed sync the cache may
    /// hold what
    /// the disk does not and never will, because its pages count as clean.
    private func rewrite(from start: UInt64, to end: UInt64) throws {
        var next = start
        while next < end {
            let bytes = try file.bytes(at: next, count: Int(min(1 << 20, end - next)))
            guard !bytes.isEmpty else {
                throw CapsuleError(.cutShort, at: next, "the file became shorter while it was recovered")
            }
            var failure: StorageError?
            bytes.withUnsafeBytes { buffer in
                do throws(StorageError) { try file.writeFully(buffer, at: next) } catch { failure = error }
            }
            if let failure { throw failure }
            next += UInt64(bytes.count)
        }
    }

    // MARK: The torn tail

    private static let tailMark = ".torn-"

    /// Keeps what is about to be cut in a file of its own, so that no judgement of ours destroys evidence.
    /// Answers where; nil where nothing but zeroes is cut.
    private func keepTail(from start: UInt64, length: UInt64) throws -> FilePath? {
        let end = try endWithoutZeroes(from: start, length: length)
        guard end > start else { return nil }
        let directory = path.directory
        let stem = (path.lastComponent?.string ?? "capsule") + Self.tailMark
        let kept = try storage.names(in: directory).filter { $0.hasPrefix(stem) }
        let newest = kept.compactMap { Self.tailNumber($0, stem: stem) }.max() ?? 0
        let name = path.appending(toName: "\(Self.tailMark)\(newest + 1)")
        let copy = try storage.create(name)
        do {
            try copyTail(from: start, to: end, into: copy)
        } catch {
            // A part of it is of no use, and the next try would leave another one.
            try? storage.remove(name)
            throw error
        }
        if !Mutant.isOn(.directoriesAreNotSynced) { try storage.syncDirectory(directory) }
        dropOldest(stem: stem, directory: directory, newest: newest + 1)
        return name
    }

    /// The number at the end of a kept tail's name; other names, and numbers that nobody counts to, are not ours.
    private static func tailNumber(_ name: String, stem: String) -> Int? {
        let digits = name.dropFirst(stem.count)
        return Int(digits).flatMap { (0..<1_000_000_000).contains($0) && digits == "\($0)" ? $0 : nil }
    }

    private func copyTail(from start: UInt64, to end: UInt64, into copy: any StorageFile) throws {
        defer { copy.close() }
        var next = start
        while next < end {
            let bytes = try file.bytes(at: next, count: Int(min(1 << 20, end - next)))
            if bytes.isEmpty { break }
            var failure: StorageError?
            bytes.withUnsafeBytes { buffer in
                do throws(StorageError) { try copy.writeFully(buffer, at: next - start) } catch { failure = error }
            }
            if let failure { throw failure }
            next += UInt64(bytes.count)
        }
        try copy.sync()
    }

    /// One that cannot be dropped is one more than was promised, and no reason to refuse the capsule.
    private func dropOldest(stem: String, directory: FilePath, newest: Int) {
        for name in (try? storage.names(in: directory)) ?? [] where name.hasPrefix(stem) {
            guard let number = Self.tailNumber(name, stem: stem), number <= newest - Limits.keptTails,
                let component = FilePath.Component(name)
            else { continue }
            try? storage.remove(directory.appending(component))
        }
    }

    private func endWithoutZeroes(from start: UInt64, length: UInt64) throws -> UInt64 {
        var end = length
        while end > start {
            let count = min(1 << 20, end - start)
            let bytes = try file.bytes(at: end - count, count: Int(count))
            if let last = bytes.lastIndex(where: { $0 != 0 }) { return end - count + UInt64(last) + 1 }
            end -= count
        }
        return end
    }
}

/// What a recovery did.
public struct RecoveryOutcome: Equatable, Sendable {
    /// Where the capsule ends now.
    public var end: UInt64
    /// Bytes of a write that did not complete, which were cut off.
    public var cutBytes: UInt64
    /// Whole batches that nobody knew to be durable: so many bytes, which were written once more and synced.
    public var syncedBytes: UInt64
    /// Where what was cut is kept; nil where nothing was, or nothing but zeroes.
    public var keptTail: FilePath?
}
