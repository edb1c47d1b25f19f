import Capsule
import GRDB

/// Which runs an auditor asks for. Every condition that is given must hold.
public struct RunFilter: Equatable, Sendable {
    public var state: RunQuery.State?
    public var outcome: Outcome?
    /// Runs that had this snapshot in force at some time.
    public var snapshot: Digest?
    public var spec: String?
    /// The caller's own name; `*` and `?` stand for any characters and any one.
    public var name: String?
    /// Runs whose first event claims this time or a later one.
    public var since: Timestamp?
    /// Runs whose first event claims an earlier time than this.
    public var until: Timestamp?
    /// Runs that began before this leaf: the `firstLeaf` of the last row of a page gives the next page.
    public var before: UInt64?

    public init() {}

    fileprivate var conditions: (sql: String, arguments: StatementArguments) {
        var conditions: [String] = []
        var arguments = StatementArguments()
        func add(_ condition: String, _ argument: (any DatabaseValueConvertible)?) {
            guard let argument else { return }
            conditions.append(condition)
            arguments += [argument]
        }
        if let state { conditions.append(state == .open ? "outcome IS NULL" : "outcome IS NOT NULL") }
        add("outcome = ?", outcome.map { Int64($0.rawValue) })
        add(
            """
            run.first_leaf IN \
            (SELECT run FROM run_snapshot WHERE snapshot = (SELECT number FROM snapshot WHERE id = ?))
            """,
            snapshot?.blob
        )
        add("spec = ?", spec)
        let isPattern = name.map { $0.contains("*") || $0.contains("?") } ?? false
        // To SQLite a bracket begins a set of characters; to whoever writes a name it is one.
        add(isPattern ? "name GLOB ?" : "name = ?", isPattern ? name?.replacing("[", with: "[[]") : name)
        add("start_time >= ?", since?.nanoseconds)
        add("start_time < ?", until?.nanoseconds)
        add("run.first_leaf < ?", before?.signed)
        return (conditions.isEmpty ? "1" : conditions.joined(separator: " AND "), arguments)
    }
}

extension SnapshotIndex {
    /// Runs that pass a filter, newest first, in the order in which they began in the file.
    ///
    /// - Throws: a SQLite error, if another process kept the index locked.
    public func runs(_ filter: RunFilter, limit: Int) throws -> [RunRow] {
        let (sql, arguments) = filter.conditions
        return try query { view in try view.runs(where: sql, arguments + [max(0, limit)]) }
    }

    /// Runs by the code of their outcome; nil for those that are open.
    public func runCounts() throws -> [(outcomeCode: UInt8?, runs: UInt64)] {
        try query { view in
            try view.rows("SELECT outcome, count(*) FROM run GROUP BY outcome ORDER BY outcome") { fields in
                (try fields.optionalInteger(0).map(UInt8.init(truncatingIfNeeded:)), try fields.unsigned(1))
            }
        }
    }
}
