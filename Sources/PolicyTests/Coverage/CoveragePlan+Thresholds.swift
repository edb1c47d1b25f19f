import JSONText
import ModelPolicy

/// Both sides of what is compared: attempts, confidence, gates, budgets.
extension CoveragePlan {
    // MARK: Escalations

    func goals(of rule: Escalation) -> [CoverageGoal] {
        let path = "escalations.\(rule.id)"
        let asksAtOnce = rule.toMode == nil && rule.toTierAtLeast == nil
        var goals = [
            CoverageGoal(.escalation, path, asksAtOnce ? "asks a human" : "goes on \(Self.target(rule))") { seen in
                seen.fires(rule) && (asksAtOnce || seen.decision.refusal != .humanNeeded)
            } attempts: {
                attempts(rule, [:])
            }
        ]
        if rule.thenHuman, !asksAtOnce {
            goals.append(
                CoverageGoal(.escalation, path, "then asks a human") { seen in
                    seen.decision.rule == path && seen.decision.refusal == .humanNeeded
                } attempts: {
                    let again: JSONValue = ["failed_attempts": 0, "settled": 0]
                    var fired = JSONValue.Members()
                    fired[rule.id] = again
                    let count = max(rule.failedAttempts ?? 0, 1)
                    return attempts(rule, [.fired: .object(fired), .settled: .number(JSONNumber(count))])
                }
            )
        }
        if let bound = rule.confidenceBelow {
            goals += sides("\(path).when.confidence_below", rule, .confidence, "below \(bound)", "not below \(bound)") {
                [.confidence: .number(JSONNumber(bound.millionths))]
            }
        }
        if let count = rule.failedAttempts {
            goals += sides("\(path).when.failed_attempts", rule, .attempts, "\(count) or more", "one short") {
                [.failedAttempts: .number(JSONNumber(count - 1))]
            }
        }
        return goals
    }

    private static func target(_ rule: Escalation) -> String {
        let tier = rule.toTierAtLeast.map { "from tier \($0)" }
        return [rule.toMode.map { "in mode \($0)" }, tier].compactMap(\.self).joined(separator: " ")
    }

    private func sides(
        _ path: String,
        _ rule: Escalation,
        _ limit: Observation.Limit,
        _ met: String,
        _ short: String,
        _ given: @escaping () -> [GivenKey: JSONValue]
    ) -> [CoverageGoal] {
        [
            CoverageGoal(.threshold, path, met) { seen in
                seen.fires(rule) && (limit == .attempts || seen.inputs.request.confidence != nil)
            } attempts: {
                attempts(rule, [:])
            },
            CoverageGoal(.threshold, path, short) { seen in
                guard seen.couldFire(rule, butFor: limit), !seen.fires(rule) else { return false }
                if limit == .attempts { return seen.derived.task.attempts == (rule.failedAttempts ?? 0) - 1 }
                guard let bound = rule.confidenceBelow else { return false }
                return seen.inputs.request.confidence.map { $0 >= bound } ?? false
            } attempts: {
                attempts(rule, given())
            },
        ]
    }

    /// Inputs under which an escalation should fire, and the same where the others of the role have just fired.
    private func attempts(_ rule: Escalation, _ given: [GivenKey: JSONValue]) -> [ScenarioGiven] {
        let mode = rule.mode ?? Role.defaultMode
        var own = ScenarioGiven()
        if let count = rule.failedAttempts { own[.failedAttempts] = .number(JSONNumber(count)) }
        if let bound = rule.confidenceBelow { own[.confidence] = .number(JSONNumber(bound.millionths - 1)) }
        if let next = rule.toMode, let gate = policy.roles[rule.role]?.modes[next]?.gate {
            own[.gates] = .object(passing(gate))
        }
        own = own.merging(ScenarioGiven(given))
        var others = JSONValue.Members()
        for other in policy.escalations where other.role == rule.role && other.id != rule.id {
            let count = own[.settled] ?? own[.failedAttempts] ?? 0
            others[other.id] = ["failed_attempts": own[.failedAttempts] ?? 0, "settled": count]
        }
        let plain = bases(rule.role, mode).map { $0.merging(own) }
        guard !others.isEmpty else { return plain }
        return plain + plain.map { ScenarioGiven([.fired: .object(others)]).merging($0) }
    }

    // MARK: Gates

