import Capsule
import GRDB

/// How far the index reaches, of what capsule, and how to recognise the place.
///
/// The table stays as it is in every version of the schema, so that its evidence outlives a rebuild.
struct IndexMark: Equatable {
    var capsule: CapsuleID
    var generation: UInt64
    var schema = IndexSchema.version
    /// Where the next batch is expected, its number, and what it must follow, as in `BatchPosition`.
    var offset: UInt64
    var number: UInt64
    var previousChecksum: UInt32
    var statedDurable: UInt64
    /// Where the last batch begins that the index covers; 0 if it covers none.
    var lastBatch: UInt64
    /// SHA-256 of that batch's header, or zero: to recognise it without reading its body.
    var lastHeader: Digest
    var treeSize: UInt64
    /// As the last batch header states it.
    var root: Digest
    /// A length up to which the capsule is known to have been durable: `offset`, or more after a rebuild.
    var durable: UInt64

    static let table = """
        CREATE TABLE mark (id INTEGER PRIMARY KEY CHECK (id = 1), capsule BLOB NOT NULL, generation INTEGER NOT NULL, \
        schema INTEGER NOT NULL, offset INTEGER NOT NULL, number INTEGER NOT NULL, checksum INTEGER NOT NULL, \
        stated_durable INTEGER NOT NULL, last_batch INTEGER NOT NULL, last_header BLOB NOT NULL, \
        tree_size INTEGER NOT NULL, root BLOB NOT NULL, durable INTEGER NOT NULL, seal INTEGER NOT NULL)
        """

    /// Nothing is covered yet.
    init(startOf header: FileHeader, durable: UInt64) {
        capsule = header.capsule
        generation = header.generation
        (offset, number, previousChecksum, statedDurable) = (0, 0, 0, 0)
        lastBatch = 0
        lastHeader = .zero
        treeSize = 0
        root = Hashing.sha256([])
        self.durable = max(durable, FileHeader.size)
        move(to: BatchPosition(startOf: header))
    }

    /// Where reading goes on.
    func position(in header: FileHeader) -> BatchPosition {
        var position = BatchPosition(startOf: header)
        position.offset = offset
        position.number = number
        position.previousChecksum = previousChecksum
        position.durableLength = statedDurable
        return position
    }

    /// Goes to the end of a batch.
    mutating func move(to position: BatchPosition) {
        offset = position.offset
        number = position.number
        previousChecksum = position.previousChecksum
        statedDurable = position.durableLength
        durable = max(durable, offset)
    }

    func isOf(_ header: FileHeader) -> Bool { capsule == header.capsule && generation == header.generation }

    /// The mark as it is, of whatever capsule and schema; nil if there is no table, or no mark in it.
    ///
    /// - Throws: `IndexFault.damaged` if what stands there is not what was written.
    static func read(_ db: Database) throws -> IndexMark? {
        let names = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'mark'"
        guard try Row.fetchOne(db.cachedStatement(sql: names)) != nil else { return nil }
        let sql = """
            SELECT capsule, generation, schema, offset, number, checksum, stated_durable, last_batch, last_header, \
            tree_size, root, durable, seal FROM mark WHERE id = 1
            """
        guard let row = try Row.fetchOne(db.cachedStatement(sql: sql)) else { return nil }
        let fields = Fields(row)
        let mark = try IndexMark(fields)
        guard try fields.integer(12) == mark.seal else {
            throw IndexFault.damaged("the mark does not agree with itself")
        }
        return mark
    }

    private init(_ fields: Fields) throws(IndexFault) {
        capsule = try fields.identifier(0)
        generation = try fields.unsigned(1)
        schema = try fields.integer(2)
        offset = try fields.unsigned(3)
        number = try fields.unsigned(4)
        previousChecksum = UInt32(truncatingIfNeeded: try fields.integer(5))
        statedDurable = try fields.unsigned(6)
        lastBatch = try fields.unsigned(7)
        lastHeader = try fields.digest(8)
        treeSize = try fields.unsigned(9)
        root = try fields.digest(10)
        durable = try fields.unsigned(11)
    }

    func write(_ db: Database) throws {
        let sql = "INSERT OR REPLACE INTO mark VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        try db.cachedStatement(sql: sql).execute(arguments: [
            capsule.blob, generation.signed, schema, offset.signed, number.signed,
            Int64(previousChecksum), statedDurable.signed, lastBatch.signed, lastHeader.blob,
            treeSize.signed, root.blob, durable.signed, seal,
        ])
    }

    /// Tells a mark that was written from one that a damaged page imitates: a false one would accuse a sound capsule.
    private var seal: Int64 {
        var bytes = capsule.bytes + root.bytes + lastHeader.bytes
        let numbers = [
            generation, UInt64(bitPattern: schema), offset, number, UInt64(previousChecksum), statedDurable,
            lastBatch, treeSize, durable,
        ]
        bytes.append(littleEndian: numbers)
        return Hashing.sha256(bytes).withUnsafeBytes { Int64(littleEndian: $0.loadUnaligned(as: Int64.self)) }
    }
}

extension IndexMark {
    /// Whether the header of the last batch that the index covers still stands in the capsule.
    ///
    /// Its body is not read: whoever shows what it holds checks it, and a batch of 4 MiB would cost opening ten
    /// milliseconds.
    ///
    /// - Throws: `CapsuleError` with `cutShort` if the file is shorter than it was; `StorageError`.
    func agrees(with capsule: CapsuleFile) throws -> Bool {
        try checkLength(of: capsule)
        guard number > 0 else { return self == IndexMark(startOf: capsule.header, durable: durable) }
        guard lastBatch >= FileHeader.size, lastBatch < offset, offset <= durable else { return false }
        return try Self.headerDigest(at: lastBatch, of: capsule) == lastHeader
    }

    /// Remembers the header of the last batch.
    mutating func rememberHeader(of capsule: CapsuleFile) throws {
        lastHeader = try Self.headerDigest(at: lastBatch, of: capsule)
    }

    /// A header holds the checksum of its body and of the header before it: where it stands unchanged, the whole chain
    /// did once.
    private static func headerDigest(at offset: UInt64, of capsule: CapsuleFile) throws -> Digest {
        Hashing.sha256(try capsule.file.bytes(at: offset, count: BatchHeader.size))
    }

    /// - Throws: `CapsuleError` with `cutShort` if the file is shorter than it is known to have been.
    func checkLength(of capsule: CapsuleFile) throws {
        let length = try capsule.length()
        guard length < durable else { return }
        throw CapsuleError(
            .cutShort,
            at: length,
            "the capsule has \(length) bytes, and its index knows that it had \(durable): it was cut, or restored "
                + "from an older copy. If that was meant, delete \(IndexFiles(of: capsule.path).main)"
        )
    }
}
