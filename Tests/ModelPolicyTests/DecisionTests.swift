import Foundation
import Testing

@testable import ModelPolicy

/// What the example policy says of the decisions that a policy must be able to express.
@Suite struct DecisionTests {
    private func example() throws -> CompiledPolicy {
        let file = SourceFile(name: examplePath, bytes: try bytes(of: examplePath))
        return try #require(PolicyCompiler.compile(workspace: file).snapshot?.policy)
    }

    @Test func anImplementerStartsWithALocalModelAndGoesToTheCloudAfterTwoFailures() throws {
        let policy = try example()
        let role = try #require(policy.roles["implementer"])
        let mode = try #require(role.modes[role.startMode])
        #expect(mode.models.allSatisfy { policy.models[$0]?.locality == .local })
        #expect(role.models.allSatisfy { policy.models[$0]?.locality == .cloud })
        let escalation = try #require(policy.escalations.first { $0.role == "implementer" })
        #expect(escalation.mode == role.startMode)
        #expect(escalation.failedAttempts == 2)
        #expect(escalation.toMode == Role.defaultMode)
    }

    @Test func anUnsureArchitectTriesAStrongerModelAndThenAsksAHuman() throws {
        let escalation = try #require(try example().escalations.first { $0.role == "architect" })
        #expect(escalation.confidenceBelow == Ratio(millionths: 600_000))
        #expect(escalation.toTierAtLeast == 3)
        #expect(escalation.thenHuman)
    }

    @Test func aJudgeIsNeverALocalModel() throws {
        let policy = try example()
        let require = try #require(policy.roles["judge"]?.require)
        for model in policy.models { #expect(require.admits(model.value) == (model.value.locality == .cloud)) }
    }

    @Test func budgetsWarnAtEightyPercentAndStopAtAHundredUnlessAPolicySaysOtherwise() throws {
        let budgets = try #require(compile(small).snapshot?.policy.budgets)
        #expect(budgets.warnAt == Ratio(millionths: 800_000))
        #expect(budgets.stopAt == Ratio(millionths: 1_000_000))
        #expect(budgets.perRun == nil)
    }

    @Test func theBuiltInPoliciesRouteNothing() {
        for builtin in BuiltinPolicy.allCases {
            #expect(builtin.policy.roles.isEmpty)
            #expect(builtin.policy.models.isEmpty)
        }
        #expect(BuiltinPolicy.refuse.id != BuiltinPolicy.fallback.id)
    }

    @Test func noSourceCanCallItselfBuiltIn() {
        #expect(
            compile(small.with("name = \"small\"", "name = \"builtin-fallback\"")).errors.map(\.code) == [.reservedName]
        )
    }
}
