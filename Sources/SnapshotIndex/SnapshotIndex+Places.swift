import Capsule
import GRDB

/// An event that marks a checkpoint, as the index knows it.
public struct CheckpointEventRow: Equatable, Sendable {
    /// Index of the event's leaf in the capsule.
    public var leaf: UInt64
    public var label: String?
    /// Where the batch begins that holds it.
    public var batchOffset: UInt64
}

/// How far an index reaches, read without bringing it up to date.
public struct IndexCoverage: Equatable, Sendable {
    /// Where the last batch that it covers ends.
    public var end: UInt64
    public var batches: UInt64
    /// Events that it covers.
    public var treeSize: UInt64
    /// Length that the capsule is known to have been durable up to.
    public var knownDurable: UInt64
}

extension SnapshotIndex {
    /// Events that mark a checkpoint, in the order of the file.
    public func checkpointEvents() throws -> [CheckpointEventRow] {
        try query { view in
            try view.rows("SELECT leaf, label, batch_offset FROM checkpoint_event ORDER BY leaf") { fields in
                CheckpointEventRow(
                    leaf: try fields.unsigned(0),
                    label: try fields.optionalText(1),
                    batchOffset: try fields.unsigned(2)
                )
            }
        }
    }

    /// How far the index reaches now.
    public func coverage() throws -> IndexCoverage {
        try query { view in
            IndexCoverage(
                end: view.mark.offset,
                batches: view.mark.number,
                treeSize: view.mark.treeSize,
                knownDurable: view.mark.durable
            )
        }
    }

    /// Where the first batch begins that holds an event of the run which begins at `firstLeaf`.
    public func firstBatch(ofRunAt firstLeaf: UInt64) throws -> UInt64? {
        try query { view in
            let sql = "SELECT first_offset FROM run_batches WHERE run = ? ORDER BY first_offset LIMIT 1"
            return try view.rows(sql, [firstLeaf.signed]) { try $0.unsigned(0) }.first
        }
    }

    /// Where the last batch begins that holds an event of the run which begins at `firstLeaf`, of those before an
    /// offset.
    public func lastBatch(ofRunAt firstLeaf: UInt64, before offset: UInt64) throws -> UInt64? {
        try query { view in
            let sql = """
                SELECT offsets FROM run_batches WHERE run = ? AND first_offset < ? ORDER BY first_offset DESC LIMIT 1
                """
            let pieces = try view.rows(sql, [firstLeaf.signed, offset.signed]) { try BatchOffsets.decode($0.bytes(0)) }
            return pieces.first?.last { $0 < offset }
        }
    }

    /// Where batches begin that hold events of any run, run zero's too, from `offset` on, in the order of the file.
    ///
    /// Costs a look-up or two for each run.
    public func batches(from offset: UInt64) throws -> [UInt64] {
        try query { view in
            let sql = """
                WITH place(leaf) AS (SELECT first_leaf FROM run UNION ALL SELECT \(IndexSchema.ownRun)) \
                SELECT offsets FROM place CROSS JOIN run_batches ON run_batches.run = place.leaf \
                WHERE first_offset >= COALESCE((SELECT max(first_offset) FROM run_batches AS earlier \
                WHERE earlier.run = place.leaf AND earlier.first_offset < ?), 0)
                """
            var found: Set<UInt64> = []
            for piece in try view.rows(sql, [offset.signed], { try BatchOffsets.decode($0.bytes(0)) }) {
                found.formUnion(piece.drop { $0 < offset })
            }
            return found.sorted()
        }
    }

    /// Events of run zero, the capsule's own, up to the mark.
    public func ownEvents() throws -> UInt64 {
        try perform(refills: true) { store in
            try store.read { view in
                UInt64(try OpenRuns.state(ofRunAt: 0, view.db, in: IndexHistory(store))?.next ?? 0)
            }
        }
    }

    /// Sizes of what stands in the capsule beside events: number and bytes, decompressed, of each kind of object.
    public func objectSizes() throws -> [(kind: FrameKind, count: UInt64, bytes: UInt64)] {
        try query { view in
            let sql = """
                SELECT \(FrameKind.snapshot.rawValue), count(*), COALESCE(sum(size), 0) FROM snapshot \
                WHERE batch_offset IS NOT NULL UNION ALL \
                SELECT kind, count(*), sum(size) FROM object GROUP BY kind
                """
            return try view.rows(sql) { fields in
                let kind = FrameKind(rawValue: UInt8(truncatingIfNeeded: try fields.integer(0)))
                return (kind ?? .document, try fields.unsigned(1), try fields.unsigned(2))
            }
        }
    }

    /// Bytes that snapshots would take more if each run carried its own.
    public func bytesSavedBySharing() throws -> UInt64 {
        try query { view in
            let sql = """
                SELECT COALESCE(sum(size * (uses - 1)), 0) FROM (SELECT size, (SELECT count(*) FROM run_snapshot \
                WHERE snapshot = number) AS uses FROM snapshot WHERE batch_offset IS NOT NULL) WHERE uses > 1
                """
            return try view.rows(sql) { try $0.unsigned(0) }.first ?? 0
        }
    }

    /// Up to where the capsule may be observed: what is known to be durable, after a sync if nothing says so and no
    /// writer is at work.
    ///
    /// - Parameter known: a length that is known to be durable.
    /// - Throws: `StorageError`.
    public static func durableLength(of capsule: CapsuleFile, knowing known: UInt64) throws -> UInt64 {
        try DurableReach(of: capsule, from: known).limit
    }
}
