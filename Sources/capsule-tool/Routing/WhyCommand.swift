import ArgumentParser
import Ledger

struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Explain a decision: the candidates, the rule and its line, the budgets, and whether it replays.",
        discussion: """
            RUN#N is a decision, or what came of one: a settlement, a model call, an alert, an answer. Everything is
            read from the capsule; the decision is derived again from the run's events before it.
            Exit status: 0 the decision agrees with its replay · 1 it differs, or cannot be replayed.
            """
    )

    @OptionGroup var capsule: CapsuleOption

    @Argument(
        help: ArgumentHelp("The decision.", valueName: "run#n"),
        transform: { try EventArgument($0) }
    )
    var event: EventArgument

    @Flag(help: "Leave out what a caller wrote (task, who asked) and where models are called.")
    var redact = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let reader = try openReader(capsule)
        var explained = try reader.explainDecision(event.sequence, of: try reader.run(event.run).id)
        if redact { explained.redact() }
        if json {
            Output.json(explained.value)
        } else {
            for line in lines(explained) { Output.line(line) }
        }
        warn(reader)
        guard explained.verdict == .agrees else { throw QuietFailure(ExitStatus.no.rawValue) }
    }

    private func lines(_ explained: ExplainedDecision) -> [String] {
        let decision = explained.decision
        var lines = [Printable.escape("decision".padding(12) + "\(explained.reference)  \(explained.time)")]
        lines += [Printable.escape("policy".padding(12) + "\(explained.policy)  \(decision.snapshot ?? "")")]
        let text = DecisionText.explanation(decision, map: explained.map, width: Terminal.width)
        lines += text
        lines.append("")
        lines.append(Printable.escape("served".padding(12) + served(explained)))
        if let answer = explained.answer { lines.append(Printable.escape("answer".padding(12) + answer)) }
        lines.append("replay".padding(12) + Self.replay(explained.verdict))
        if case .differs(let differences) = explained.verdict { lines += differences.map(Self.line) }
        return lines
    }

    private func served(_ explained: ExplainedDecision) -> String {
        guard let settlement = explained.settlement else {
            guard explained.decision.permitsCall else { return "nothing: no call was permitted" }
            return explained.isEnded
                ? "not settled before the run ended: the whole reservation is spent" : "not settled yet"
        }
        let body = settlement.body
        var parts = [body["outcome"]?.string ?? ""]
        let requested = explained.decision.modelID
        if let model = body["served_model"]?.string {
            parts.append(
                model == requested ? "by \(model), as requested" : "by \(model), requested was \(requested ?? "—")"
            )
        }
        if let input = body["input_tokens"]?.int { parts.append("\(Human.count(input)) in") }
        if let output = body["output_tokens"]?.int { parts.append("\(Human.count(output)) out") }
        if let cost = body["cost_usd"]?.string { parts.append("$\(cost)") }
        if let duration = body["duration_ns"]?.int { parts.append(Human.duration(nanoseconds: Int64(duration))) }
        return parts.joined(separator: ", ") + "  (#\(settlement.sequence))"
    }

    static func replay(_ verdict: RoutingReplay.Verdict) -> String {
        switch verdict {
        case .agrees:
            return Terminal.styled("agrees", .green) + ": derived again from the events before it, byte for byte"
        case .cannotReplay(let reason): return "cannot be replayed: \(Printable.escape(reason))"
        case .differs: return Terminal.styled("DIFFERS", .red) + " from what the events before it give:"
        }
    }

    static func line(_ difference: RoutingReplay.Difference) -> String {
        let text = { (value: JSONValue?) in value.map { "\($0)" } ?? "nothing" }
        let path = difference.path.isEmpty ? "bytes" : difference.path
        guard difference.recorded != nil || difference.derived != nil else { return "  \(Printable.escape(path))" }
        return Printable.escape("  \(path): recorded \(text(difference.recorded)), derived \(text(difference.derived))")
    }
}

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Derive every decision of a run again and compare the bytes.",
        discussion: """
            Without RUN, every run of the capsule. What a caller asserted (tokens, confidence, mode, time) is taken as
            it was recorded, and no replay can say more of it.
            Exit status: 0 all agree · 1 one differs · 2 one cannot be replayed.
            """
    )

    @OptionGroup var capsule: CapsuleOption

    @Argument(help: "The run: its ID, a unique prefix of it, or its name; without it all.")
    var name: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let reader = try openReader(capsule)
        let audit: RoutingAudit
        let progress = Progress("replaying")
        if let name {
            audit = try reader.auditRouting(of: try reader.run(name).id)
        } else {
            audit = try reader.auditRouting { progress.update($0, of: $1) }
        }
        progress.finish()
        let findings = audit.findings.filter { $0.problem.isOfReplay }
        if json { Output.json(value(audit, findings)) } else { tell(audit, findings) }
        warn(reader)
        if findings.contains(where: { $0.problem.code == "decision-differs" }) {
            throw QuietFailure(ExitStatus.no.rawValue)
        }
        if !findings.isEmpty { throw QuietFailure(ExitStatus.refused.rawValue) }
    }

    private func tell(_ audit: RoutingAudit, _ findings: [RoutingAudit.Finding]) {
        let count = "\(Human.count(audit.decisions)) decision\(audit.decisions == 1 ? "" : "s")"
        let good = "\(Human.count(audit.agreeing)) agree\(audit.agreeing == 1 ? "s" : "")"
        Output.line(
            findings.isEmpty ? "\(count), \(good)" : "\(count), \(good), \(audit.decisions - audit.agreeing) not"
        )
        for finding in findings {
            Output.line(Printable.escape("\(finding.event): \(finding.problem.reason)"))
            guard case .differs(let differences) = finding.problem else { continue }
            for difference in differences { Output.line(WhyCommand.line(difference)) }
        }
    }

    private func value(_ audit: RoutingAudit, _ findings: [RoutingAudit.Finding]) -> JSONValue {
        [
            "decisions": .number(JSONNumber(audit.decisions)), "agreeing": .number(JSONNumber(audit.agreeing)),
            "findings": .array(findings.map(\.value)),
        ]
    }
}

extension RoutingAudit {
    var value: JSONValue {
        [
            "decisions": .number(JSONNumber(decisions)), "agreeing": .number(JSONNumber(agreeing)),
            "model_calls": .number(JSONNumber(modelCalls)), "finding_count": .number(JSONNumber(findingCount)),
            "findings": .array(findings.map(\.value)),
        ]
    }
}

extension RoutingAudit.Finding {
    var value: JSONValue {
        var members = JSONValue.Members()
        members["event"] = .string("\(event)")
        members["code"] = .string(problem.code)
        members["reason"] = .string(problem.reason)
        if case .differs(let differences) = problem {
            members["differences"] = .array(differences.map(\.json))
        }
        return .object(members)
    }
}

extension RoutingAudit.Finding.Problem {
    /// Whether it is about a decision itself, and not about what was made of it.
    var isOfReplay: Bool {
        switch self {
        case .differs, .cannotReplay: true
        default: false
        }
    }
}
