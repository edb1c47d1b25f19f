import ModelPolicy

/// How much of what a policy says its scenarios show.
///
/// Counted are decisions of hand-written scenarios that pass. What no inputs could show, such as a mode that both
/// classes of risk deny, does not count.
public struct PolicyCoverage: Sendable {
    public struct Gap: Sendable {
        public var item: CoverageItem
        /// A scenario that would show it, with what the policy decides today: look at it before it is pasted.
        public var draft: Scenario
    }

    /// What is shown, in the order of the language.
    public let covered: [CoverageItem]
    /// What is not.
    public let gaps: [Gap]
    /// What no inputs that were tried can show.
    public let unreachable: [CoverageItem]

    public var total: Int { covered.count + gaps.count }

    /// Of a hundred, rounded down; a hundred where there is nothing to show.
    public var percent: Int { total == 0 ? 100 : covered.count * 100 / total }

    /// Cost: each decision is looked at for each item that none before it showed; drafting a gap decides some hundred
    /// times.
    public init(_ results: [ScenarioResult], under decider: ScenarioDecider) {
        let policy = decider.program.policy
        let seen = results.filter(\.isPassed).map { result in
            Observation(
                policy: policy,
                given: result.scenario.given,
                inputs: result.inputs,
                decision: result.decision
            )
        }
        var covered: [CoverageItem] = []
        var gaps: [Gap] = []
        var unreachable: [CoverageItem] = []
        for goal in CoveragePlan(policy: policy).goals {
            if seen.contains(where: goal.isShown) {
                covered.append(goal.item)
            } else if let draft = Self.draft(goal, decider) {
                gaps.append(Gap(item: goal.item, draft: draft))
            } else {
                unreachable.append(goal.item)
            }
        }
        (self.covered, self.gaps, self.unreachable) = (covered, gaps, unreachable)
    }

    private static func draft(_ goal: CoverageGoal, _ decider: ScenarioDecider) -> Scenario? {
        for given in goal.attempts() {
            let (decision, inputs) = decider.decide(given)
            let seen = Observation(
                policy: decider.program.policy,
                given: given,
                inputs: inputs,
                decision: decision
            )
            guard goal.isShown(seen) else { continue }
            return Scenario(
                name: goal.item.text,
                file: "",
                line: 0,
                given: given,
                expect: ScenarioExpectation(whatMatters: decision)
            )
        }
        return nil
    }

    /// Shown and all, by kind.
    public var byKind: [(kind: CoverageItem.Kind, covered: Int, total: Int)] {
        CoverageItem.Kind.allCases.compactMap { kind in
            let shown = covered.count { $0.kind == kind }
            let missing = gaps.count { $0.item.kind == kind }
            return shown + missing == 0 ? nil : (kind, shown, shown + missing)
        }
    }
}

extension ScenarioExpectation {
    /// What one would expect of a decision: what came out, why, and what it says to others.
    public init(whatMatters decision: RoutingDecision) {
        var keys: [ExpectKey] = decision.choice == nil ? [.result, .reason] : [.model, .mode]
        keys += [.causes, .rule, .evidence]
        if decision.escalation != nil { keys.append(.escalation) }
        if !decision.alerts.isEmpty { keys.append(.alerts) }
        if !decision.exceptions.isEmpty { keys.append(.exceptions) }
        self.init()
        for key in keys { if let value = decision.value(of: key) { self[key] = value } }
    }
}
