import Ledger

/// Prints figures.
enum Report {
    static func table(_ figures: [Figure]) -> String {
        var rows = [["what", "figure", "goal", "met"]]
        for figure in figures {
            let met = figure.isMet.map { $0 ? "yes" : "NO" } ?? ""
            rows.append([figure.what, figure.valueText, figure.goalText, met])
        }
        let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { line($0, widths) }.joined(separator: "\n")
    }

    /// Text to the left, numbers to the right.
    private static func line(_ row: [String], _ widths: [Int]) -> String {
        let cells = zip(row, widths).enumerated().map { column, cell in
            let space = String(repeating: " ", count: cell.1 - cell.0.count)
            return column == 1 || column == 2 ? space + cell.0 : cell.0 + space
        }
        let text = cells.joined(separator: "  ")
        return String(text.reversed().drop { $0 == " " }.reversed())
    }

    static func json(_ figures: [Figure]) -> String {
        var writer = JSONWriter()
        writer.array { array in
            for figure in figures { array.object { write(figure, into: &$0) } }
        }
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func write(_ figure: Figure, into object: inout JSONWriter) {
        object.member("benchmark", figure.benchmark)
        object.member("what", figure.what)
        object.member("value", number(figure.value))
        object.member("unit", figure.unit.rawValue)
        switch figure.goal {
        case .atLeast(let bound): object.member("at_least", number(bound))
        case .atMost(let bound): object.member("at_most", number(bound))
        case nil: break
        }
        if let isMet = figure.isMet { object.member("met", isMet) }
    }

    private static func number(_ value: Double) -> JSONValue { (try? JSONValue.parse(Array("\(value)".utf8))) ?? .null }
}
