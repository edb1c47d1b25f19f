import ModelRouter

/// What enforcing would have refused, of what was recorded where it was not enforced yet.
public struct RoutingReadiness: Sendable {
    /// A part of `[enforcement]`.
    public enum Part: String, Sendable, CaseIterable {
        case routing
        case budgets
        case gates
        case approvals
    }

    /// What is counted of a part.
    public struct Line: Sendable {
        /// Decisions, gate checks or starts that were looked at.
        public var looked = 0
        /// Those that enforcing would have refused.
        public var refused = 0
        public var runs: Set<RunID> = []
        /// By reason.
        public var reasons: [String: Int] = [:]
        public var examples: [EventReference] = []
    }

    public private(set) var parts: [Part: Line] = Dictionary(
        uniqueKeysWithValues: Part.allCases.map { ($0, Line()) }
    )
    /// Runs that were looked at.
    public private(set) var runs = 0

    static let mostExamples = 20
    static let mostReasons = 100

    public init() {}

    /// Takes in the next event; each run's in their order.
    public mutating func take(_ event: RecordedEvent) {
        guard case .registered(let type) = event.envelope.type else { return }
        switch type {
        case .runStart: take(start: event)
        case .routingDecision: take(decision: event)
        case .gateDecision: take(gate: event)
        default: break
        }
    }

    private mutating func take(start event: RecordedEvent) {
        runs += 1
        parts[.approvals]?.looked += 1
        let policy = event.json?["policy"]
        guard policy?["enforcement"]?["approvals"]?.string != "enforce" else { return }
        switch policy?["approvals"]?["approved"]?.bool {
        case true?: break
        case false?: note(.approvals, "not approved", event)
        case nil: note(.approvals, "no list of signers", event)
        }
    }

    private mutating func take(decision event: RecordedEvent) {
        guard let decision = event.json.flatMap(RecordedDecision.init) else { return }
        for part in [Part.routing, .budgets, .gates] {
            parts[part]?.looked += 1
            let reasons = decision.exceptions.filter { $0.part == part.rawValue }.map(\.reason)
            guard let reason = reasons.first else { continue }
            note(part, reason, event)
        }
    }

    private mutating func take(gate event: RecordedEvent) {
        guard let body = event.json else { return }
        parts[.gates]?.looked += 1
        guard ["observed", "warned"].contains(body["result"]?.string) else { return }
        note(.gates, "gate \(body["gate"]?.string ?? "") not passed", event)
    }

    private mutating func note(_ part: Part, _ reason: String, _ event: RecordedEvent) {
        guard var line = parts[part] else { return }
        parts[part] = nil
        line.refused += 1
        line.runs.insert(event.envelope.run)
        let key = line.reasons[reason] != nil || line.reasons.count < Self.mostReasons ? reason : "others"
        line.reasons[key, default: 0] += 1
        if line.examples.count < Self.mostExamples { line.examples.append(event.envelope.reference) }
        parts[part] = line
    }

    /// Whether enforcing everything would have refused nothing.
    public var isReady: Bool { parts.values.allSatisfy { $0.refused == 0 } }
}

extension LedgerReader {
    /// Looks through every run of the capsule.
    public func routingReadiness(progress: ((UInt64, UInt64) -> Void)? = nil) throws -> RoutingReadiness {
        var readiness = RoutingReadiness()
        try forEachEvent(progress: progress) { event in readiness.take(event) }
        return readiness
    }
}
