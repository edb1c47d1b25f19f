import ArgumentParser
import Ledger

struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Count decisions, fallbacks, escalations and refusals, and what calls cost by model, role and day.",
        discussion: "Without RUN, over the whole capsule. CSV has one line for each model, role and day."
    )

    @OptionGroup var capsule: CapsuleOption

    @Argument(help: "The run: its ID, a unique prefix of it, or its name; without it all.")
    var name: String?

    @Option(
        help: ArgumentHelp("Events at or after \(TimeArgument.help).", valueName: "time"),
        transform: { try TimeArgument($0) }
    )
    var since: TimeArgument?

    @Option(help: ArgumentHelp("Events before such a time.", valueName: "time"), transform: { try TimeArgument($0) })
    var until: TimeArgument?

    @Flag(help: "Print CSV.")
    var csv = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if csv, json { throw ValidationError("--csv and --json exclude each other") }
    }

    func run() throws {
        let reader = try openReader(capsule)
        let progress = Progress("counting")
        let report = try reader.routingReport(
            of: try name.map { try reader.run($0).id },
            since: since?.first,
            until: until?.first,
            progress: { progress.update($0, of: $1) }
        )
        progress.finish()
        if json {
            Output.json(report.value)
        } else if csv {
            printCSV(report)
        } else {
            tell(report)
        }
        warn(reader)
    }

    private static let kinds = ["model", "role", "day"]
    private static let nameWidth = 40

    private static func lines(_ report: RoutingReport, _ kind: String) -> [(String, RoutingReport.Line)] {
        let table = kind == "model" ? report.byModel : kind == "role" ? report.byRole : report.byDay
        return table.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    private func tell(_ report: RoutingReport) {
        guard report.total.decisions > 0 else { return Output.line("no decisions") }
        for kind in Self.kinds {
            var table = Columns(
                [(kind, .left)]
                    + [
                        "decisions", "fallback", "escalated", "refused", "human", "settled", "failed", "tokens in",
                        "tokens out", "cost",
                    ].map { ($0, .right) }
            )
            let lines = Self.lines(report, kind) + (kind == "model" ? [("all", report.total)] : [])
            for (name, line) in lines {
                // A name that somebody made long does not push the figures off the screen.
                table.add([DisplayWidth.cut(Printable.escape(name), to: Self.nameWidth)] + Self.cells(line))
            }
            for line in table.lines(width: Terminal.width) { Output.line(line) }
            Output.line()
        }
        let reasons = report.reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        if !reasons.isEmpty {
            Output.line("no model   " + reasons.map { "\($0.key) \(Human.count($0.value))" }.joined(separator: ", "))
        }
        if report.openCount > 0 {
            let shown = report.open.prefix(5).map { "\($0)" }.joined(separator: ", ")
            Output.line("open       \(Human.count(report.openCount)): \(shown)\(report.openCount > 5 ? ", …" : "")")
        }
        if report.expired > 0 {
            Output.line("expired    \(Human.count(report.expired)) never settled before the run ended")
        }
        if report.total.exceptions > 0 {
            Output.line("let pass   \(Human.count(report.total.exceptions)) by a part that is not enforced")
        }
        let alerts = report.alerts.sorted { $0.key < $1.key }.map { "\(Human.count($0.value)) \($0.key)" }
        if !alerts.isEmpty { Output.line("alerts     " + alerts.joined(separator: ", ")) }
        for override in report.overrides {
            Output.line(Printable.escape("override   \(override.event)  \(Self.text(override.body))"))
        }
    }

    private static func text(_ override: JSONValue) -> String {
        let parts = [
            override["break_glass"]?.bool == true ? "BREAK GLASS" : nil, override["rule"]?.string,
            override["amount"]?.string.map { "+\($0)" }, override["by"]?.string.map { "by \($0)" },
            (override["signature"] == nil ? "(unsigned)" : "(signed)") + ":",
            override["reason"]?.string, override["expires"]?.string.map { "until \($0)" },
        ]
        return parts.compactMap(\.self).joined(separator: " ")
    }

    private static func cells(_ line: RoutingReport.Line) -> [String] {
        let counts = [
            line.decisions, line.fallbacks, line.escalations, line.refusals, line.humans, line.settled, line.failed,
            line.inputTokens, line.outputTokens,
        ]
        return counts.map { $0 == 0 ? "—" : Human.count($0) } + ["$\(line.cost)"]
    }

    private func printCSV(_ report: RoutingReport) {
        let fields = RoutingReport.Line().fields.map(\.name)
        Output.line((["kind", "name"] + fields).joined(separator: ","))
        for kind in Self.kinds {
            for (name, line) in Self.lines(report, kind) {
                Output.line(([kind, Self.quoted(name)] + line.fields.map(\.text)).joined(separator: ","))
            }
        }
    }

    /// As RFC 4180 has it; a name that a spreadsheet would calculate is kept from it, and what steers a terminal
    /// is escaped.
    private static func quoted(_ text: String) -> String {
        var text = Printable.escape(text)
        if let first = text.first, "=+-@".contains(first) { text = "'\(text)" }
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"\(text.replacing("\"", with: "\"\""))\""
    }
}

extension RoutingReport.Line {
    /// Names and values, the same in CSV and JSON.
    var fields: [(name: String, text: String)] {
        [
            ("decisions", "\(decisions)"), ("routed", "\(routed)"), ("fallbacks", "\(fallbacks)"),
            ("escalations", "\(escalations)"), ("refusals", "\(refusals)"), ("humans", "\(humans)"),
            ("exceptions", "\(exceptions)"), ("settled", "\(settled)"), ("failed", "\(failed)"),
            ("input_tokens", "\(inputTokens)"), ("output_tokens", "\(outputTokens)"), ("cost_usd", "\(cost)"),
        ]
    }

    var value: JSONValue {
        var members = JSONValue.Members()
        for field in fields {
            members[field.name] =
                field.name == "cost_usd" ? .string(field.text) : JSONNumber(field.text).map { .number($0) } ?? .null
        }
        return .object(members)
    }
}

extension RoutingReport {
    var value: JSONValue {
        func table(_ lines: [String: Line]) -> JSONValue {
            var members = JSONValue.Members()
            for (name, line) in lines.sorted(by: { $0.key < $1.key }) { members[name] = line.value }
            return .object(members)
        }
        func counts(_ counts: [String: Int]) -> JSONValue {
            var members = JSONValue.Members()
            for (name, count) in counts.sorted(by: { $0.key < $1.key }) { members[name] = .number(JSONNumber(count)) }
            return .object(members)
        }
        return [
            "total": total.value, "models": table(byModel), "roles": table(byRole), "days": table(byDay),
            "reasons": counts(reasons), "alerts": counts(alerts), "open": .array(open.map { .string("\($0)") }),
            "open_count": .number(JSONNumber(openCount)), "expired": .number(JSONNumber(expired)),
            "overrides": .array(
                overrides.map { override in
                    [
                        "event": .string("\(override.event)"), "signed": .bool(override.body["signature"] != nil),
                        "override": override.body,
                    ]
                }
            ),
        ]
    }
}
