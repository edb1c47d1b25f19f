import JSONText
import Testing

@testable import ModelPolicy
@testable import ModelRouter

@Suite struct RouteTests {
    private let policy: CompiledPolicy
    init() throws { policy = try examplePolicy() }

    /// Gates that have passed, so that the reflex mode is open.
    private func scene(_ risk: String = "low", stage: String? = "implement") -> Scene {
        var scene = Scene(policy, risk: risk, stage: stage)
        scene.policy.budgets.tokens = NamedList()
        scene.policy.enforcement.gates = .enforce
        return scene
    }

    private func passGate(_ scene: inout Scene, latency: Int = 1500, samples: Int = 50) {
        for (metric, value) in [("p95_latency_ms", JSONNumber(latency)), ("json_schema_compliance", 1)] {
            scene.record(
                .gateResult,
                [
                    "gate": "reflex_promotion", "measure": .string(metric), "value": .number(value),
                    "samples": .number(JSONNumber(samples)),
                ]
            )
        }
        scene.record(
            .gateResult,
            ["gate": "reflex_promotion", "measure": "success_parity", "value": .number(JSONNumber("0.85")!)]
        )
    }

    @Test func theFirstModelOfTheRoleIsTaken() {
        let decision = scene().look("architect")
        #expect(decision.model == "opus" && decision.causes == [.primary] && decision.rule == "roles.architect.models")
        #expect(decision.verdict(of: "sonnet") == .notNeeded)
        #expect(decision.choice?.endpoint == "https://api.anthropic.example")
    }

    @Test func theStartModeIsTakenWhereStageRiskAndGatePermitIt() throws {
        var scene = scene()
        #expect(scene.look("implementer").causes == [.primary, .gate], "no result has been recorded")
        passGate(&scene)
        let decision = scene.look("implementer")
        #expect(decision.model == "gpt-oss-20b" && decision.causes == [.mode] && decision.mode == "reflex")
        #expect(scene.look("implementer") { $0.risk = "high" }.causes == [.primary, .risk])
        #expect(scene.look("implementer") { $0.stage = "audit" }.causes == [.primary, .stage])
        #expect(scene.look("implementer") { $0.mode = "default" }.causes == [.primary])
        scene.wait(31 * 86_400_000)
        #expect(scene.look("implementer").causes == [.primary, .gate], "the results are older than 30 days")
    }

    @Test func aGatePassesOnlyWithEnoughSamplesWithinItsBounds() {
        for (latency, samples, passes) in [(2000, 50, true), (2001, 50, false), (2000, 49, false)] {
            var scene = scene()
            passGate(&scene, latency: latency, samples: samples)
            #expect((scene.look("implementer").mode == "reflex") == passes)
        }
    }

    @Test func aGateThatIsNotEnforcedLetsPassAndSaysSo() {
        var scene = scene()
        scene.policy.enforcement.gates = .warn
        let decision = scene.look("implementer")
        #expect(decision.mode == "reflex" && decision.causes == [.mode, .notEnforced])
        #expect(decision.exceptions == [.init(part: .gates, mode: .warn, reason: "gate-not-passed")])
    }

    @Test func unknownNamesAreRefusedAndNeverMeanADefault() {
        let scene = scene()
        #expect(scene.look("archtect").refusal == .unknownRole)
        #expect(scene.look("architect") { $0.mode = "refles" }.refusal == .unknownMode)
        #expect(scene.look("architect") { $0.stage = "plam" }.refusal == .unknownStage)
        #expect(scene.look("architect") { $0.risk = "lwo" }.risk == .high)
        #expect(scene.look("architect") { $0.inputTokens = -1 }.refusal == .invalidInput)
        #expect(scene.look("architect") { $0.confidence = Ratio(millionths: 1_000_001) }.refusal == .invalidInput)
    }

