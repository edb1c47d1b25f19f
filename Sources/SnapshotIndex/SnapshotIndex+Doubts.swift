import Capsule
import GRDB

extension SnapshotIndex {
    /// Whether the capsule breaks a rule before the mark: then a run that looks wrong may be so.
    public func knowsOfBrokenRules() throws -> Bool {
        try query { view in try OpenRuns.summary(view.db).map { $0.findings > 0 } ?? false }
    }

    /// Whether rows of checkpoints are missing.
    public func missesCheckpoints() throws -> Bool {
        try query { view in
            let sql = "SELECT (SELECT count(*) FROM checkpoint) + (SELECT count(*) FROM checkpoint_event)"
            let count = try view.rows(sql) { try $0.integer(0) }.first ?? 0
            return try OpenRuns.summary(view.db).map { $0.checkpoints != count } ?? false
        }
    }

    /// Whether rows of runs, or entries of the tables that find them, are missing: who reads others would not notice.
    ///
    /// Costs reading all rows of runs.
    public func missesRuns() throws -> Bool {
        try query { view in
            let counts: [[Int64]] = try [
                // The table, and each of the two that find its rows.
                "SELECT count(*), count(name) FROM run NOT INDEXED",
                """
                SELECT count(id), (SELECT count(*) FROM run INDEXED BY run_name WHERE name IS NOT NULL) \
                FROM run INDEXED BY sqlite_autoindex_run_1
                """,
            ].map { sql in
                let rows = try view.rows(sql) { [try $0.integer(0), try $0.integer(1)] as [Int64] }
                return rows.first ?? []
            }
            let known = try OpenRuns.summary(view.db)?.runs ?? 0
            return counts[0] != counts[1] || counts[0][0] != known
        }
    }
}
