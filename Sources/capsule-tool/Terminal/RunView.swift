import Ledger

/// What a run comes to, for people and for machines.
struct RunView {
    let row: RunRow
    let summary: RunSummary
    let batches: Int
    /// Names and versions of the policies, where the capsule has them.
    let titles: [Digest: String]
    /// What is shown is what the capsule said then.
    let asOf: Checkpoint?

    private static let margin = 9

    func header(width: Int?) -> [String] {
        let lines = identity + about + uses + evidence
        return lines.flatMap { name, text in
            let parts = DisplayWidth.wrap(Printable.escape(text), width.map { max(20, $0 - Self.margin) })
            return parts.enumerated().map { ($0.offset == 0 ? name : "").padding(Self.margin) + $0.element }
        }
    }

    private var identity: [(String, String)] {
        let events = "\(Human.count(row.events)) event\(row.events == 1 ? "" : "s")"
        let state = row.id.isRunZero ? "the capsule's own" : row.stateName
        var lines = [
            ("run", "\(row.id)\(row.name.map { "  \($0)" } ?? "")"),
            ("state", "\(state), \(events) in \(Human.count(batches, "batch", "batches"))"),
        ]
        if let asOf { lines.append(("as of", "checkpoint \(asOf.title)")) }
        let end = row.endTime.map { " – \(Self.clock($0))" } ?? ""
        let day = row.startTime.text(fractionDigits: 0).prefix(10)
        let span = Human.duration(nanoseconds: row.duration) + (row.endTime == nil ? " so far" : "")
        lines.append(("time", "\(day) \(Self.clock(row.startTime))\(end) UTC, \(span)"))
        for policy in summary.policies.prefix(20) {
            let from = policy.from > 0 ? ", from event \(policy.from) on" : ""
            lines.append(("policy", (titles[policy.snapshot] ?? "unnamed") + from))
            lines.append(("snapshot", PolicySnapshot.text(policy.snapshot)))
        }
        if let approval { lines.append(("approval", approval)) }
        return lines
    }

    /// What the start recorded of the approvals of the policy that it found.
    private var approval: String? {
        guard let record = summary.start?["policy"]?["approvals"], let isApproved = record["approved"]?.bool else {
            return nil
        }
        var names: [String] = []
        for approval in record["layers"]?.array?.flatMap({ $0["counted"]?.array ?? [] }) ?? [] {
            if let name = approval["approver"]?.string, !names.contains(name) { names.append(name) }
        }
        let by = names.isEmpty ? "" : " by \(Self.list(names, separator: ", "))"
        return isApproved ? "approved\(by)" : "not approved" + (names.isEmpty ? "" : "; signed\(by)")
    }

    private var about: [(String, String)] {
        var facts: [String] = []
        if let spec = summary.start?["spec"]?.string { facts.append("spec \(spec)") }
        if let risk = summary.start?["risk"]?.string { facts.append("risk \(risk)") }
        facts += summary.start?["labels"]?.object?.map { "\($0.key)=\($0.value.string ?? "")" } ?? []
        var lines: [(String, String)] = []
        if !facts.isEmpty { lines.append(("about", facts.joined(separator: ", "))) }
        if let command = summary.start?["command"]?.array {
            lines.append(("command", command.compactMap(\.string).joined(separator: " ")))
        }
        var counts: [String: Int] = [:]
        for (actor, count) in summary.eventsByActor {
            counts[summary.actors[actor] ?? (actor == 0 ? "unnamed" : "#\(actor)"), default: 0] += count
        }
        if counts.count > 1 || counts["unnamed"] == nil { lines.append(("who", Self.ranked(counts))) }
        if !summary.stageOrder.isEmpty { lines.append(("stages", Self.list(summary.stageOrder, separator: " → "))) }
        return lines
    }

    private var uses: [(String, String)] {
        var lines: [(String, String)] = []
        if summary.modelCalls > 0 {
            lines.append(("models", Self.ranked(summary.models.mapValues(\.calls))))
            lines.append(("used", spent))
        } else if summary.settledCost.count > 0 {
            lines.append(("used", "$\(summary.settledCost.text) settled"))
        }
        if !summary.tools.isEmpty { lines.append(("tools", Self.ranked(summary.tools.mapValues(\.calls)))) }
        let failures = summary.failures.values.reduce(0, +)
        if failures > 0 {
            lines.append(("errors", "\(failures): \(Self.ranked(summary.failures)); --errors lists them"))
        }
        return lines
    }

