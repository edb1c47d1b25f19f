/// Sixteen bytes that name something. The types that conform differ only in what they name.
public protocol SixteenByteID: Hashable, Sendable, BitwiseCopyable, CustomStringConvertible {
    /// The bytes as two words in the machine's order, as loaded from memory.
    var words: (UInt64, UInt64) { get set }
    init(words: (UInt64, UInt64))
}

extension SixteenByteID {
    /// The identifier whose bytes are the first 16 of `bytes`; nil if there are fewer.
    public init?(_ bytes: some Sequence<UInt8>) {
        var copy: [UInt8] = []
        copy.reserveCapacity(16)
        for byte in bytes.prefix(16) { copy.append(byte) }
        guard copy.count == 16 else { return nil }
        self = copy.withUnsafeBytes { Self(words: $0.loadUnaligned(as: (UInt64, UInt64).self)) }
    }

    /// The identifier that 32 hexadecimal digits, with or without the hyphens of a UUID, stand for.
    public init?(hex: some StringProtocol) {
        let digits = String(hex.utf8.filter { $0 != UInt8(ascii: "-") }.map { Character(UnicodeScalar($0)) })
        guard let bytes = Hex.decode(digits), bytes.count == 16 else { return nil }
        self.init(bytes)
    }

    /// Sixteen zero bytes.
    public static var zero: Self { Self(words: (0, 0)) }

    /// Calls `body` with the 16 bytes.
    public func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        var copy = words
        return try Swift.withUnsafeBytes(of: &copy, body)
    }

    /// The 16 bytes.
    public var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// 32 lower-case hexadecimal digits.
    public var hex: String { withUnsafeBytes { Hex.encode($0) } }

    public static func == (left: Self, right: Self) -> Bool { left.words == right.words }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
    }
}

/// Names a run. Sixteen zero bytes are run zero, the capsule's own.
public struct RunID: SixteenByteID {
    public var words: (UInt64, UInt64)
    public init(words: (UInt64, UInt64)) { self.words = words }

    /// A UUID of version 7: 48 bits of milliseconds, then 74 random bits. IDs made later sort later.
    public init(at time: Timestamp, random: some RandomSource) {
        var bytes = [UInt8](repeating: 0, count: 16)
        bytes.withUnsafeMutableBytes { random.fill($0) }
        let milliseconds = UInt64(clamping: time.nanoseconds / 1_000_000)
        for index in 0..<6 { bytes[index] = UInt8(truncatingIfNeeded: milliseconds >> UInt64(40 - 8 * index)) }
        bytes[6] = 0x70 | (bytes[6] & 0x0F)
        bytes[8] = 0x80 | (bytes[8] & 0x3F)
        self = bytes.withUnsafeBytes { RunID(words: $0.loadUnaligned(as: (UInt64, UInt64).self)) }
    }

    /// The usual text form of a UUID, lower case.
    public var description: String {
        let digits = Array(hex)
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }.joined(separator: "-")
    }

    public var isRunZero: Bool { words == (0, 0) }
}

/// Names a capsule. Two files with the same ID are copies, or generations, of one.
public struct CapsuleID: SixteenByteID {
    public var words: (UInt64, UInt64)
    public init(words: (UInt64, UInt64)) { self.words = words }
    public var description: String { RunID(words: words).description }
}

/// The first half of a SHA-256 over a key, a name or a token, as `spec/format.md` section 5.4 defines them.
public struct KeyHash: SixteenByteID {
    public var words: (UInt64, UInt64)
    public init(words: (UInt64, UInt64)) { self.words = words }
    public var description: String { hex }

    /// The hash of a caller's key for an event of `run`.
    public static func event(_ key: String, in run: RunID) -> KeyHash { make(1, run, key) }
    /// The hash of an actor's name in `run`.
    public static func actor(_ name: String, in run: RunID) -> KeyHash { make(2, run, name) }
    /// The hash of the caller's own name of a run in `capsule`.
    public static func runName(_ name: String, in capsule: CapsuleID) -> KeyHash { make(3, capsule, name) }
    /// The hash of the token that later events of `run` must show.
    public static func token(_ token: String, for run: RunID) -> KeyHash { make(4, run, token) }

    private static func make(_ tag: UInt8, _ scope: some SixteenByteID, _ text: String) -> KeyHash {
        var bytes = [tag]
        bytes.append(contentsOf: scope.bytes)
        bytes.append(contentsOf: text.utf8)
        let digest = bytes.withUnsafeBytes { Hashing.sha256($0) }
        return KeyHash(words: (digest.words.0, digest.words.1))
    }
}

/// A place in a run: an event that a cause, a receipt or a person (`RUN#12`) refers to.
public struct EventReference: Hashable, Sendable, CustomStringConvertible {
    public var run: RunID
    public var sequence: UInt32

    public init(run: RunID, sequence: UInt32) {
        self.run = run
        self.sequence = sequence
    }

    public var description: String { "\(run)#\(sequence)" }
}
