import CSHA256
import Crypto

/// SHA-256 and the two hashes of RFC 6962 section 2.1.
public enum Hashing {
    /// SHA-256 of `bytes`.
    public static func sha256(_ bytes: UnsafeRawBufferPointer) -> Digest {
        guard isInHardware else { return portable(bytes) }
        var digest = Digest.zero
        csha256(bytes.baseAddress, bytes.count, &digest)
        return digest
    }

    /// By the library: 250 ns for the 65 bytes of a node, of which 140 are its context on the heap.
    package static func portable(_ bytes: UnsafeRawBufferPointer) -> Digest {
        var hasher = SHA256()
        hasher.update(bufferPointer: bytes)
        return finish(&hasher)
    }

    private static let isInHardware = csha256_is_available() != 0

    /// SHA-256 of `bytes`.
    public static func sha256(_ bytes: RawSpan) -> Digest { bytes.withUnsafeBytes { sha256($0) } }

    /// SHA-256 of `bytes`.
    public static func sha256(_ bytes: [UInt8]) -> Digest { bytes.withUnsafeBytes { sha256($0) } }

    /// SHA-256(tag ‖ first ‖ second), as commitments, chunks and leaves need it.
    static func sha256(tag: UInt8, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Digest {
        var hasher = SHA256()
        withUnsafeBytes(of: tag) { hasher.update(bufferPointer: $0) }
        hasher.update(bufferPointer: first)
        hasher.update(bufferPointer: second)
        return finish(&hasher)
    }

    /// The hash of a leaf: SHA-256(00 ‖ envelope ‖ commitment).
    static func leaf(envelope: UnsafeRawBufferPointer, commitment: Digest) -> Digest {
        // One update of one buffer: three updates cost a third more for so few bytes.
        withUnsafeTemporaryAllocation(byteCount: 1 + envelope.count + 32, alignment: 8) { scratch in
            scratch[0] = 0
            UnsafeMutableRawBufferPointer(rebasing: scratch[1...]).copyMemory(from: envelope)
            scratch.storeBytes(of: commitment, toByteOffset: 1 + envelope.count, as: Digest.self)
            return sha256(UnsafeRawBufferPointer(scratch))
        }
    }

    /// The hash of a node: SHA-256(01 ‖ left ‖ right).
    public static func node(_ left: Digest, _ right: Digest) -> Digest {
        withUnsafeTemporaryAllocation(byteCount: 65, alignment: 8) { scratch in
            scratch[0] = 1
            scratch.storeBytes(of: left, toByteOffset: 1, as: Digest.self)
            scratch.storeBytes(of: right, toByteOffset: 33, as: Digest.self)
            return sha256(UnsafeRawBufferPointer(scratch))
        }
    }

    private static func finish(_ hasher: inout SHA256) -> Digest {
        hasher.finalize().withUnsafeBytes { $0.loadUnaligned(as: Digest.self) }
    }
}

/// SHA-256 of bytes that come piece by piece.
public struct RunningDigest: Sendable {
    private var hasher = SHA256()

    public init() {}

    public mutating func update(_ bytes: UnsafeRawBufferPointer) { hasher.update(bufferPointer: bytes) }

    /// The digest of what came so far.
    public var value: Digest { hasher.finalize().withUnsafeBytes { $0.loadUnaligned(as: Digest.self) } }
}
