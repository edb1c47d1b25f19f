/// Says what is the matter with a capsule, and what to do: everything is read, and nothing is changed.
///
/// The index and the note are asked how long the file was and what root they saw; what they say counts against the
/// file, never for it.
public struct CapsuleExamination: Sendable {
    /// What a capsule suffers from: the worst, if there is more.
    public enum Condition: String, Sendable, CaseIterable {
        case sound
        /// The last write was never acknowledged, and did not complete.
        case tornTail = "torn-tail"
        /// Something that was durable cannot be read.
        case damaged
        /// Shorter than it is known to have been.
        case cutShort = "cut-short"
        /// Another copy, or the index, saw another history under the same origin.
        case forked
        /// The bytes are as they were written, and what they say breaks a rule.
        case broken
        case notACapsule = "not-a-capsule"
        /// Of a newer version, here or from some batch on.
        case unsupported
        /// A writer is in the middle of its turn: the end cannot be judged.
        case locked
    }

    public var path: FilePath
    public var condition: Condition
    /// What is wrong, in a sentence; nil for a sound one.
    public var reason: String?
    /// Where in the file, if that is known.
    public var offset: UInt64?
    /// Nil if the file could not be read as a capsule.
    public var header: FileHeader?
    public var verification: CapsuleVerification?
    /// Who holds the lock at this moment, as the note says; empty if it does not.
    public var lockHolder: String?
    public var noteState = NoteState.none
    /// Whether the note states a length at which no batch ends: no writer states such a one.
    public var isNoteOdd = false
    public var index: SnapshotIndex.Reach?
    /// Torn tails that were kept beside the capsule.
    public var keptTails: [String] = []
    /// Files that a killed `init`, `salvage` or `adopt` left behind.
    public var leftovers: [String] = []

    /// The note, if it is this capsule's.
    public var note: DurableNote? {
        if case .sound(let note) = noteState { note } else { nil }
    }

    /// - Parameter others: copies to compare with.
    /// - Throws: `StorageError` if the file cannot be read at all.
    public init(
        of path: FilePath,
        against others: [FilePath] = [],
        storage: any Storage = PosixStorage(),
        progress: ((UInt64, UInt64) -> Void)? = nil
    ) throws {
        self.path = path
        let capsule: CapsuleFile
        do {
            capsule = try CapsuleFile(path, storage: storage)
        } catch let error as CapsuleError {
            condition = error.code == .newerFormat ? .unsupported : .notACapsule
            if error.code == .headerDamaged || error.code == .headersDiffer { condition = .damaged }
            reason = error.reason
            offset = error.offset
            return
        }
        condition = .sound
        header = capsule.header
        noteState = NoteState(for: capsule.path, header: capsule.header, storage: storage)
        index = SnapshotIndex.reach(for: capsule.path, capsule.header)
        lockHolder = try Self.lockHolder(capsule, note)
        keptTails = Self.keptTails(beside: capsule.path, storage)
        leftovers = Leftovers.names(beside: capsule.path, storage: storage)
        let result = try CapsuleVerification(capsule, progress: progress)
        verification = result
        judge(result)
        if let length = note?.durableLength, length <= result.report.end {
            isNoteOdd = try !Self.endsABatch(length, capsule)
        }
        guard condition == .sound || condition == .tornTail || condition == .locked else { return }
        if let fork = try indexFork(capsule) { mark(.forked, fork) }
        for other in others {
            if let fork = try Self.fork(capsule, CapsuleFile(other, storage: storage)) { mark(.forked, fork) }
        }
    }

    private mutating func mark(_ condition: Condition, _ reason: String) {
        guard self.condition != condition else { return }
        self.condition = condition
        self.reason = reason
        offset = nil
    }

    private mutating func judge(_ result: CapsuleVerification) {
        let report = result.report
        switch report.verdict {
        case .intact: condition = .sound
        case .tornTail: condition = .tornTail
        case .damaged: condition = .damaged
        case .broken: condition = .broken
        case .cutShort: condition = .cutShort
        case .beingWritten: condition = .locked
        case .unsupported: condition = .unsupported
        }
        reason = report.error?.reason ?? report.findings.first?.reason
        offset = report.error?.offset
        if condition == .sound, let id = result.malformedSnapshots.first {
            mark(.broken, "snapshot \(PolicySnapshot.text(id)) is not canonical JSON")
        }
    }

    // MARK: Around the file

    private static func lockHolder(_ capsule: CapsuleFile, _ note: DurableNote?) throws -> String? {
        guard try capsule.file.tryLock(.shared) else { return note?.holder ?? "" }
        try capsule.file.unlock()
        return nil
    }

    private static func keptTails(beside path: FilePath, _ storage: any Storage) -> [String] {
        let stem = (path.lastComponent?.string ?? "") + ".torn-"
        return ((try? storage.names(in: path.directory)) ?? []).filter { $0.hasPrefix(stem) }.sorted()
    }

    private static func endsABatch(_ offset: UInt64, _ capsule: CapsuleFile) throws -> Bool {
        var walk = HeaderWalk(capsule, limit: try capsule.length())
        while walk.offset < offset, try walk.next() != nil {}
        return walk.offset == offset
    }

    // MARK: Other histories

    private func indexFork(_ capsule: CapsuleFile) throws -> String? {
        guard let index else { return nil }
        if index.treeSize > 0, try root(at: index.treeSize, upTo: index.end, capsule) != index.root {
            return Self.fork(of: "its index saw", index.treeSize)
        }
        guard let other = index.other, try root(at: other.treeSize, upTo: other.end, capsule) != other.root else {
            return nil
        }
        return Self.fork(of: "an index of it saw", other.treeSize)
            + ". If the file was meant to be replaced, 'capsule-tool index drop' ends this"
    }

    private static func fork(of seen: String, _ size: UInt64) -> String {
        "\(seen) another history: \(size) events with another root. The file was restored from a copy that went its "
            + "own way, or the index was another copy's"
    }

    /// The root that the capsule states for so many events; nil if no batch before `end` ends there.
    ///
    /// Headers are enough: what they state was verified, or is not sound anyway.
    private func root(at size: UInt64, upTo end: UInt64, _ capsule: CapsuleFile) throws -> Digest? {
        var walk = HeaderWalk(capsule, limit: min(end, try capsule.length()))
        var root: Digest?
        while let header = try walk.next() {
            if header.treeSize == size { root = header.root }
        }
        return root
    }

    /// Says where two copies part; nil if one is the beginning of the other.
    private static func fork(_ one: CapsuleFile, _ other: CapsuleFile) throws -> String? {
        guard one.header.capsule == other.header.capsule, one.header.origin == other.header.origin else {
            throw LedgerError(
                .inputInvalid,
                "\(other.path) is no copy of \(one.path), but another capsule: \(other.header.origin)"
            )
        }
        guard one.header.generation == other.header.generation else { return nil }
        var walks = try (HeaderWalk(one, limit: one.length()), HeaderWalk(other, limit: other.length()))
        var shared: UInt64 = 0
        while let mine = try walks.0.next(), let theirs = try walks.1.next() {
            guard mine == theirs else {
                return "it and \(other.path) are a fork under one origin: they agree on \(shared) events and then part"
            }
            shared = mine.treeSize
        }
        return nil
    }
}