    @Test func aCallMustFitTheContextOfItsModel() {
        var scene = scene()
        scene.policy.budgets.perRun = nil
        #expect(
            scene.look("judge") {
                $0.inputTokens = 199_999; $0.maxOutputTokens = 1
            }.model == "opus"
        )
        #expect(
            scene.look("judge") {
                $0.inputTokens = 199_999; $0.maxOutputTokens = 2
            }.refusal == .context
        )
        let capped = scene.look("judge") {
            $0.inputTokens = 1; $0.maxOutputTokens = 99_999_999
        }
        #expect(capped.choice?.maxOutputTokens == 32_000, "the model writes no more than its policy says")
        let unstated = scene.look("judge") {
            $0.inputTokens = nil; $0.maxOutputTokens = nil
        }
        #expect(unstated.choice?.reserved.tokens == 200_000, "what nobody states counts as all that fits")
    }

    @Test(arguments: CallOutcome.allCases)
    func whatComesAfterACallIsTheClosedTableOfOutcomes(_ outcome: CallOutcome) throws {
        var scene = scene()
        scene.policy.roles = NamedList(["architect": scene.policy.roles["architect"]!])
        scene.policy.escalations = []
        let first = try scene.route("architect")
        scene.settle(first.at, outcome, usd: "0.01")
        let next = scene.look("architect")
        let fallsBack: Set<CallOutcome> = [.timeout, .unavailable, .rateLimited, .unauthorized, .contextExceeded]
        #expect(next.model == (fallsBack.contains(outcome) ? "sonnet" : "opus"))
        #expect(scene.derive(scene.request("architect")).task.attempts == (outcome == .rejected ? 1 : 0))
        let other = scene.look("architect") { $0.task = "another" }
        #expect(other.model == "opus", "one failure is less than the provider's three")
        scene.wait(60_000)
        #expect(scene.look("architect").model == "opus", "after the provider's cooldown the model is tried again")
    }

    @Test func failuresInARowPutAProviderAsideForItsCooldown() throws {
        var scene = scene()
        scene.policy.escalations = []
        for task in ["a", "b", "c"] {
            let call = try scene.route("judge") { $0.task = task }
            scene.settle(call.at, .unavailable, usd: "0")
        }
        let decision = scene.look("judge") { $0.task = "d" }
        #expect(decision.refusal == .cooldown && decision.verdict(of: "opus") == .cooldown)
        scene.wait(59_999)
        #expect(scene.look("judge") { $0.task = "d" }.refusal == .cooldown)
        scene.wait(1)
        let call = try scene.route("judge") { $0.task = "d" }
        #expect(call.decision.model == "opus")
        scene.settle(call.at, .completed, usd: "0")
        #expect(scene.derive(scene.request("judge")).failing.isEmpty)
    }

    @Test func timeNeverGoesBackInARun() throws {
        var scene = scene()
        try scene.route("judge")
        scene.wait(-5000)
        let decision = try scene.route("judge").decision
        #expect(decision.now == scene.now + 5000)
    }

    @Test func aResultThatCannotBeComparedHasNotPassed() throws {
        var scene = scene()
        passGate(&scene)
        #expect(scene.look("implementer").mode == "reflex")
        scene.record(
            .gateResult,
            ["gate": "reflex_promotion", "measure": "success_parity", "value": .number(JSONNumber("1e300")!)]
        )
        #expect(scene.look("implementer").causes == [.primary, .gate])
    }

    @Test func aClockThatIsSetBackDoesNotBringBackWhatHasExpired() throws {
        var scene = scene()
        let expires = PolicyTime(seconds: scene.now / 1000 - 60)
        scene.record(.override, ["rule": "gates.reflex_promotion", "expires": .string("\(expires)")])
        scene.wait(-3_600_000)
        #expect(scene.look("implementer").causes == [.primary, .gate])
    }

    @Test func aPolicyThatIsBuiltInRoutesNothing() {
        let scene = Scene(BuiltinPolicy.fallback.policy, stage: nil)
        let decision = scene.look("architect")
        #expect(decision.refusal == .loadFailure && decision.causes == [.loadFailure] && !decision.permitsCall)
    }

    @Test func aRefusalBindsOnlyWhereRoutingIsEnforced() throws {
        var scene = scene()
        scene.policy.enforcement.routing = .warn
        let (decision, place) = try scene.route("nobody") { $0.model = "opus" }
        #expect(decision.permitsCall && decision.refusal == .unknownRole)
        #expect(decision.exceptions == [.init(part: .routing, mode: .warn, reason: "unknown-role")])
        scene.settle(place, .completed, usd: "1.50")
        #expect(scene.state.spent == USD(decimal: "1.50"))
    }
}
