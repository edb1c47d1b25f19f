/// The immutable header of a capsule (`spec/format.md` section 2.1).
public struct FileHeader: Equatable, Sendable {
    /// Bytes of one copy; the second stands directly after the first.
    static let copySize = 4096
    /// Where the first batch begins.
    public static let size: UInt64 = 8192
    static let magic: [UInt8] = [0x89, 0x43, 0x50, 0x53, 0x4C, 0x0D, 0x0A, 0x1A]
    static let formatVersion: UInt16 = 1

    /// The lowest format version that a writer must know to append.
    public var writeVersion = formatVersion
    public var capsule: CapsuleID
    /// How often the capsule was rewritten to erase something.
    public var generation: UInt64
    public var created: Timestamp
    /// The name of this log in checkpoints.
    public var origin: String
    public var predecessor: Predecessor?

    /// The capsule that this one continues.
    public struct Predecessor: Equatable, Sendable {
        public var origin: String
        public var size: UInt64
        public var root: Digest

        public init(origin: String, size: UInt64, root: Digest) {
            self.origin = origin
            self.size = size
            self.root = root
        }
    }

    /// - Throws: `limitOrigin` or `invalidName` if an origin breaks section 2.1.
    public init(
        capsule: CapsuleID,
        generation: UInt64 = 0,
        created: Timestamp,
        origin: String? = nil,
        predecessor: Predecessor? = nil
    ) throws(CapsuleError) {
        self.capsule = capsule
        self.generation = generation
        self.created = created
        self.origin = origin ?? "capsule/\(capsule.hex)"
        self.predecessor = predecessor
        try Self.check(origin: self.origin)
        if let predecessor {
            try Self.check(origin: predecessor.origin)
            guard predecessor.size > 0 else {
                throw CapsuleError(.headerDamaged, "a predecessor has at least one event")
            }
        }
    }

    static func check(origin: String) throws(CapsuleError) {
        guard origin.utf8.count <= Limits.originBytes else {
            throw CapsuleError(.limitOrigin, "an origin has at most \(Limits.originBytes) bytes of UTF-8")
        }
        let isClean = origin.unicodeScalars.allSatisfy { scalar in
            // Read at every opening: Unicode's tables are asked where ASCII does not answer.
            if scalar.isASCII { return scalar.value > 0x20 && scalar.value != 0x7F && scalar != "+" }
            return !scalar.properties.isWhitespace
        }
        guard !origin.isEmpty, isClean else {
            throw CapsuleError(
                .invalidName,
                "an origin is not empty and has no white space, control character or '+'; try example.com/ledger"
            )
        }
    }
}

extension FileHeader {
    /// Both copies, 8192 bytes.
    public func encoded() -> [UInt8] {
        var bytes = fields(generation: generation)
        bytes.append(integer: Self.checksum(of: bytes))
        return bytes + bytes
    }

    /// One copy without its checksum.
    private func fields(generation: UInt64) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.copySize)
        bytes.append(contentsOf: Self.magic)
        bytes.append(integer: Self.formatVersion)
        bytes.append(integer: writeVersion)
        bytes.append(1)
        bytes.append(predecessor == nil ? 0 : 1)
        bytes.append(integer: UInt16(origin.utf8.count))
        bytes.append(capsule)
        bytes.append(integer: generation)
        bytes.append(integer: created.nanoseconds)
        bytes.appendZeroes(8)
        bytes.append(integer: predecessor?.size ?? 0)
        bytes.append(predecessor?.root ?? .zero)
        bytes.append(integer: UInt16(predecessor?.origin.utf8.count ?? 0))
        bytes.appendZeroes(2)
        for name in [origin, predecessor?.origin ?? ""] {
            bytes.append(contentsOf: name.utf8)
            bytes.appendZeroes(256 - name.utf8.count)
        }
        bytes.appendZeroes(Self.copySize - 4 - bytes.count)
        return bytes
    }

    /// SHA-256 of a copy without its checksum, the generation set to zero (section 7.3): run zero names it.
    public var digest: Digest { Hashing.sha256(fields(generation: 0)) }

    /// The checksum that ends a copy; batch 0 names it as its predecessor's.
    var checksum: UInt32 { Self.checksum(of: fields(generation: generation)) }

    private static func checksum(of bytes: [UInt8]) -> UInt32 { checksum(of: bytes.span.bytes) }

    private static func checksum(of bytes: RawSpan) -> UInt32 {
        var crc = CRC32C()
        crc.add(bytes)
        return crc.value
    }
}

extension FileHeader {
    /// A header as read, and what was wrong with it.
    public struct Reading: Sendable {
        public var header: FileHeader
        /// 0 or 1 if that copy is damaged and the other was read.
        public var damagedCopy: Int?
    }

