import Ledger

/// Where the columns of a run's timeline stand. Fixed before the first line, so that lines can be printed as they are
/// read.
struct TimelineLayout {
    /// What one line says.
    struct Line {
        var number: String
        var after: Int64
        var took: Int64?
        var sign: String
        var style: Terminal.Style?
        var type: String
        var stage: String
        var actor: String
        var what: String
        /// From and to, in nanoseconds since the run began.
        var span: (Int64, Int64)
    }

    private let width: Int?
    private let number: Int
    private let after: Int
    private let type: Int
    private let stage: Int
    private let actor: Int
    private let bar: Int
    /// Where the axis of the bars begins and how long it is, in nanoseconds from the run's start.
    private let first: Int64
    private let length: Int64

    private static let took = 7
    private static let narrowest = 110
    private static let narrowestWithBar = 120

    init(_ summary: RunSummary, width: Int?) {
        self.width = width
        func sinceStart(_ time: Timestamp) -> Int64 {
            let (span, overflow) = time.nanoseconds.subtractingReportingOverflow(summary.startTime.nanoseconds)
            return overflow ? (time < summary.startTime ? -.max : .max) : span
        }
        first = min(0, sinceStart(summary.earliestTime))
        let (length, overflow) = max(0, sinceStart(summary.latestTime)).subtractingReportingOverflow(first)
        self.length = overflow ? .max : length
        number = max(1, String(max(1, summary.events) - 1).count)
        after = max(
            5,
            Human.offset(first, in: self.length).count,
            Human.offset(sinceStart(summary.latestTime), in: self.length).count
        )
        type = summary.longestType
        let isWide = width.map { $0 >= Self.narrowest } ?? true
        func column(_ names: some Collection<String>) -> Int {
            guard isWide, !names.isEmpty else { return 0 }
            return names.reduce("stage".count) { min(16, max($0, DisplayWidth.of(Printable.escape($1)))) }
        }
        stage = column(summary.stages.values)
        actor = summary.eventsByActor.count > 1 ? column(summary.actors.values) : 0
        guard let width, width >= Self.narrowestWithBar, self.length > 0 else {
            bar = 0
            return
        }
        bar = min(48, max(16, (width - Self.narrowest) / 2))
    }

    var heading: String {
        var text = line(
            Line(
                number: "#",
                after: 0,
                took: nil,
                sign: " ",
                style: nil,
                type: "type",
                stage: "stage",
                actor: "actor",
                what: "what",
                span: (0, 0)
            ),
            times: ("after", "took"),
            bar: axis
        )
        while text.last == " " { text.removeLast() }
        return Terminal.styled(text, .dim)
    }

    private var axis: String {
        let (left, right) = (Human.offset(first, in: length), Human.offset(first &+ length, in: length))
        return left + String(repeating: " ", count: max(1, bar - left.count - right.count)) + right
    }

    func line(_ line: Line) -> String {
        var text = self.line(
            line,
            times: (
                Human.offset(line.after, in: length), line.took.map { Human.duration(nanoseconds: $0) } ?? ""
            ),
            bar: drawBar(line.span)
        )
        while text.last == " " { text.removeLast() }
        return line.style.map { Terminal.styled(text, $0) } ?? text
    }

    private func line(_ line: Line, times: (String, String), bar: String) -> String {
        var text = Self.right(line.number, number) + "  " + Self.right(times.0, after) + "  "
        text += Self.right(times.1, Self.took) + "  " + line.sign + " "
        text += DisplayWidth.fit(Printable.escape(line.type), type) + "  "
        if stage > 0 { text += DisplayWidth.fit(Printable.escape(line.stage), stage) + "  " }
        if actor > 0 { text += DisplayWidth.fit(Printable.escape(line.actor), actor) + "  " }
        let what = Printable.escape(line.what)
        guard let width else { return text + what }
        let room = width - DisplayWidth.of(text) - (self.bar > 0 ? self.bar + 2 : 0)
        guard self.bar > 0 else { return text + DisplayWidth.cut(what, to: max(0, room)) }
        return text + DisplayWidth.fit(what, max(0, room)) + "  " + bar
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - DisplayWidth.of(text))) + text
    }

    private func drawBar(_ span: (Int64, Int64)) -> String {
        guard bar > 0, length > 0 else { return "" }
        func cell(_ time: Int64) -> Int {
            let place = (Double(time) - Double(first)) / Double(length)
            return Int((min(max(0, place), 1) * Double(bar - 1)).rounded())
        }
        let (left, right) = (cell(span.0), max(cell(span.0), cell(span.1)))
        let mark = span.1 > span.0 ? String(repeating: "━", count: right - left + 1) : "•"
        return String(repeating: " ", count: left) + mark
    }
}
