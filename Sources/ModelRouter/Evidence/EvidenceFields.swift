import JSONText

/// What each field of a decision says, for whoever gives evidence away: every leaf of its schema is in this list, and a
/// test fails when one is not.
public enum EvidenceField: Sendable, CaseIterable {
    /// Words of closed lists, numbers, digests, times.
    case plain
    /// Names that the policy defines.
    case policy
    /// Where models are called: names of machines may be in it.
    case place
    /// What a caller wrote: anything may be in it.
    case callers

    /// By path; `*` stands for an element of a list or a name of a table.
    public static let all: [(path: String, field: EvidenceField)] = [
        ("asserted.by", .callers), ("asserted.confidence_ppm", .plain), ("asserted.input_tokens", .plain),
        ("asserted.max_output_tokens", .plain), ("asserted.mode", .callers), ("asserted.model", .callers),
        ("asserted.now_ms", .plain), ("asserted.risk", .callers), ("asserted.role", .callers),
        ("asserted.stage", .callers), ("asserted.task", .callers), ("budget.after.tokens", .plain),
        ("budget.after.usd", .plain), ("budget.before.tokens", .plain), ("budget.before.usd", .plain),
        ("budget.limit_tokens", .plain), ("budget.limit_usd", .plain), ("budget.stage", .policy),
        ("candidates.*.cost.tokens", .plain), ("candidates.*.cost.usd", .plain), ("candidates.*.model", .policy),
        ("candidates.*.verdict", .plain), ("causes.*", .plain), ("derived.alerts.*.budget", .policy),
        ("derived.alerts.*.level", .plain), ("derived.alerts.*.limit", .plain),
        ("derived.enforcement.budgets", .plain), ("derived.enforcement.gates", .plain),
        ("derived.enforcement.routing", .plain), ("derived.failing.*.failures", .plain),
        ("derived.failing.*.latest_ms", .plain), ("derived.gates.*.*.millionths", .plain),
        ("derived.gates.*.*.samples", .plain), ("derived.gates.*.*.time_ms", .plain), ("derived.latest_ms", .plain),
        ("derived.overrides.*.break_glass", .plain), ("derived.overrides.*.event", .plain),
        ("derived.overrides.*.expires_ms", .plain), ("derived.overrides.*.gate", .callers),
        ("derived.overrides.*.stage", .callers), ("derived.overrides.*.tokens", .plain),
        ("derived.overrides.*.usd", .plain), ("derived.reserved_usd", .plain), ("derived.risk", .plain),
        ("derived.spent_usd", .plain), ("derived.stage", .callers), ("derived.task.answer", .policy),
        ("derived.task.asked", .plain), ("derived.task.attempts", .plain), ("derived.task.excluded.*", .policy),
        ("derived.task.failures_ms.*", .plain), ("derived.task.fired.*.attempts", .plain),
        ("derived.task.fired.*.settled", .plain), ("derived.task.mode", .policy), ("derived.task.settled", .plain),
        ("derived.task.tier_at_least", .plain), ("derived.task.tried.*", .policy), ("derived.tokens.*", .plain),
        ("endpoint", .place), ("escalation.id", .policy), ("escalation.mode", .policy),
        ("escalation.tier_at_least", .plain), ("evidence", .plain), ("exceptions.*.mode", .plain),
        ("exceptions.*.part", .plain), ("exceptions.*.reason", .plain), ("inputs", .plain),
        ("max_output_tokens", .plain), ("mode", .policy), ("model", .policy), ("model_id", .policy), ("now_ms", .plain),
        ("provider", .policy), ("reason", .plain), ("reserved.tokens", .plain), ("reserved.usd", .plain),
        ("result", .plain), ("risk", .plain), ("role", .callers), ("rule", .policy), ("semantics", .plain),
        ("snapshot", .plain),
    ]

    private static let byPath = Dictionary(all.map { ($0.path, $0.field) }, uniquingKeysWith: { first, _ in first })
}

extension RoutingEvidence {
    /// The evidence without what a caller wrote and where models are called: for whoever need not know.
    ///
    /// A member that is not classified goes as well. What is left is no evidence any more: it does not replay.
    public static func redacted(_ body: JSONValue) -> JSONValue { redacted(body, "") }

    private static func redacted(_ value: JSONValue, _ path: String) -> JSONValue {
        switch value {
        case .array(let elements): return .array(elements.map { redacted($0, "\(path).*") })
        case .object(let members):
            var result = JSONValue.Members()
            for member in members {
                let inner = path.isEmpty ? member.key : "\(path).\(EvidenceField.isTable(path) ? "*" : member.key)"
                result[member.key] = redacted(member.value, inner)
            }
            return .object(result)
        default:
            switch EvidenceField.of(path) {
            case .plain?, .policy?: return value
            case .place?, .callers?, nil: return "[redacted]"
            }
        }
    }
}

extension EvidenceField {
    /// The class of a leaf; an answer that names a model is as the answer itself.
    static func of(_ path: String) -> EvidenceField? {
        byPath[path == "derived.task.answer.model" ? "derived.task.answer" : path]
    }

    /// Tables whose keys are names.
    static func isTable(_ path: String) -> Bool {
        [
            "derived.failing", "derived.gates", "derived.gates.*", "derived.task.failures_ms", "derived.task.fired",
            "derived.tokens",
        ]
        .contains(path)
    }
}
