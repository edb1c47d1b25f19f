import JSONText
import ModelPolicy

/// A decision in a line or two, for golden files and failures.
public enum DecisionSummary {
    /// What came out, why, by which rule, what was looked at, and what it says to others.
    public static func line(_ decision: RoutingDecision) -> String {
        var parts = [outcome(decision)]
        if !decision.causes.isEmpty { parts.append(decision.causes.map(\.rawValue).joined(separator: ", ")) }
        parts.append(decision.rule)
        if let escalation = decision.escalation { parts.append("fires \(escalation.id)") }
        let passed = decision.candidates.filter { $0.verdict != .taken && $0.verdict != .notNeeded }
        if !passed.isEmpty {
            parts.append("passed over " + passed.map { "\($0.model) (\($0.verdict.rawValue))" }.joined(separator: ", "))
        }
        if let reserved = decision.choice?.reserved { parts.append("$\(reserved.usd), \(reserved.tokens) tokens") }
        if !decision.exceptions.isEmpty {
            parts.append("let pass: " + decision.exceptions.map(\.text).joined(separator: ", "))
        }
        if !decision.alerts.isEmpty { parts.append(decision.alerts.map(\.kind.text).joined(separator: ", ")) }
        parts.append("\(decision.risk.rawValue) risk, \(decision.evidence.rawValue)")
        return parts.joined(separator: " · ")
    }

    private static func outcome(_ decision: RoutingDecision) -> String {
        let mode = decision.mode.map { $0 == Role.defaultMode ? "" : " in \($0)" } ?? ""
        switch decision.result {
        case .model(let choice): return "\(choice.model)\(mode)"
        case .human(let reason): return "human: \(reason.rawValue)"
        case .refused(let reason, let isBinding):
            return "refused: \(reason.rawValue)\(isBinding ? "" : " (does not bind)")"
        }
    }
}

/// One part of a decision beside what was expected of it.
public struct ComparedPart: Sendable, Equatable {
    public var key: String
    /// Nil where nothing was expected.
    public var expected: String?
    /// Nil where the decision has no such part.
    public var actual: String?
    public var isMet: Bool
}

extension ScenarioResult {
    /// The whole decision, part by part, each beside what was expected.
    public var parts: [ComparedPart] {
        ExpectKey.allCases.compactMap { key in
            let expected = scenario.expect[key].map { Self.text($0, key) }
            // These are about other parts of the decision, and stand only where something was expected.
            if [.cause, .notModels].contains(key), expected == nil { return nil }
            let actual = decision.value(of: key).map { Self.text($0, key) }
            if expected == nil, actual == nil || actual == "[]" || actual == "{}" { return nil }
            return ComparedPart(
                key: key.rawValue,
                expected: expected,
                actual: actual,
                isMet: !unmet.contains(key)
            )
        }
    }

    private static func text(_ value: JSONValue, _ key: ExpectKey) -> String {
        if let text = value.string { return text }
        if let items = value.array, !items.isEmpty { return items.map { $0.string ?? "\($0)" }.joined(separator: ", ") }
        if let members = value.object, !members.isEmpty {
            return members.map { "\($0.key): \($0.value.string ?? "\($0.value)")" }.joined(separator: ", ")
        }
        return "\(value)"
    }
}

extension ScenarioGiven {
    /// `role = "architect", stage = "plan"`: as a scenario file would say it.
    public var text: String {
        GivenKey.allCases.compactMap { key in
            self[key].map { "\(key.rawValue) = \(ScenarioWriter.text($0, key.key.kind))" }
        }.joined(separator: ", ")
    }
}
