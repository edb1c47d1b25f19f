import JSONText
import ModelPolicy

/// What a scenario can expect of a decision.
public enum ExpectKey: String, Sendable, CaseIterable {
    case result
    case model
    case notModels = "not_models"
    case reason
    case mode
    case cause
    case causes
    case rule
    case escalation
    case alerts
    case exceptions
    case evidence
    case risk
    case considered
    case candidates
    case provider
    case modelID = "model_id"
    case endpoint
    case maxOutputTokens = "max_output_tokens"
    case reservedUSD = "reserved_usd"
    case reservedTokens = "reserved_tokens"
    case permitsCall = "permits_call"

    var key: ScenarioKey { Self.keys[self] ?? ScenarioKey(rawValue, .scalar(.text), "") }

    /// What the key does, in a sentence.
    public var note: String { key.note }

    /// What it holds, in words that follow "is".
    public var words: String { key.kind.words }

    private static let count = ScenarioKind.scalar(.integer(0...PolicyLimits.tokens))
    private static let causeWord = PolicyScalar.choice(RoutingDecision.Cause.allCases.map(\.rawValue))

    private static let keys: [ExpectKey: ScenarioKey] = Dictionary(
        uniqueKeysWithValues: (ofDecision + ofCall).map { ($0.0, ScenarioKey($0.0.rawValue, $0.1, $0.2)) }
    )

    private typealias Row = (ExpectKey, ScenarioKind, String)

    private static let ofDecision: [Row] = [
        (.result, .scalar(.choice(["model", "refused", "human"])), "A model, a refusal, or a human who is asked."),
        (.model, .scalar(.name(.model)), "The model that is chosen."),
        (.notModels, .list(.name(.model)), "Models none of which is chosen."),
        (.reason, .scalar(.choice(RoutingDecision.Refusal.allCases.map(\.rawValue))), "Why there is no model."),
        (.mode, .scalar(.name(.mode)), "The mode that the task is in."),
        (.cause, .either(.scalar(causeWord), .table([])), "A cause that is among those of the decision."),
        (.causes, .list(causeWord), "All causes, in the router's order."),
        (.rule, .scalar(.text), "The path of the rule that decides."),
        (.escalation, .scalar(.name(.escalation)), "The escalation that fires; `\"none\"` for none."),
        (.alerts, .list(.text), "All alerts, such as `\"warn budgets.per_run_usd\"`; `[]` for none."),
        (.exceptions, .list(.text), "All that was let pass, such as `\"warn gates gate-not-passed\"`; `[]` for none."),
        (.evidence, .scalar(.choice(EvidenceRule.allCases.map(\.rawValue))), "When the evidence must be kept."),
        (.risk, .scalar(.choice(RiskClass.allCases.map(\.rawValue))), "The class of risk that is judged by."),
        (.considered, .list(.name(.model)), "All models that are looked at, in their order."),
        (
            .candidates,
            .named(.model, .scalar(.choice(RoutingDecision.Candidate.Verdict.allCases.map(\.rawValue)))),
            "What becomes of models that are looked at."
        ),
    ]

    private static let ofCall: [Row] = [
        (.provider, .scalar(.name(.provider)), "Who serves it."),
        (.modelID, .scalar(.text), "What the provider calls it."),
        (.endpoint, .scalar(.text), "Where it is called."),
        (.maxOutputTokens, count, "The most tokens that may be asked for."),
        (.reservedUSD, .money, "Dollars that are set aside."),
        (.reservedTokens, count, "Tokens that are set aside."),
        (
            .permitsCall, .scalar(.boolean),
            "Whether the caller may call a model now; true too where a refusal does not bind."
        ),
    ]
}

/// What a scenario expects, key by key, in compiled form.
public struct ScenarioExpectation: Sendable, Equatable {
    public private(set) var values: [ExpectKey: JSONValue] = [:]

    public init(_ values: [ExpectKey: JSONValue] = [:]) { self.values = values }

    public var isEmpty: Bool { values.isEmpty }

    public subscript(key: ExpectKey) -> JSONValue? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// Lays another over it, key by key.
    public func merging(_ other: ScenarioExpectation) -> ScenarioExpectation {
        ScenarioExpectation(values.merging(other.values) { $1 })
    }

    /// The keys that a decision does not meet, in their order.
    public func unmet(by decision: RoutingDecision) -> [ExpectKey] {
        // Most expectations have few keys, so the order is made only for what fails.
        let unmet = values.filter { !Self.isMet($0.key, $0.value, decision) }
        return unmet.isEmpty ? [] : ExpectKey.allCases.filter { unmet[$0] != nil }
    }

    private static func isMet(_ key: ExpectKey, _ expected: JSONValue, _ decision: RoutingDecision) -> Bool {
        switch key {
        case .notModels:
            return decision.choice.map { choice in !(expected.array ?? []).contains(.string(choice.model)) } ?? true
        case .cause: return decision.causes.contains { .string($0.rawValue) == expected }
        case .escalation where expected == "none": return decision.escalation == nil
        case .candidates:
            let verdicts = decision.value(of: .candidates)
            return (expected.object ?? JSONValue.Members()).allSatisfy { verdicts?[$0.key] == $0.value }
        default: return decision.value(of: key) == expected
        }
    }
}

extension RoutingDecision {
    /// A part of the decision as a scenario would expect it; nil where it has no such part.
    public func value(of key: ExpectKey) -> JSONValue? {
        let texts = { (texts: [String]) in JSONValue.array(texts.map(JSONValue.string)) }
        switch key {
        case .result: return .string(resultWord)
        case .model, .notModels: return choice.map { .string($0.model) }
        case .reason: return refusal.map { .string($0.rawValue) }
        case .mode: return mode.map { .string($0) }
        case .cause, .causes: return texts(causes.map(\.rawValue))
        case .rule: return .string(rule)
        case .escalation: return escalation.map { .string($0.id) }
        case .alerts: return texts(alerts.map(\.kind.text))
        case .exceptions: return texts(exceptions.map(\.text))
        case .evidence: return .string(evidence.rawValue)
        case .risk: return .string(risk.rawValue)
        case .considered: return texts(candidates.map(\.model))
        case .candidates:
            var members = JSONValue.Members()
            for candidate in candidates { members[candidate.model] = .string(candidate.verdict.rawValue) }
            return .object(members)
        case .provider: return choice.map { .string($0.provider) }
        case .modelID: return choice.map { .string($0.modelID) }
        case .endpoint: return choice.map { .string($0.endpoint) }
        case .maxOutputTokens: return choice.map { .number(JSONNumber($0.maxOutputTokens)) }
        case .reservedUSD: return choice.map { .string("\($0.reserved.usd)") }
        case .reservedTokens: return choice.map { .number(JSONNumber($0.reserved.tokens)) }
        case .permitsCall: return .bool(permitsCall)
        }
    }
}

extension RoutingDecision.Exception {
    /// `warn gates gate-not-passed`.
    var text: String { "\(mode.rawValue) \(part.rawValue) \(reason)" }
}
