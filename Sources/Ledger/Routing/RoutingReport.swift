import ModelRouter

/// What was decided, what it came to, and what it cost: counted over the events of runs.
public struct RoutingReport: Sendable {
    /// What is counted of a role, a model or a day.
    public struct Line: Sendable, Hashable {
        public var decisions = 0
        /// Decisions for a model.
        public var routed = 0
        public var fallbacks = 0
        public var escalations = 0
        public var refusals = 0
        /// Questions to a human.
        public var humans = 0
        /// What a part that is not enforced let pass.
        public var exceptions = 0
        public var settled = 0
        /// Calls that ended otherwise than completed.
        public var failed = 0
        public var inputTokens = 0
        public var outputTokens = 0
        public var cost = USD.zero

        public init() {}
    }

    public private(set) var total = Line()
    public private(set) var byModel: [String: Line] = [:]
    public private(set) var byRole: [String: Line] = [:]
    /// By day of the decision's event, in UTC.
    public private(set) var byDay: [String: Line] = [:]
    /// Refusals and questions by their reason.
    public private(set) var reasons: [String: Int] = [:]
    /// Decisions whose call is not settled.
    public private(set) var open: [EventReference] = []
    public private(set) var openCount = 0
    /// Calls that were never settled before their run ended.
    public private(set) var expired = 0
    /// Alerts by level.
    public private(set) var alerts: [String: Int] = [:]
    /// Overrides, as they stand in the capsule.
    public private(set) var overrides: [(event: EventReference, body: JSONValue)] = []

    /// So many open calls and overrides are listed.
    public static let mostListed = 1000
    /// So many roles and models are told apart; the rest are counted as others.
    public static let mostNames = 1000
    static let otherNames = "(others)"

    private var calls: [EventReference: Call] = [:]

    private struct Call: Sendable {
        var role: String
        var model: String?
        var day: String
        var reserved: USD
    }

    public init() {}

    /// Takes in the next event; each run's in their order.
    public mutating func take(_ event: RecordedEvent) {
        guard case .registered(let type) = event.envelope.type else { return }
        switch type {
        case .routingDecision: take(decision: event)
        case .routingSettlement: take(settlement: event)
        case .budgetAlert:
            if let level = event.json?["level"]?.string { alerts[level, default: 0] += 1 }
        case .override:
            if overrides.count < Self.mostListed, let body = event.json {
                overrides.append((event.envelope.reference, body))
            }
        case .runEnd:
            let ended = calls.keys.filter { $0.run == event.envelope.run }
            expired += ended.count
            for call in ended {
                // What was never settled is spent as it was reserved.
                guard let spent = calls.removeValue(forKey: call) else { continue }
                add(spent) { $0.cost = $0.cost.adding(spent.reserved) ?? $0.cost }
            }
        default: break
        }
    }

    /// Says that no more events come: what is still open now stays open.
    public mutating func finish() {
        openCount = calls.count
        let sorted = calls.keys.sorted {
            ($0.run.words.0, $0.run.words.1, $0.sequence) < ($1.run.words.0, $1.run.words.1, $1.sequence)
        }
        open = Array(sorted.prefix(Self.mostListed))
    }

    private mutating func take(decision event: RecordedEvent) {
        guard let decision = event.json.flatMap(RecordedDecision.init) else { return }
        let day = String(event.envelope.time.description.prefix(10))
        let call = Call(role: decision.role, model: decision.model, day: day, reserved: decision.reserved?.usd ?? .zero)
        add(call) { line in
            line.decisions += 1
            if decision.result == "model" { line.routed += 1 }
            if decision.causes.contains("fallback") { line.fallbacks += 1 }
            if decision.escalation != nil { line.escalations += 1 }
            if decision.result == "refused" { line.refusals += 1 }
            if decision.result == "human" { line.humans += 1 }
            if !decision.exceptions.isEmpty { line.exceptions += 1 }
        }
        if decision.result != "model", let reason = decision.reason { reasons[reason, default: 0] += 1 }
        if decision.permitsCall { calls[event.envelope.reference] = call }
    }

    private mutating func take(settlement event: RecordedEvent) {
        guard let body = event.json else { return }
        let named = body["decision"]?.int.flatMap(UInt32.init(exactly:))
        let cause = event.envelope.causes.first { $0.run == event.envelope.run }?.sequence
        guard let sequence = named ?? cause else { return }
        let decision = EventReference(run: event.envelope.run, sequence: sequence)
        guard let call = calls.removeValue(forKey: decision) else { return }
        add(call) { line in
            line.settled += 1
            if body["outcome"]?.string != CallOutcome.completed.rawValue { line.failed += 1 }
            for key in ["input_tokens", "cache_read_tokens", "cache_write_tokens"] {
                line.inputTokens = line.inputTokens.addingReportingOverflow(max(body[key]?.int ?? 0, 0)).partialValue
            }
            let output = max(body["output_tokens"]?.int ?? 0, 0)
            line.outputTokens = line.outputTokens.addingReportingOverflow(output).partialValue
            let cost = body["cost_usd"]?.string.flatMap(USD.init(decimal:)) ?? .zero
            line.cost = line.cost.adding(cost) ?? line.cost
        }
    }

    private mutating func add(_ call: Call, _ change: (inout Line) -> Void) {
        change(&total)
        Self.add(call.model ?? "(none)", to: &byModel, change)
        Self.add(call.role, to: &byRole, change)
        Self.add(call.day, to: &byDay, change)
    }

    private static func add(_ name: String, to lines: inout [String: Line], _ change: (inout Line) -> Void) {
        let key = lines[name] != nil || lines.count < mostNames ? name : otherNames
        change(&lines[key, default: Line()])
    }
}

extension LedgerReader {
    /// Counts the decisions of one run, or of all.
    ///
    /// - Parameters:
    ///   - since: leave out events before this time.
    ///   - until: leave out events from this time on.
    public func routingReport(
        of run: RunID? = nil,
        since: Timestamp? = nil,
        until: Timestamp? = nil,
        progress: ((UInt64, UInt64) -> Void)? = nil
    ) throws -> RoutingReport {
        var report = RoutingReport()
        func take(_ event: RecordedEvent) {
            if let since, event.envelope.time < since { return }
            if let until, event.envelope.time >= until { return }
            report.take(event)
        }
        if let run {
            try RunEvents(run, in: capsule, batches: try index.batchOffsets(of: run)).forEach(take)
        } else {
            try forEachEvent(progress: progress, take)
        }
        report.finish()
        return report
    }
}
