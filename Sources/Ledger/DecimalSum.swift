/// A sum of decimal numbers, exact: money is never binary floating point.
public struct DecimalSum: Sendable, Equatable {
    /// Characters of a number at most, as the schemas allow.
    public static let textLimit = 40

    /// Digits, the lowest first; the decimal point stands before the one at `point`.
    private var digits = [UInt8](repeating: 0, count: 96)
    private static let point = textLimit

    /// Numbers added.
    public private(set) var count = 0
    /// Places behind the point of the number that had most.
    private var places = 0

    public init() {}

    /// Adds `12`, `0.5`, `0.000125`.
    ///
    /// - Returns: whether it was added: signs, exponents and more than 40 characters are not.
    @discardableResult
    public mutating func add(_ text: String) -> Bool {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard text.utf8.count <= Self.textLimit, (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }),
            parts.joined().allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains)
        else { return false }
        let fraction = parts.count == 2 ? parts[1].count : 0
        var place = Self.point - fraction
        var carry: UInt8 = 0
        for digit in parts.joined().reversed() {
            let sum = digits[place] + (digit - UInt8(ascii: "0")) + carry
            (digits[place], carry) = (sum % 10, sum / 10)
            place += 1
        }
        while carry > 0, place < digits.count {
            let sum = digits[place] + carry
            (digits[place], carry) = (sum % 10, sum / 10)
            place += 1
        }
        places = max(places, fraction)
        count += 1
        return true
    }

    /// The sum with as many places as the number that had most.
    public var text: String {
        let whole = digits[Self.point...].reversed().drop { $0 == 0 }
        let fraction = digits[(Self.point - places)..<Self.point].reversed()
        let head = whole.isEmpty ? "0" : Self.text(whole)
        return places == 0 ? head : "\(head).\(Self.text(fraction))"
    }

    private static func text(_ digits: some Sequence<UInt8>) -> String { digits.map { String($0) }.joined() }
}
