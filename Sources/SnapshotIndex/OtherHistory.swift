import Capsule
import GRDB

/// A history of the capsule that its index saw and that is not the one in the file: evidence that the file was replaced
/// by a copy that went its own way. It outlives making the index anew, and goes with `drop`.
///
/// The table stays as it is in every version of the schema, like that of the mark.
public struct OtherHistory: Equatable, Sendable {
    var capsule: CapsuleID
    var generation: UInt64
    /// Where its last batch ended that was seen.
    public var end: UInt64
    /// Events up to there.
    public var treeSize: UInt64
    /// As that batch stated it.
    public var root: Digest

    static let table = """
        CREATE TABLE other_history (id INTEGER PRIMARY KEY CHECK (id = 1), capsule BLOB NOT NULL, \
        generation INTEGER NOT NULL, end_offset INTEGER NOT NULL, tree_size INTEGER NOT NULL, root BLOB NOT NULL, \
        seal BLOB NOT NULL)
        """

    /// What a mark covers; nil if that is nothing.
    init?(_ mark: IndexMark) {
        guard mark.number > 0 else { return nil }
        (capsule, generation) = (mark.capsule, mark.generation)
        (end, treeSize, root) = (mark.offset, mark.treeSize, mark.root)
    }

    /// Nil if there is none, or what stands there is not what was written: a false one would accuse a sound capsule.
    static func read(_ db: Database, of header: FileHeader) throws -> OtherHistory? {
        let names = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'other_history'"
        guard try Row.fetchOne(db.cachedStatement(sql: names)) != nil else { return nil }
        let sql = "SELECT capsule, generation, end_offset, tree_size, root, seal FROM other_history WHERE id = 1"
        guard let row = try Row.fetchOne(db.cachedStatement(sql: sql)) else { return nil }
        let fields = Fields(row)
        let found = try OtherHistory(fields)
        let isOf = found.capsule == header.capsule && found.generation == header.generation
        return try isOf && fields.digest(5) == found.seal ? found : nil
    }

    private init(_ fields: Fields) throws(IndexFault) {
        capsule = try fields.identifier(0)
        generation = try fields.unsigned(1)
        end = try fields.unsigned(2)
        treeSize = try fields.unsigned(3)
        root = try fields.digest(4)
    }

    func write(_ db: Database) throws {
        try db.execute(
            sql: "INSERT OR REPLACE INTO other_history VALUES (1, ?, ?, ?, ?, ?, ?)",
            arguments: [capsule.blob, generation.signed, end.signed, treeSize.signed, root.blob, seal.blob]
        )
    }

    private var seal: Digest {
        var bytes = Array("other history".utf8) + capsule.bytes + root.bytes
        bytes.append(littleEndian: [generation, end, treeSize])
        return Hashing.sha256(bytes)
    }
}
