/// An event with its body taken apart once, for whoever asks several things of it.
public struct ReadEvent: Sendable {
    public let event: RecordedEvent
    /// The body, if it is JSON and was read.
    public let body: JSONValue?

    public init(_ event: RecordedEvent) { self.init(event, body: event.json) }

    init(_ event: RecordedEvent, body: JSONValue?) {
        self.event = event
        self.body = body
    }

    public var envelope: Envelope { event.envelope }

    public var registered: RegisteredType? {
        if case .registered(let type) = envelope.type { return type }
        return nil
    }

    /// How long what it reports took, as whoever wrote it measured: `duration_ns` in the body.
    public var statedDuration: Int64? {
        guard let duration = body?["duration_ns"]?.int, duration >= 0 else { return nil }
        return Int64(duration)
    }

    /// How long it took: as stated, or for an answer the time since the event that it answers.
    ///
    /// - Parameter time: the claimed time of another event of the run, by its sequence.
    public func duration(_ time: (UInt32) -> Int64?) -> Int64? {
        if let statedDuration { return statedDuration }
        guard let type = registered, Self.answers.contains(type),
            let call = envelope.causes.first(where: { $0.run == envelope.run }), let from = time(call.sequence)
        else { return nil }
        let (span, overflow) = envelope.time.nanoseconds.subtractingReportingOverflow(from)
        return overflow || span < 0 ? nil : span
    }

    private static let answers: Set<RegisteredType> = [
        .toolResult, .retrievalResponse, .routingSettlement, .humanAnswer, .gateResult,
    ]

    /// Whether it says that something went wrong.
    public var isFailure: Bool {
        switch registered {
        case .error: true
        case .toolResult:
            body?["ok"]?.bool == false || (body?["exit_status"]?.int ?? 0) != 0 || body?["signal"]?.int != nil
                || body?["error"]?.string != nil
        case .gateDecision: body?["result"]?.string == "blocked"
        case .budgetAlert: body?["level"]?.string == "stop"
        case .routingDecision: body?["result"]?.string == "refused"
        case .runEnd: envelope.seal.map { $0.outcome != .completed } ?? false
        default: false
        }
    }
}

extension RegisteredType {
    /// Whether only the ledger writes events of this type: they say what it did itself, and are believed.
    ///
    /// What people, measurements and gates of others say (`gate.decision`, `gate.result`, `human.answer`, `override`)
    /// may come from anywhere; it is judged where it is used.
    public var isWrittenByLedger: Bool {
        switch self {
        case .runStart, .runEnd, .snapshot, .policyFailure, .policyKept, .routingDecision, .routingSettlement,
            .budgetAlert:
            true
        default: isOfRunZero
        }
    }
}
