import JSONText

/// What the events of one run say about routing: the fold from which inputs are derived.
///
/// The router's own events are taken as they stand: a decision reserves what it says, whoever wrote it, and a replay
/// tells whether it should have been written. What an event does not say, or says in no form that is known, never
/// frees, permits or raises anything.
public struct RoutingState: Sendable {
    /// Unstated risk is high.
    public internal(set) var risk = RiskClass.high
    /// As the run's start event has it; nil where that does not say.
    public internal(set) var enforcement: Enforcement?
    public internal(set) var stage: String?
    public internal(set) var latest: Int64 = 0
    public internal(set) var spent = USD.zero
    public internal(set) var reserved = USD.zero
    /// Settled and reserved, by stage; under the empty name those of no stage.
    public internal(set) var tokens: [String: Int] = [:]
    var failing: [String: ProviderFailure] = [:]
    var gates: [String: [String: GateMeasure]] = [:]
    public internal(set) var overrides: [RoutingOverride] = []
    var alerts: [BudgetAlert.Kind: Int64] = [:]
    var tasks: [TaskKey: TaskState] = [:]
    /// Calls that were permitted and are not settled, by the sequence of their decision.
    public internal(set) var open: [UInt32: OpenCall] = [:]
    /// Decisions whose call was settled.
    public internal(set) var settled: Set<UInt32> = []
    /// Questions to a human, by the sequence of the decision that asks.
    var questions: [UInt32: TaskKey] = [:]
    /// Sequence of the next event that is expected.
    public internal(set) var next: UInt32 = 0

    /// A task of a role.
    struct TaskKey: Hashable, Sendable {
        var role: String
        var task: String
    }

    /// A call that may be under way, and what is set aside for it.
    public struct OpenCall: Sendable, Hashable {
        public var role: String
        public var task: String
        /// Whose tokens it uses; empty for no known stage.
        public var stage: String
        /// Nil where a refusal did not bind, and the caller went its own way.
        public var model: String?
        public var provider: String?
        public var reserved: RoutingDecision.Amount
        /// `sha256:…` of the snapshot that it was decided under.
        public var snapshot: String
    }

    public init() {}

    /// The inputs of a request that the run's events give.
    ///
    /// - Parameter fallback: the enforcement of the snapshot that the run began under, for a start event that does not
    ///   say.
    public func derive(
        for request: RoutingRequest,
        under program: RouterProgram,
        enforcement fallback: Enforcement
    ) -> DerivedInputs {
        var derived = DerivedInputs(risk: risk, enforcement: enforcement ?? fallback)
        derived.stage = stage
        derived.latest = latest
        derived.task = tasks[TaskKey(role: request.role, task: request.task)] ?? TaskState()
        derived.hasRoomForTask = hasRoom(for: request)
        (derived.spent, derived.reserved) = (spent, reserved)
        let budgeted = program.policy.budgets.tokens
        if !tokens.isEmpty {
            derived.tokens = tokens.filter { $0.key.isEmpty || budgeted.position(of: $0.key) != nil }
        }
        derived.failing = failing
        // What the policy does not know is of no use, and of any length.
        if !overrides.isEmpty { derived.overrides = overrides.filter { program.knows($0.effect) } }
        if !alerts.isEmpty {
            derived.alerts = alerts.filter { $0.key.budget == Deciding.moneyRule || program.isTokenRule($0.key.budget) }
        }
        if !gates.isEmpty, let role = program.roles[request.role] {
            for gate in role.gates {
                let known = gates[gate]?.filter { program.policy.gates[gate]?[$0.key] != nil }
                if let known, !known.isEmpty { derived.gates[gate] = known }
            }
        }
        return derived
    }

    /// Whether one task more can be kept.
    private func hasRoom(for request: RoutingRequest) -> Bool {
        tasks.count < RoutingLimits.tasks || tasks[TaskKey(role: request.role, task: request.task)] != nil
    }

    /// The newest results of a gate, by metric.
    public func results(of gate: String) -> [String: GateMeasure] { gates[gate] ?? [:] }

    /// Whether a decision asks a human who has not answered.
    public func asks(_ decision: UInt32) -> Bool {
        questions[decision].flatMap { tasks[$0] }?.asked != nil
    }

    /// Whether an override lets a gate pass.
    public func isSetAside(gate: String, at now: Int64) -> Bool {
        let sums = OverrideSums(overrides, now: now, stage: stage)
        return sums.breaksGlass || sums.gates.contains(gate)
    }

    /// Takes in the next event of the run, in its order.
    public mutating func take(_ event: RoutingEvent) {
        next = event.sequence == .max ? .max : event.sequence + 1
        if let effect = event.effect { return take(effect, at: event.sequence) }
        guard let body = event.body else { return }
        // A clock that is set back must not bring back what has expired.
        let keepsTime = [.override, .settlement, .gateResult, .answer].contains(event.kind)
        if keepsTime, RoutingRequest.times.contains(event.time) {
            latest = max(latest, event.time)
        }
        switch event.kind {
        case .start: begin(body)
        case .stage: stage = body["name"]?.string ?? stage
        case .decision: if let effect = DecisionEffect(body) { take(effect, at: event.sequence) }
        case .settlement: take(settlement: body, event)
        case .gateResult: take(gateResult: body, event)
        case .answer: take(answer: body, event)
        case .override: take(override: body, event)
        case .alert: take(alert: body)
        }
    }

    /// Notes that an event which says nothing about routing was passed.
    public mutating func skip(_ sequence: UInt32) { next = sequence == .max ? .max : sequence + 1 }

    private mutating func begin(_ body: JSONValue) {
        risk = body["risk"]?.string == "low" ? .low : .high
        guard let parts = body["policy"]?["enforcement"] else { return }
        let mode = { (part: String) in parts[part]?.string.flatMap(EnforcementMode.init(rawValue:)) }
        guard let routing = mode("routing"), let budgets = mode("budgets"), let gates = mode("gates"),
            let approvals = mode("approvals")
        else { return }
        enforcement = Enforcement(routing: routing, budgets: budgets, gates: gates, approvals: approvals)
    }
}
