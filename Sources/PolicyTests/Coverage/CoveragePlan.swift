import JSONText
import ModelPolicy

/// Everything of a policy that scenarios should show, in the order of the language.
struct CoveragePlan {
    let policy: CompiledPolicy

    var goals: [CoverageGoal] {
        var goals: [CoverageGoal] = []
        for provider in policy.providers { goals += self.goals(ofProvider: provider.name, provider.value) }
        for role in policy.roles { goals += self.goals(ofRole: role.name, role.value) }
        for rule in policy.escalations { goals += self.goals(of: rule) }
        for risk in [RiskClass.high, .low] { goals += self.goals(of: risk) }
        goals += budgetGoals
        for gate in policy.gates { goals += self.goals(ofGate: gate.name, gate.value) }
        return goals + loadFailureGoals
    }

    // MARK: What is given

    /// Inputs under which a role works in a mode: each class of risk that permits it, each stage, gates passed, sure.
    func bases(_ role: String, _ mode: String, stages: [String]? = nil) -> [ScenarioGiven] {
        let content = policy.roles[role]?.modes[mode]
        let permitted = stages ?? content?.stages ?? policy.stages
        var bases: [ScenarioGiven] = []
        for count in [ScenarioGiven.tokens, 1] {
            for risk in [RiskClass.low, .high] where !policy[risk].denyModes.contains(mode) {
                for stage in permitted.prefix(16) {
                    var given = ScenarioGiven([
                        .role: .string(role), .risk: .string(risk.rawValue), .stage: .string(stage),
                    ])
                    let usesConfidence = policy.escalations.contains { $0.role == role && $0.confidenceBelow != nil }
                    if usesConfidence { given[.confidence] = .number(JSONNumber(1_000_000)) }
                    if mode != (policy.roles[role]?.startMode ?? Role.defaultMode) { given[.mode] = .string(mode) }
                    if count != ScenarioGiven.tokens {
                        given[.inputTokens] = .number(JSONNumber(count))
                        given[.outputTokens] = .number(JSONNumber(count))
                    }
                    if let gate = content?.gate { given[.gates] = .object(passing(gate)) }
                    bases.append(given)
                }
            }
        }
        return bases
    }

    /// Results with which a gate passes.
    func passing(_ gate: String) -> JSONValue.Members {
        var metrics = JSONValue.Members()
        for (metric, rule) in policy.gates[gate] ?? NamedList() { metrics[metric] = Self.measure(rule) }
        var gates = JSONValue.Members()
        gates[gate] = .object(metrics)
        return gates
    }

    /// A result that meets a criterion by no more than it must.
    static func measure(_ rule: Criterion, value: Int64? = nil, samples: Int? = nil, age: Int64? = nil) -> JSONValue {
        let bound = value ?? (rule.atLeast ?? rule.atMost)?.millionths ?? 0
        var members = JSONValue.Members()
        members["value"] = .number(JSONNumber(bound))
        let count = samples ?? rule.samples
        if count != 1 { members["samples"] = .number(JSONNumber(count)) }
        if let age { members["age"] = .number(JSONNumber(age)) }
        return .object(members)
    }

    /// Every role with each of its modes, the default mode first, and its list of models.
    var lists: [(role: String, mode: String, rule: String, models: [String])] {
        policy.roles.flatMap { name, role in
            [(name, Role.defaultMode, "roles.\(name).models", role.models)]
                + role.modes.map { (name, $0.name, "roles.\(name).modes.\($0.name).models", $0.value.models) }
        }
    }

    /// The calls of these models failed a moment ago in the task.
    static func failed(_ models: some Sequence<String>) -> ScenarioGiven {
        var members = JSONValue.Members()
        for model in models { members[model] = 0 }
        return members.isEmpty ? ScenarioGiven() : ScenarioGiven([.failed: .object(members)])
    }
}

extension CoveragePlan {
    // MARK: Providers, roles, modes

