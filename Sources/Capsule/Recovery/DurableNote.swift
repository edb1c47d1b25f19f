/// The note beside a capsule (`spec/format.md` section 11): the durable length, which counts, and who wrote last,
/// which is advice.
public struct DurableNote: Equatable, Sendable {
    static let size = 512
    private static let tag = "capsule-note-1 "
    private static let failedSyncSign = UInt8(ascii: "!")

    public var capsule: CapsuleID
    public var generation: UInt64
    public var durableLength: UInt64
    /// A JSON object, or anything else that stood there; cut to what fits.
    public var holder: String
    /// Whether a sync of the capsule failed since: until a writer has recovered it, a sync by anyone proves nothing.
    public var syncFailed: Bool

    public init(
        capsule: CapsuleID,
        generation: UInt64,
        durableLength: UInt64,
        holder: String,
        syncFailed: Bool = false
    ) {
        self.capsule = capsule
        self.syncFailed = syncFailed
        self.generation = generation
        self.durableLength = durableLength
        self.holder = holder
    }

    /// Where the note of the capsule at `path` is.
    public static func path(for path: FilePath) -> FilePath { path.appending(toName: ".note") }

    /// 512 bytes.
    public var encoded: [UInt8] {
        var bytes = firstLine
        let end = bytes.count
        for byte in holder.utf8 where byte >= 0x20 { bytes.append(byte) }
        if bytes.count > Self.size - 2 { bytes.removeLast(bytes.count - end) }
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: Self.size - 2 - bytes.count))
        bytes.append(syncFailed ? Self.failedSyncSign : UInt8(ascii: " "))
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// What counts.
    private var firstLine: [UInt8] {
        // Written after every sync: into one buffer, because the strings in between took longer than the write.
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.size)
        bytes.append(contentsOf: Self.tag.utf8)
        capsule.withUnsafeBytes { for byte in $0 { Hex.append(UInt64(byte), width: 2, to: &bytes) } }
        bytes.append(UInt8(ascii: " "))
        Hex.append(generation, width: 16, to: &bytes)
        bytes.append(UInt8(ascii: " "))
        Hex.append(durableLength, width: 16, to: &bytes)
        bytes.append(UInt8(ascii: " "))
        var crc = CRC32C()
        crc.add(bytes.span.bytes)
        Hex.append(UInt64(crc.value), width: 8, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    /// Nil if the first line is not exactly what `encoded` writes.
    public init?(_ bytes: [UInt8]) {
        // Read at every opening and before every look of a reader: field by field, without strings.
        guard bytes.count >= 91, bytes.starts(with: Self.tag.utf8),
            let high = Self.number(bytes[15..<31]), let low = Self.number(bytes[31..<47]),
            let generation = Self.number(bytes[48..<64]), let durable = Self.number(bytes[65..<81])
        else { return nil }
        capsule = CapsuleID(words: (UInt64(bigEndian: high), UInt64(bigEndian: low)))
        self.generation = generation
        durableLength = durable
        syncFailed = bytes.count == Self.size && bytes[Self.size - 2] == Self.failedSyncSign
        let rest = bytes[91...].prefix(Self.size - 93)
        let end = rest.lastIndex { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\n") }
        holder = end.map { String(decoding: rest[...$0], as: UTF8.self) } ?? ""
        guard firstLine[...] == bytes[..<91] else { return nil }
    }

    /// Nil if there is anything but digits in lower case; what stands between the fields is compared as a whole.
    private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    /// Reads the note of the capsule at `path`; nil if there is none, or it is of no use.
    public static func read(for path: FilePath, header: FileHeader, storage: any Storage) -> DurableNote? {
        guard let file = try? storage.open(Self.path(for: path), for: .readingNoLink) else { return nil }
        guard let bytes = try? file.bytes(at: 0, count: size), let note = DurableNote(bytes),
            note.capsule == header.capsule, note.generation == header.generation
        else { return nil }
        return note
    }
}

extension FilePath {
    /// The same directory, the name followed by `suffix`.
    func appending(toName suffix: String) -> FilePath {
        guard lastComponent != nil else { return self }
        // Byte by byte: a name need not be UTF-8.
        return withPlatformString { name in
            let bytes = UnsafeBufferPointer(start: name, count: length)
            return FilePath(platformString: Array(bytes) + suffix.utf8.map { CChar(bitPattern: $0) } + [0])
        }
    }

    /// The directory of this file, `.` for a bare name.
    public var directory: FilePath {
        let directory = removingLastComponent()
        return directory.isEmpty ? "." : directory
    }
}
