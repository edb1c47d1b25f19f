import Ledger

/// Decisions as people read them.
enum DecisionText {
    /// What a runner needs: the place, the model, where and how to call it; or why not.
    static func answer(_ decision: RecordedDecision, at place: String) -> [String] {
        var lines = [place]
        switch decision.result {
        case "model":
            lines.append("model     \(decision.model ?? "")  (\(decision.provider ?? ""): \(decision.modelID ?? ""))")
            lines.append("endpoint  \(decision.endpoint ?? "")")
            let reserved = decision.reserved.map { ", $\($0.usd) and \(Human.count($0.tokens)) tokens reserved" } ?? ""
            lines.append("output    at most \(Human.count(decision.maxOutputTokens ?? 0)) tokens\(reserved)")
        case "human":
            lines.append("human     \(decision.reason ?? ""); 'capsule-tool answer \(place)' records the answer")
        default:
            let force = decision.permitsCall ? "  (not enforced: you may go on)" : ""
            lines.append("refused   \(decision.reason ?? "")\(force)")
        }
        lines.append(
            "why       \(decision.causes.joined(separator: ", "))\(decision.causes.isEmpty ? "" : "; ")\(decision.rule)"
        )
        return lines.map { Printable.escape($0) }
    }

    /// The whole decision: what was asked, each candidate with what stood in its way, the rule and its line, budgets.
    static func explanation(_ decision: RecordedDecision, map: SourceMap?, width: Int?) -> [String] {
        let asserted = decision.body["asserted"]
        var head: [(String, String)] = [("asked", asked(decision, asserted))]
        head.append(("decided", verdict(decision)))
        if !decision.causes.isEmpty { head.append(("because", decision.causes.joined(separator: ", "))) }
        head.append(("rule", rule(decision.rule, map)))
        if let escalation = decision.body["escalation"] {
            let to = [
                escalation["mode"]?.string.map { "to mode \($0)" },
                escalation["tier_at_least"]?.int.map { "to tier \($0) or above" },
            ]
            let text = to.compactMap(\.self).joined(separator: ", ")
            head.append(
                (
                    "escalation",
                    "\(escalation["id"]?.string ?? "") fires\(text.isEmpty ? ": a human is asked" : " \(text)")"
                )
            )
        }
        for exception in decision.exceptions {
            head.append((exception.mode, "\(exception.part) would have refused this: \(exception.reason)"))
        }
        if let choice = decision.model {
            let reserved = decision.reserved.map { "$\($0.usd), \(Human.count($0.tokens)) tokens" } ?? ""
            head.append(("call", "\(decision.modelID ?? choice) at \(decision.endpoint ?? "")"))
            head.append(
                ("reserved", "\(reserved); output at most \(Human.count(decision.maxOutputTokens ?? 0)) tokens")
            )
        }
        head += budgets(decision.body["budget"])
        var lines = head.map { Printable.escape($0.padding(12) + $1) }
        lines.append("")
        lines += candidates(decision, width: width)
        return lines
    }

    private static func asked(_ decision: RecordedDecision, _ asserted: JSONValue?) -> String {
        var parts = ["role \(decision.role)"]
        if !decision.task.isEmpty { parts.append("task \(decision.task)") }
        if let mode = asserted?["mode"]?.string { parts.append("mode \(mode)") }
        if let stage = decision.stage { parts.append("stage \(stage)") }
        if let risk = decision.risk { parts.append("risk \(risk)") }
        if let confidence = asserted?["confidence_ppm"]?.int {
            parts.append("confidence \(Ratio(millionths: Int64(confidence)))")
        }
        if let input = asserted?["input_tokens"]?.int { parts.append("\(Human.count(input)) tokens in") }
        if let output = asserted?["max_output_tokens"]?.int { parts.append("at most \(Human.count(output)) out") }
        if let by = asserted?["by"]?.string { parts.append("by \(by)") }
        return parts.joined(separator: ", ")
    }

    static func verdict(_ decision: RecordedDecision) -> String {
        let mode = decision.mode.map { $0 == Role.defaultMode ? "" : " in mode \($0)" } ?? ""
        switch decision.result {
        case "model": return "\(decision.model ?? "")\(mode)"
        case "human": return "a human is asked: \(decision.reason ?? "")"
        default: return "refused: \(decision.reason ?? "")\(decision.permitsCall ? " (not enforced)" : "")"
        }
    }

    static func rule(_ path: String, _ map: SourceMap?) -> String {
        // The rule of a table is where the table begins.
        var parts = path.split(separator: ".").map(String.init)
        while !parts.isEmpty {
            if let place = map?.places[parts.joined(separator: ".")] {
                return "\(path)  \(place.file):\(place.line) (\(place.layer.rawValue))"
            }
            parts.removeLast()
        }
        return path
    }

    private static func budgets(_ budget: JSONValue?) -> [(String, String)] {
        guard let budget else { return [] }
        var lines: [(String, String)] = []
        if let limit = budget["limit_usd"]?.string {
            let before = budget["before"]?["usd"]?.string ?? ""
            let after = budget["after"]?["usd"]?.string ?? ""
            lines.append(("money", "$\(before) → $\(after) of $\(limit)"))
        }
        if let limit = budget["limit_tokens"]?.int {
            let before = Human.count(budget["before"]?["tokens"]?.int ?? 0)
            let after = Human.count(budget["after"]?["tokens"]?.int ?? 0)
            lines.append(
                ("tokens", "\(before) → \(after) of \(Human.count(limit)) in \(budget["stage"]?.string ?? "")")
            )
        }
        return lines
    }

    private static func candidates(_ decision: RecordedDecision, width: Int?) -> [String] {
        guard !decision.candidates.isEmpty else { return [] }
        var table = Columns([
            ("candidate", .left), ("", .left), ("would reserve", .right), ("tokens", .right),
        ])
        for candidate in decision.candidates {
            table.add([
                candidate.model, words(candidate.verdict), candidate.usd.map { "$\($0)" } ?? "",
                candidate.tokens.map { Human.count($0) } ?? "",
            ])
        }
        return table.lines(width: width)
    }

    /// What a verdict means, in words.
    private static func words(_ verdict: String) -> String {
        switch RoutingDecision.Candidate.Verdict(rawValue: verdict) {
        case .taken: "✓ taken"
        case .notNeeded: "· not needed: another was taken"
        case .requirement: "✗ does not meet what the role requires"
        case .exhausted: "✗ was tried before the escalation"
        case .context: "✗ input and output do not fit its context"
        case .failed: "✗ failed in this task a moment ago"
        case .cooldown: "✗ its provider is put aside"
        case .noPrice: "✗ no price is known, and money is limited"
        case .budgetUSD: "✗ more than is left of the money"
        case .budgetTokens: "✗ more than is left of the stage's tokens"
        case nil: "? \(verdict)"
        }
    }

    static func alert(_ alert: BudgetAlert) -> String {
        let text = { (amount: Int64) in
            alert.isMoney ? "$\(USD(picodollars: amount))" : "\(Human.count(UInt64(clamping: amount))) tokens"
        }
        let what = alert.kind.level == .warn ? "is nearly spent" : "leaves too little for this call"
        return "\(alert.kind.budget) \(what): \(text(alert.used)) of \(text(alert.limit)) spent or reserved"
    }
}
