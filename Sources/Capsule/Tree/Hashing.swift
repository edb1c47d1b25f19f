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

    /// SHA-256 of two inputs, in little more time than the longer one takes alone where the processor can do it.
    static func sha256Pair(
        _ first: UnsafeRawBufferPointer,
        _ second: UnsafeRawBufferPointer
    ) -> (Digest, Digest) {
        guard isInHardware else { return (portable(first), portable(second)) }
        var digests = (Digest.zero, Digest.zero)
        csha256_pair(
            first.baseAddress,
            first.count,
            second.baseAddress,
            second.count,
            &digests.0,
            &digests.1
        )
        return digests
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
            store(envelope, commitment, in: scratch, at: 0)
            return sha256(UnsafeRawBufferPointer(scratch))
        }
    }

    private static func store(
        _ envelope: UnsafeRawBufferPointer,
        _ commitment: Digest,
        in scratch: UnsafeMutableRawBufferPointer,
        at start: Int
    ) {
        scratch[start] = 0
        UnsafeMutableRawBufferPointer(rebasing: scratch[(start + 1)...]).copyMemory(from: envelope)
        scratch.storeBytes(of: commitment, toByteOffset: start + 1 + envelope.count, as: Digest.self)
    }

    /// The hashes of two leaves, as `leaf` gives them.
    static func leafPair(
        _ first: (envelope: UnsafeRawBufferPointer, commitment: Digest),
        _ second: (envelope: UnsafeRawBufferPointer, commitment: Digest)
    ) -> (Digest, Digest) {
        let (one, two) = (33 + first.envelope.count, 33 + second.envelope.count)
        return withUnsafeTemporaryAllocation(byteCount: one + two, alignment: 8) { scratch in
            store(first.envelope, first.commitment, in: scratch, at: 0)
            store(second.envelope, second.commitment, in: scratch, at: one)
            let bytes = UnsafeRawBufferPointer(scratch)
            return sha256Pair(
                UnsafeRawBufferPointer(rebasing: bytes[..<one]),
                UnsafeRawBufferPointer(rebasing: bytes[one...])
            )
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

    /// The hashes of two nodes.
    static func nodePair(_ first: (Digest, Digest), _ second: (Digest, Digest)) -> (Digest, Digest) {
        withUnsafeTemporaryAllocation(byteCount: 130, alignment: 8) { scratch in
            scratch[0] = 1
            scratch.storeBytes(of: first.0, toByteOffset: 1, as: Digest.self)
            scratch.storeBytes(of: first.1, toByteOffset: 33, as: Digest.self)
            scratch[65] = 1
            scratch.storeBytes(of: second.0, toByteOffset: 66, as: Digest.self)
            scratch.storeBytes(of: second.1, toByteOffset: 98, as: Digest.self)
            let bytes = UnsafeRawBufferPointer(scratch)
            return sha256Pair(
                UnsafeRawBufferPointer(rebasing: bytes[..<65]),
                UnsafeRawBufferPointer(rebasing: bytes[65...])
            )
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
