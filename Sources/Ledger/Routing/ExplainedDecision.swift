import ModelRouter

/// A decision with everything that the capsule says of it.
public struct ExplainedDecision: Sendable {
    /// An event that names the decision.
    public struct Consequence: Sendable {
        public var sequence: UInt32
        public var body: JSONValue
    }

    public var reference: EventReference
    public var time: Timestamp
    public var decision: RecordedDecision
    /// Name and version of the policy.
    public var policy: String
    /// Where its rules were written, if the run's policy came from files.
    public var map: SourceMap?
    public var settlement: Consequence?
    /// What a human answered, and who.
    public var answer: String?
    public var isEnded: Bool
    public var verdict: RoutingReplay.Verdict

    /// Leaves out what people wrote and where models are called. The verdict stays that of the whole.
    public mutating func redact() {
        if let shown = RecordedDecision(RoutingEvidence.redacted(decision.body)) { decision = shown }
        if let settled = settlement, let members = settled.body.object {
            var kept = JSONValue.Members()
            for member in members where !["by", "finish_reason"].contains(member.key) {
                kept[member.key] = member.value
            }
            settlement?.body = .object(kept)
        }
        if answer != nil { answer = "[redacted]" }
        if case .differs(let differences) = verdict {
            verdict = .differs(
                differences.map { difference in
                    var bare = difference
                    (bare.recorded, bare.derived) = (nil, nil)
                    return bare
                }
            )
        }
    }

    /// For machines.
    public var value: JSONValue {
        var members = JSONValue.Members()
        members["event"] = .string("\(reference)")
        members["time"] = .string("\(time)")
        members["policy"] = .string(policy)
        members["decision"] = decision.body
        let place = map.flatMap { map in map.places[decision.rule] }
        members["rule_place"] =
            place.map { place in
                [
                    "layer": .string(place.layer.rawValue), "file": .string(place.file),
                    "line": .number(JSONNumber(place.line)), "column": .number(JSONNumber(place.column)),
                ]
            } ?? .null
        members["settlement"] = settlement?.body ?? .null
        members["answer"] = answer.map { .string($0) } ?? .null
        switch verdict {
        case .agrees: members["replay"] = "agrees"
        case .cannotReplay(let reason):
            members["replay"] = "cannot-replay"
            members["replay_reason"] = .string(reason)
        case .differs(let differences):
            members["replay"] = "differs"
            members["differences"] = .array(differences.map(\.json))
        }
        return .object(members)
    }
}

extension LedgerReader {
    /// Explains a decision, or the decision that an event of the run names.
    ///
    /// - Throws: `LedgerError.unknownEvent` for an event that is no decision and names none.
    public func explainDecision(_ sequence: UInt32, of run: RunID) throws -> ExplainedDecision {
        let events = RunEvents(run, in: capsule, batches: try index.batchOffsets(of: run))
        let decision = try decisionEvent(sequence, events)
        let wanted = decision.envelope.sequence
        var verdict = RoutingReplay.Verdict.cannotReplay("the decision was not reached")
        var settlement: ExplainedDecision.Consequence?
        var answer: String?
        var map: Digest?
        var isEnded = false
        var audit = RoutingAudit(RouterPrograms(self))
        try events.forEach { event in
            let sequence = event.envelope.sequence
            if sequence <= wanted {
                if let found = try audit.take(event), sequence == wanted { verdict = found }
                map = Self.sourceMap(event) ?? map
            } else if let body = event.json {
                let names = event.envelope.causes.contains { $0.run == run && $0.sequence == wanted }
                switch event.envelope.type {
                case .registered(.routingSettlement) where names && settlement == nil:
                    settlement = ExplainedDecision.Consequence(sequence: sequence, body: body)
                case .registered(.humanAnswer) where names:
                    let what = body["model"]?.string ?? body["answer"]?.string ?? ""
                    answer = "\(what), by \(body["by"]?.string ?? "nobody") (#\(sequence))"
                default: break
                }
            }
            if event.envelope.seal != nil { isEnded = true }
        }
        guard let recorded = decision.json.flatMap(RecordedDecision.init) else {
            throw LedgerError(
                .unknownEvent,
                "the body of \(decision.envelope.reference) is not here, or is no decision"
            )
        }
        let source = try map.flatMap { try object($0) }
        return ExplainedDecision(
            reference: decision.envelope.reference,
            time: decision.envelope.time,
            decision: recorded,
            policy: try policyTitle(of: decision.envelope.snapshot) ?? "a policy without a name",
            map: source.flatMap { try? SourceMap(canonicalJSON: $0.bytes) },
            settlement: settlement,
            answer: answer,
            isEnded: isEnded,
            verdict: verdict
        )
    }

    /// The decision itself, or the one that is a cause of the event.
    private func decisionEvent(_ sequence: UInt32, _ events: RunEvents) throws -> RecordedEvent {
        guard let event = try events.event(sequence) else {
            throw LedgerError(.unknownEvent, "run \(events.run) has no event \(sequence)")
        }
        if event.envelope.type == .registered(.routingDecision) { return event }
        for cause in event.envelope.causes where cause.run == events.run {
            if let found = try events.event(cause.sequence), found.envelope.type == .registered(.routingDecision) {
                return found
            }
        }
        throw LedgerError(
            .unknownEvent,
            "event \(event.envelope.reference) is a \(event.envelope.type.name), no decision, and names none"
        )
    }

    private static func sourceMap(_ event: RecordedEvent) -> Digest? {
        let text: String?
        switch event.envelope.type {
        case .registered(.runStart): text = event.json?["policy"]?["source_map"]?.string
        case .registered(.snapshot): text = event.json?["source_map"]?.string
        default: text = nil
        }
        return text.flatMap { PolicySnapshot.digest(text: $0) }
    }

    /// What would be decided now, without recording it; and where the policy's rules were written.
    ///
    /// - Throws: `LedgerError.noRouting` where the snapshot in force is no compiled policy.
    public func wouldRoute(
        _ request: RoutingRequest,
        in run: RunID
    ) throws -> (decision: RecordedDecision, map: SourceMap?) {
        let programs = RouterPrograms(self)
        var fold = RoutingFold(programs)
        var (snapshot, map): (Digest, Digest?) = (.zero, nil)
        try RunEvents(run, in: capsule, batches: try index.batchOffsets(of: run)).forEach { event in
            fold.take(RoutingFold.Step(event))
            snapshot = event.envelope.snapshot
            map = Self.sourceMap(event) ?? map
        }
        guard let program = try programs.program(snapshot), let enforcement = fold.enforcement else {
            throw LedgerError(.noRouting, "the snapshot in force of run \(run) is no compiled policy, or is not here")
        }
        let body = RoutingEvidence.decide(request, after: fold.state, under: program, enforcement: enforcement).body
        guard let decision = RecordedDecision(try JSONValue.parse(body)) else {
            throw LedgerError(.noRouting, "the decision cannot be read")
        }
        let source = try map.flatMap { try object($0) }
        return (decision, source.flatMap { try? SourceMap(canonicalJSON: $0.bytes) })
    }
}
