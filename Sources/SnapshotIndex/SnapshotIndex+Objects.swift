import Capsule
import GRDB

/// A policy snapshot that stands in the capsule.
public struct SnapshotRow: Equatable, Sendable {
    public var id: Digest
    /// Bytes, decompressed.
    public var size: UInt64
    /// Where the batch begins that holds it first.
    public var batchOffset: UInt64
    /// Runs that had it in force at some time.
    public var runs: UInt64
    /// Claimed time of the first event under it; nil if there is none.
    public var firstSeen: Timestamp?
}

/// What a text that was meant for a snapshot names.
public enum SnapshotMatch: Equatable, Sendable {
    case one(SnapshotRow)
    case none
    /// Several, in the order of the file; no more than `maximumShown`.
    case ambiguous([SnapshotRow])

    public static let maximumShown = 20
}

/// A checkpoint note that stands in the capsule.
public struct CheckpointRow: Equatable, Sendable {
    /// SHA-256 of the note.
    public var id: Digest
    /// Events that it covers, and the root over them, as it says.
    public var size: UInt64
    public var root: Digest
    /// Signature lines; none of them was verified.
    public var signatures: Int
    /// Where the batch begins that holds it.
    public var batchOffset: UInt64
}

extension SnapshotIndex {
    /// All snapshots that stand in the capsule, in the order of the file.
    public func snapshots() throws -> [SnapshotRow] {
        try query { view in try view.snapshots(where: "1", [Int64.max]) }
    }

    /// The snapshot whose ID begins with `prefix`: at least four hexadecimal digits, with or without `sha256:` before
    /// them.
    public func snapshot(matching prefix: String) throws -> SnapshotMatch {
        let digits = prefix.hasPrefix("sha256:") ? String(prefix.dropFirst(7)) : prefix
        let missing = 64 - digits.utf8.count
        guard (0...60).contains(missing), let lowest = Digest(hex: digits + String(repeating: "0", count: missing)),
            let highest = Digest(hex: digits + String(repeating: "f", count: missing))
        else { return .none }
        return try query { view in
            let rows = try view.snapshots(
                where: "id BETWEEN ? AND ?",
                [lowest.blob, highest.blob, SnapshotMatch.maximumShown]
            )
            return rows.count > 1 ? .ambiguous(rows) : rows.first.map(SnapshotMatch.one) ?? .none
        }
    }

    /// Where the batch begins that holds an object first: a snapshot, document, chunk, manifest, note or proof. Nil if
    /// none does.
    public func objectBatch(_ id: Digest) throws -> UInt64? {
        let sql = """
            SELECT batch_offset FROM snapshot WHERE id = ? AND batch_offset IS NOT NULL \
            UNION ALL SELECT batch_offset FROM object WHERE id = ? LIMIT 1
            """
        return try query { view in try view.rows(sql, [id.blob, id.blob]) { try $0.unsigned(0) }.first }
    }

    /// Checkpoint notes, newest first.
    public func checkpoints(limit: Int = .max) throws -> [CheckpointRow] {
        let sql = "SELECT id, size, root, signatures, batch_offset FROM checkpoint ORDER BY number DESC LIMIT ?"
        return try query { view in
            try view.rows(sql, [max(0, limit)]) { fields in
                CheckpointRow(
                    id: try fields.digest(0),
                    size: try fields.unsigned(1),
                    root: try fields.digest(2),
                    signatures: Int(truncatingIfNeeded: try fields.integer(3)),
                    batchOffset: try fields.unsigned(4)
                )
            }
        }
    }
}

extension IndexView {
    /// - Parameter arguments: those of `filter`, and then the limit.
    fileprivate func snapshots(where filter: String, _ arguments: StatementArguments) throws -> [SnapshotRow] {
        let sql = """
            SELECT id, size, batch_offset, (SELECT count(*) FROM run_snapshot WHERE snapshot = number), first_used \
            FROM snapshot WHERE batch_offset IS NOT NULL AND \(filter) ORDER BY batch_offset, number LIMIT ?
            """
        return try rows(sql, arguments) { fields in
            SnapshotRow(
                id: try fields.digest(0),
                size: try fields.unsigned(1),
                batchOffset: try fields.unsigned(2),
                runs: try fields.unsigned(3),
                firstSeen: try fields.optionalInteger(4).map(Timestamp.init(nanoseconds:))
            )
        }
    }
}
