/// Up to where a capsule may be observed by whoever only reads: no index row, mark, proof or verdict may cover bytes
/// that a crash could take back.
public struct DurableReach: Equatable, Sendable {
    /// Bytes before it are known to be durable, and no writer will cut them.
    public let limit: UInt64
    /// Whether something beyond the limit was left out: a writer is at work on it, or its sync failed.
    public let isBeingWritten: Bool

    /// Looks at the length and the note, and syncs the capsule where they do not settle it and no writer is at work.
    ///
    /// - Parameter known: a length that is known to be durable.
    /// - Throws: `StorageError`.
    public init(of capsule: CapsuleFile, from known: UInt64) throws(StorageError) {
        let length = try capsule.file.length()
        if length <= known {
            self.init(limit: length, isBeingWritten: false)
            return
        }
        let note = Self.note(of: capsule)
        if length <= note?.durableLength ?? 0 {
            self.init(limit: length, isBeingWritten: false)
            return
        }
        // A writer that fails in the middle of a turn cuts back even whole batches. So a sync of ours counts only while
        // no writer has its turn; after it, recovery keeps every whole batch.
        guard try capsule.file.tryLock(.shared) else {
            let durable = note?.durableLength ?? Self.stated(in: capsule, from: known, length: length)
            self.init(limit: max(known, min(length, durable)), isBeingWritten: true)
            return
        }
        defer { try? capsule.file.unlock() }
        // Under the lock: a writer may have failed since we looked.
        if let note = Self.note(of: capsule), note.syncFailed, !Mutant.isOn(.readersTrustASyncAfterOneFailed) {
            // The pages count as clean, and our sync would succeed without having written them.
            self.init(limit: max(known, min(length, note.durableLength)), isBeingWritten: true)
            return
        }
        let locked = try capsule.file.length()
        if !Mutant.isOn(.readersDoNotSync) { try capsule.file.sync() }
        self.init(limit: locked, isBeingWritten: false)
    }

    private init(limit: UInt64, isBeingWritten: Bool) {
        self.limit = limit
        self.isBeingWritten = isBeingWritten
    }

    /// What the batches themselves say to have been durable when they were written; 0 if none says anything.
    ///
    /// Without a note this is all that is known while a writer has its turn, which may be reading the whole file.
    private static func stated(in capsule: CapsuleFile, from known: UInt64, length: UInt64) -> UInt64 {
        var walk = HeaderWalk(capsule, from: max(known, FileHeader.size), limit: length)
        var durable: UInt64 = 0
        while let header = try? walk.next() { durable = max(durable, header.durableLength) }
        return durable
    }

    private static func note(of capsule: CapsuleFile) -> DurableNote? {
        DurableNote.read(for: capsule.path, header: capsule.header, storage: capsule.storage)
    }
}

/// What is known outside a capsule and its note of how far it was durable.
public struct OutsideEvidence: Equatable, Sendable {
    /// A length that was durable: an index's mark.
    public var durableLength: UInt64?
    /// Events that a checkpoint kept elsewhere covers.
    public var treeSize: UInt64?

    public init(durableLength: UInt64? = nil, treeSize: UInt64? = nil) {
        self.durableLength = durableLength
        self.treeSize = treeSize
    }
}
