@testable import Capsule

/// Takes a file apart into header and batches, lets a test change them, and puts it together with all checksums right
/// again:
/// what a forger could write, in contrast to what a bad disk does.
public struct CapsuleEditor {
    public var fileHeader: [UInt8]
    public var batches: [(header: [UInt8], body: [UInt8])]
    private let identity: FileHeader

    public init(_ bytes: [UInt8]) throws {
        identity = try FileHeader.read(Array(bytes[..<8192])).header
        fileHeader = Array(bytes[..<8192])
        batches = []
        var offset = 8192
        while offset < bytes.count {
            let header = Array(bytes[offset..<(offset + 128)])
            let length = Int(header[96]) | Int(header[97]) << 8 | Int(header[98]) << 16
            batches.append((header, Array(bytes[(offset + 128)..<(offset + 128 + length)])))
            offset += 128 + length
        }
    }

    /// The file, every checksum computed anew. Lengths in headers are left as they are.
    public func assembled() -> [UInt8] {
        var bytes = fileHeader
        var previous = identity.checksum
        for (header, body) in batches {
            var header = header
            header.put(previous, at: 100)
            header.put(checksum(body[...], at: bytes.count + 128), at: 104)
            let sum = checksum(header[..<124], at: bytes.count)
            header.put(sum, at: 124)
            bytes += header + body
            previous = sum
        }
        return bytes
    }

    /// Changes bytes of the header of a batch, counted from the end if negative.
    public mutating func patchHeader(_ index: Int, at offset: Int, with bytes: [UInt8]) {
        let index = index < 0 ? batches.count + index : index
        batches[index].header.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }

    public mutating func patchBody(_ index: Int, at offset: Int, with bytes: [UInt8]) {
        let index = index < 0 ? batches.count + index : index
        batches[index].body.replaceSubrange(offset..<(offset + bytes.count), with: bytes)
    }

    private func checksum(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt32 {
        var crc = CRC32C.seeded(identity, offset: UInt64(offset))
        bytes.withUnsafeBytes { crc.add($0) }
        return crc.value
    }

    /// Both copies of the file header changed the same way, their checksums right.
    public static func patchFileHeader(_ bytes: [UInt8], at offset: Int, with patch: [UInt8], copies: [Int] = [0, 1]) -> [UInt8] {
        var bytes = bytes
        for copy in copies {
            let start = copy * 4096
            bytes.replaceSubrange((start + offset)..<(start + offset + patch.count), with: patch)
            var crc = CRC32C()
            bytes.withUnsafeBytes { crc.add(UnsafeRawBufferPointer(rebasing: $0[start..<(start + 4092)])) }
            bytes.put(crc.value, at: start + 4092)
        }
        return bytes
    }
}
