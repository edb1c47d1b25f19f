import JSONText
import ModelPolicy

/// What a scenario gives, key by key, in compiled form: spans in milliseconds, shares in millionths, dollars as text.
public struct ScenarioGiven: Sendable, Equatable {
    public private(set) var values: [GivenKey: JSONValue] = [:]

    public init(_ values: [GivenKey: JSONValue] = [:]) { self.values = values }

    public subscript(key: GivenKey) -> JSONValue? {
        get { values[key] }
        set { values[key] = newValue }
    }

    /// Lays another over it: tables merge, everything else is replaced.
    public func merging(_ other: ScenarioGiven) -> ScenarioGiven {
        ScenarioGiven(values.merging(other.values) { Self.merged($0, $1) })
    }

    private static func merged(_ old: JSONValue, _ new: JSONValue) -> JSONValue {
        guard var members = old.object, let others = new.object else { return new }
        for other in others { members[other.key] = members[other.key].map { merged($0, other.value) } ?? other.value }
        return .object(members)
    }

    /// The time that requests have which name none: 2026-01-01T00:00:00Z.
    public static let now: Int64 = 1_767_225_600_000
    /// Tokens of an input, and of an output, about which a scenario says nothing.
    public static let tokens = 100

    public var role: String { values[.role]?.string ?? "" }

    /// The built-in policy that took the place of one that did not load.
    public var builtin: BuiltinPolicy? { values[.policy]?.string.flatMap(BuiltinPolicy.init(rawValue:)) }
}

/// The inputs of a decision.
public struct ScenarioInputs: Sendable {
    public var request: RoutingRequest
    public var derived: DerivedInputs
}

extension ScenarioGiven {
    /// The inputs under a policy: an escalation that fired leads where this policy says, and a share of the budget is
    /// one of this policy's.
    public func inputs(under policy: CompiledPolicy) -> ScenarioInputs {
        let now = values[.now]?.string.flatMap { PolicyTime($0) }.map { $0.seconds * 1000 } ?? Self.now
        return ScenarioInputs(request: request(now), derived: derived(policy, now))
    }

    private func request(_ now: Int64) -> RoutingRequest {
        var request = RoutingRequest(role: role, task: values[.task]?.string ?? "task", now: now)
        request.mode = values[.mode]?.string
        request.stage = values[.stage]?.string
        request.risk = values[.requestRisk]?.string
        request.confidence = values[.confidence]?.int.map { Ratio(millionths: Int64($0)) }
        // A null is the "none" of whoever wrote the scenario.
        request.inputTokens = values[.inputTokens].map(\.int) ?? Self.tokens
        request.maxOutputTokens = values[.outputTokens].map(\.int) ?? Self.tokens
        return request
    }

    private func derived(_ policy: CompiledPolicy, _ now: Int64) -> DerivedInputs {
        let risk = values[.risk]?.string.flatMap(RiskClass.init(rawValue:)) ?? .high
        var derived = DerivedInputs(risk: risk, enforcement: enforcement(policy))
        derived.stage = values[.runStage]?.string
        derived.task = task(policy, now)
        derived.hasRoomForTask = values[.roomForTask]?.bool ?? true
        derived.spent = spent(policy)
        derived.reserved = values[.reservedUSD]?.string.flatMap(USD.init(decimal:)) ?? .zero
        for (stage, count) in members(.tokens) { derived.tokens[stage] = count.int }
        for (provider, failure) in members(.failing) {
            derived.failing[provider] = ProviderFailure(
                failures: failure["failures"]?.int ?? 1,
                latest: now - Int64(failure["age"]?.int ?? 0)
            )
        }
        for (gate, metrics) in members(.gates) { derived.gates[gate] = Self.measures(metrics, now) }
        derived.overrides = overrides(now)
        for text in values[.alerted]?.array?.compactMap(\.string) ?? [] {
            guard let kind = BudgetAlert.Kind(text: text) else { continue }
            derived.alerts[kind] = Self.limit(kind, policy)
        }
        return derived
    }

    private func members(_ key: GivenKey) -> [(String, JSONValue)] {
        (values[key]?.object ?? JSONValue.Members()).map { ($0.key, $0.value) }
    }