    private func goals(ofProvider name: String, _ provider: Provider) -> [CoverageGoal] {
        let models = policy.models.filter { $0.value.provider == name }.map(\.name)
        guard lists.contains(where: { !$0.models.filter(models.contains).isEmpty }) else { return [] }
        func attempts(failures: Int, age: Int64) -> [ScenarioGiven] {
            var failing = JSONValue.Members()
            failing[name] = ["failures": .number(JSONNumber(failures)), "age": .number(JSONNumber(age))]
            let given = ScenarioGiven([.failing: .object(failing)])
            return lists.flatMap { list -> [ScenarioGiven] in
                guard let place = list.models.firstIndex(where: models.contains) else { return [] }
                let failed = Self.failed(list.models[..<place]).merging(given)
                return bases(list.role, list.mode).map { $0.merging(failed) }
            }
        }
        let rule = "providers.\(name).cooldown"
        let (count, span) = (provider.cooldownAfterFailures, provider.cooldownMilliseconds)
        let serves = { (seen: Observation) in seen.decision.choice?.provider == name }
        let failing = { (seen: Observation) in
            seen.derived.failing[name].map { ($0.failures, seen.decision.now - $0.latest) } ?? (0, 0)
        }
        var goals = [
            CoverageGoal(.threshold, "\(rule).after_failures", "put aside after \(count)") { seen in
                seen.decision.candidates.contains { models.contains($0.model) && $0.verdict == .cooldown }
            } attempts: {
                attempts(failures: count, age: 0)
            },
            CoverageGoal(.threshold, "\(rule).for", "over") { seen in
                serves(seen) && failing(seen).0 >= count && failing(seen).1 >= span
            } attempts: {
                attempts(failures: count, age: span)
            },
        ]
        if count > 1 {
            goals.append(
                CoverageGoal(.threshold, "\(rule).after_failures", "one short") { seen in
                    serves(seen) && failing(seen).0 == count - 1 && failing(seen).1 < span
                } attempts: {
                    attempts(failures: count - 1, age: 0)
                }
            )
        }
        return goals
    }

    private func goals(ofRole name: String, _ role: Role) -> [CoverageGoal] {
        var goals: [CoverageGoal] = []
        for list in lists where list.role == name {
            let kind: CoverageItem.Kind = list.mode == Role.defaultMode ? .role : .mode
            for place in list.models.indices {
                let side = place == 0 ? "first choice" : "\(list.models[place - 1]) → \(list.models[place])"
                goals.append(
                    CoverageGoal(place == 0 ? kind : .fallback, list.rule, side) { seen in
                        guard seen.role == name else { return false }
                        if place > 0 { return seen.takes(place, of: list.models, by: list.rule) }
                        return seen.decision.rule == list.rule && seen.decision.choice?.model == list.models[0]
                    } attempts: {
                        bases(name, list.mode).map { $0.merging(Self.failed(list.models[..<place])) }
                    }
                )
            }
        }
        let barred = policy.models.filter { !role.require.admits($0.value) }.map(\.name)
        if !barred.isEmpty {
            goals.append(
                CoverageGoal(.requirement, "roles.\(name).require", "passes over what does not meet it") { seen in
                    seen.role == name && seen.decision.candidates.contains { $0.verdict == .requirement }
                } attempts: {
                    barred.flatMap { model in
                        bases(name, Role.defaultMode)
                            .map { $0.merging(ScenarioGiven([.answer: ["model": .string(model)]])) }
                    }
                }
            )
        }
        return goals + role.modes.flatMap { stageGoals(name, $0.name, $0.value) }
    }

    private func stageGoals(_ role: String, _ name: String, _ mode: Mode) -> [CoverageGoal] {
        let others = policy.stages.filter { !mode.stages.contains($0) }
        guard !others.isEmpty else { return [] }
        return [
            CoverageGoal(.mode, "roles.\(role).modes.\(name).stages", "not in another stage") { seen in
                seen.role == role && seen.wishedMode == name && seen.decision.causes.contains(.stage)
            } attempts: {
                bases(role, name, stages: others)
            }
        ]
    }

    // MARK: Risk and load failures

    private func goals(of risk: RiskClass) -> [CoverageGoal] {
        let given = ScenarioGiven([.risk: .string(risk.rawValue)])
        let evidence = CoverageGoal(.risk, "risk.\(risk.rawValue).evidence", policy[risk].evidence.rawValue) { seen in
            seen.given.builtin == nil && seen.decision.risk == risk && seen.decision.choice != nil
        } attempts: {
            lists.flatMap { bases($0.role, $0.mode) }.map { $0.merging(given) }
        }
        let denied = policy[risk].denyModes.filter { mode in lists.contains { $0.mode == mode } }
        return [evidence]
            + denied.map { mode in
                CoverageGoal(.risk, "risk.\(risk.rawValue).deny_modes", mode) { seen in
                    seen.decision.risk == risk && seen.wishedMode == mode && seen.decision.causes.contains(.risk)
                } attempts: {
                    lists.filter { $0.mode == mode }.flatMap { list -> [ScenarioGiven] in
                        let wish = ScenarioGiven([.mode: .string(mode)]).merging(given)
                        return bases(list.role, Role.defaultMode).map { $0.merging(wish) }
                    }
                }
            }
    }

    private var loadFailureGoals: [CoverageGoal] {
        guard let role = policy.roles.names.first else { return [] }
        return BuiltinPolicy.allCases.map { builtin in
            CoverageGoal(.loadFailure, builtin.rawValue, "refuses") { seen in
                seen.given.builtin == builtin && seen.decision.refusal == .loadFailure
            } attempts: {
                [ScenarioGiven([.policy: .string(builtin.rawValue), .role: .string(role)])]
            }
        }
    }
}
