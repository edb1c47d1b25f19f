import Logging
import ModelRouter
import Synchronization

extension CapsuleLedger: RoutingLedger {
    /// Another process may take up a snapshot, and a failed write makes the queue begin anew; after so many tries it is
    /// given up.
    private static let routingTries = 16
    private static let routingLog = Logger(label: "capsule.router")

    /// The queue no longer tells the router about its run, or a snapshot cannot be read yet.
    private struct Stale: Error {}

    /// What was made inside a turn, for the caller outside of it.
    private final class Outbox<Value: Sendable>: Sendable {
        private let value = Mutex<Value?>(nil)
        func put(_ new: Value?) { value.withLock { $0 = new } }
        func take() -> Value? { value.withLock { $0 } }
    }

    public func route(_ request: RoutingRequest, in run: RunHandle, key: String?) async throws -> RoutedCall {
        let hash = key.map { KeyHash.event($0, in: run.id) }
        // So what a caller wrote into the request is redacted before it is decided on.
        let request = try await contentRules(of: run.id)?.redactor?.redacted(request) ?? request
        let (receipt, made) = try await inTurn(run, key: hash) { fold, program, enforcement, view in
            let (decision, body) = RoutingEvidence.decide(
                request,
                after: fold.state,
                under: program,
                enforcement: enforcement
            )
            guard body.count <= Limits.inlineBodyBytes else {
                throw LedgerError(
                    .evidenceTooLarge,
                    "the evidence of this decision has \(body.count) bytes, and what does not stand in the event "
                        + "itself cannot be counted; nothing was recorded, and there is no call"
                )
            }
            let effect = DecisionEffect(decision, for: request, under: program)
            (view.follower as? RunRouter)?.expect(body, effect)
            var draft = EventDraft(.registered(.routingDecision), body: body)
            draft.key = key
            var drafts = [draft]
            for alert in decision.alerts {
                drafts.append(Self.alertDraft(alert.body, of: EventReference(run: run.id, sequence: view.run.next)))
            }
            let durability: Durability = decision.evidence == .durable ? .durable : .written
            return (drafts, durability, (decision, body))
        }
        guard let (decision, body) = made else { return try repeated(receipt, request) }
        Self.routingLog.debug(
            "decided",
            metadata: ["run": "\(run.id)", "role": "\(request.role)", "result": "\(decision.resultWord)"]
        )
        return RoutedCall(
            receipt: receipt,
            evidence: body,
            choice: decision.choice,
            permitsCall: decision.permitsCall,
            alerts: decision.alerts
        )
    }

    /// The decision that has the key already.
    private func repeated(_ receipt: Receipt, _ request: RoutingRequest) throws -> RoutedCall {
        guard let evidence = try eventBody(receipt.event), let body = try? JSONValue.parse(evidence),
            let decision = RecordedDecision(body), let asserted = body["asserted"],
            var first = RoutingRequest(recorded: asserted)
        else { throw WriteError(.keyConflict, "event \(receipt.event) has this key and is no decision") }
        // A retry is asked later than the first time.
        first.now = request.now
        guard first == request else {
            throw WriteError(.keyConflict, "decision \(receipt.event) has this key and another request")
        }
        return RoutedCall(
            receipt: receipt,
            evidence: evidence,
            choice: decision.choice,
            permitsCall: decision.permitsCall,
            alerts: []
        )
    }

    public func settle(_ settlement: Settlement, in run: RunHandle, key: String?) async throws -> SettledCall {
        let hash = key.map { KeyHash.event($0, in: run.id) }
        let (receipt, made) = try await inTurn(run, key: hash) { [routers] fold, _, _, view in
            guard let call = fold.state.open[settlement.decision] else {
                throw Self.notOpen(settlement.decision, fold.state, run.id)
            }
            let program = PolicySnapshot.digest(text: call.snapshot).flatMap(routers.program)
            let priced = settlement.cost == nil ? settlement.priced(by: program, call) : nil
            let cost = settlement.cost ?? priced ?? call.reserved.usd
            let basis = settlement.cost != nil ? "stated" : priced != nil ? "prices" : "reserved"
            let decision = EventReference(run: run.id, sequence: settlement.decision)
            var draft = EventDraft(
                .registered(.routingSettlement),
                body: settlement.body(cost: cost, basis: basis),
                time: settlement.time
            )
            draft.key = key
            draft.causes = [decision]
            try draft.checkBody()
            let overrun = cost > call.reserved.usd ? cost.subtracting(call.reserved.usd) : nil
            let alerts = settlement.overruns(cost, call).map { Self.alertDraft($0, of: decision) }
            return ([draft] + alerts, .written, (cost, overrun))
        }
        if made == nil { try checkRepeated(receipt, settlement) }
        return SettledCall(receipt: receipt, cost: made?.0, overrun: made?.1)
    }