    /// Reads both copies from the first 8192 bytes of a file, or from fewer if the file is shorter.
    ///
    /// - Throws: `notACapsule`, `newerFormat`, `headerDamaged`, `headersDiffer`, `unsupported`.
    public static func read(_ bytes: [UInt8]) throws(CapsuleError) -> Reading {
        let copies = [Copy(bytes, at: 0), Copy(bytes, at: copySize)]
        guard copies.contains(where: \.begins) else {
            throw CapsuleError(.notACapsule, at: 0, "this is not a capsule: it does not begin as one")
        }
        guard let first = copies.firstIndex(where: \.isIntact) else {
            throw CapsuleError(.headerDamaged, at: 0, "both copies of the file header are damaged or cut off")
        }
        let areBothIntact = copies[1 - first].isIntact
        if areBothIntact, !copies[0].bytes.equals(copies[1].bytes) {
            throw CapsuleError(.headersDiffer, at: 0, "the two copies of the file header are intact and not the same")
        }
        return Reading(header: try parse(Array(copies[first].bytes)), damagedCopy: areBothIntact ? nil : 1 - first)
    }

    /// One of the two copies, as it stands in the file.
    private struct Copy {
        let bytes: ArraySlice<UInt8>
        /// Whether it begins as a capsule does.
        let begins: Bool
        /// Whether it is whole, and its checksum right.
        let isIntact: Bool

        init(_ file: [UInt8], at start: Int) {
            bytes = file.dropFirst(start).prefix(copySize)
            begins = bytes.starts(with: magic)
            guard begins, bytes.count == copySize else {
                isIntact = false
                return
            }
            let stored = bytes.suffix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            isIntact = bytes.withUnsafeBytes { checksum(of: $0.bytes.extracting(droppingLast: 4)) } == stored
        }
    }

    private static func parse(_ copy: [UInt8]) throws(CapsuleError) -> FileHeader {
        do throws(CapsuleError) {
            return try parseFields(copy)
        } catch {
            switch error.code {
            case .newerFormat, .unsupported: throw error.located(at: 0)
            default: throw CapsuleError(.headerDamaged, at: 0, "the file header is not in order: \(error.reason)")
            }
        }
    }

    private static func parseFields(_ copy: [UInt8]) throws(CapsuleError) -> FileHeader {
        var cursor = ByteCursor(copy.span.bytes)
        _ = try cursor.take(magic.count)
        let readVersion = try cursor.integer(UInt16.self)
        guard readVersion <= formatVersion else {
            throw CapsuleError(
                .newerFormat,
                "this capsule needs format version \(readVersion); this tool reads version \(formatVersion)"
            )
        }
        let writeVersion = try cursor.integer(UInt16.self)
        let suite = try cursor.integer(UInt8.self)
        let flags = try cursor.integer(UInt8.self)
        let originLength = Int(try cursor.integer(UInt16.self))
        let capsule: CapsuleID = try cursor.value()
        let generation = try cursor.integer(UInt64.self)
        let created = Timestamp(nanoseconds: try cursor.integer())
        var reservedIsZero = try cursor.zeroes(8)
        let predecessorSize = try cursor.integer(UInt64.self)
        let predecessorRoot: Digest = try cursor.value()
        let predecessorLength = Int(try cursor.integer(UInt16.self))
        reservedIsZero = try cursor.zeroes(2) && reservedIsZero
        let origin = try name(&cursor, length: originLength)
        let predecessorOrigin = try name(&cursor, length: predecessorLength)
        reservedIsZero = try cursor.zeroes(copySize - 4 - 612) && reservedIsZero
        guard suite == 1 else { throw CapsuleError(.unsupported, "hash suite \(suite) is not known") }
        let hasPredecessor = flags == 1
        let isEmpty = predecessorSize == 0 && predecessorRoot == .zero && predecessorLength == 0
        guard reservedIsZero, readVersion >= 1, writeVersion >= readVersion, flags <= 1,
            hasPredecessor ? predecessorSize > 0 : isEmpty
        else {
            throw CapsuleError(.headerDamaged, "a field is out of range or a reserved byte is not zero")
        }
        let predecessor =
            hasPredecessor ? Predecessor(origin: predecessorOrigin, size: predecessorSize, root: predecessorRoot) : nil
        var header = try FileHeader(
            capsule: capsule,
            generation: generation,
            created: created,
            origin: origin,
            predecessor: predecessor
        )
        header.writeVersion = writeVersion
        return header
    }

    private static func name(_ cursor: inout ByteCursor, length: Int) throws(CapsuleError) -> String {
        let field = try cursor.take(256)
        guard length <= Limits.originBytes, field.extracting(droppingFirst: length).isAllZero,
            let text = String(validating: field.extracting(first: length).array, as: UTF8.self)
        else { throw CapsuleError(.headerDamaged, "an origin is not UTF-8 padded with zeroes") }
        return text
    }
}
