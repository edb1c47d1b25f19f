import Ledger

/// Prints a run's events as they come, and folds those alike that follow on each other into one line.
///
/// A call and the answer that follows it are one: a hundred calls of a tool fold, though calls and answers take turns.
struct TimelinePrinter {
    private let summary: RunSummary
    private let layout: TimelineLayout
    /// Print every event on a line of its own, uncut.
    private let all: Bool
    private var call: ReadEvent?
    private var group: FoldedEvents?

    /// Events alike that stand on lines of their own still.
    private static let unfolded = 2

    init(_ summary: RunSummary, width: Int?, all: Bool) {
        self.summary = summary
        self.all = all
        layout = TimelineLayout(summary, width: all ? nil : width)
    }

    func begin() { Output.line(layout.heading) }

    mutating func take(_ event: ReadEvent) {
        guard !all else { return printLine(event) }
        if let call {
            self.call = nil
            guard !event.answers(call) else { return close([call, event]) }
            close([call])
        }
        if event.registered == .toolCall || event.registered == .retrievalRequest {
            call = event
        } else {
            close([event])
        }
    }

    mutating func finish() {
        if let call { close([call]) }
        call = nil
        flush()
    }

    private mutating func close(_ unit: [ReadEvent]) {
        let key = unit.map(FoldedEvents.key).joined(separator: "\u{1}")
        // Events that a filter left out may have stood between two alike.
        if group?.key != key || unit.first?.envelope.sequence != group?.next {
            flush()
            group = FoldedEvents(key: key)
        }
        group?.add(unit, durations: unit.map { $0.duration(summary.time) ?? 0 }, kept: Self.unfolded)
    }

    private mutating func flush() {
        guard let group else { return }
        self.group = nil
        guard group.count > Self.unfolded, let first = group.units.first?.first else {
            for event in group.units.joined() { printLine(event) }
            return
        }
        var line = line(first)
        if let failure = group.units[0].first(where: \.isFailure) {
            line.sign = EventSign.of(failure)
            line.style = EventSign.style(failure)
        }
        line.took = group.duration > 0 ? group.duration : nil
        line.what = group.text
        line.span.1 = max(line.span.1, after(group.last))
        Output.line(layout.line(line))
    }

    private func printLine(_ event: ReadEvent) { Output.line(layout.line(line(event))) }

    private func after(_ time: Timestamp) -> Int64 {
        time.nanoseconds.subtractingReportingOverflow(summary.startTime.nanoseconds).partialValue
    }

    private func line(_ event: ReadEvent) -> TimelineLayout.Line {
        let envelope = event.envelope
        let after = after(envelope.time)
        let took = event.duration(summary.time)
        return TimelineLayout.Line(
            number: "\(envelope.sequence)",
            after: after,
            took: took,
            sign: EventSign.of(event),
            style: EventSign.style(event),
            type: envelope.type.name,
            stage: summary.stage(of: envelope) ?? "",
            actor: summary.actor(of: envelope) ?? "",
            what: EventSummary.text(of: event, uncut: all),
            span: (after.subtractingReportingOverflow(took ?? 0).partialValue, after)
        )
    }
}

extension RunSummary {
    /// The name of who did it; `#` and the number where nothing introduced them.
    func actor(of envelope: Envelope) -> String? {
        actors[envelope.actor] ?? (envelope.actor == 0 ? nil : "#\(envelope.actor)")
    }

    func stage(of envelope: Envelope) -> String? {
        stages[envelope.stage] ?? (envelope.stage == 0 ? nil : "#\(envelope.stage)")
    }
}

extension ReadEvent {
    /// Whether it is what came back from a call.
    fileprivate func answers(_ call: ReadEvent) -> Bool {
        guard registered == (call.registered == .toolCall ? .toolResult : .retrievalResponse) else { return false }
        guard envelope.causes.isEmpty else { return envelope.causes.contains(call.envelope.reference) }
        let names = (body?["tool"]?.string, call.body?["tool"]?.string)
        return envelope.sequence == call.envelope.sequence &+ 1 && (names.0 == nil || names.0 == names.1)
    }
}

