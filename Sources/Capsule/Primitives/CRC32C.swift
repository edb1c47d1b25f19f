import CCRC32C

/// CRC32C (Castagnoli; RFC 3720), by the processor's instruction where it has one.
public struct CRC32C: Sendable {
    /// The checksum of what was added.
    public private(set) var value: UInt32 = 0

    public init() {}

    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        value = ccrc32c_extend(value, bytes.baseAddress, bytes.count)
    }

    public mutating func add(_ bytes: RawSpan) { bytes.withUnsafeBytes { add($0) } }

    /// A checksum that begins with the seed of section 3: it is right for one capsule, generation and offset only.
    static func seeded(_ header: FileHeader, offset: UInt64) -> CRC32C {
        var crc = CRC32C()
        let offset = Mutant.isOn(.checksumIgnoresOffset) ? 0 : offset
        var seed = (header.capsule.words, header.generation.littleEndian, offset.littleEndian)
        withUnsafeBytes(of: &seed) { crc.add($0) }
        return crc
    }
}