    private func enforcement(_ policy: CompiledPolicy) -> Enforcement {
        var enforcement = policy.enforcement
        let mode = { (part: String) in
            values[.enforcement]?[part]?.string.flatMap(EnforcementMode.init(rawValue:))
        }
        enforcement.routing = mode("routing") ?? enforcement.routing
        enforcement.budgets = mode("budgets") ?? enforcement.budgets
        enforcement.gates = mode("gates") ?? enforcement.gates
        return enforcement
    }

    private func spent(_ policy: CompiledPolicy) -> USD {
        if let spent = values[.spentUSD]?.string { return USD(decimal: spent) ?? .zero }
        guard let share = values[.spentShare]?.int, let limit = policy.budgets.perRun else { return .zero }
        return limit.multiplied(by: Ratio(millionths: Int64(share)))
    }

    private static func measures(_ metrics: JSONValue, _ now: Int64) -> [String: GateMeasure] {
        var measures: [String: GateMeasure] = [:]
        for metric in metrics.object ?? JSONValue.Members() {
            measures[metric.key] = GateMeasure(
                value: Ratio(millionths: Int64(metric.value["value"]?.int ?? 0)),
                samples: metric.value["samples"]?.int ?? 1,
                time: now - Int64(metric.value["age"]?.int ?? 0)
            )
        }
        return measures
    }

    private func overrides(_ now: Int64) -> [RoutingOverride] {
        (values[.overrides]?.array ?? []).enumerated().compactMap { number, body in
            RoutingOverride.Effect(body).map {
                let isExpired = body["expired"]?.bool ?? false
                return RoutingOverride($0, expires: isExpired ? now : nil, sequence: UInt32(clamping: number + 1))
            }
        }
    }

    private static func limit(_ kind: BudgetAlert.Kind, _ policy: CompiledPolicy) -> Int64 {
        if kind.budget == "budgets.per_run_usd" { return policy.budgets.perRun?.picodollars ?? 0 }
        let stage = String(kind.budget.dropFirst("budgets.tokens.".count))
        return Int64(policy.budgets.tokens[stage] ?? 0)
    }

    private func task(_ policy: CompiledPolicy, _ now: Int64) -> TaskState {
        var task = TaskState()
        task.attempts = values[.failedAttempts]?.int ?? 0
        task.settled = values[.settled]?.int ?? task.attempts
        task.tried = values[.tried]?.array?.compactMap(\.string) ?? []
        for (model, age) in members(.failed) { task.failures[model] = now - Int64(age.int ?? 0) }
        task.asked = values[.asked]?.bool == true ? 1 : nil
        switch values[.answer] {
        case .string("proceed")?: task.answer = .proceed
        case .string("stop")?: task.answer = .stop
        case let answer?: task.answer = answer["model"]?.string.map(HumanAnswer.model)
        case nil: break
        }
        let listed = (values[.fired]?.array ?? []).compactMap { $0.string.map { ($0, JSONValue.null) } }
        for (id, counts) in listed + members(.fired) {
            task.fired[id] = TaskState.Fired(
                attempts: counts["failed_attempts"]?.int ?? task.attempts,
                settled: counts["settled"]?.int ?? task.settled
            )
            guard let rule = policy.escalations.first(where: { $0.id == id }) else { continue }
            guard rule.toMode != nil || rule.toTierAtLeast != nil else { continue }
            task.excluded = task.tried
            task.mode = rule.toMode ?? task.mode
            task.tierAtLeast = max(task.tierAtLeast, rule.toTierAtLeast ?? 0)
        }
        return task
    }
}

extension BudgetAlert.Kind {
    /// `warn budgets.per_run_usd`; nil for other text.
    init?(text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
        guard words.count == 2, let level = BudgetAlert.Level(rawValue: words[0]),
            words[1] == "budgets.per_run_usd" || words[1].hasPrefix("budgets.tokens.")
        else { return nil }
        self.init(words[1], level)
    }

    /// `warn budgets.per_run_usd`.
    var text: String { "\(level.rawValue) \(budget)" }
}
