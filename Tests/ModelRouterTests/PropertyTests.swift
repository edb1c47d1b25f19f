import JSONText
import Testing

@testable import ModelPolicy
@testable import ModelRouter

@Suite struct PropertyTests {
    private let example: CompiledPolicy
    init() throws { example = try examplePolicy() }

    /// Ten thousand policies, each with a run of some requests and what becomes of them.
    @Test(arguments: 0..<10)
    func decidedTwiceAndReplayedTheBytesAreTheSameAndNothingIsWeakened(_ seed: Int) throws {
        var random = RandomRun(dice: Dice(seed), example: example)
        for round in 0..<1000 {
            var scene = Scene(
                random.policy(),
                risk: random.dice.pick(["low", "high"]),
                stage: random.dice.maybe("plan")
            )
            for _ in 0..<(1 + random.dice.roll(4)) {
                let asked = random.request(at: scene.now)
                let before = scene.state
                let (decision, place) = try scene.route(asked.role) { $0 = asked }
                let note = Comment(rawValue: "seed \(seed), round \(round)")
                try expectSame(scene, place, before, note)
                expectSound(decision, asked, scene, before, note)
                follow(&scene, decision, place, &random.dice)
            }
        }
    }

    private func expectSame(_ scene: Scene, _ place: UInt32, _ before: RoutingState, _ note: Comment) throws {
        let body = try #require(scene.bodies[place])
        #expect(throws: Never.self, note) { try CanonicalJSON.check(body) }
        let enforcement = scene.policy.enforcement
        let verdict = RoutingReplay.check(body, after: before, under: scene.program, enforcement: enforcement)
        #expect(verdict == .agrees, note)
        let quick = RoutingReplay.agreeing(body, after: before, under: scene.program, enforcement: enforcement)
        #expect(quick?.effect == DecisionEffect(try JSONValue.parse(body)), note)
        let read = try #require(RoutingEvidence.read(body, of: .decision))
        #expect(quick?.effect == DecisionEffect(read) && quick?.permitsCall == RecordedDecision(read)?.permitsCall, note)
        let open = scene.state.open.values.reduce(USD.zero) { $0.adding($1.reserved.usd) ?? $0 }
        #expect(scene.state.reserved == open, note)
    }

