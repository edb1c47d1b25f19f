import JSONText
import Testing

@testable import ModelPolicy
@testable import ModelRouter

@Suite struct EscalationTests {
    private var scene: Scene

    init() throws {
        scene = Scene(try examplePolicy())
        scene.policy.budgets.tokens = NamedList()
        scene.policy.enforcement.gates = .observe
    }

    @Test func twoFailedAttemptsInReflexLeadToTheDefaultMode() throws {
        var scene = scene
        for _ in 0..<2 {
            let call = try scene.route("implementer")
            #expect(call.decision.model == "gpt-oss-20b")
            scene.settle(call.at, .rejected, usd: "0")
        }
        let escalated = try scene.route("implementer")
        #expect(escalated.decision.model == "sonnet" && escalated.decision.rule == "escalations.reflex-exhausted")
        #expect(escalated.decision.escalation?.id == "reflex-exhausted")
        scene.settle(escalated.at, .rejected, usd: "0")
        let after = try scene.route("implementer") { $0.mode = "reflex" }.decision
        #expect(after.model == "sonnet", "a task that was escalated does not go back")
        #expect(after.escalation == nil && after.causes.contains(.escalation))
        #expect(scene.look("implementer") { $0.task = "another" }.model == "gpt-oss-20b")
    }

    @Test func anUnsureArchitectGetsAStrongerModelAndThenAHuman() throws {
        var scene = scene
        scene.policy.roles = replacing("architect", in: scene.policy) { $0.models = ["sonnet", "opus"] }
        let unsure: (inout RoutingRequest) -> Void = { $0.confidence = Ratio(millionths: 599_999) }
        let first = try scene.route("architect")
        #expect(first.decision.model == "sonnet")
        scene.settle(first.at, .completed, usd: "0")
        let second = try scene.route("architect", unsure)
        #expect(second.decision.model == "opus" && second.decision.causes == [.escalation])
        #expect(try scene.route("architect", unsure).decision.model == "opus", "there is no new answer to be unsure of")
        scene.settle(second.at, .completed, usd: "0")
        let third = try scene.route("architect", unsure)
        #expect(third.decision.result == .human(.humanNeeded))
        #expect(try scene.route("architect").decision.result == .human(.humanPending))
        scene.record(.answer, ["answer": "proceed", "by": "a"], causes: [third.at])
        #expect(scene.look("architect", unsure).model == "opus", "the human said go on")
    }

    @Test func aConfidenceThatIsMissingIsLow() throws {
        let decision = scene.look("architect") { $0.confidence = nil }
        #expect(decision.escalation?.id == "architect-unsure")
        let at = scene.look("architect") { $0.confidence = Ratio(millionths: 600_000) }
        #expect(at.escalation == nil, "the bound itself is not below it")
    }

    @Test func anEscalationNeverReturnsToAModelThatWasTried() throws {
        var scene = scene
        let first = try scene.route("architect")
        #expect(first.decision.model == "opus")
        scene.settle(first.at, .completed, usd: "0")
        let second = try scene.route("architect") { $0.confidence = nil }
        #expect(second.decision.model == "gpt-high" && second.decision.verdict(of: "opus") == .exhausted)
        scene.settle(second.at, .completed, usd: "0")
        #expect(try scene.route("architect") { $0.confidence = nil }.decision.result == .human(.humanNeeded))
    }

    @Test func whatAHumanNamesMustStillMeetWhatTheRoleRequires() throws {
        var scene = scene
        scene.policy.escalations[1].toTierAtLeast = nil
        let asked = try scene.route("architect") { $0.confidence = nil }
        #expect(asked.decision.result == .human(.humanNeeded))
        var local = scene
        local.record(.answer, ["answer": "model", "model": "gpt-oss-20b"], causes: [asked.at])
        #expect(local.look("architect").refusal == .requirement)
        var stopped = scene
        stopped.record(.answer, ["answer": "stop"], causes: [asked.at])
        #expect(stopped.look("architect").refusal == .humanStopped)
        scene.record(.answer, ["answer": "model", "model": "gpt-high"], causes: [asked.at])
        let decision = scene.look("architect")
        #expect(decision.model == "gpt-high" && decision.causes == [.human])
    }

    @Test func anAnswerToAnOldQuestionAnswersNoNewOne() throws {
        var scene = scene
        scene.policy.escalations[1].toTierAtLeast = nil
        let unsure: (inout RoutingRequest) -> Void = { $0.confidence = nil }
        let first = try scene.route("architect", unsure)
        scene.record(.answer, ["answer": "proceed"], causes: [first.at])
        let call = try scene.route("architect", unsure)
        #expect(call.decision.model == "opus", "nothing came since the answer")
        scene.settle(call.at, .completed, usd: "0")
        let second = try scene.route("architect", unsure)
        #expect(second.decision.result == .human(.humanNeeded))
        scene.record(.answer, ["answer": "proceed"], causes: [first.at])
        #expect(scene.look("architect").result == .human(.humanPending) && scene.state.asks(second.at))
        #expect(!scene.state.asks(first.at))
    }

    @Test func aModelThatAHumanNamedIsLeftWhenTheConditionsHoldAgain() throws {
        var scene = scene
        scene.policy.escalations[1].toTierAtLeast = nil
        let unsure: (inout RoutingRequest) -> Void = { $0.confidence = nil }
        let asked = try scene.route("architect", unsure)
        scene.record(.answer, ["answer": "model", "model": "gpt-high"], causes: [asked.at])
        let call = try scene.route("architect", unsure)
        #expect(call.decision.model == "gpt-high")
        scene.settle(call.at, .completed, usd: "0")
        #expect(scene.look("architect").model == "gpt-high")
        #expect(scene.look("architect", unsure).result == .human(.humanNeeded))
    }

    @Test func noEscalationBreaksARequirement() throws {
        var scene = scene
        scene.policy.escalations = [
            Escalation(
                id: "down",
                role: "judge",
                mode: nil,
                failedAttempts: 1,
                confidenceBelow: nil,
                toMode: nil,
                toTierAtLeast: 1,
                thenHuman: false
            )
        ]
        let call = try scene.route("judge")
        scene.settle(call.at, .rejected, usd: "0")
        let decision = scene.look("judge")
        #expect(decision.verdict(of: "gpt-oss-20b") == .requirement && decision.model == "sonnet")
    }

    private func replacing(_ name: String, in policy: CompiledPolicy, _ change: (inout Role) -> Void) -> NamedList<Role>
    {
        var roles = Dictionary(uniqueKeysWithValues: policy.roles.map { ($0.name, $0.value) })
        change(&roles[name]!)
        return NamedList(roles)
    }
}
