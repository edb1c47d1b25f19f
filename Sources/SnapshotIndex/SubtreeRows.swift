import Capsule
import GRDB

/// Roots of complete subtrees, for proofs that do not read the whole capsule: those of 256 leaves, and of all sizes
/// above.
///
/// A subtree stands at the place at which it is completed when leaves are added one by one (its post-order among the
/// subtrees that are kept), so that rows are only ever put behind the last. A block is 256 leaves; where the batch
/// begins that holds the first of them says where to read the leaves themselves.
struct SubtreeRows {
    static let tables = [
        "CREATE TABLE subtree (position INTEGER PRIMARY KEY, root BLOB NOT NULL)",
        "CREATE TABLE block (number INTEGER PRIMARY KEY, batch_offset INTEGER NOT NULL)",
    ]

    private let db: Database
    init(_ db: Database) { self.db = db }

    /// The place of the subtree of 2^`level` blocks that is the `index`-th of its size.
    static func position(level: Int, index: UInt64) -> UInt64 {
        let last = (index + 1) << UInt64(level) - 1
        return 2 * last - UInt64(last.nonzeroBitCount) + UInt64(level)
    }

    func write(_ rows: PendingRows) throws {
        let insertBlock = try db.cachedStatement(sql: "INSERT INTO block VALUES (?, ?)")
        for block in rows.blocks { try insertBlock.execute(arguments: [block.number.signed, block.batch.signed]) }
        let insert = try db.cachedStatement(sql: "INSERT INTO subtree VALUES (?, ?)")
        for block in rows.subtrees {
            var (index, level, root) = (block.number, 0, block.root)
            try insert.execute(arguments: [Self.position(level: 0, index: index).signed, root.blob])
            while index & 1 == 1 {
                guard let left = try self.root(level: level, index: index - 1) else {
                    throw IndexFault.damaged("a subtree is missing")
                }
                (index, level, root) = (index >> 1, level + 1, Hashing.node(left, root))
                try insert.execute(arguments: [Self.position(level: level, index: index).signed, root.blob])
            }
        }
    }

    func root(level: Int, index: UInt64) throws -> Digest? {
        let statement = try db.cachedStatement(sql: "SELECT root FROM subtree WHERE position = ?")
        let position = Self.position(level: level, index: index)
        return try Row.fetchOne(statement, arguments: [position.signed]).map { try Fields($0).digest(0) }
    }

    /// Where the batch begins that holds the first leaf of a block.
    func batch(ofBlock number: UInt64) throws -> UInt64? {
        let statement = try db.cachedStatement(sql: "SELECT batch_offset FROM block WHERE number = ?")
        return try Row.fetchOne(statement, arguments: [number.signed]).map { try Fields($0).unsigned(0) }
    }
}
