import Capsule
import Foundation
import GRDB

/// Writes rows into an open transaction.
final class RowWriter {
    private let db: Database
    /// Numbers of snapshots that were used in this transaction.
    private var snapshotNumbers: [Digest: Int64] = [:]

    private let findRun: Statement
    private let insertRun: Statement
    private let updateRun: Statement
    private let insertRunBatches: Statement
    private let insertRunSnapshot: Statement

    init(_ db: Database) throws {
        self.db = db
        findRun = try db.cachedStatement(sql: "SELECT first_leaf FROM run WHERE id = ?")
        insertRun = try db.cachedStatement(
            sql: """
                INSERT INTO run (last_time, end_time, outcome, events, snapshot, first_leaf, id, name, spec, key, \
                start_time, exclusive, first_snapshot, fingerprint, seal_leaf) \
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """
        )
        updateRun = try db.cachedStatement(
            sql: """
                UPDATE run SET last_time = ?, end_time = COALESCE(?, end_time), outcome = COALESCE(?, outcome), \
                events = events + ?, snapshot = ?, seal_leaf = COALESCE(?, seal_leaf) WHERE first_leaf = ?
                """
        )
        insertRunBatches = try db.cachedStatement(sql: "INSERT INTO run_batches VALUES (?, ?, ?)")
        insertRunSnapshot = try db.cachedStatement(sql: "INSERT OR IGNORE INTO run_snapshot VALUES (?, ?)")
    }

    /// - Parameter state: the capsule's after these rows.
    func write(_ rows: PendingRows, _ state: RowState, findings: Int) throws {
        var summary = try OpenRuns.summary(db) ?? OpenRuns.Summary()
        for object in rows.objects { try write(object) }
        for snapshot in rows.snapshots { _ = try number(of: snapshot.id, usedAt: snapshot.time) }
        for run in rows.runs { try write(run, state, &summary) }
        if let runZero = state.open[.zero] { try writeState(runZero.bytes, of: 0, &summary) }
        try write(batches: rows.ownBatches, ofRunAt: IndexSchema.ownRun)
        for key in state.keys { try write(key) }
        try SubtreeRows(db).write(rows)
        summary.tree = state.tree
        summary.findings += Int64(findings)
        summary.checkpoints += Int64(rows.checkpoints.count + rows.objects.count { $0.note != nil })
        summary.headerDigest = state.headerDigest
        summary.isClosed = state.isClosed
        try OpenRuns.write(summary, db)
        for checkpoint in rows.checkpoints {
            try db.cachedStatement(sql: "INSERT INTO checkpoint_event VALUES (?, ?, ?)").execute(
                arguments: [checkpoint.leaf.signed, checkpoint.label, checkpoint.batch.signed])
        }
    }

    /// Puts the state of a run that was touched in the place of the one before; nil if it ended.
    private func writeState(_ state: [UInt8]?, of place: Int64, _ summary: inout OpenRuns.Summary) throws {
        if let old = try OpenRuns.stateBytes(at: place, db) {
            summary.toggle(old, at: place)
            summary.openRuns -= 1
        }
        guard let bytes = state else {
            try db.cachedStatement(sql: "DELETE FROM open_run WHERE first_leaf = ?").execute(arguments: [place])
            return try db.cachedStatement(sql: "DELETE FROM open_key WHERE run = ?").execute(arguments: [place])
        }
        summary.toggle(bytes, at: place)
        summary.openRuns += 1
        try db.cachedStatement(sql: "INSERT OR REPLACE INTO open_run VALUES (?, ?)")
            .execute(arguments: [place, Data(bytes)])
    }

    private func write(_ key: RowState.Key) throws {
        let event = key.event
        try db.cachedStatement(sql: "INSERT OR IGNORE INTO open_key VALUES (?, ?, ?, ?, ?, ?)").execute(arguments: [
            key.firstLeaf.signed, key.key.blob, Int64(event.sequence), event.leafIndex.signed, event.fingerprint?.blob,
            key.isActor,
        ])
    }

    private func write(_ run: PendingRun, _ state: RowState, _ summary: inout OpenRuns.Summary) throws {
        let snapshots = run.snapshots.compactMap { snapshotNumbers[$0] }
        let known = try Row.fetchOne(findRun, arguments: [run.id.blob]).map { try Fields($0).unsigned(0) }
        let place = (known ?? run.firstLeaf).signed
        let progress: StatementArguments = [
            run.lastTime.nanoseconds, run.end?.time.nanoseconds, run.end.map { Int64($0.outcome) }, run.events,
            snapshots.last,
        ]
        let seal = run.end?.leaf.signed
        if known == nil {
            let start = run.start
            let fingerprint = start.key.flatMap { state.fingerprints[$0] }
            insertRun.setUncheckedArguments(
                progress + [
                    place, run.id.blob, start.name, start.spec, start.key?.blob, run.startTime.nanoseconds,
                    start.isExclusive, snapshots.first, fingerprint?.blob, seal,
                ]
            )
            try insertRun.execute()
            summary.runs += 1
            if start.key != nil { summary.named += 1 }
        } else {
            updateRun.setUncheckedArguments(progress + [seal, place])
            try updateRun.execute()
        }
        // A run that began and ended here has nothing to take back.
        let open = state.open[run.id]
        if known != nil || open != nil { try writeState(open?.bytes, of: place, &summary) }
        try write(batches: run.batches, ofRunAt: place)
        for snapshot in snapshots {
            insertRunSnapshot.setUncheckedArguments([snapshot, place])
            try insertRunSnapshot.execute()
        }
    }

    private func write(batches: [UInt64], ofRunAt place: Int64) throws {
        guard let first = batches.first else { return }
        insertRunBatches.setUncheckedArguments([place, first.signed, Data(BatchOffsets.encode(batches))])
        try insertRunBatches.execute()
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
        let sql = "INSERT OR IGNORE INTO object VALUES (?, ?, ?, ?, ?)"
        try db.cachedStatement(sql: sql).execute(
            arguments: [
                object.id.blob, Int64(object.kind.rawValue), object.size, batch, object.extra.map { Data($0) },
            ])
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
