import Capsule

/// Gathers rows from what a writer puts into a capsule, as it does so: reading the file back takes ten times as long.
///
/// Tell it each event of a batch and then `closeBatch`; once the write is made out, `place` for each closed batch, and
/// each object with the place of its batch; and `chunk` where everything told is in the file.
public struct WrittenRows {
    private let header: FileHeader
    private var start: BatchPosition
    private var rows = PendingRows()
    /// Batches of events that are full, and where those of them begin that are placed.
    private var closed: UInt64 = 0
    private var offsets: [UInt64] = []
    private var lastBatch: UInt64 = 0
    private var treeSize: UInt64 = 0

    /// - Parameter start: where the first batch goes.
    public init(in header: FileHeader, from start: BatchPosition) {
        self.header = header
        self.start = start
    }

    /// Rows that wait, about.
    public var count: Int { rows.count }

    /// - Parameters:
    ///   - body: the event's inline body, if it has one.
    ///   - leaf: index of its leaf.
    public mutating func add(_ envelope: Envelope, body: [UInt8]?, leaf: UInt64) {
        rows.add(envelope, body: body, leaf: leaf, batch: closed)
        treeSize = leaf + 1
    }

    /// - Parameter root: of the subtree of `MerkleFrontier.keptLeaves` leaves that the last event completed.
    public mutating func add(subtree root: Digest) { rows.add(block: root, endingAt: treeSize) }

    public mutating func closeBatch() { closed += 1 }

    public mutating func place(batchAt offset: UInt64) {
        offsets.append(offset)
        lastBatch = max(lastBatch, offset)
    }

    public mutating func add(_ object: StoredObject, inBatchAt offset: UInt64) {
        rows.add(object, batch: offset)
        lastBatch = max(lastBatch, offset)
    }

    /// Everything since the start or the last chunk; nil if that is nothing.
    ///
    /// - Parameters:
    ///   - end: where the last batch ends.
    ///   - state: the capsule's there.
    ///   - root: as the last batch header states it.
    public mutating func chunk(upTo end: BatchPosition, _ state: CapsuleState, root: Digest) -> WrittenChunk? {
        guard end.offset > start.offset, UInt64(offsets.count) == closed else { return nil }
        rows.place(batches: offsets)
        let chunk = WrittenChunk(
            header: header,
            start: start,
            end: end,
            lastBatch: lastBatch,
            root: root,
            rows: rows,
            state: RowState(state, after: rows)
        )
        self = WrittenRows(in: header, from: end)
        return chunk
    }
}

/// What a writer put into a capsule between two places, as rows.
public struct WrittenChunk: Sendable {
    let header: FileHeader
    public let start: BatchPosition
    public let end: BatchPosition
    let lastBatch: UInt64
    let root: Digest
    let rows: PendingRows
    let state: RowState

    /// Whether its last batch is the one that stands in the capsule, and so all before it: a batch names the header
    /// before it. A write that was cut off by a crash may have been followed by another in its place.
    func stands(in capsule: CapsuleFile) throws -> Bool {
        guard capsule.header == header, let found = try capsule.header(ofBatchAt: lastBatch) else { return false }
        return found.checksum == end.previousChecksum && found.header.number &+ 1 == end.number
            && found.header.treeSize == state.tree.size && found.header.root == root
    }
}

extension SnapshotIndex {
    /// Takes in what a writer tells of its own batches, if they are durable by now; before it, by reading, what the
    /// index is missing.
    ///
    /// What was told counts only where the index ends where it begins, and where the capsule holds its last batch.
    /// Otherwise the capsule is read, as `catchUp` does.
    ///
    /// - Returns: where the index now ends; before the end of the chunk where that is not known to be durable.
    /// - Throws: as `catchUp`.
    @discardableResult
    public func catchUp(with chunk: WrittenChunk) throws -> Status {
        try perform(refills: false) { store in try Follower(capsule: capsule, store: store).take(chunk) }
    }
}

extension Follower {
    func take(_ chunk: WrittenChunk) throws -> Status {
        if try store.read({ $0.mark.offset }) < chunk.start.offset { _ = try run(nil, upTo: chunk.start.offset) }
        var mark = try store.read { $0.mark }
        guard mark.position(in: capsule.header) == chunk.start else { return try run(nil) }
        try mark.checkLength(of: capsule)
        let reach = try DurableReach(of: capsule, from: mark.offset)
        guard chunk.end.offset <= reach.limit else { return status(mark, .beingWritten, reach) }
        guard try chunk.stands(in: capsule) else { return try run(nil) }
        let start = mark
        mark.move(to: chunk.end)
        mark.treeSize = chunk.state.tree.size
        mark.root = chunk.root
        mark.lastBatch = chunk.lastBatch
        try mark.rememberHeader(of: capsule)
        let isWritten = try store.write(upon: start) { db in
            try RowWriter(db).write(chunk.rows, chunk.state, findings: 0)
            try mark.write(db)
        }
        return isWritten ? status(mark, .end, reach) : try run(nil)
    }
}
