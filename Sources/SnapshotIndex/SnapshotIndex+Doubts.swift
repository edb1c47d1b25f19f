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
    /// Costs reading all rows of runs, some ten milliseconds for 100,000.
    public func missesRuns() throws -> Bool {
        try query { view in
            let counts = try [
                "SELECT count(*) FROM run NOT INDEXED", "SELECT count(id) FROM run INDEXED BY sqlite_autoindex_run_1",
                "SELECT count(name) FROM run NOT INDEXED",
                "SELECT count(*) FROM run INDEXED BY run_name WHERE name IS NOT NULL",
            ].map { sql in try view.rows(sql) { try $0.integer(0) }.first ?? 0 }
            let known = try OpenRuns.summary(view.db)?.runs ?? 0
            return counts[0] != known || counts[1] != known || counts[2] != counts[3]
        }
    }
}
