/// SplitMix64: the same numbers for the same seed on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(_ seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    public mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// Words, which compress as text does.
    public mutating func text(_ count: Int) -> [UInt8] {
        let words = ["ledger ", "append ", "policy snapshot ", "run ", "checkpoint\n", "seal of the run, "].map {
            Array($0.utf8)
        }
        var text: [UInt8] = []
        while text.count < count { text += words[Int.random(in: 0..<words.count, using: &self)] }
        return Array(text[..<count])
    }
}

/// A seed as a test's argument: a failure prints it, and `Seed(n)` in its place repeats the run.
public struct Seed: Sendable, CustomStringConvertible {
    public let value: UInt64

    public init(_ value: UInt64) { self.value = value }

    public var generator: SeededGenerator { SeededGenerator(value) }
    public var description: String { "seed \(value)" }

    /// One seed that is always the same, and some that never are.
    public static func some(_ count: Int) -> [Seed] {
        [Seed(1)] + (1..<max(count, 2)).map { _ in Seed(.random(in: .min ... .max)) }
    }
}
