import Foundation
import Testing

@testable import Ledger

extension Workbench {
    /// One model whose calls of one token each way cost 0.07 dollars, and a budget in dollars.
    static func routingPolicy(_ budget: String, _ more: String = "") throws -> PolicySnapshot {
        let source = SourceFile(name: "model_policy.toml", bytes: Array(policySource(budget, more).utf8))
        let result = PolicyCompiler.compile(workspace: source)
        let compiled = try #require(result.snapshot, "\(result.diagnostics.map(\.message))")
        return try PolicySnapshot(canonicalJSON: compiled.canonicalJSON)
    }

    static func policySource(_ budget: String, _ more: String = "") -> String {
        """
        schema = 1
        stages = ["plan", "implement"]
        [policy]
        name = "routing"
        version = "1.0.0"
        owner = "team"
        [providers.lab]
        api = "openai"
        base_url = "https://lab.example"
        [models.big]
        provider = "lab"
        id = "big-1"
        locality = "cloud"
        tier = 2
        context_tokens = 1000
        price_per_mtok = { input = 3500.00, output = 3500.00 }
        [models.huge]
        provider = "lab"
        id = "huge-1"
        locality = "cloud"
        tier = 3
        context_tokens = 1000
        price_per_mtok = { input = 3500.00, output = 3500.00 }
        [roles.writer]
        models = ["big"]
        [[escalations]]
        id = "unsure"
        role = "writer"
        when = { confidence_below = 0.5 }
        to = { then = "human" }
        [risk.high]
        evidence = "durable"
        [risk.low]
        evidence = "written"
        [budgets]
        per_run_usd = "\(budget)"
        [gates.quality]
        parity = { at_least = 0.85, samples = 2 }
        \(more)
        """
    }

    static var request: RoutingRequest {
        var request = RoutingRequest(role: "writer", now: 1_800_000_000_000)
        (request.inputTokens, request.maxOutputTokens, request.confidence) = (10, 10, Ratio(millionths: 900_000))
        return request
    }

    func start(_ ledger: CapsuleLedger, _ policy: PolicySnapshot, risk: String = "low") async throws -> RunHandle {
        var start = RunStart(.snapshot(policy))
        start.risk = risk
        return try await ledger.start(start).handle
    }

    func audit(_ run: RunID) throws -> RoutingAudit { try reader().auditRouting(of: run) }
}

@Suite struct RoutingTests {
    @Test(arguments: [1, 5, 20, 50, 200])
    func ofAnyNumberOfCallersABudgetOfTenCallsServesTen(_ callers: Int) async throws {
        let bench = try Workbench()
        // Two ledgers on one file are two writers, as two processes are.
        let ledgers = [try await bench.ledger(), try await bench.ledger()]
        let run = try await bench.start(ledgers[0], Workbench.routingPolicy("0.70"))
        let served = try await withThrowingTaskGroup(of: Bool.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    let request = Workbench.request
                    return try await ledgers[caller % 2].route(request, in: run, key: nil).decision.model != nil
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        for ledger in ledgers { await ledger.close() }
        #expect(served == min(callers, 10))
        let audit = try bench.audit(run.id)
        #expect(audit.decisions == callers && audit.agreeing == callers && audit.findings.isEmpty)
        let report = try bench.reader().routingReport()
        #expect(
            report.alerts["warn"] ?? 0 == (callers >= 8 ? 1 : 0) && report.alerts["stop"] ?? 0 == (callers > 10 ? 1 : 0)
        )
    }

