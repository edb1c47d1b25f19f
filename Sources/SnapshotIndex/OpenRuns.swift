import Capsule
import Foundation
import GRDB

/// What a writer needs to go on behind the mark without reading what is before it: the tree's right edge, and the
/// states of the runs that have not ended.
///
/// One row an open run, rewritten when events of it are taken in. Beside the mark stand the number of these rows, a
/// digest of their set and the number of all runs, so that a row that is missing or changed is noticed: a writer would
/// otherwise write twice what it should write once.
enum OpenRuns {
    static let tables = [
        "CREATE TABLE open_run (first_leaf INTEGER PRIMARY KEY, state BLOB NOT NULL)",
        """
        CREATE TABLE open_key (run INTEGER NOT NULL, key BLOB NOT NULL, sequence INTEGER NOT NULL, \
        leaf INTEGER NOT NULL, fingerprint BLOB, actor INTEGER NOT NULL, PRIMARY KEY (run, key)) WITHOUT ROWID
        """,
        """
        CREATE TABLE resume (id INTEGER PRIMARY KEY CHECK (id = 1), tree BLOB NOT NULL, open_runs INTEGER NOT NULL, \
        open_digest BLOB NOT NULL, runs INTEGER NOT NULL, named INTEGER NOT NULL, checkpoints INTEGER NOT NULL, \
        findings INTEGER NOT NULL, header_digest BLOB, closed INTEGER NOT NULL, seal BLOB NOT NULL)
        """,
    ]

    /// The row beside the mark.
    struct Summary: Equatable {
        var tree = MerkleFrontier()
        var openRuns: Int64 = 0
        /// The exclusive or of the SHA-256 of every row's place and state: the order does not matter, and one row can
        /// be taken out and put in.
        var openDigest = Digest.zero
        var runs: Int64 = 0
        /// Runs that can be asked for again by the caller's name.
        var named: Int64 = 0
        /// Notes of checkpoints, and events that mark one.
        var checkpoints: Int64 = 0
        /// Rules that the capsule breaks up to the mark.
        var findings: Int64 = 0
        var headerDigest: Digest?
        var isClosed = false

        mutating func toggle(_ state: [UInt8], at place: Int64) {
            var bytes = state
            bytes.append(littleEndian: [place])
            openDigest = Digest(zip(openDigest.bytes, Hashing.sha256(bytes).bytes).map { $0 ^ $1 }) ?? .zero
        }

        fileprivate var treeBytes: Data {
            var bytes = withUnsafeBytes(of: tree.size.littleEndian) { Data($0) }
            for subtree in tree.subtrees { bytes.append(contentsOf: subtree.bytes) }
            return bytes
        }

        fileprivate var seal: Digest {
            var bytes = Array(treeBytes) + openDigest.bytes + (headerDigest?.bytes ?? [])
            bytes.append(littleEndian: [openRuns, runs, named, checkpoints, findings, isClosed ? 1 : 0])
            return Hashing.sha256(bytes)
        }
    }