    /// - Throws: `WriteError.keyConflict` unless the event that has the key settles the same decision in the same way.
    private func checkRepeated(_ receipt: Receipt, _ settlement: Settlement) throws {
        let recorded = try eventBody(receipt.event).flatMap { try? JSONValue.parse($0) }
        let cost = recorded?["cost_usd"]?.string.flatMap(USD.init(decimal:)) ?? .zero
        let expected = try JSONValue.parse(
            settlement.body(cost: settlement.cost ?? cost, basis: recorded?["cost_basis"]?.string ?? "")
        )
        guard recorded == expected else {
            throw WriteError(
                .keyConflict,
                "event \(receipt.event) has this key and is not this settlement; each call of 'settle' has its own key"
            )
        }
    }

    private static func notOpen(_ sequence: UInt32, _ state: RoutingState, _ run: RunID) -> LedgerError {
        let what = "\(run)#\(sequence)"
        if state.settled.contains(sequence) {
            return LedgerError(.decisionNotOpen, "\(what) was settled before; a call is settled once")
        }
        return LedgerError(
            .decisionNotOpen,
            "\(what) is no decision that permits a call; 'capsule-tool report' lists those that wait for a settlement"
        )
    }

    public func answer(_ answer: HumanDecision, in run: RunHandle) async throws -> Receipt {
        try await inTurn(run, key: nil) { fold, program, _, _ in
            let reference = EventReference(run: run.id, sequence: answer.decision)
            guard fold.state.asks(answer.decision) else {
                throw LedgerError(.notAsked, "\(reference) asks no human, or was answered")
            }
            if case .model(let name) = answer.answer, program.policy.models[name] == nil {
                throw LedgerError(
                    .inputInvalid,
                    "the policy has no model '\(name)'; it has \(program.policy.models.names.joined(separator: ", "))"
                )
            }
            var draft = EventDraft(.registered(.humanAnswer), body: answer.body, time: answer.time)
            draft.causes = [reference]
            try draft.checkBody()
            return ([draft], .durable, ())
        }.receipt
    }

    public func record(_ result: GateResult, in run: RunHandle) async throws -> Receipt {
        try await inTurn(run, key: nil) { _, program, _, _ in
            try Self.checkKnown(result.gate, metric: result.metric, program.policy)
            guard Ratio(measured: result.value) != nil else {
                throw LedgerError(.inputInvalid, "\(result.value) is beyond what a gate compares")
            }
            let draft = EventDraft(.registered(.gateResult), body: result.body, time: result.time)
            try draft.checkBody()
            return ([draft], .written, ())
        }.receipt
    }

    private static func checkKnown(_ gate: String, metric: String?, _ policy: CompiledPolicy) throws {
        guard let criteria = policy.gates[gate] else {
            let known = policy.gates.names.joined(separator: ", ")
            throw LedgerError(
                .inputInvalid,
                "the policy has no gate '\(gate)'; it has \(known.isEmpty ? "none" : known)"
            )
        }
        guard let metric, criteria[metric] == nil else { return }
        throw LedgerError(
            .inputInvalid,
            "gate '\(gate)' compares no '\(metric)'; it compares \(criteria.names.joined(separator: ", "))"
        )
    }

    public func check(gate: String, in run: RunHandle, by: String?) async throws -> CheckedGate {
        let (receipt, made) = try await inTurn(run, key: nil) { fold, program, enforcement, _ in
            try Self.checkKnown(gate, metric: nil, program.policy)
            let now = max(Timestamp.now.milliseconds, fold.state.latest)
            let verdict = GateVerdict(gate, program.policy.gates[gate], fold.state.results(of: gate), now: now)
            let isOverridden = !verdict.isPassed && fold.state.isSetAside(gate: gate, at: now)
            let result = CheckedGate.Result(verdict.isPassed || isOverridden, enforcement.gates)
            let body = verdict.body(result, enforcement.gates, isOverridden, now, by)
            let draft = EventDraft(.registered(.gateDecision), body: body)
            try draft.checkBody()
            return ([draft], .durable, (result, verdict, isOverridden))
        }
        guard let (result, verdict, isOverridden) = made else { throw WriteError(.closed, "the queue gave no answer") }
        return CheckedGate(receipt: receipt, result: result, verdict: verdict, isOverridden: isOverridden)
    }

