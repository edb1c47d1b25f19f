import Foundation
import Ledger
import ModelPolicy

/// What a decision costs, what it costs to record it, and how fast decisions are derived again.
enum RoutingSpeed {
    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let snapshot = try compiled()
        let decision = try await decide(options, snapshot)
        let recorded = try await record(options, snapshot, scratch)
        return [decision] + recorded + [try await replay(options, snapshot, scratch)]
    }

    /// 20 roles, 60 models; a role has six, of which the first five are passed over in five ways.
    private static func compiled() throws -> CompiledSnapshot {
        var text = """
            schema = 1
            stages = ["plan", "implement"]
            [policy]
            name = "bench"
            version = "1.0.0"
            owner = "team"
            [risk.high]
            evidence = "durable"
            [risk.low]
            evidence = "written"
            [budgets]
            per_run_usd = "1000000"
            tokens = { plan = 100_000_000, implement = 90_000_000 }

            """
        for provider in 0..<10 {
            text += "[providers.p\(provider)]\napi = \"openai\"\nbase_url = \"https://p\(provider).example/v1\"\n"
        }
        for model in 0..<60 {
            text += """
                [models.model-\(model)]
                provider = "p\(model % 10)"
                id = "vendor-model-\(model)-2026"
                locality = "\(model % 6 == 0 ? "local" : "cloud")"
                tier = \(1 + model % 5)
                context_tokens = \(model % 6 == 1 ? 100 : 200_000)
                price_per_mtok = { input = 3.00, output = 15.00 }

                """
        }
        for role in 0..<20 {
            let models = (0..<6).map { "\"model-\(($0 + role * 6) % 60)\"" }.joined(separator: ", ")
            text += "[roles.role-\(role)]\nmodels = [\(models)]\nmodes.slow.models = [\(models)]\n"
            text += "[[escalations]]\nid = \"e\(role)\"\nrole = \"role-\(role)\"\nwhen = { failed_attempts = 3 }\n"
            text += "to = { tier_at_least = 4, then = \"human\" }\n"
        }
        let file = SourceFile(name: "bench.toml", bytes: Array(text.utf8))
        let result = PolicyCompiler.compile(workspace: file)
        guard let snapshot = result.snapshot else {
            throw NotValid(reason: result.diagnostics.first.map { "\($0)" } ?? "")
        }
        return snapshot
    }

    private static func request(_ role: Int, _ now: Int64) -> RoutingRequest {
        var request = RoutingRequest(role: "role-\(role)", task: "task-7", now: now)
        (request.inputTokens, request.maxOutputTokens, request.stage) = (1200, 800, "plan")
        (request.confidence, request.by) = (Ratio(millionths: 800_000), "runner-1")
        return request
    }

    private static func decide(_ options: Options, _ snapshot: CompiledSnapshot) async throws -> Figure {
        let program = RouterProgram(snapshot)
        var derived = DerivedInputs(risk: .low, enforcement: snapshot.policy.enforcement)
        (derived.spent, derived.reserved) = (USD(picodollars: 12_345_678_900), USD(picodollars: 1_000_000))
        (derived.stage, derived.tokens) = ("plan", ["plan": 12_345])
        // Of the six the first five are passed over.
        derived.task.excluded = ["model-2"]
        derived.task.tried = ["model-2"]
        derived.task.failures = ["model-3": 1_800_000_000_000]
        derived.failing = ["p4": ProviderFailure(failures: 3, latest: 1_800_000_000_000)]
        var asked = request(0, 1_800_000_001_000)
        asked.inputTokens = 1200
        let decision = program.decide(asked, derived)
        guard decision.candidates.count == 6 else { throw NotValid(reason: "\(decision.candidates)") }
        let count = options.pick(quick: 5000, usual: 50_000)
        var bytes = 0
        let costs = try await bestOf(
            rounds: options.pick(quick: 3, usual: 7),
            { _ in
                await cost {
                    for _ in 0..<count {
                        let decision = program.decide(asked, derived)
                        bytes = RoutingEvidence.encode(decision, request: asked, derived: derived, under: program).count
                    }
                }
            })
        return Figure(
            "one decision of 6 candidates with its evidence (\(bytes) bytes), 20 roles, 60 models",
            costs[0].cpu / Double(count) * 1e6, .microseconds, goal: .atMost(10))
    }

    private static func start(_ ledger: CapsuleLedger, _ snapshot: CompiledSnapshot, risk: String) async throws -> RunHandle {
        var start = RunStart(.snapshot(try PolicySnapshot(canonicalJSON: snapshot.canonicalJSON)))
        (start.risk, start.stage) = (risk, "plan")
        return try await ledger.start(start).handle
    }

    /// Decisions on disk before the call, against events of as many bytes; they take turns event by event.
    private static func record(
        _ options: Options,
        _ snapshot: CompiledSnapshot,
        _ scratch: Scratch
    ) async throws -> [Figure] {
        let path = scratch.file("routing-durable.cpsl")
        try CapsuleLedger.create(path)
        let ledger = try await CapsuleLedger(appendingTo: path)
        let run = try await start(ledger, snapshot, risk: "high")
        let other = try await start(ledger, snapshot, risk: "high")
        let first = try await ledger.route(request(1, 0), in: run, key: nil)
        let text = String(decoding: first.decision.body.encoded(), as: UTF8.self)
        var body = JSONWriter()
        body.object { $0.member("text", text) }
        let note = EventDraft(.registered(.note), body: body.bytes)
        _ = try await ledger.append([note], to: other, durability: .durable)
        let before = await ledger.queue.statistics()
        let count = options.pick(quick: 300, usual: 2000)
        var (ours, theirs): ([Double], [Double]) = ([], [])
        for index in 0..<count {
            let asked = request(index % 20, Int64(index))
            ours.append(try await cost { _ = try await ledger.route(asked, in: run, key: nil) }.wall)
            theirs.append(try await cost { _ = try await ledger.append([note], to: other, durability: .durable) }.wall)
        }
        let syncs = await ledger.queue.statistics().syncs - before.syncs
        await ledger.close()
        let medians = [ours, theirs].map { $0.sorted()[$0.count / 2] }
        return [
            Figure(
                "syncs of a decision that must be durable", Double(syncs) / Double(count) - 1, .plain, goal: .atMost(1)),
            Figure(
                "recording it, against a durable append of as many bytes", medians[1] / medians[0], .times,
                goal: .atLeast(0.85)),
        ]
    }

    private static func replay(
        _ options: Options,
        _ snapshot: CompiledSnapshot,
        _ scratch: Scratch
    ) async throws -> Figure {
        let path = scratch.file("routing-replay.cpsl")
        try CapsuleLedger.create(path)
        let ledger = try await CapsuleLedger(appendingTo: path)
        let run = try await start(ledger, snapshot, risk: "low")
        let count = options.pick(quick: 2000, usual: 20_000)
        for index in 0..<count {
            let call = try await ledger.route(request(index % 20, Int64(index)), in: run, key: nil)
            _ = try await ledger.settle(Settlement(of: call.sequence, .completed), in: run, key: nil)
        }
        await ledger.close()
        let reader = try LedgerReader(CapsuleFile(path))
        let costs = try await bestOf(
            rounds: options.pick(quick: 2, usual: 5),
            { _ in
                try await cost {
                    guard try reader.auditRouting(of: run.id).agreeing == count else { throw NotValid(reason: "replay") }
                }
            })
        return Figure(
            "replay: decisions derived again and compared, a second and core, a settlement beside each",
            Double(count) / costs[0].cpu, .perSecond, goal: .atLeast(50_000))
    }

    struct NotValid: Error {
        var reason: String
    }
}
