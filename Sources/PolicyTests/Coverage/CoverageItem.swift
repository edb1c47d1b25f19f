import ModelPolicy

/// Something that a policy says and a scenario can show: known by its rule's path, so that no layout changes it.
public struct CoverageItem: Sendable, Hashable {
    public enum Kind: String, Sendable, CaseIterable {
        case role
        case mode
        case fallback
        case requirement
        case escalation
        case threshold
        case risk
        case gate
        case loadFailure = "load-failure"
    }

    public var kind: Kind
    /// The path of the rule; for a load failure the name of the built-in policy.
    public var rule: String
    /// Which edge, or which side of a threshold: `sonnet → gpt-high`, `one short`.
    public var side: String

    /// `roles.architect.models: opus → sonnet`.
    public var text: String { "\(rule): \(side)" }
}

/// One decision, looked at for what it shows.
struct Observation {
    let policy: CompiledPolicy
    let given: ScenarioGiven
    let inputs: ScenarioInputs
    let decision: RoutingDecision

    var derived: DerivedInputs { inputs.derived }
    var role: String { inputs.request.role }

    /// The mode that the task would be in if nothing stood in its way.
    var wishedMode: String? {
        derived.task.mode ?? inputs.request.mode ?? policy.roles[role]?.startMode
    }

    func isPassedOver(_ model: String, _ verdict: RoutingDecision.Candidate.Verdict) -> Bool {
        decision.candidates.contains { $0.model == model && $0.verdict == verdict }
    }

    /// Whether the rule decided, and the model of this place of its list is taken or one after it.
    func takes(_ place: Int, of list: [String], by rule: String) -> Bool {
        guard decision.rule == rule, let model = decision.choice?.model else { return false }
        return (list.firstIndex(of: model) ?? -1) >= place
    }

    /// The gate that was looked at for the wished mode, and what it said; nil where none was.
    var gateVerdict: GateVerdict? {
        guard let wished = wishedMode, let mode = policy.roles[role]?.modes[wished], let gate = mode.gate,
            !policy[decision.risk].denyModes.contains(wished), isPermitted(mode)
        else { return nil }
        return GateVerdict(gate, policy.gates[gate], derived.gates[gate] ?? [:], now: decision.now)
    }

    private func isPermitted(_ mode: Mode) -> Bool {
        guard let stage = inputs.request.stage ?? derived.stage else {
            return mode.stages.count >= policy.stages.count
        }
        return mode.stages.contains(stage)
    }

    /// Whether everything but the named limit of an escalation holds, and it has not fired before.
    func couldFire(_ rule: Escalation, butFor limit: Limit) -> Bool {
        guard role == rule.role, derived.task.fired[rule.id] == nil, derived.task.answer == nil,
            rule.mode.map({ $0 == decision.mode }) ?? true
        else { return false }
        if limit != .attempts, let attempts = rule.failedAttempts, derived.task.attempts < attempts { return false }
        if limit != .confidence, let bound = rule.confidenceBelow,
            (inputs.request.confidence).map({ $0 >= bound }) ?? false
        {
            return false
        }
        return true
    }

    enum Limit { case attempts, confidence }

    func fires(_ rule: Escalation) -> Bool { decision.escalation?.id == rule.id }

    func hasAlert(_ budget: String, _ level: BudgetAlert.Level) -> Bool {
        decision.alerts.contains { $0.kind == BudgetAlert.Kind(budget, level) }
    }

    /// Whether a candidate did not fit into the money, or the tokens of the stage.
    func isBlocked(_ reason: RoutingDecision.Candidate.Verdict) -> Bool {
        decision.candidates.contains { $0.verdict == reason }
            || decision.exceptions.contains { $0.part == .budgets && $0.reason == reason.rawValue }
    }
}

/// An item with what shows it, and inputs that should.
struct CoverageGoal {
    var item: CoverageItem
    var isShown: (Observation) -> Bool
    /// Tried in their order; the first that shows the item is drafted as a scenario.
    var attempts: () -> [ScenarioGiven]

    init(
        _ kind: CoverageItem.Kind,
        _ rule: String,
        _ side: String,
        isShown: @escaping (Observation) -> Bool,
        attempts: @escaping () -> [ScenarioGiven]
    ) {
        item = CoverageItem(kind: kind, rule: rule, side: side)
        self.isShown = isShown
        self.attempts = attempts
    }
}