    static func write(_ summary: Summary, _ db: Database) throws {
        let sql = "INSERT OR REPLACE INTO resume VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        try db.cachedStatement(sql: sql).execute(arguments: [
            summary.treeBytes, summary.openRuns, summary.openDigest.blob, summary.runs, summary.named,
            summary.checkpoints, summary.findings, summary.headerDigest?.blob, summary.isClosed, summary.seal.blob,
        ])
    }

    /// Nil if nothing was taken in yet.
    ///
    /// - Throws: `IndexFault.damaged` if it is not what was written.
    static func summary(_ db: Database) throws -> Summary? {
        let sql = """
            SELECT tree, open_runs, open_digest, runs, named, checkpoints, findings, header_digest, closed, seal \
            FROM resume
            """
        guard let row = try Row.fetchOne(db.cachedStatement(sql: sql)) else { return nil }
        let fields = Fields(row)
        var summary = Summary()
        let bytes = try fields.bytes(0)
        guard bytes.count >= 8, bytes.count % 32 == 8 else { throw IndexFault.damaged("the tree makes no sense") }
        let size = bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self)) }
        let subtrees = stride(from: 8, to: bytes.count, by: 32).compactMap { Digest(bytes[$0..<($0 + 32)]) }
        guard let tree = MerkleFrontier(size: size, subtrees: subtrees) else {
            throw IndexFault.damaged("the tree makes no sense")
        }
        summary.tree = tree
        summary.openRuns = try fields.integer(1)
        summary.openDigest = try fields.digest(2)
        summary.runs = try fields.integer(3)
        summary.named = try fields.integer(4)
        summary.checkpoints = try fields.integer(5)
        summary.findings = try fields.integer(6)
        summary.headerDigest = try fields.optionalDigest(7)
        summary.isClosed = try fields.integer(8) != 0
        guard try fields.digest(9) == summary.seal else { throw IndexFault.damaged("what is open was changed") }
        return summary
    }

    static func stateBytes(at place: Int64, _ db: Database) throws -> [UInt8]? {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT state FROM open_run WHERE first_leaf = ?"),
            arguments: [place]
        )
        return try row.map { try Fields($0).bytes(0) }
    }

    static func state(ofRunAt firstLeaf: UInt64, _ db: Database, in history: any CapsuleHistory) throws -> RunState? {
        try stateBytes(at: firstLeaf.signed, db).map { try decode($0, in: history) }
    }

    private static func decode(_ bytes: [UInt8], in history: any CapsuleHistory) throws(IndexFault) -> RunState {
        do throws(CapsuleError) { return try RunState(decoding: bytes, in: history) } catch {
            throw .damaged("the state of an open run makes no sense: \(error.reason)")
        }
    }

    /// Whether each table by which runs are found has as many entries as were written: one that is not there looks like
    /// a run that never began.
    ///
    /// Reads these tables, some 40 bytes a run.
    private static func hasEveryRun(_ view: IndexView, _ summary: Summary) throws -> Bool {
        let counts = try [
            "SELECT count(*) FROM run INDEXED BY sqlite_autoindex_run_1",
            "SELECT count(*) FROM run INDEXED BY run_key WHERE key IS NOT NULL",
            "SELECT count(*) FROM run INDEXED BY run_open WHERE outcome IS NULL",
        ].map { try view.rows($0) { try $0.integer(0) }.first }
        // In a capsule that breaks rules a run may be open and have ended; nobody goes on behind such a one.
        guard summary.findings == 0 else { return counts[0] == summary.runs }
        let runZero: Int64 = try stateBytes(at: 0, view.db) == nil ? 0 : 1
        return counts == [summary.runs, summary.named, summary.openRuns - runZero]
    }

    /// Where reading can go on behind the mark; nil if nothing was taken in yet.
    ///
    /// - Throws: `IndexFault.damaged` if what stands there does not agree with the mark.
    static func resumePoint(
        _ view: IndexView,
        header: FileHeader,
        history: any CapsuleHistory
    ) throws -> (point: ResumePoint, summary: Summary)? {
        guard let summary = try summary(view.db) else {
            guard view.mark.number == 0 else { throw IndexFault.damaged("what is open is missing") }
            return nil
        }
        guard summary.tree.size == view.mark.treeSize, summary.tree.root == view.mark.root else {
            throw IndexFault.damaged("the tree is not that of the mark")
        }
        var found = Summary()
        let open = try view.rows("SELECT first_leaf, state FROM open_run") { fields in
            let (place, bytes) = (try fields.integer(0), try fields.bytes(1))
            found.toggle(bytes, at: place)
            return try decode(bytes, in: history)
        }
        guard Int64(open.count) == summary.openRuns, found.openDigest == summary.openDigest,
            try hasEveryRun(view, summary)
        else { throw IndexFault.damaged("runs are missing or were changed") }
        let point = ResumePoint(
            position: view.mark.position(in: header),
            durableLength: view.mark.durable,
            capsule: header.capsule,
            tree: summary.tree,
            open: open,
            headerDigest: summary.headerDigest,
            isClosed: summary.isClosed,
            history: history
        )
        return (point, summary)
    }
}

extension SnapshotIndex {
    /// Where reading can go on behind what the index covers, with the state there; nil if it covers nothing, is of no
    /// use, or if the capsule breaks a rule before it, which only reading it again can tell.
    ///
    /// Costs a query, and some microseconds for each open run. It is a hint, as everything here: compare the root of
    /// its tree with the batch header before it. The mark that `init` checked is that header.
    public func resumePoint() throws -> ResumePoint? {
        do {
            return try queryOnce { store, view in
                let history = IndexHistory(store)
                history.move(to: view.mark)
                guard let found = try OpenRuns.resumePoint(view, header: capsule.header, history: history),
                    found.summary.findings == 0
                else { return nil }
                return found.point
            }
        } catch  where IndexFault(error) != nil {
            return nil
        }
    }
}
