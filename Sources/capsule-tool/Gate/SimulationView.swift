import Ledger

/// What a simulation came to, in the forms in which it is told.
extension RoutingSimulation {
    /// `3 of 12 decisions change, in 1 run; 1 would be refused`.
    var sentence: String {
        guard total.decisions > 0 else { return "no decisions in the capsule" }
        var text = "\(Human.count(total.changed)) of \(Human.count(total.decisions)) decisions change"
        if total.changed > 0 {
            text += ", in \(Human.count(changedRuns.count)) run\(changedRuns.count == 1 ? "" : "s")"
        }
        if total.refused > 0 { text += "; \(Human.count(total.refused)) that permitted a call would not" }
        if total.permitted > 0 { text += "; \(Human.count(total.permitted)) that permitted none would" }
        return text
    }

    func lines(examples shown: Int) -> [String] {
        var lines = [sentence]
        guard total.decisions > 0 else { return lines }
        for (title, table) in [("role", byRole), ("model", byModel)] {
            var columns = Columns(
                [(title, .left)]
                    + ["decisions", "change", "refused", "permitted", "reserved", "after", "settled", "after"]
                    .map { ($0, .right) }
            )
            let rows = table.sorted { $0.key < $1.key } + (title == "model" ? [("all", total)] : [])
            for (name, line) in rows { columns.add([name] + Self.cells(line)) }
            lines += [""] + columns.lines(width: Terminal.width)
        }
        for example in examples.prefix(shown) {
            lines += ["", Terminal.styled("\(example.event)", .bold)]
            lines += Self.side("recorded", example.old) + Self.side("now", example.new)
        }
        if total.changed > shown {
            lines += [
                "",
                "… and \(Human.count(total.changed - shown)) more; --json lists up to \(Self.mostExamples)",
            ]
        }
        if unread > 0 { lines.append("\(Human.count(unread)) decisions could not be read") }
        return lines
    }

    private static func cells(_ line: Line) -> [String] {
        let dollars = { (amount: USD) in "$\(amount)" }
        let settled = line.settledCalls > 0 ? [dollars(line.settled.before), dollars(line.settled.after)] : ["", ""]
        let counts = [line.decisions, line.changed, line.refused, line.permitted].map { Human.count($0) }
        return counts + [dollars(line.reserved.before), dollars(line.reserved.after)] + settled
    }

    private static func side(_ title: String, _ decision: RecordedDecision) -> [String] {
        let causes = decision.causes.isEmpty ? "" : decision.causes.joined(separator: ", ") + "; "
        var lines = [
            "  \(title.padding(10))\(DecisionText.verdict(decision))",
            "  \("why".padding(10))\(causes)\(decision.rule)",
        ]
        let passed = decision.candidates.filter { $0.verdict != "taken" && $0.verdict != "not-needed" }
        if !passed.isEmpty {
            lines.append(
                "  \("passed".padding(10))" + passed.map { "\($0.model) (\($0.verdict))" }.joined(separator: ", ")
            )
        }
        return lines.map { Printable.escape($0) }
    }

    var json: JSONValue {
        func number(_ number: Int) -> JSONValue { .number(JSONNumber(number)) }
        func value(_ line: Line) -> JSONValue {
            [
                "decisions": number(line.decisions), "changed": number(line.changed), "refused": number(line.refused),
                "permitted": number(line.permitted), "reserved_usd_before": .string("\(line.reserved.before)"),
                "reserved_usd_after": .string("\(line.reserved.after)"), "settled_calls": number(line.settledCalls),
                "settled_usd_before": .string("\(line.settled.before)"),
                "settled_usd_after": .string("\(line.settled.after)"),
            ]
        }
        func table(_ lines: [String: Line]) -> JSONValue {
            var members = JSONValue.Members()
            for (name, line) in lines.sorted(by: { $0.key < $1.key }) { members[name] = value(line) }
            return .object(members)
        }
        return [
            "total": value(total), "by_role": table(byRole), "by_model": table(byModel),
            "changed_runs": number(changedRuns.count), "unread": number(unread),
            "examples": .array(
                examples.map { ["event": .string("\($0.event)"), "recorded": $0.old.body, "now": $0.new.body] }
            ),
        ]
    }

    var markdown: [String] {
        var lines = ["", "### Recorded decisions", "", Markdown.plain(sentence)]
        guard total.changed > 0 else { return lines }
        lines += [
            "", "| role | decisions | change | would be refused | reserved | after |", "|---|---|---|---|---|---|",
        ]
        for (name, line) in byRole.sorted(by: { $0.key < $1.key }) {
            let cells = [Markdown.cell(name), "\(line.decisions)", "\(line.changed)", "\(line.refused)"]
            lines.append(
                "| \((cells + ["$\(line.reserved.before)", "$\(line.reserved.after)"]).joined(separator: " | ")) |"
            )
        }
        return lines
    }
}
