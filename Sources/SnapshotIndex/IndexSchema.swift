import Capsule
import GRDB

/// The tables. Identifiers are blobs, times nanoseconds, unsigned numbers the signed ones of the same bits.
///
/// A run is known by the index of its first leaf: it is unique, and sorts as the file does.
enum IndexSchema {
    /// Changes with every change below: an index of another version is made anew.
    static let version: Int64 = 6

    /// In `run_batches`, the place of run zero, which has no row of its own: no leaf is there.
    static let ownRun: Int64 = -1

    static let statements =
        // The mark first: on the second page, away from what changes.
        [IndexMark.table, OtherHistory.table] + OpenRuns.tables + lookups + SubtreeRows.tables

    private static let lookups = [
        """
        CREATE TABLE run (first_leaf INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, name TEXT, spec TEXT, key BLOB, \
        start_time INTEGER NOT NULL, last_time INTEGER NOT NULL, end_time INTEGER, outcome INTEGER, \
        events INTEGER NOT NULL, snapshot INTEGER NOT NULL, exclusive INTEGER NOT NULL, seal_leaf INTEGER, \
        first_snapshot INTEGER NOT NULL, fingerprint BLOB)
        """,
        "CREATE INDEX run_name ON run (name) WHERE name IS NOT NULL",
        "CREATE INDEX run_key ON run (key) WHERE key IS NOT NULL",
        "CREATE INDEX run_open ON run (first_leaf) WHERE outcome IS NULL",
        """
        CREATE TABLE run_batches (run INTEGER NOT NULL, first_offset INTEGER NOT NULL, offsets BLOB NOT NULL, \
        PRIMARY KEY (run, first_offset)) WITHOUT ROWID
        """,
        """
        CREATE TABLE run_snapshot (snapshot INTEGER NOT NULL, run INTEGER NOT NULL, \
        PRIMARY KEY (snapshot, run)) WITHOUT ROWID
        """,
        """
        CREATE TABLE snapshot (number INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, size INTEGER, \
        batch_offset INTEGER, first_used INTEGER)
        """,
        """
        CREATE TABLE object (id BLOB NOT NULL, kind INTEGER NOT NULL, size INTEGER NOT NULL, \
        batch_offset INTEGER NOT NULL, extra BLOB, PRIMARY KEY (id, kind)) WITHOUT ROWID
        """,
        """
        CREATE TABLE checkpoint (number INTEGER PRIMARY KEY, id BLOB NOT NULL, size INTEGER NOT NULL, \
        root BLOB NOT NULL, signatures INTEGER NOT NULL, batch_offset INTEGER NOT NULL)
        """,
        "CREATE TABLE checkpoint_event (leaf INTEGER PRIMARY KEY, label TEXT, batch_offset INTEGER NOT NULL)",
    ]

    /// Whether the database holds exactly these tables and indexes: no trigger or view that somebody else put in, too.
    static func isIntact(_ db: Database) throws -> Bool {
        let sql = "SELECT sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_autoindex_%'"
        let found = try Row.fetchAll(db, sql: sql).map { try Fields($0).optionalText(0) }
        return found.count == statements.count && Set(found) == Set(statements)
    }

    /// Makes the index empty, whatever is in it now.
    ///
    /// - Parameter evidence: what is known of the capsule, and is kept.
    static func reset(_ db: Database, header: FileHeader, _ evidence: IndexStore.Evidence) throws {
        let sql = "SELECT type, name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
        for row in try Row.fetchAll(db, sql: sql) {
            let fields = Fields(row)
            let kind = try fields.optionalText(0) == "view" ? "VIEW" : "TABLE"
            try db.execute(sql: "DROP \(kind) \((fields.optionalText(1) ?? "").quotedDatabaseIdentifier)")
        }
        for statement in statements { try db.execute(sql: statement) }
        try IndexMark(startOf: header, durable: evidence.durable).write(db)
        try evidence.other?.write(db)
    }
}