    private func expectSound(
        _ decision: RoutingDecision,
        _ asked: RoutingRequest,
        _ scene: Scene,
        _ before: RoutingState,
        _ note: Comment
    ) {
        guard let choice = decision.choice, let role = scene.policy.roles[asked.role],
            let model = scene.policy.models[choice.model]
        else { return #expect(decision.refusal != nil, note) }
        #expect(role.require.admits(model), note)
        #expect(choice.reserved.tokens <= model.contextTokens && choice.maxOutputTokens > 0, note)
        if let mode = decision.mode { #expect(!scene.policy[decision.risk].denyModes.contains(mode), note) }
        if decision.escalation != nil {
            let task = before.tasks[.init(role: asked.role, task: asked.task)] ?? TaskState()
            #expect(!task.tried.contains(choice.model), note)
        }
        if scene.policy.enforcement.budgets == .enforce, let limit = decision.budget.limitUSD {
            #expect(
                limit > .zero && decision.budget.after.usd <= limit.multiplied(by: scene.policy.budgets.stopAt),
                note
            )
        }
    }

    private func follow(_ scene: inout Scene, _ decision: RoutingDecision, _ place: UInt32, _ dice: inout Dice) {
        scene.wait(Int64(dice.roll(40_000)) - 1000)
        switch decision.result {
        case .model where dice.chance(2):
            scene.settle(place, dice.pick(CallOutcome.allCases), usd: dice.maybe("0.01"), tokens: dice.maybe(50))
        case .human where dice.chance(2):
            scene.record(.answer, ["answer": .string(dice.pick(["proceed", "stop", "x"]))], causes: [place])
        default: break
        }
        if dice.chance(6) { scene.enter(dice.pick(example.stages)) }
        if dice.chance(10) { scene.record(.override, ["rule": "budgets.per_run_usd", "amount": "0.05"]) }
    }

    /// For high risk: what is left out, or out of range, never gives a call that the whole request would not have.
    @Test(arguments: 0..<4)
    func whatIsMissingNeverPermitsMore(_ seed: Int) throws {
        var random = RandomRun(dice: Dice(1000 + seed), example: example)
        for round in 0..<500 {
            let scene = Scene(random.policy(), risk: "high", stage: "plan")
            let whole = scene.request(random.dice.pick(["architect", "implementer", "judge"])) {
                ($0.mode, $0.stage, $0.risk) = ("reflex", random.dice.pick(["plan", "audit"]), "high")
                $0.confidence = Ratio(millionths: Int64(random.dice.roll(1_000_001)))
            }
            for (name, mutilated) in Self.mutilations(of: whole) {
                let decision = scene.program.decide(mutilated, scene.derive(mutilated))
                guard let choice = decision.choice, let model = scene.policy.models[choice.model],
                    let role = scene.policy.roles[whole.role]
                else { continue }
                let note = Comment(rawValue: "seed \(seed), round \(round), without \(name)")
                #expect(role.require.admits(model), note)
                #expect(decision.risk == .high && decision.evidence == scene.policy.high.evidence, note)
                #expect(!scene.policy.high.denyModes.contains(decision.mode ?? ""), note)
                #expect(choice.reserved.tokens >= 200, "what is reserved covers what was left out; \(note)")
                let same = scene.program.decide(whole, scene.derive(whole))
                let cost = same.candidates.first { $0.model == choice.model }?.cost
                if let cost { #expect(choice.reserved.usd >= cost.usd, note) }
            }
        }
    }

    private static func mutilations(of whole: RoutingRequest) -> [(String, RoutingRequest)] {
        let changes: [(String, (inout RoutingRequest) -> Void)] = [
            ("mode", { $0.mode = nil }), ("stage", { $0.stage = nil }), ("risk", { $0.risk = nil }),
            ("a known risk", { $0.risk = "hgih" }), ("confidence", { $0.confidence = nil }),
            ("input_tokens", { $0.inputTokens = nil }), ("max_output_tokens", { $0.maxOutputTokens = nil }),
            ("any tokens", { ($0.inputTokens, $0.maxOutputTokens) = (nil, nil) }),
            ("time", { $0.now = 0 }),
        ]
        return changes.map { name, change in
            var request = whole
            change(&request)
            return (name, request)
        }
    }

    @Test func whatIsOutOfRangeIsRefused() {
        let scene = Scene(example)
        let changes: [(inout RoutingRequest) -> Void] = [
            { $0.inputTokens = -1 }, { $0.inputTokens = RoutingLimits.tokens + 1 }, { $0.maxOutputTokens = 0 },
            { $0.maxOutputTokens = RoutingLimits.tokens + 1 }, { $0.confidence = Ratio(millionths: -1) },
            { $0.confidence = Ratio(millionths: 1_000_001) }, { $0.now = -1 }, { $0.now = .max }, { $0.role = "" },
            { $0.task = String(repeating: "é", count: 129) }, { $0.mode = String(repeating: "m", count: 257) },
            { $0.stage = String(repeating: "s", count: 257) }, { $0.by = String(repeating: "b", count: 9999) },
        ]
        for change in changes {
            let request = scene.request("architect", change)
            let derived = scene.derive(request)
            let decision = scene.program.decide(request, derived)
            #expect(decision.refusal == .invalidInput)
            let body = RoutingEvidence.encode(decision, request: request, derived: derived, under: scene.program)
            let enforcement = example.enforcement
            #expect(
                RoutingReplay.check(body, after: scene.state, under: scene.program, enforcement: enforcement) == .agrees
            )
            #expect(body.count < 4096)
        }
    }

    /// A misspelt key is an error of the policy, so that a run of high risk does not begin: nothing is routed by it.
    @Test func noKeyOfThePolicyCanBeMisspelt() throws {
        let text = String(decoding: try exampleText(), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var misspelt = 0
        for (number, line) in lines.enumerated() {
            guard let equals = line.firstIndex(of: "="), !line.hasPrefix("#") else { continue }
            var key = line[..<equals].trimmingSuffix(while: { $0 == " " })
            guard key.count > 1 else { continue }
            key.removeLast()
            var changed = lines
            changed[number] = key + "zz " + line[equals...]
            let source = SourceFile(name: "p.toml", bytes: Array(changed.joined(separator: "\n").utf8))
            let result = PolicyCompiler.compile(workspace: source)
            // The names of a gate's metrics are the policy's own: a wrong one has no results, and never passes.
            let isRefused = result.snapshot.map { $0.policy.gates != example.gates } ?? true
            #expect(isRefused, "line \(number + 1): \(changed[number])")
            misspelt += 1
        }
        #expect(misspelt > 50)
    }

    @Test func aFlippedByteOfADecisionIsFound() throws {
        var scene = Scene(example)
        let before = scene.state
        let (_, place) = try scene.route("judge")
        let body = try #require(scene.bodies[place])
        for index in body.indices {
            var flipped = body
            flipped[index] ^= 1
            let verdict = RoutingReplay.check(
                flipped,
                after: before,
                under: scene.program,
                enforcement: example.enforcement
            )
            #expect(verdict != .agrees, "byte \(index)")
        }
    }
}

extension Substring {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> String {
        var text = self
        while let last = text.last, isTrimmed(last) { text.removeLast() }
        return String(text)
    }
}
