/// 32 bytes: a SHA-256, in the order in which they stand in a file.
///
/// Kept as four words so that digests live in registers and in flat arrays instead of on the heap.
public struct Digest: Hashable, Sendable, BitwiseCopyable {
    var words: (UInt64, UInt64, UInt64, UInt64)

    /// 32 zero bytes: no digest.
    public static let zero = Digest()

    init() { words = (0, 0, 0, 0) }

    /// The digest whose bytes are the first 32 of `bytes`; nil if there are fewer.
    public init?(_ bytes: some Sequence<UInt8>) {
        var copy: [UInt8] = []
        copy.reserveCapacity(32)
        for byte in bytes.prefix(32) { copy.append(byte) }
        guard copy.count == 32 else { return nil }
        self = copy.withUnsafeBytes { $0.loadUnaligned(as: Digest.self) }
    }

    /// The digest that 64 hexadecimal digits, of either case, stand for.
    public init?(hex: some StringProtocol) {
        guard let bytes = Hex.decode(hex), bytes.count == 32 else { return nil }
        self.init(bytes)
    }

    public static func == (left: Digest, right: Digest) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) {
        // The bytes of a SHA-256 are evenly spread already: two words are enough to tell digests apart in a table.
        hasher.combine(words.0)
        hasher.combine(words.1)
    }

    /// Calls `body` with the 32 bytes.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        var copy = words
        return try Swift.withUnsafeBytes(of: &copy, body)
    }

    /// The 32 bytes.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// 64 lower-case hexadecimal digits.
    public var hex: String { withUnsafeBytes { Hex.encode($0) } }
}

extension Digest: CustomStringConvertible {
    public var description: String { hex }
}

extension Digest: Comparable {
    /// By bytes, as hexadecimal text sorts.
    public static func < (left: Digest, right: Digest) -> Bool {
        let leftWords = [left.words.0, left.words.1, left.words.2, left.words.3]
        let rightWords = [right.words.0, right.words.1, right.words.2, right.words.3]
        return leftWords.lazy.map(\.bigEndian).lexicographicallyPrecedes(rightWords.lazy.map(\.bigEndian))
    }
}
