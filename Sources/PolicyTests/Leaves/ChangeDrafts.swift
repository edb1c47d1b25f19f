import ModelPolicy

/// Scenarios for a change of a policy: each says what is decided now and would not be if one change were put back.
public struct ChangeDrafts: Sendable {
    public struct Draft: Sendable {
        public var change: PolicyDiff.Change
        /// Nil where no inputs that were tried are decided otherwise.
        public var scenario: Scenario?
    }

    /// In the order of the language; changes that the router does not read have none.
    public let drafts: [Draft]

    /// Cost: some thousand decisions for each change.
    public init(from base: CompiledPolicy, to changed: CompiledPolicy) {
        let changes = PolicyDiff(from: base, to: changed).changes
        let decider = ScenarioDecider(changed)
        let probes = Self.probes(changed) + Self.probes(base)
        let decided = probes.map { ($0, decider.decide($0).decision) }
        drafts = changes.filter { PolicyLeaf.isDecisive($0.path) }.map { change in
            let (_, restored) = ExercisedLeaves.restored(change, changes, base, changed)
            let before = ScenarioDecider(restored)
            for (given, now) in decided {
                let then = before.decide(given).decision
                guard let expect = Self.expectation(now, unlike: then) else { continue }
                let name = "\(change.path)"
                return Draft(
                    change: change,
                    scenario: Scenario(name: name, file: "", line: 0, given: given, expect: expect)
                )
            }
            return Draft(change: change, scenario: nil)
        }
    }

    /// Inputs that a scenario could give: those that show each thing the policy says.
    private static func probes(_ policy: CompiledPolicy) -> [ScenarioGiven] {
        CoveragePlan(policy: policy).goals.flatMap { $0.attempts().prefix(12) }
    }

    /// What to expect of one decision that another does not meet; nil where they are alike to a scenario.
    private static func expectation(
        _ now: RoutingDecision,
        unlike then: RoutingDecision
    ) -> ScenarioExpectation? {
        var expect = ScenarioExpectation(whatMatters: now)
        if !expect.unmet(by: then).isEmpty { return expect }
        let aboutOthers: Set<ExpectKey> = [.cause, .notModels]
        for key in ExpectKey.allCases where !aboutOthers.contains(key) {
            guard let value = now.value(of: key), then.value(of: key) != value else { continue }
            expect[key] = value
            return expect
        }
        return nil
    }

    /// A file of scenarios; empty when no change decides anything.
    ///
    /// - Parameter old: what the file holds already. It stays, and gets drafts of the changes that it does not name.
    public func toml(version: String, after old: String? = nil) -> String {
        let fresh = drafts.filter { draft in
            let marks = ["# \(draft.change.path) was ", "\"\(draft.change.path), since \(version)\""]
            return !marks.contains { old?.contains($0) == true }
        }
        guard !fresh.isEmpty else { return old ?? "" }
        let heading = "# What \(version) decides otherwise: see that it is what was meant.\nschema = 1\n"
        var parts = [old.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" } ?? heading]
        for draft in fresh {
            let (old, new) = (draft.change.oldText ?? "not there", draft.change.newText ?? "not there any more")
            let comment = "# \(draft.change.path) was \(old) and is \(new).\n"
            guard var scenario = draft.scenario else {
                parts.append(
                    comment + "# No scenario was found that this change decides; write one that fails without it.\n"
                )
                continue
            }
            scenario.name += ", since \(version)"
            parts.append(comment + ScenarioWriter.toml(scenario))
        }
        return parts.joined(separator: "\n")
    }
}
