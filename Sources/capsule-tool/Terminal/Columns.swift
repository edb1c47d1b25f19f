/// Aligned columns for people.
struct Columns {
    enum Alignment {
        case left
        case right
    }

    private let alignments: [Alignment]
    private var rows: [[String]] = []
    private let headings: [String]

    init(_ columns: [(String, Alignment)]) {
        headings = columns.map(\.0)
        alignments = columns.map(\.1)
    }

    mutating func add(_ cells: [String]) { rows.append(cells.map(Printable.escape)) }

    /// Lines, cut where the terminal ends. A column in which nothing stands is left out.
    func lines(width: Int?) -> [String] {
        let all = [headings] + rows
        let used = headings.indices.filter { column in rows.contains { !$0[column].isEmpty } }
        let widths = headings.indices.map { column in all.map { DisplayWidth.of($0[column]) }.max() ?? 0 }
        return all.enumerated().map { index, row in
            var line = ""
            for column in used {
                let cell = row[column]
                let isLast = column == used.last
                let padding = String(repeating: " ", count: widths[column] - DisplayWidth.of(cell))
                line += alignments[column] == .right ? padding + cell : cell + (isLast ? "" : padding)
                if !isLast { line += "  " }
            }
            let cut = DisplayWidth.cut(line, to: width)
            return index == 0 ? Terminal.styled(cut, .dim) : cut
        }
    }
}

/// Numbers and times as people read them.
enum Human {
    static func bytes(_ count: UInt64) -> String {
        let units = ["B", "KB", "MB", "GB", "TB"]
        var value = Double(count)
        var unit = 0
        while value >= 1000, unit < units.count - 1 {
            value /= 1000
            unit += 1
        }
        return unit == 0 ? "\(count) B" : "\(oneDecimal(value)) \(units[unit])"
    }

    /// A span of time in the unit that gives two to four digits.
    static func duration(nanoseconds: Int64) -> String {
        let sign = nanoseconds < 0 ? "-" : ""
        let span = nanoseconds.magnitude
        switch span {
        case ..<1_000_000: return "\(sign)\(span / 1000) µs"
        case ..<10_000_000_000: return "\(sign)\(span / 1_000_000) ms"
        case ..<600_000_000_000: return "\(sign)\(oneDecimal(Double(span) / 1e9)) s"
        case ..<3_600_000_000_000: return "\(sign)\(span / 60_000_000_000) min"
        case ..<172_800_000_000_000: return "\(sign)\(span / 3_600_000_000_000) h \(span / 60_000_000_000 % 60) min"
        default: return "\(sign)\(span / 86_400_000_000_000) d"
        }
    }

    /// Time since a start, in the unit that suits a run of `length`, so that all times of one run can be compared.
    static func offset(_ nanoseconds: Int64, in length: Int64) -> String {
        let sign = nanoseconds < 0 ? "-" : ""
        let span = nanoseconds.magnitude
        if length < 10_000_000_000 { return "\(sign)\(span / 1_000_000) ms" }
        if length < 600_000_000_000 { return "\(sign)\(span / 1_000_000_000).\(span / 100_000_000 % 10) s" }
        let seconds = span / 1_000_000_000
        func two(_ number: UInt64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(sign)\(seconds / 3600):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }

    /// `1 event`, `1,204 events`.
    static func count(_ number: some BinaryInteger, _ one: String, _ many: String? = nil) -> String {
        "\(count(number)) \(number == 1 ? one : many ?? one + "s")"
    }

    static func count(_ number: some BinaryInteger) -> String {
        let digits = String(number)
        var result = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0, digits.first != "-" || index > 1 { result += " " }
            result.append(digit)
        }
        return result
    }

    private static func oneDecimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }
}
