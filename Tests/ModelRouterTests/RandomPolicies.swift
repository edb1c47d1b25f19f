@testable import ModelPolicy
@testable import ModelRouter

/// SplitMix64: the same seed gives the same policies on every machine.
struct Dice: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &self) }
    mutating func chance(_ one: Int) -> Bool { roll(one) == 0 }
    mutating func pick<Element>(_ list: [Element]) -> Element { list[roll(list.count)] }
    mutating func some<Element>(_ list: [Element]) -> [Element] {
        Array(list.shuffled(using: &self).prefix(1 + roll(list.count)))
    }
    mutating func maybe<Value>(_ value: Value) -> Value? { chance(2) ? value : nil }
}

/// Policies and requests that say anything that the language can, sensible or not.
struct RandomRun {
    var dice: Dice
    let example: CompiledPolicy

    mutating func policy() -> CompiledPolicy {
        var policy = example
        let models = example.models.names
        var roles: [String: Role] = [:]
        for (name, role) in example.roles {
            var role = role
            role.models = dice.some(models)
            role.require = Requirements(
                locality: dice.chance(4) ? dice.pick([.cloud, .local]) : nil,
                tierAtLeast: dice.chance(4) ? 1 + dice.roll(3) : nil,
                contextTokensAtLeast: dice.chance(6) ? dice.pick([1, 130_000, 262_144]) : nil
            )
            let stages = dice.some(example.stages)
            role.modes = NamedList([
                "reflex": Mode(
                    models: dice.some(models),
                    stages: example.stages.filter(stages.contains),
                    gate: dice.maybe("reflex_promotion")
                )
            ])
            role.startMode = dice.pick(["default", "reflex"])
            roles[name] = role
        }
        policy.roles = NamedList(roles)
        policy.escalations = (0..<dice.roll(4)).map { escalation("e\($0)") }
        policy.high.denyModes = dice.chance(2) ? ["reflex"] : []
        let cents = USD(picodollars: Int64(dice.roll(30)) * 10_000_000_000)
        policy.budgets = Budgets(
            perRun: dice.maybe(cents),
            warnAt: Ratio(millionths: 1 + Int64(dice.roll(1_000_000))),
            stopAt: Ratio(millionths: 1_000_000 - Int64(dice.roll(2) * dice.roll(500_000))),
            tokens: dice.chance(2) ? NamedList() : NamedList(["plan": dice.roll(900), "audit": 300])
        )
        let modes = EnforcementMode.allCases
        policy.enforcement = Enforcement(
            routing: dice.pick(modes),
            budgets: dice.pick(modes),
            gates: dice.pick(modes),
            approvals: .observe
        )
        return policy
    }

    private mutating func escalation(_ id: String) -> Escalation {
        Escalation(
            id: id,
            role: dice.pick(example.roles.names),
            mode: dice.chance(3) ? dice.pick(["reflex", "default"]) : nil,
            failedAttempts: dice.maybe(1 + dice.roll(2)),
            confidenceBelow: dice.maybe(Ratio(millionths: 600_000)),
            toMode: dice.chance(3) ? dice.pick(["reflex", "default"]) : nil,
            toTierAtLeast: dice.maybe(1 + dice.roll(4)),
            thenHuman: dice.chance(2)
        )
    }

    mutating func request(at now: Int64) -> RoutingRequest {
        var request = RoutingRequest(role: dice.pick(["architect", "implementer", "judge", "nobody"]), now: now)
        request.task = dice.pick(["", "a", "b\n\"\u{1F600}"])
        request.mode = dice.chance(4) ? dice.pick(["reflex", "default", "x"]) : nil
        request.stage = dice.chance(3) ? dice.pick(example.stages + ["x"]) : nil
        request.risk = dice.chance(4) ? dice.pick(["low", "high", "x"]) : nil
        request.confidence = dice.maybe(Ratio(millionths: Int64(dice.roll(1_000_001))))
        request.inputTokens = dice.chance(4) ? nil : dice.pick([0, 1, 100, 130_000, 199_999, -1, .max])
        request.maxOutputTokens = dice.chance(4) ? nil : dice.pick([1, 100, 32_000, 0, .min])
        request.model = dice.chance(8) ? "opus" : nil
        return request
    }
}
