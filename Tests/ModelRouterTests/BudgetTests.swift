import JSONText
import Testing

@testable import ModelPolicy
@testable import ModelRouter

@Suite struct BudgetTests {
    private var scene: Scene

    /// A judge whose calls of one token each way cost 0.07 dollars.
    init() throws {
        scene = Scene(try examplePolicy())
        scene.policy.budgets.tokens = NamedList()
        var opus = try #require(scene.policy.models["opus"])
        let half = USD(picodollars: 35_000_000_000)
        opus.price = Price(input: half, output: half, cacheRead: .zero, cacheWrite: half)
        scene.policy.models = NamedList(["opus": opus])
        scene.policy.roles = NamedList(["judge": scene.policy.roles["judge"]!])
        scene.policy.escalations = []
    }

    private static let one: @Sendable (inout RoutingRequest) -> Void = { ($0.inputTokens, $0.maxOutputTokens) = (1, 1) }

    @Test func tenCallsOfSevenCentsFitABudgetOfSeventy() throws {
        var scene = scene
        scene.policy.budgets.perRun = USD(decimal: "0.70")
        var served = 0
        for _ in 0..<30 where try scene.route("judge", Self.one).decision.choice != nil { served += 1 }
        #expect(served == 10)
        let alerts = scene.events.filter { $0.kind == .alert }.compactMap { $0.body?["level"]?.string }
        #expect(alerts == ["warn", "stop"], "each once")
    }

    @Test func aBudgetOfNothingServesNothing() throws {
        var scene = scene
        scene.policy.budgets.perRun = .zero
        #expect(scene.look("judge", Self.one).refusal == .budgetUSD)
        var free = scene.policy.models["opus"]!
        free.price = Price(input: .zero, output: .zero, cacheRead: .zero, cacheWrite: .zero)
        scene.policy.models = NamedList(["opus": free])
        #expect(scene.look("judge", Self.one).refusal == .budgetUSD)
    }

    @Test func whatIsSettledForLessIsFreeAgainAndADeadCallersReservationIsNot() throws {
        var scene = scene
        scene.policy.budgets.perRun = USD(decimal: "0.14")
        let first = try scene.route("judge", Self.one)
        try scene.route("judge", Self.one)
        #expect(scene.look("judge", Self.one).refusal == .budgetUSD)
        scene.settle(first.at, .completed, usd: "0.03")
        #expect(scene.state.spent == USD(decimal: "0.03") && scene.state.reserved == USD(decimal: "0.07"))
        #expect(scene.look("judge", Self.one).refusal == .budgetUSD, "0.03 + 0.07 + 0.07 is more than 0.14")
        scene.settle(first.at, .completed, usd: "0.01")
        #expect(scene.state.spent == USD(decimal: "0.03"), "a call is settled once")
    }

    @Test func aSettlementWithoutACostKeepsWhatWasReserved() throws {
        var scene = scene
        let first = try scene.route("judge", Self.one)
        scene.settle(first.at, .timeout)
        #expect(scene.state.spent == USD(decimal: "0.07") && scene.state.reserved == .zero)
    }

    @Test func anOverrideRaisesTheBudgetUntilItExpires() throws {
        var scene = scene
        scene.policy.budgets.perRun = USD(decimal: "0.07")
        try scene.route("judge", Self.one)
        scene.record(
            .override,
            [
                "rule": "budgets.per_run_usd", "amount": "0.07",
                "expires": .string("\(PolicyTime(seconds: scene.now / 1000 + 60))"),
            ]
        )
        let decision = scene.look("judge", Self.one)
        #expect(decision.model == "opus" && decision.causes == [.primary, .override])
        scene.wait(60_000)
        #expect(scene.look("judge", Self.one).refusal == .budgetUSD)
    }

    @Test func breakGlassSetsBudgetsAsideAndNotRequirements() throws {
        var scene = scene
        scene.policy.budgets.perRun = .zero
        scene.record(.override, ["rule": "budgets", "break_glass": true, "by": "a", "reason": "b"])
        #expect(scene.look("judge", Self.one).causes == [.primary, .override])
        var opus = scene.policy.models["opus"]!
        opus.locality = .local
        scene.policy.models = NamedList(["opus": opus])
        #expect(scene.look("judge", Self.one).refusal == .requirement)
    }

    @Test func tokensAreLimitedByStageAndThoseOfNoStageCountForEach() throws {
        var scene = Scene(scene.policy, stage: nil)
        scene.policy.budgets.perRun = nil
        scene.policy.budgets.tokens = NamedList(["plan": 10, "audit": 4])
        #expect(scene.look("judge") { ($0.stage, $0.inputTokens, $0.maxOutputTokens) = ("plan", 5, 5) }.model == "opus")
        let unstaged = scene.look("judge") { ($0.inputTokens, $0.maxOutputTokens) = (3, 2) }
        #expect(unstaged.refusal == .budgetTokens && unstaged.rule == "budgets.tokens.audit")
        try scene.route("judge") { ($0.inputTokens, $0.maxOutputTokens) = (1, 1) }
        let staged = scene.look("judge") { ($0.stage, $0.inputTokens, $0.maxOutputTokens) = ("plan", 5, 4) }
        #expect(staged.refusal == .budgetTokens, "two tokens of no stage may have been of this one")
        let implement = scene.look("judge") { ($0.stage, $0.inputTokens, $0.maxOutputTokens) = ("implement", 900, 900) }
        #expect(implement.model == "opus" && implement.budget.limitTokens == nil)
    }

    @Test func aBudgetThatIsNotEnforcedLetsPassAndSaysSo() throws {
        var scene = scene
        scene.policy.budgets.perRun = USD(decimal: "0.07")
        scene.policy.enforcement.budgets = .warn
        try scene.route("judge", Self.one)
        let decision = scene.look("judge", Self.one)
        #expect(decision.model == "opus" && decision.causes == [.primary, .budget, .notEnforced])
        #expect(decision.alerts.map(\.kind.level) == [.stop])
    }

    @Test func aCheaperFallbackIsTakenWhereTheChoiceDoesNotFit() throws {
        var scene = Scene(try examplePolicy())
        scene.policy.budgets.tokens = NamedList()
        scene.policy.budgets.perRun = USD(decimal: "0.01")
        let decision = scene.look("architect") { ($0.inputTokens, $0.maxOutputTokens) = (100, 500) }
        #expect(decision.model == "sonnet" && decision.causes == [.fallback, .budget])
        #expect(decision.verdict(of: "opus") == .budgetUSD)
    }
}