    func goals(ofGate gate: String, _ rules: NamedList<Criterion>) -> [CoverageGoal] {
        let users = lists.filter { policy.roles[$0.role]?.modes[$0.mode]?.gate == gate }
        guard !users.isEmpty else { return [] }
        func attempts(_ metric: String, _ measure: JSONValue?) -> [ScenarioGiven] {
            users.flatMap { bases($0.role, $0.mode) }.map { base in
                var gates = passing(gate)
                var metrics = gates[gate]?.object ?? JSONValue.Members()
                metrics[metric] = measure
                gates[gate] = .object(metrics)
                var given = base
                given[.gates] = .object(gates)
                return given
            }
        }
        func fault(_ metric: String, _ seen: Observation) -> GateVerdict.Check? {
            guard let verdict = seen.gateVerdict, verdict.gate == gate else { return nil }
            let faulty = verdict.criteria.filter { $0.fault != nil }
            // Where more than one stands in the way, nothing is shown of any.
            guard faulty.count == 1, faulty[0].metric == metric else { return nil }
            return faulty[0]
        }
        return rules.flatMap { metric, rule -> [CoverageGoal] in
            let path = "gates.\(gate).\(metric)"
            func goal(
                _ key: String,
                _ side: String,
                _ measure: JSONValue?,
                _ isShown: @escaping (GateVerdict.Check) -> Bool
            ) -> CoverageGoal {
                CoverageGoal(.gate, path + key, side) { seen in
                    fault(metric, seen).map(isShown) ?? false
                } attempts: {
                    attempts(metric, measure)
                }
            }
            var goals = [
                CoverageGoal(.gate, path, "holds") { seen in
                    seen.gateVerdict.map { $0.gate == gate && $0.isPassed } ?? false
                } attempts: {
                    attempts(metric, Self.measure(rule))
                },
                goal("", "no result", nil) { $0.fault == .absent },
                goal(".newer_than", "stale", Self.measure(rule, age: rule.newerThanMilliseconds + 1)) {
                    $0.fault == .stale
                },
            ]
            if rule.samples > 1 {
                goals.append(
                    goal(".samples", "one short", Self.measure(rule, samples: rule.samples - 1)) {
                        $0.fault == .tooFewSamples && $0.measure?.samples == rule.samples - 1
                    }
                )
            }
            if let most = rule.atMost {
                goals.append(
                    goal(".at_most", "missed", Self.measure(rule, value: most.millionths + 1)) { check in
                        check.fault == .missed && (check.measure.map { $0.value > most } ?? false)
                    }
                )
            }
            if let least = rule.atLeast {
                goals.append(
                    goal(".at_least", "missed", Self.measure(rule, value: least.millionths - 1)) { check in
                        check.fault == .missed && (check.measure.map { $0.value < least } ?? false)
                    }
                )
            }
            return goals
        }
    }

    // MARK: Budgets

    var budgetGoals: [CoverageGoal] {
        var goals: [CoverageGoal] = []
        if policy.budgets.perRun != nil {
            goals += self.goals(ofBudget: "budgets.per_run_usd", .budgetUSD) {
                $0.budget.limitUSD != nil
            } attempts: {
                moneyAttempts
            }
        }
        for (stage, limit) in policy.budgets.tokens {
            goals += self.goals(ofBudget: "budgets.tokens.\(stage)", .budgetTokens) {
                $0.budget.stage == stage
            } attempts: {
                tokenAttempts(stage, limit)
            }
        }
        return goals
    }

    private func goals(
        ofBudget rule: String,
        _ reason: RoutingDecision.Candidate.Verdict,
        counts: @escaping (RoutingDecision) -> Bool,
        attempts: @escaping () -> [ScenarioGiven]
    ) -> [CoverageGoal] {
        let isFresh = { (seen: Observation) in
            counts(seen.decision)
                && BudgetAlert.Level.allCases.allSatisfy { seen.derived.alerts[BudgetAlert.Kind(rule, $0)] == nil }
        }
        return [
            CoverageGoal(.threshold, rule, "before it warns") { seen in
                isFresh(seen) && seen.decision.choice != nil && !seen.hasAlert(rule, .warn) && !seen.isBlocked(reason)
            } attempts: {
                attempts()
            },
            CoverageGoal(.threshold, rule, "warns") { seen in
                isFresh(seen) && seen.decision.choice != nil && seen.hasAlert(rule, .warn) && !seen.isBlocked(reason)
            } attempts: {
                attempts()
            },
            CoverageGoal(.threshold, rule, "stops") { seen in
                isFresh(seen) && seen.hasAlert(rule, .stop) && seen.isBlocked(reason)
            } attempts: {
                attempts()
            },
        ]
    }

    /// A call costs its own, so the sums stand around each threshold.
    private var moneyAttempts: [ScenarioGiven] {
        guard let limit = policy.budgets.perRun else { return [] }
        let decider = ScenarioDecider(policy)
        let (warn, stop) = (limit.multiplied(by: policy.budgets.warnAt), limit.multiplied(by: policy.budgets.stopAt))
        return lists.flatMap { list in
            bases(list.role, list.mode).flatMap { base -> [ScenarioGiven] in
                let cost = decider.decide(base).decision.choice?.reserved.usd ?? .zero
                let sums = [
                    .zero, warn, warn.subtracting(cost), stop.subtracting(cost), stop.adding(USD(picodollars: 1)),
                ]
                return sums.compactMap { $0 }.filter { $0 >= .zero }.map { sum in
                    var given = base
                    if sum > .zero { given[.spentUSD] = .string("\(sum)") }
                    return given
                }
            }
        }
    }

    private func tokenAttempts(_ stage: String, _ limit: Int) -> [ScenarioGiven] {
        let share = { (ratio: Ratio) in
            Int(clamping: USD(picodollars: Int64(limit)).multiplied(by: ratio).picodollars)
        }
        let (warn, stop) = (share(policy.budgets.warnAt), share(policy.budgets.stopAt))
        return lists.flatMap { list in
            bases(list.role, list.mode).filter { $0[.stage] == .string(stage) }.flatMap { base -> [ScenarioGiven] in
                let cost = (base[.inputTokens]?.int ?? ScenarioGiven.tokens) * 2
                return [0, warn, warn - cost, stop - cost, stop].filter { $0 >= 0 }.map { used in
                    var given = base
                    var tokens = JSONValue.Members()
                    tokens[stage] = .number(JSONNumber(used))
                    if used > 0 { given[.tokens] = .object(tokens) }
                    return given
                }
            }
        }
    }
}
