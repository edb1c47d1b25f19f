import Capsule
import GRDB

/// Writes rows into an open transaction.
final class RowWriter {
    private let db: Database
    /// Numbers of snapshots that were used in this transaction.
    private var snapshotNumbers: [Digest: Int64] = [:]

    private let findRun: Statement
    private let insertRun: Statement
    private let updateRun: Statement
    private let insertRunBatch: Statement
    private let insertRunSnapshot: Statement

    init(_ db: Database) throws {
        self.db = db
        findRun = try db.cachedStatement(sql: "SELECT first_leaf FROM run WHERE id = ?")
        insertRun = try db.cachedStatement(
            sql: """
                INSERT INTO run (last_time, end_time, outcome, events, snapshot, first_leaf, id, name, spec, key, \
                start_time, exclusive) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        updateRun = try db.cachedStatement(
            sql: """
                UPDATE run SET last_time = ?, end_time = COALESCE(?, end_time), outcome = COALESCE(?, outcome), \
                events = events + ?, snapshot = ? WHERE first_leaf = ?
                """
        )
        insertRunBatch = try db.cachedStatement(sql: "INSERT INTO run_batch VALUES (?, ?)")
        insertRunSnapshot = try db.cachedStatement(sql: "INSERT OR IGNORE INTO run_snapshot VALUES (?, ?)")
    }

    func write(_ rows: PendingRows) throws {
        for object in rows.objects { try write(object) }
        for run in rows.runs { try write(run) }
    }

    private func write(_ run: PendingRun) throws {
        let snapshots = try run.snapshots.map { try number(of: $0.id, usedAt: $0.time) }
        let known = try Row.fetchOne(findRun, arguments: [run.id.blob]).map { try Fields($0).unsigned(0) }
        let place = (known ?? run.firstLeaf).signed
        let progress: StatementArguments = [
            run.lastTime.nanoseconds, run.end?.time.nanoseconds, run.end.map { Int64($0.outcome) }, run.events,
            snapshots.last, place,
        ]
        if known == nil {
            let start = run.start
            insertRun.setUncheckedArguments(
                progress + [
                    run.id.blob, start.name, start.spec, start.key?.blob, run.startTime.nanoseconds, start.isExclusive,
                ]
            )
            try insertRun.execute()
        } else {
            updateRun.setUncheckedArguments(progress)
            try updateRun.execute()
        }
        for batch in run.batches {
            insertRunBatch.setUncheckedArguments([place, batch.signed])
            try insertRunBatch.execute()
        }
        for snapshot in snapshots {
            insertRunSnapshot.setUncheckedArguments([snapshot, place])
            try insertRunSnapshot.execute()
        }
    }

    /// The number of a snapshot in the index; given to it if it has none, for a broken capsule may use it before it
    /// stands there.
    private func number(of id: Digest, usedAt time: Timestamp) throws -> Int64 {
        if let number = snapshotNumbers[id] { return number }
        let sql = """
            INSERT INTO snapshot (id, first_used) VALUES (?, ?) \
            ON CONFLICT (id) DO UPDATE SET first_used = COALESCE(first_used, excluded.first_used) RETURNING number
            """
        let row = try Row.fetchOne(db.cachedStatement(sql: sql), arguments: [id.blob, time.nanoseconds])
        guard let number = try row.map({ try Fields($0).integer(0) }) else {
            throw IndexFault.damaged("a snapshot got no number")
        }
        snapshotNumbers[id] = number
        return number
    }

    private func write(_ object: PendingObject) throws {
        let batch = object.batch.signed
        if object.kind == .snapshot {
            // Of several copies the first counts, as it is the one that stands before the runs.
            let sql = """
                INSERT INTO snapshot (id, size, batch_offset) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE \
                SET size = COALESCE(size, excluded.size), batch_offset = COALESCE(batch_offset, excluded.batch_offset)
                """
            return try db.cachedStatement(sql: sql).execute(arguments: [object.id.blob, object.size, batch])
        }
        let sql = "INSERT OR IGNORE INTO object VALUES (?, ?, ?, ?)"
        try db.cachedStatement(sql: sql).execute(
            arguments: [object.id.blob, Int64(object.kind.rawValue), object.size, batch])
        guard let note = object.note else { return }
        try db.cachedStatement(
            sql: "INSERT INTO checkpoint (id, size, root, signatures, batch_offset) VALUES (?, ?, ?, ?, ?)"
        ).execute(arguments: [object.id.blob, note.size.signed, note.root.blob, note.signatureLines, batch])
    }
}

extension CheckpointNote {
    /// Lines that look like signatures (C2SP signed-note): an em dash and a space. None of them is verified here.
    fileprivate var signatureLines: Int {
        let mark = Array("\u{2014} ".utf8)
        return bytes.split(separator: UInt8(ascii: "\n")).filter { $0.starts(with: mark) }.count
    }
}
