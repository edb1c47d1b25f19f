/// SplitMix64: the same numbers in every run.
struct Generator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }

    /// True once in `count` times.
    mutating func once(in count: Int) -> Bool { number(1...count) == 1 }

    /// One of `choices`; the first ones much more often, as words and files come up.
    mutating func common<T>(_ choices: [T]) -> T {
        let share = Double(next() >> 11) / Double(1 << 53)
        return choices[min(choices.count - 1, Int(Double(choices.count) * share * share))]
    }

    /// Lower-case hexadecimal digits that nobody can guess.
    mutating func hex(_ count: Int) -> String {
        var text = ""
        while text.utf8.count < count {
            let digits = String(next(), radix: 16)
            text += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return String(text.prefix(count))
    }
}