/// Events alike that follow on each other.
struct FoldedEvents {
    let key: String
    /// The first of them: singles, or calls with their answers.
    private(set) var units: [[ReadEvent]] = []
    private(set) var count = 0
    private(set) var duration: Int64 = 0
    private(set) var last = Timestamp(nanoseconds: .min)
    /// The sequence that follows on the last of them.
    private(set) var next: UInt32?
    private var tokens = (input: 0, output: 0)
    private var lines = (added: 0, removed: 0)
    private var cost = DecimalSum()

    init(key: String) { self.key = key }

    mutating func add(_ unit: [ReadEvent], durations: [Int64], kept: Int) {
        count += 1
        next = unit.last.map { $0.envelope.sequence &+ 1 }
        if units.count < kept { units.append(unit) }
        for (event, duration) in zip(unit, durations) {
            self.duration = self.duration.addingReportingOverflow(duration).partialValue
            last = max(last, event.envelope.time)
            switch event.registered {
            case .modelCall:
                add(event.body?["input_tokens"], to: &tokens.input)
                add(event.body?["output_tokens"], to: &tokens.output)
                if let text = event.body?["cost_usd"]?.string { cost.add(text) }
            case .patchApplied:
                for file in event.body?["files"]?.array ?? [] {
                    add(file["added"], to: &lines.added)
                    add(file["removed"], to: &lines.removed)
                }
            default: break
            }
        }
    }

    private func add(_ value: JSONValue?, to sum: inout Int) {
        sum = sum.addingReportingOverflow(max(0, value?.int ?? 0)).partialValue
    }

    /// `× 14 grep ok`.
    var text: String {
        guard let event = units.first?.last else { return "" }
        var parts = ["× \(Human.count(count))"]
        if let label = Self.label(event), !label.isEmpty { parts.append(label) }
        if tokens != (0, 0) { parts.append("\(Human.count(tokens.input)) in \(Human.count(tokens.output)) out") }
        if cost.count > 0 { parts.append("$\(cost.text)") }
        if event.registered == .patchApplied { parts.append("+\(lines.added) -\(lines.removed)") }
        return parts.joined(separator: " ").replacing("\n", with: "⏎")
    }

    /// What two events must have in common to be alike.
    static func key(_ event: ReadEvent) -> String {
        let envelope = event.envelope
        guard let label = label(event) else { return "#\(envelope.sequence)" }
        let state = event.event.content == .withheld ? "withheld" : event.isFailure ? "failed" : ""
        return "\(envelope.type.name)\u{0}\(envelope.actor)\u{0}\(envelope.stage)\u{0}\(state)\u{0}\(label)"
    }

    /// What is said of all of them; nil for events of which each counts.
    private static func label(_ event: ReadEvent) -> String? {
        let body = event.body
        func join(_ keys: String...) -> String { keys.compactMap { body?[$0]?.string }.joined(separator: " ") }
        switch event.registered {
        case .runStart, .runEnd, .actor, .stage, .snapshot, .checkpoint, .humanAnswer, .override, .budgetAlert:
            return nil
        case .toolCall: return join("tool")
        case .toolResult:
            let status = body?["exit_status"]?.int.map { " exit \($0)" } ?? ""
            return "\(join("tool")) \(event.isFailure ? "failed" : "ok")\(status)"
        case .modelCall: return join("model", "role")
        case .routingDecision: return join("role", "result", "model")
        case .routingSettlement: return join("outcome", "served_model")
        case .retrievalRequest: return join("source")
        case .gateDecision: return join("gate", "result")
        case .gateResult: return join("gate", "measure")
        case .note: return join("text")
        case .error: return join("message", "code")
        default: return ""
        }
    }
}
