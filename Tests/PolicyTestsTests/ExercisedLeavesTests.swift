import JSONText
import Testing

@testable import ModelPolicy
@testable import PolicyTests

@Suite struct ExercisedLeavesTests {
    private func judge(_ old: String, _ new: String, scenarios: [Scenario]? = nil) throws -> [LeafExercise] {
        let example = try Example.read()
        #expect(example.text.contains(old))
        let changed = try compiled(example.text.replacing(old, with: new))
        let own = ScenarioReader.read(try Example.files("policy/tests"), for: changed).scenarios
        return ExercisedLeaves.judge(base: example.policy, changed: changed, scenarios: scenarios ?? own)
    }

    private func scenario(_ name: String, _ given: [GivenKey: JSONValue], _ expect: [ExpectKey: JSONValue]) -> Scenario
    {
        Scenario(name: name, file: "a.toml", line: 1, given: ScenarioGiven(given), expect: ScenarioExpectation(expect))
    }

    @Test func aChangeThatNoScenarioSeesIsNotExercised() throws {
        // The scenarios of the example say 0.6; those that pass under 0.5 say nothing of 0.5.
        let found = try judge(
            "confidence_below = 0.6",
            "confidence_below = 0.5",
            scenarios: [
                scenario("sure", [.role: "architect", .stage: "plan", .confidence: 900_000], [.model: "opus"])
            ]
        )
        #expect(found.map(\.change.path) == ["escalations.architect-unsure.when.confidence_below"])
        #expect(found.map(\.verdict) == [.unexercised])
    }

    @Test func aScenarioBetweenTheOldAndTheNewExercisesIt() throws {
        let found = try judge(
            "confidence_below = 0.6",
            "confidence_below = 0.5",
            scenarios: [
                scenario(
                    "between",
                    [.role: "architect", .stage: "plan", .confidence: 550_000],
                    [.escalation: "none"]
                )
            ]
        )
        #expect(found.map(\.verdict) == [.exercised(by: "between")])
        #expect(found.map(\.putBack) == [["escalations.architect-unsure.when.confidence_below"]])
    }

    @Test func aScenarioThatFailsAlreadyProvesNothing() throws {
        let found = try judge(
            "confidence_below = 0.6",
            "confidence_below = 0.5",
            scenarios: [
                scenario("wrong", [.role: "judge"], [.model: "sonnet"])
            ]
        )
        #expect(found.map(\.verdict) == [.unexercised])
    }

    @Test func whatTheRouterDoesNotReadNeedsNoScenario() throws {
        let found = try judge("mode = \"summary\"", "mode = \"hash\"")
        #expect(found.map(\.change.path) == ["capture.mode"] && found.map(\.verdict) == [.notDecisive])
    }

    @Test func eachLeafIsPutBackAlone() throws {
        let example = try Example.read()
        let changed = try compiled(
            example.text.replacing("per_run_usd = \"25.00\"", with: "per_run_usd = \"20.00\"")
                .replacing("unlock = 2000", with: "unlock = 1000")
        )
        let found = ExercisedLeaves.judge(
            base: example.policy,
            changed: changed,
            scenarios: [
                scenario("money", [.role: "judge", .spentUSD: "21"], [.reason: "budget-usd"])
            ]
        )
        #expect(found.map(\.change.path) == ["budgets.per_run_usd", "budgets.tokens.unlock"])
        #expect(found.map(\.verdict) == [.exercised(by: "money"), .unexercised])
    }

    @Test func aModelThatCameIsPutBackWithWhoeverNamesIt() throws {
        let model = """
            [models.haiku]
            provider = "anthropic"
            id = "claude-haiku"
            locality = "cloud"
            tier = 2
            context_tokens = 200_000
            price_per_mtok = { input = 1, output = 5 }

            [models.opus]
            """
        let example = try Example.read()
        let changed = try compiled(
            example.text.replacing("[models.opus]", with: model)
                .replacing("models  = [\"opus\", \"sonnet\"]", with: "models  = [\"opus\", \"haiku\"]")
        )
        let found = ExercisedLeaves.judge(
            base: example.policy,
            changed: changed,
            scenarios: [
                scenario(
                    "haiku",
                    [.role: "architect", .stage: "plan", .confidence: 900_000, .failed: ["opus": 0]],
                    [.model: "haiku"]
                )
            ]
        )
        #expect(found.count > 5)
        #expect(found.allSatisfy { $0.verdict == .exercised(by: "haiku") }, "\(found)")
        #expect(
            found.first { $0.change.path == "models.haiku.tier" }?.putBack == [
                "models.haiku", "roles.architect.models",
            ]
        )
    }

    @Test func puttingEveryLeafBackGivesTheBase() throws {
        let example = try Example.read()
        for leaf in example.policy.leaves where leaf.path != "escalations" && !leaf.path.hasSuffix(".id") {
            #expect(example.policy.value(at: leaf.path) == leaf.value, "\(leaf.path)")
            for mutation in PolicyMutation.all(of: leaf, in: example.policy) {
                let back = try mutation.policy.replacing([(leaf.path, leaf.value)])
                #expect(back == example.policy, "\(leaf.path) = \(mutation.text)")
            }
        }
    }
}
