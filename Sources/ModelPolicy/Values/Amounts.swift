/// An amount of US dollars, exact to the picodollar (10⁻¹² dollars), which one token at a price per million costs.
///
/// Never binary floating point: ten calls of 0.07 are 0.70. Arithmetic answers nil instead of overflowing; the largest
/// amount is 9.2 million dollars.
public struct USD: Sendable, Hashable, Comparable {
    public let picodollars: Int64

    public static let zero = USD(picodollars: 0)

    public init(picodollars: Int64) { self.picodollars = picodollars }

    /// An amount in millionths of a dollar; nil when it is too large.
    public init?(microdollars: Int64) {
        let (value, overflow) = microdollars.multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return nil }
        picodollars = value
    }

    public static func < (left: USD, right: USD) -> Bool { left.picodollars < right.picodollars }

    /// The sum; nil when it is too large.
    public func adding(_ other: USD) -> USD? {
        let (sum, overflow) = picodollars.addingReportingOverflow(other.picodollars)
        return overflow ? nil : USD(picodollars: sum)
    }

    /// The difference; nil when it is too large.
    public func subtracting(_ other: USD) -> USD? {
        let (difference, overflow) = picodollars.subtractingReportingOverflow(other.picodollars)
        return overflow ? nil : USD(picodollars: difference)
    }

    /// So many times the amount; nil when it is too large.
    public func multiplied(by count: Int64) -> USD? {
        let (product, overflow) = picodollars.multipliedReportingOverflow(by: count)
        return overflow ? nil : USD(picodollars: product)
    }

    /// A share of the amount, rounded down to the picodollar.
    public func multiplied(by ratio: Ratio) -> USD {
        let wide = picodollars.multipliedFullWidth(by: ratio.millionths)
        return USD(picodollars: Int64(clamping: Int64(1_000_000).dividingFullWidth(clamped: wide)))
    }
}

extension Int64 {
    /// Divides a wide product of which the quotient may not fit; then it is the largest.
    fileprivate func dividingFullWidth(clamped product: (high: Int64, low: UInt64)) -> Int64 {
        let wide = Int128(product.high) << 64 | Int128(product.low)
        return Int64(clamping: wide / Int128(self))
    }
}

extension USD: CustomStringConvertible {
    /// Dollars as a decimal with at least two places and no more than are needed: `25.00`, `0.000015`.
    public var description: String {
        let sign = picodollars < 0 ? "-" : ""
        let (whole, rest) = picodollars.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000_000)
        var digits = String(rest)
        digits = String(repeating: "0", count: 12 - digits.utf8.count) + digits
        while digits.utf8.count > 2, digits.hasSuffix("0") { digits.removeLast() }
        return "\(sign)\(whole).\(digits)"
    }
}

/// A share or a threshold, exact to the millionth.
public struct Ratio: Sendable, Hashable, Comparable {
    public let millionths: Int64

    public init(millionths: Int64) { self.millionths = millionths }

    public static func < (left: Ratio, right: Ratio) -> Bool { left.millionths < right.millionths }
}

extension Ratio: CustomStringConvertible {
    /// The number as a decimal with no more places than are needed: `0.8`, `1`.
    public var description: String { Decimal6(millionths: millionths).description }
}
