import ModelPolicy

/// Decides as scenarios ask. The policy is laid out once, however many scenarios there are.
public struct ScenarioDecider: Sendable {
    public let program: RouterProgram
    private let builtins: [BuiltinPolicy: RouterProgram]

    public init(_ snapshot: CompiledSnapshot) { self.init(RouterProgram(snapshot)) }

    public init(_ policy: CompiledPolicy) { self.init(RouterProgram(policy)) }

    private init(_ program: RouterProgram) {
        self.program = program
        builtins = Self.builtins
    }

    private static let builtins = Dictionary(
        uniqueKeysWithValues: BuiltinPolicy.allCases.map { ($0, RouterProgram($0.policy)) }
    )

    /// The decision, and the inputs that it was made from.
    public func decide(_ given: ScenarioGiven) -> (decision: RoutingDecision, inputs: ScenarioInputs) {
        let program = given.builtin.flatMap { builtins[$0] } ?? program
        let inputs = given.inputs(under: program.policy)
        return (program.decide(inputs.request, inputs.derived), inputs)
    }

    /// The first scenario that fails; nil when all pass.
    public func firstFailure(_ scenarios: some Sequence<Scenario>) -> Scenario? {
        scenarios.first { !$0.expect.unmet(by: decide($0.given).decision).isEmpty }
    }
}

/// What came of one scenario.
public struct ScenarioResult: Sendable {
    public var scenario: Scenario
    public var decision: RoutingDecision
    public var inputs: ScenarioInputs
    /// What the decision does not meet; empty for a scenario that passed.
    public var unmet: [ExpectKey]

    public var isPassed: Bool { unmet.isEmpty }
}

/// All scenarios, run.
public struct PolicyTestRun: Sendable {
    /// In the order of the scenarios.
    public let results: [ScenarioResult]

    public init(_ scenarios: [Scenario], under decider: ScenarioDecider) {
        results = scenarios.map { scenario in
            let (decision, inputs) = decider.decide(scenario.given)
            return ScenarioResult(
                scenario: scenario,
                decision: decision,
                inputs: inputs,
                unmet: scenario.expect.unmet(by: decision)
            )
        }
    }

    public var failures: [ScenarioResult] { results.filter { !$0.isPassed } }

    /// Whether there is a scenario, and none fails: a policy that nothing tests has not passed.
    public var isPassed: Bool { !results.isEmpty && results.allSatisfy(\.isPassed) }
}