    private var spent: String {
        let calls = summary.modelCalls
        var parts = ["\(Human.count(calls)) model call\(calls == 1 ? "" : "s")"]
        if summary.inputTokens > 0 {
            let cached = summary.cachedTokens > 0 ? " (\(Human.count(summary.cachedTokens)) cached)" : ""
            parts.append("\(Human.count(summary.inputTokens)) tokens in\(cached)")
        }
        if summary.outputTokens > 0 { parts.append("\(Human.count(summary.outputTokens)) out") }
        if summary.cost.count > 0 {
            let part = summary.cost.count == calls ? "" : " in \(Human.count(summary.cost.count)) of them"
            parts.append("$\(summary.cost.text)\(part)")
        }
        if summary.settledCost.count > 0 { parts.append("$\(summary.settledCost.text) settled") }
        if summary.unreadCosts > 0 { parts.append("\(summary.unreadCosts) costs that are no decimal numbers") }
        return parts.joined(separator: ", ")
    }

    /// What reading the run alone proves, and what it does not.
    private var evidence: [(String, String)] {
        if let problem = summary.check.problems.first { return [("proved", "NOT SOUND: \(problem)")] }
        var missing: [String] = []
        if summary.withheldBodies > 0 {
            missing.append("what \(summary.withheldBodies) withheld bodies said, which no sum above counts")
        }
        if summary.blobs > 0 { missing.append("what is in \(summary.blobs) large bodies, which no sum above counts") }
        let proved: String
        if summary.check.isSealed {
            proved = "sealed: count and root agree with every event"
        } else {
            proved = "no gap in the sequence"
            missing.insert("that nothing is missing at the end, for the run is not sealed", at: 0)
        }
        missing.append("that times are true, and the rest of the file, for which there is 'verify'")
        return [("proved", proved), ("unproved", missing.joined(separator: "; "))]
    }

    private static func clock(_ time: Timestamp) -> String {
        String(time.text(fractionDigits: 3).dropFirst(11).dropLast())
    }

    /// `grep 12, bash 3`, the most frequent first.
    private static func ranked(_ counts: [String: Int]) -> String {
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        return list(sorted.map { "\($0.key) \(Human.count($0.value))" }, separator: ", ")
    }

    private static func list(_ names: [String], separator: String) -> String {
        let shown = names.prefix(12).joined(separator: separator)
        return names.count > 12 ? "\(shown)\(separator)… \(names.count - 12) more" : shown
    }

    // MARK: For machines

    /// All of it but the timeline.
    func members() -> JSONValue.Members {
        var members = row.value(policy: titles[row.snapshot]).object ?? .init()
        members["sealed"] = .bool(summary.check.seal != nil)
        members["sound"] = .bool(summary.check.problems.isEmpty)
        members["problems"] = .array(summary.check.problems.map { .string($0) })
        members["root"] = .string(summary.root.hex)
        members["batches"] = .number(JSONNumber(batches))
        members["as_of"] = asOf.map { .number(JSONNumber($0.size)) } ?? .null
        members["policies"] = .array(
            summary.policies.map { policy in
                [
                    "snapshot": .string(PolicySnapshot.text(policy.snapshot)),
                    "policy": titles[policy.snapshot].map { .string($0) } ?? .null,
                    "from": .number(JSONNumber(policy.from)),
                ]
            }
        )
        members["started_by"] = summary.actors[0].map { .string($0) } ?? .null
        members["labels"] = summary.start?["labels"] ?? [:]
        members["stages"] = .array(summary.stageOrder.map { .string($0) })
        members["models"] = Self.counts(summary.models.mapValues(\.calls))
        members["model_calls"] = .number(JSONNumber(summary.modelCalls))
        members["input_tokens"] = .number(JSONNumber(summary.inputTokens))
        members["cached_input_tokens"] = .number(JSONNumber(summary.cachedTokens))
        members["output_tokens"] = .number(JSONNumber(summary.outputTokens))
        members["cost_usd"] = summary.cost.count > 0 ? .string(summary.cost.text) : .null
        members["settled_cost_usd"] = summary.settledCost.count > 0 ? .string(summary.settledCost.text) : .null
        members["tools"] = Self.counts(summary.tools.mapValues(\.calls))
        members["failures"] = Self.counts(summary.failures)
        members["withheld_bodies"] = .number(JSONNumber(summary.withheldBodies))
        return members
    }

    private static func counts(_ counts: [String: Int]) -> JSONValue {
        var members = JSONValue.Members()
        for (name, count) in counts.sorted(by: { $0.key < $1.key }) { members[name] = .number(JSONNumber(count)) }
        return .object(members)
    }
}
