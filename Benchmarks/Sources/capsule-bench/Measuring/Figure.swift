/// One line of the result.
struct Figure: Sendable {
    enum Goal: Sendable {
        case atLeast(Double)
        case atMost(Double)
    }

    enum Unit: String, Sendable {
        case perSecond = "/s"
        case times = "x"
        case mebibytes = "MiB"
        case milliseconds = "ms"
        case microseconds = "µs"
        /// A share or a count per something: no unit.
        case plain = ""
    }

    /// Of the benchmark that found it.
    private(set) var benchmark = ""
    let what: String
    let value: Double
    let unit: Unit
    let goal: Goal?

    init(_ what: String, _ value: Double, _ unit: Unit, goal: Goal? = nil) {
        self.what = what
        self.value = value
        self.unit = unit
        self.goal = goal
    }

    /// Nil without a goal.
    var isMet: Bool? {
        switch goal {
        case .atLeast(let bound): value >= bound
        case .atMost(let bound): value <= bound
        case nil: nil
        }
    }

    func named(_ benchmark: String) -> Figure {
        var copy = self
        copy.benchmark = benchmark
        return copy
    }

    var valueText: String { unit.text(value) }

    var goalText: String {
        switch goal {
        case .atLeast(let bound): ">= \(unit.text(bound))"
        case .atMost(let bound): "<= \(unit.text(bound))"
        case nil: ""
        }
    }
}

extension Figure.Unit {
    /// Whole numbers for rates, two decimals for the rest, and a third where two would say little.
    func text(_ value: Double) -> String {
        switch self {
        case .perSecond: "\(Self.grouped(value))\(rawValue)"
        case .times, .plain: Self.decimals(value, value < 0.1 ? 4 : 2) + rawValue
        case .mebibytes, .milliseconds, .microseconds: "\(Self.decimals(value, 1)) \(rawValue)"
        }
    }

    private static func grouped(_ value: Double) -> String {
        let digits = Array(String(Int(value.rounded())))
        let groups = stride(from: digits.count, to: 0, by: -3).map { String(digits[max(0, $0 - 3)..<$0]) }
        return groups.reversed().joined(separator: ",")
    }

    private static func decimals(_ value: Double, _ count: Int) -> String {
        let scale = (0..<count).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int((abs(value) * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let zeroes = String(repeating: "0", count: count - fraction.count)
        return "\(value < 0 ? "-" : "")\(scaled / scale).\(zeroes)\(fraction)"
    }
}