    public func override(_ override: OverrideRequest, in run: RunHandle) async throws -> Receipt {
        try await inTurn(run, key: nil) { fold, program, _, _ in
            try override.check(against: program.policy)
            let body = override.body(of: run.id)
            if let refusal = fold.refusal(of: body, in: run.id, at: override.time.milliseconds) {
                throw LedgerError(
                    .notApproved,
                    "this run's policy enforces approvals, and the override does not count: \(refusal); "
                        + "'capsule-tool override --sign' signs it"
                )
            }
            let draft = EventDraft(.registered(.override), body: body.encoded(), time: override.time)
            try draft.checkBody()
            return ([draft], .durable, ())
        }.receipt
    }

    // MARK: Inside a turn

    /// Makes events of a run inside the turn that writes them, from what all events before them say.
    private func inTurn<Made: Sendable>(
        _ run: RunHandle,
        key: KeyHash?,
        _ make:
            @escaping @Sendable (RoutingFold, RouterProgram, Enforcement, RunView) throws -> (
                [EventDraft], Durability, Made
            )
    ) async throws -> (receipt: Receipt, made: Made?) {
        let redactor = try await contentRules(of: run.id)?.redactor
        for _ in 0..<Self.routingTries {
            let router = try await routers.router(of: run.id, following: queue)
            let outbox = Outbox<Made>()
            var submission = Submission(.run(run.id, token: run.token), events: [], durability: .written)
            submission.compose = { [routers] view in
                if let key, let event = view.run.event(with: key) { return .written(event) }
                guard view.follower === router, let fold = router.fold(at: view.run.next) else { throw Stale() }
                guard let program = routers.program(view.run.snapshot), let enforcement = fold.enforcement else {
                    // What is there and is no policy stays none; what is not there may come.
                    let isNone = [view.run.snapshot, fold.first].contains { $0.map(routers.isNoPolicy) == true }
                    throw isNone ? Self.noRouting(run.id) : Stale()
                }
                var (drafts, durability, made) = try make(fold, program, enforcement, view)
                if let redactor {
                    // A decision is what its inputs give, byte for byte: nothing can be taken out of it.
                    for index in drafts.indices where drafts[index].type != .registered(.routingDecision) {
                        try Self.redact(&drafts[index], redactor)
                    }
                }
                outbox.put(made)
                return .events(drafts, durability: durability)
            }
            do {
                guard let receipt = try await queue.submit(submission).first else { break }
                return (receipt, receipt.isRepeat ? nil : outbox.take())
            } catch is Stale {
                routers.forget(run.id, router)
            }
        }
        throw Self.noRouting(run.id)
    }

    private static func noRouting(_ run: RunID) -> LedgerError {
        LedgerError(
            .noRouting,
            "the snapshot in force of run \(run) is no compiled policy, or cannot be read: nothing is routed by it"
        )
    }

    /// Members of the router's events that people and providers write; the others are words of closed lists.
    private static let words: Set<String> = ["by", "finish_reason", "reason", "served_model", "source", "window"]

    private static func redact(_ draft: inout EventDraft, _ redactor: Redactor) throws {
        guard let body = draft.body, let members = try JSONValue.parse(body).object else { return }
        var changed = members
        for member in members where words.contains(member.key) {
            if let value = redactor.redacted(member.value) { changed[member.key] = value }
        }
        guard changed != members else { return }
        guard changed["signature"] == nil else {
            throw LedgerError(.inputInvalid, "what was signed holds a secret that the policy redacts; say it otherwise")
        }
        draft.body = JSONValue.object(changed).encoded()
    }

    private static func alertDraft(_ body: JSONValue, of decision: EventReference) -> EventDraft {
        var members = body.object ?? JSONValue.Members()
        members["decision"] = .number(JSONNumber(decision.sequence))
        var draft = EventDraft(.registered(.budgetAlert), body: JSONValue.object(members).encoded())
        draft.causes = [decision]
        return draft
    }

    private func eventBody(_ event: EventReference) throws -> [UInt8]? {
        let reader = try LedgerReader(CapsuleFile(path))
        let events = RunEvents(event.run, in: reader.capsule, batches: try reader.index.batchOffsets(of: event.run))
        return try events.event(event.sequence)?.inlineBody
    }
}

extension CheckedGate.Result {
    fileprivate init(_ passes: Bool, _ enforcement: EnforcementMode) {
        self =
            if passes {
                .passed
            } else {
                switch enforcement {
                case .observe: .observed
                case .warn: .warned
                case .enforce: .blocked
                }
            }
    }
}
