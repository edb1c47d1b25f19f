/// Reads what is appended to a capsule, as it becomes durable, whoever appends it.
///
/// `poll` is cheap where nothing happened: it asks the system for the file's length and for what has its name.
public final class CapsuleFollower {
    public enum Change: Equatable, Sendable {
        case none
        /// Events were handed over.
        case events
        /// The capsule was rewritten to erase something; following goes on.
        case rewritten(generation: UInt64)
    }

    public private(set) var capsule: CapsuleFile
    private var identity: FileIdentity
    private var reader: BatchReader
    /// Index of the next leaf to hand over.
    private var next: UInt64
    private var durable: UInt64
    /// Polls in which something stood there that nothing said to be durable.
    private var waits = 0

    /// Polls after which the file is synced by us, where no writer is at work.
    private static let patience = 3

    /// Follows a capsule from a place where a batch begins or the file ends.
    ///
    /// - Parameters:
    ///   - offset: the place.
    ///   - treeSize: events before it.
    public init(_ capsule: CapsuleFile, from offset: UInt64, treeSize: UInt64) throws {
        self.capsule = capsule
        identity = try capsule.file.identity()
        reader = BatchReader(file: capsule.file, header: capsule.header, limit: offset)
        reader.jump(to: offset)
        next = treeSize
        durable = offset
    }

    /// Hands over the events that became durable since.
    ///
    /// - Throws: `CapsuleError` with `cutShort` if the file is shorter than it was, `damaged` if what follows is no
    ///   batch; `LedgerError.noCapsule` if the file is gone or another one has its name; what `visit` throws.
    public func poll(_ visit: (RecordedEvent) throws -> Void) throws -> Change {
        let named = try capsule.storage.identity(of: capsule.path)
        if named != identity { return try reopen(named) }
        let length = try capsule.length()
        guard length >= reader.position.offset else {
            throw CapsuleError(
                .cutShort,
                at: length,
                "the capsule has \(length) bytes, and had \(reader.position.offset) a moment ago; see 'verify'"
            )
        }
        guard length > reader.position.offset else { return .none }
        try advance(to: length)
        return try read(visit) ? .events : .none
    }

    /// Finds out up to where the file is durable.
    private func advance(to length: UInt64) throws {
        guard durable <= reader.position.offset else { return }
        let note = DurableNote.read(for: capsule.path, header: capsule.header, storage: capsule.storage)
        durable = max(durable, min(length, note?.durableLength ?? 0))
        guard durable <= reader.position.offset else { return waits = 0 }
        waits += 1
        guard waits > Self.patience else { return }
        waits = 0
        durable = max(durable, try SnapshotIndex.durableLength(of: capsule, knowing: durable))
    }

    private func read(_ visit: (RecordedEvent) throws -> Void) throws -> Bool {
        var found = false
        reader.limit = max(durable, reader.position.offset)
        while reader.position.offset < reader.limit {
            var events: [RecordedEvent] = []
            let step = try reader.next { batch throws in
                var index = batch.header.treeSize - min(batch.header.treeSize, UInt64(batch.header.events))
                guard index <= next else {
                    throw CapsuleError(.damaged, "events \(next) to \(index) are missing before it")
                }
                try batch.forEachEvent { event throws(CapsuleError) in
                    if index >= next { events.append(RecordedEvent(event, leafIndex: index)) }
                    index += 1
                }
            }
            switch step {
            case .batch: break
            case .end: return found
            case .bad(let reason): throw CapsuleError(.damaged, at: reader.position.offset, "\(reason); see 'verify'")
            }
            next += UInt64(events.count)
            if !events.isEmpty { found = true }
            for event in events { try visit(event) }
        }
        return found
    }

    /// Goes on with the file that has the name now, if it is a later generation of the same capsule.
    private func reopen(_ named: FileIdentity?) throws -> Change {
        guard named != nil else { throw LedgerError(.noCapsule, "\(capsule.path) is gone") }
        let opened = try CapsuleFile(capsule.path, storage: capsule.storage)
        guard opened.header.capsule == capsule.header.capsule, opened.header.generation > capsule.header.generation
        else {
            throw LedgerError(.noCapsule, "another file has taken the place of \(capsule.path)")
        }
        capsule = opened
        identity = try opened.file.identity()
        // Leaves stay what they were, and stand elsewhere: those that were handed over are passed by.
        reader = BatchReader(file: opened.file, header: opened.header, limit: FileHeader.size)
        durable = FileHeader.size
        return .rewritten(generation: opened.header.generation)
    }
}