    @Test func aBudgetOfZeroServesNone() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.00"))
        let call = try await ledger.route(Workbench.request, in: run, key: nil)
        #expect(call.decision.reason == "budget-usd" && !call.decision.permitsCall)
        await ledger.close()
    }

    @Test func theSameKeyGivesTheFirstDecisionAndReservesOnce() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.70"))
        let first = try await ledger.route(Workbench.request, in: run, key: "a")
        var later = Workbench.request
        later.now += 5000
        let again = try await ledger.route(later, in: run, key: "a")
        #expect(again.receipt.isRepeat && again.sequence == first.sequence)
        #expect(again.decision.body == first.decision.body)
        later.inputTokens = 11
        await #expect(throws: WriteError(.keyConflict, "")) { try await ledger.route(later, in: run, key: "a") }
        #expect(try bench.audit(run.id).decisions == 1)
        await ledger.close()
    }

    @Test func aRunnerThatDiedFreesNothingAndTheNextOneGoesOnFromTheFile() async throws {
        let bench = try Workbench()
        let first = try await bench.ledger()
        let run = try await bench.start(first, Workbench.routingPolicy("0.14"))
        let open = try await first.route(Workbench.request, in: run, key: nil)
        await first.close()
        let second = try await bench.ledger()
        #expect(try await second.route(Workbench.request, in: run, key: nil).decision.model == "big")
        #expect(try await second.route(Workbench.request, in: run, key: nil).decision.reason == "budget-usd")
        let late = try await second.settle(Settlement(of: open.sequence, .cancelled), in: run, key: nil)
        #expect(late.cost == USD(decimal: "0.07"), "what nobody says stays spent")
        await second.close()
    }

    @Test func aSettlementFreesWhatWasNotUsedAndAnOverrunIsAnEvent() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.14"))
        let call = try await ledger.route(Workbench.request, in: run, key: nil)
        var settlement = Settlement(of: call.sequence, .completed)
        (settlement.inputTokens, settlement.outputTokens, settlement.servedModel) = (10, 30, "big-1-0601")
        let settled = try await ledger.settle(settlement, in: run, key: "s")
        #expect(settled.cost == USD(decimal: "0.14") && settled.overrun == USD(decimal: "0.07"))
        #expect(try await ledger.settle(settlement, in: run, key: "s").receipt.isRepeat)
        await #expect(throws: LedgerError(.decisionNotOpen, "")) {
            try await ledger.settle(settlement, in: run, key: nil)
        }
        #expect(try await ledger.route(Workbench.request, in: run, key: nil).decision.reason == "budget-usd")
        await ledger.close()
        let explained = try bench.reader().explainDecision(call.sequence + 1, of: run.id)
        #expect(explained.settlement?.body["served_model"]?.string == "big-1-0601" && explained.verdict == .agrees)
        #expect(try bench.reader().routingReport().alerts == ["overrun": 1, "stop": 1, "warn": 1])
    }

    @Test func humansGatesAndOverridesAreEventsThatTheNextDecisionSees() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.07", "[enforcement]\ngates = \"enforce\""))
        var unsure = Workbench.request
        unsure.confidence = nil
        let asked = try await ledger.route(unsure, in: run, key: nil)
        #expect(asked.decision.result == "human")
        #expect(try await ledger.route(Workbench.request, in: run, key: nil).decision.reason == "human-pending")
        let unknown = HumanDecision(of: asked.sequence, .model("hgue"), by: "ada")
        await #expect(throws: LedgerError(.inputInvalid, "")) { try await ledger.answer(unknown, in: run) }
        _ = try await ledger.answer(HumanDecision(of: asked.sequence, .model("huge"), by: "ada"), in: run)
        #expect(try await ledger.route(Workbench.request, in: run, key: nil).decision.model == "huge")
        #expect(try await ledger.route(Workbench.request, in: run, key: nil).decision.reason == "budget-usd")
        var more = OverrideRequest("budgets.per_run_usd", by: "ada", reason: "one more")
        more.amount = "0.07"
        _ = try await ledger.override(more, in: run)
        #expect(try await ledger.route(Workbench.request, in: run, key: nil).decision.causes == ["human", "override"])

        #expect(try await ledger.check(gate: "quality", in: run, by: nil).result == .blocked)
        var result = GateResult(gate: "quality", metric: "parity", value: JSONNumber("0.85")!)
        (result.samples, result.time) = (2, Timestamp(nanoseconds: Workbench.request.now * 1_000_000))
        _ = try await ledger.record(result, in: run)
        #expect(try await ledger.check(gate: "quality", in: run, by: nil).result == .passed)
        await #expect(throws: LedgerError(.inputInvalid, "")) {
            try await ledger.record(GateResult(gate: "quality", metric: "prity", value: 1), in: run)
        }
        await ledger.close()
        #expect(try bench.audit(run.id).findings.isEmpty)
    }

    /// Every body that the router writes fits the schema that is published for it.
    @Test func whatTheRouterWritesFitsItsSchemas() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.14", "[enforcement]\nrouting = \"warn\""))
        for role in ["writer", "nobody", String(repeating: "x", count: 300)] {
            for confidence in [nil, Ratio(millionths: 900_000), Ratio(millionths: -1)] {
                var request = Workbench.request
                (request.role, request.confidence, request.task) = (role, confidence, "\(role.count) \u{1} \"é")
                let call = try await ledger.route(request, in: run, key: nil)
                if call.decision.permitsCall {
                    _ = try await ledger.settle(Settlement(of: call.sequence, .timeout), in: run, key: nil)
                }
            }
        }
        await ledger.close()
        try RunEvents(run.id, in: CapsuleFile(bench.path), batches: bench.reader().index.batchOffsets(of: run.id))
            .forEach { event in
                try EventDraft(event.envelope.type, body: event.inlineBody).checkBody()
            }
        #expect(try bench.audit(run.id).findings.map(\.problem.reason) == [])
    }

    @Test func aModelCallThatNoDecisionAllowedIsFound() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.07"))
        let allowed = try await ledger.route(Workbench.request, in: run, key: nil).sequence
        let refused = try await ledger.route(Workbench.request, in: run, key: nil).sequence
        for causes in [[], [allowed], [allowed], [refused], [0]] {
            var call = EventDraft(.registered(.modelCall), body: Array(#"{"model":"big"}"#.utf8))
            call.causes = causes.map { EventReference(run: run.id, sequence: $0) }
            _ = try await ledger.append([call], to: run, durability: .written)
        }
        await ledger.close()
        let codes = try bench.reader().auditRouting().findings.map(\.problem.code)
        #expect(codes == ["call-undecided", "call-repeated", "call-refused", "call-undecided"])
    }

    @Test func aDecisionThatNobodyMadeIsFoundThoughTheFileIsSound() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.07"))
        let first = try await ledger.route(Workbench.request, in: run, key: nil)
        // The same decision once more: by now the budget is spent.
        let body = try JSONValue.parse(first.decision.body.encoded())
        let forged = EventDraft(.registered(.routingDecision), body: body.encoded())
        try await ledger.forge([forged], in: run)
        await ledger.close()
        let audit = try bench.audit(run.id)
        guard case .differs(let differences)? = audit.findings.first?.problem else {
            Issue.record("\(audit.findings)")
            return
        }
        #expect(differences.contains { $0.path == "result" } && audit.agreeing == 1)
        #expect(try bench.verification().isSound)
    }

    @Test func aRunWithoutACompiledPolicyRoutesNothing() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.policy())
        await #expect(throws: LedgerError(.noRouting, "")) {
            try await ledger.route(Workbench.request, in: run, key: nil)
        }
        await #expect(throws: LedgerError(.noRouting, "")) {
            try await ledger.settle(Settlement(of: 1, .completed), in: run, key: nil)
        }
        _ = try await ledger.end(run, outcome: .completed, details: RunEnd())
        await #expect(throws: WriteError(.runEnded, "")) {
            try await ledger.route(Workbench.request, in: run, key: nil)
        }
        await ledger.close()
    }

    @Test func aKeyOfAnotherEventSettlesNothingAndSaysSo() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.70"))
        let call = try await ledger.route(Workbench.request, in: run, key: "k")
        let settlement = Settlement(of: call.sequence, .rejected)
        await #expect(throws: WriteError(.keyConflict, "")) { try await ledger.settle(settlement, in: run, key: "k") }
        _ = try await ledger.settle(settlement, in: run, key: "s")
        #expect(try await ledger.settle(settlement, in: run, key: "s").receipt.isRepeat)
        await #expect(throws: WriteError(.keyConflict, "")) {
            try await ledger.settle(Settlement(of: call.sequence, .completed), in: run, key: "s")
        }
        await ledger.close()
    }

    @Test func halfOfWhatWasUsedFreesNothing() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.14"))
        let call = try await ledger.route(Workbench.request, in: run, key: nil)
        var settlement = Settlement(of: call.sequence, .completed)
        settlement.outputTokens = 1
        #expect(try await ledger.settle(settlement, in: run, key: nil).cost == USD(decimal: "0.07"))
        await ledger.close()
        #expect(try bench.reader().routingReport().total.cost == USD(decimal: "0.07"))
    }

    @Test func whatIsWrittenByHandNeitherMakesADecisionUnreadableNorFreesAnything() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.14"))
        let name = String(repeating: "x", count: 245)
        let alerts = (0..<1200).map { number in
            let body: JSONValue = ["budget": .string("\(name)\(number)"), "level": "stop", "limit": "1"]
            return EventDraft(.registered(.budgetAlert), body: body.encoded())
        }
        try await ledger.forge(alerts, in: run)
        let forged: JSONValue = ["decision": 1201, "outcome": "completed", "output_tokens": 9_007_199_254_740_991]
        for _ in 0..<2 { _ = try await ledger.route(Workbench.request, in: run, key: nil) }
        let settlement = EventDraft(.registered(.routingSettlement), body: forged.encoded())
        try await ledger.forge([settlement], in: run)
        #expect(try await ledger.route(Workbench.request, in: run, key: nil).decision.reason == "budget-usd")
        await ledger.close()
        #expect(try bench.audit(run.id).findings.isEmpty)
    }

    @Test func aCallOfAnotherModelThanWasDecidedIsFound() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await bench.start(ledger, Workbench.routingPolicy("0.70"))
        for (model, provider, isRight) in [
            ("big", "lab", true), ("big-1", nil, true), ("evil", nil, false), ("big", "elsewhere", false),
        ] {
            var call = ModelCall(model: model)
            call.decision = try await ledger.route(Workbench.request, in: run, key: nil).sequence
            call.provider = provider
            let receipt = try await ledger.record(call, in: run)
            let found = try bench.audit(run.id).findings.filter { $0.event == receipt.event }.map(\.problem.code)
            #expect(found == (isRight ? [] : ["call-other"]))
        }
        await ledger.close()
    }
}
