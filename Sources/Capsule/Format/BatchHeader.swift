/// The 128 bytes before every batch (`spec/format.md` section 3).
public struct BatchHeader: Equatable, Sendable {
    /// Bytes of a header in the file.
    public static let size = 128
    static let magic: UInt64 = 0x0A61_624C_5350_43CB  // CB "CPSLba" 0A, little-endian

    /// What a batch holds.
    public enum Kind: UInt8, Sendable {
        case timeline = 1
        case objects = 2
    }

    public var kind: Kind
    public var codec: Codec
    public var frames: UInt32
    public var number: UInt64
    /// Length of the file that was known to be synced when this header was made.
    public var durableLength: UInt64
    /// Events in the file up to and with this batch.
    public var treeSize: UInt64
    /// Root of the tree of that size.
    public var root: Digest
    public var events: UInt32
    public var rawLength: UInt32
    public var storedLength: UInt32
    public var previousChecksum: UInt32
    public var bodyChecksum: UInt32

    /// The header and its body together, in bytes.
    public var totalLength: UInt64 { UInt64(Self.size) + UInt64(storedLength) }
}

/// How bytes are stored.
public enum Codec: UInt8, Sendable {
    case plain = 0
    case lz4 = 1
}

extension BatchHeader {
    /// Appends the header as it stands at `offset`, and returns its checksum, which the next batch names.
    func encode(into bytes: inout [UInt8], file: FileHeader, offset: UInt64) -> UInt32 {
        let start = bytes.count
        bytes.append(integer: Self.magic)
        bytes.append(kind.rawValue)
        bytes.append(codec.rawValue)
        bytes.appendZeroes(2)
        bytes.append(integer: frames)
        bytes.appendZeroes(16)
        bytes.append(integer: number)
        bytes.append(integer: durableLength)
        bytes.append(integer: treeSize)
        bytes.append(root)
        bytes.append(integer: events)
        bytes.append(integer: rawLength)
        bytes.append(integer: storedLength)
        bytes.append(integer: previousChecksum)
        bytes.append(integer: bodyChecksum)
        bytes.appendZeroes(16)
        var crc = CRC32C.seeded(file, offset: offset)
        bytes.withUnsafeBytes { crc.add(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        bytes.append(integer: crc.value)
        return crc.value
    }

    /// A header whose magic and checksum are right: it was written, whatever it says.
    struct Intact {
        var checksum: UInt32
        var number: UInt64
        var previousChecksum: UInt32
        var durableLength: UInt64
        /// The header, or what this version cannot read in it, or what is malformed.
        var content: Result<BatchHeader, CapsuleError>
    }

    /// What 128 bytes at a place turned out to be.
    enum Parsed {
        case intact(Intact)
        /// Not a header, or a damaged one: what is wrong, in a few words.
        case bad(String)
    }

    /// Judges the 128 bytes at `offset`.
    static func parse(_ bytes: RawSpan, file: FileHeader, offset: UInt64) -> Parsed {
        guard bytes.byteCount == size else { return .bad("fewer than 128 bytes are left") }
        guard bytes.unsafeLoadUnaligned(as: UInt64.self).littleEndian == magic else {
            return .bad("no batch begins here")
        }
        var crc = CRC32C.seeded(file, offset: offset)
        crc.add(bytes.extracting(first: size - 4))
        let stored = UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: size - 4, as: UInt32.self))
        guard crc.value == stored else { return .bad("the header's checksum is wrong") }
        let content: Result<BatchHeader, CapsuleError>
        do throws(CapsuleError) {
            content = .success(try BatchHeader(bytes, offset: offset))
        } catch {
            content = .failure(error)
        }
        return .intact(
            Intact(
                checksum: stored,
                number: UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 32, as: UInt64.self)),
                previousChecksum: UInt32(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 100, as: UInt32.self)),
                durableLength: UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 40, as: UInt64.self)),
                content: content
            )
        )
    }

    private init(_ bytes: RawSpan, offset: UInt64) throws(CapsuleError) {
        var cursor = ByteCursor(bytes)
        _ = try cursor.take(8)
        let kindCode = try cursor.integer(UInt8.self)
        let codecCode = try cursor.integer(UInt8.self)
        let cipher = try cursor.integer(UInt8.self)
        var reservedIsZero = try cursor.zeroes(1)
        frames = try cursor.integer()
        let keyID = try cursor.integer(UInt64.self)
        let features = try cursor.integer(UInt64.self)
        number = try cursor.integer()
        durableLength = try cursor.integer()
        treeSize = try cursor.integer()
        root = try cursor.value()
        events = try cursor.integer()
        rawLength = try cursor.integer()
        storedLength = try cursor.integer()
        previousChecksum = try cursor.integer()
        bodyChecksum = try cursor.integer()
        reservedIsZero = try cursor.zeroes(16) && reservedIsZero
        guard features == 0, cipher == 0, let codec = Codec(rawValue: codecCode), let kind = Kind(rawValue: kindCode)
        else {
            let needs =
                "features \(String(features, radix: 16)), cipher \(cipher), codec \(codecCode), kind \(kindCode)"
            throw CapsuleError(.unsupported, "this batch needs what this version does not know: \(needs)")
        }
        self.codec = codec
        self.kind = kind
        guard reservedIsZero, keyID == 0, (FileHeader.size...offset).contains(durableLength), lengthsAreInRange else {
            throw CapsuleError(
                .batchMalformed,
                "a field of the batch header is out of range or a reserved one is not zero"
            )
        }
    }

    private var lengthsAreInRange: Bool {
        let storedFits = codec == .plain ? storedLength == rawLength : storedLength < rawLength
        let codecFits = kind == .timeline || codec == .plain
        let countsFit = kind == .timeline ? events == frames : events == 0
        return (1...UInt32(Limits.batchFrames)).contains(frames) && countsFit && codecFits && storedFits
            && (8...UInt32(Limits.batchBytes)).contains(rawLength)
    }
}
