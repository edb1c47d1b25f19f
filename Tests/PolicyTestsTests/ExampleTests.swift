import JSONText
import Testing

@testable import ModelPolicy
@testable import PolicyTests

/// The scenarios of the example policy say all that the policy says.
@Suite struct ExampleTests {
    @Test func theyPass() throws {
        let example = try Example.read()
        let run = PolicyTestRun(example.suite.scenarios, under: ScenarioDecider(example.policy))
        #expect(run.isPassed, "\(told(run))")
    }

    @Test func theyCoverAllOfIt() throws {
        let example = try Example.read()
        let decider = ScenarioDecider(example.policy)
        let run = PolicyTestRun(example.suite.scenarios, under: decider)
        let coverage = PolicyCoverage(run.results, under: decider)
        #expect(coverage.gaps.isEmpty, "\(coverage.gaps.map { ScenarioWriter.toml($0.draft) }.joined(separator: "\n"))")
        #expect(coverage.percent == 100)
        #expect(coverage.unreachable.isEmpty, "\(coverage.unreachable.map(\.text))")
    }

    @Test func theLayerOfTheSpecPasses() throws {
        let files = try Example.files("policy/specs")
        let text = try Example().text
        let workspace = SourceFile(name: "model_policy.toml", bytes: Array(text.utf8))
        let policy = try #require(PolicyCompiler.compile(workspace: workspace, spec: files[0]).snapshot).policy
        let suite = ScenarioReader.read(try Example.files("policy/tests/specs"), for: policy)
        try #require(suite.diagnostics.isEmpty, "\(DiagnosticFormat.human.text(suite.diagnostics))")
        let run = PolicyTestRun(suite.scenarios, under: ScenarioDecider(policy))
        #expect(run.isPassed, "\(told(run))")
    }

    /// Each leaf that the router reads is changed alone, each way that leaves a policy, and a scenario fails; or the
    /// policy decides the same, over every input that is known here.
    @Test func theMutationOfAnyLeafThatTheRouterReadsIsCaught() throws {
        let example = try Example.read()
        let probes = Probes(example)
        var leaves = 0
        var caught = 0
        var same: [String] = []
        for leaf in example.policy.leaves where leaf.isDecisive {
            let mutations = PolicyMutation.all(of: leaf, in: example.policy)
            leaves += 1
            var isCaught = false
            for mutation in mutations {
                let decider = ScenarioDecider(mutation.policy)
                if decider.firstFailure(example.suite.scenarios) != nil {
                    caught += 1
                    isCaught = true
                } else if let probe = probes.difference(decider) {
                    Issue.record("\(leaf.path) = \(mutation.text) is not caught; it decides otherwise for \(probe)")
                } else {
                    same.append("\(leaf.path) = \(mutation.text)")
                }
            }
            #expect(isCaught || mutations.isEmpty || Self.indifferent.contains(leaf.path), "\(leaf.path)")
        }
        #expect(leaves > 100 && caught > 200, "\(leaves) leaves, \(caught) mutations caught")
        // Mutations that decide the same as the policy: each is written down, so that a new one is looked at.
        #expect(same.sorted() == Self.equivalent.sorted(), "\(same.sorted().joined(separator: "\n"))\n")
    }

    @Test func aLeafThatTheRouterDoesNotReadDecidesNothing() throws {
        let example = try Example.read()
        let probes = Probes(example)
        for leaf in example.policy.leaves where !leaf.isDecisive {
            for mutation in PolicyMutation.all(of: leaf, in: example.policy) {
                #expect(probes.difference(ScenarioDecider(mutation.policy)) == nil, "\(leaf.path) = \(mutation.text)")
            }
        }
    }

    static let equivalent = [
        "escalations = [\"architect-unsure\",\"reflex-exhausted\"]",
        // The strongest of the architect's list stays before it.
        "models.gpt-high.tier = 4", "models.gpt-high.tier = 6",
        // No mode denies the default mode.
        "risk.low.deny_modes = [\"default\"]",
        // No model of the tier that an architect needs has so small a context.
        "roles.architect.require.context_tokens_at_least = 100001",
        "roles.architect.require.context_tokens_at_least = 50000",
        "roles.architect.require.context_tokens_at_least = 99999",
        "roles.architect.require.context_tokens_at_least = nothing",
        "stages = [\"unlock\", \"audit\", \"validate\", \"implement\", \"tasks\", \"plan\"]",
    ]
    /// Of these every mutation decides the same: the order of stages, and of escalations of different roles.
    static let indifferent = ["stages", "escalations"]
}

/// Inputs of all scenarios, of all grids, and of all drafts of coverage, and what is decided for each.
struct Probes {
    private let decided: [(given: ScenarioGiven, decision: RoutingDecision)]

    init(_ example: Example) {
        let decider = ScenarioDecider(example.policy)
        var all = example.suite.scenarios.map(\.given) + example.suite.cases.map(\.given)
        for goal in CoveragePlan(policy: example.policy).goals { all += goal.attempts().prefix(12) }
        decided = all.map { ($0, decider.decide($0).decision) }
    }

    /// Inputs for which something else is decided; nil where there are none.
    func difference(_ decider: ScenarioDecider) -> String? {
        decided.first { decider.decide($0.given).decision != $0.decision }?.given.text
    }
}
