/// What a run comes to: counted in one pass, with memory that does not grow with its bodies.
public struct RunSummary: Sendable {
    /// What was called how often, and how much of it failed.
    public struct Use: Sendable, Equatable {
        public var calls = 0
        public var failures = 0
    }

    /// Names that are kept apart at most; more are counted together.
    public static let maximumNames = 1000
    /// Stands for all names beyond these.
    public static let otherNames = "others"

    public private(set) var check: RunCheck
    /// Body of `run.start`, if it is there.
    public private(set) var start: JSONValue?
    public private(set) var startTime = Timestamp(nanoseconds: 0)
    /// Claimed time of the newest event.
    public private(set) var lastTime = Timestamp(nanoseconds: 0)
    /// Earliest and latest claimed time, which need not be the first and the newest event's.
    public private(set) var earliestTime = Timestamp(nanoseconds: .max)
    public private(set) var latestTime = Timestamp(nanoseconds: .min)
    /// Snapshots, and the event from which on each was in force.
    public private(set) var policies: [(snapshot: Digest, from: UInt32)] = []
    /// Names by the sequence of the event that introduced them; 0 is who started the run.
    public private(set) var actors: [UInt32: String] = [:]
    public private(set) var stages: [UInt32: String] = [:]
    /// Stages in the order in which they were entered.
    public private(set) var stageOrder: [String] = []
    public private(set) var eventsByActor: [UInt32: Int] = [:]
    public private(set) var models: [String: Use] = [:]
    public private(set) var tools: [String: Use] = [:]
    public private(set) var modelCalls = 0
    public private(set) var inputTokens = 0
    public private(set) var cachedTokens = 0
    public private(set) var outputTokens = 0
    /// Sum of `cost_usd` in model calls.
    public private(set) var cost = DecimalSum()
    /// Sum of `cost_usd` in settlements: the same money, where both are recorded.
    public private(set) var settledCost = DecimalSum()
    /// Costs that are no decimal numbers.
    public private(set) var unreadCosts = 0
    /// Events that say that something went wrong, by type.
    public private(set) var failures: [String: Int] = [:]
    /// Bodies that were erased or left out of this copy: nothing above counts them.
    public private(set) var withheldBodies = 0
    /// Bodies that stand outside their events: nothing above counts them either.
    public private(set) var blobs = 0
    /// Characters of the longest name of a type.
    public private(set) var longestType = 4
    /// Claimed times by sequence.
    private var times: [Int64] = []

    public var events: UInt64 { check.events }
    public var root: Digest { check.root }

    /// Reads a run.
    ///
    /// - Parameter reader: reads how the run began where that stands outside its event, as a long command line does.
    /// - Throws: as `RunEvents.forEach`.
    public init(_ events: RunEvents, _ reader: LedgerReader) throws {
        check = RunCheck(events.run)
        try events.forEach { event in
            take(ReadEvent(event, body: event.envelope.sequence == 0 ? try reader.json(of: event) : event.json))
        }
    }

    /// The claimed time of an event of this run.
    public func time(of sequence: UInt32) -> Int64? {
        Int(sequence) < times.count ? times[Int(sequence)] : nil
    }

    private mutating func take(_ event: ReadEvent) {
        let envelope = event.envelope
        check.take(event.event)
        if check.events == 1 {
            startTime = envelope.time
            start = event.body
            actors[0] = event.body?["actor"]?.string
        }
        lastTime = envelope.time
        earliestTime = min(earliestTime, envelope.time)
        latestTime = max(latestTime, envelope.time)
        // Where sequences have a gap, times would be those of other events.
        if times.count == Int(envelope.sequence) { times.append(envelope.time.nanoseconds) }
        // Run zero is under no policy: what it names is the file's header.
        if !envelope.run.isRunZero, policies.last?.snapshot != envelope.snapshot {
            policies.append((envelope.snapshot, envelope.sequence))
        }
        eventsByActor[envelope.actor, default: 0] += 1
        longestType = max(longestType, min(24, envelope.type.name.count))
        switch event.event.content {
        case .withheld: withheldBodies += 1
        case .blob: blobs += 1
        default: break
        }
        if event.isFailure { failures[envelope.type.name, default: 0] += 1 }
        if let type = event.registered { count(type, event) }
    }

    private mutating func count(_ type: RegisteredType, _ event: ReadEvent) {
        let body = event.body
        switch type {
        case .actor: actors[event.envelope.sequence] = body?["name"]?.string
        case .stage:
            guard let name = body?["name"]?.string else { break }
            stages[event.envelope.sequence] = name
            if stageOrder.last != name, stageOrder.count < Self.maximumNames { stageOrder.append(name) }
        case .modelCall:
            modelCalls += 1
            Self.add(body?["model"]?.string, to: &models) { $0.calls += 1 }
            add(body?["input_tokens"], to: \.inputTokens)
            add(body?["cached_input_tokens"], to: \.cachedTokens)
            add(body?["output_tokens"], to: \.outputTokens)
            if let cost = body?["cost_usd"], !self.cost.add(cost.string ?? "") { unreadCosts += 1 }
        case .routingSettlement:
            if let cost = body?["cost_usd"], !settledCost.add(cost.string ?? "") { unreadCosts += 1 }
        case .toolCall: Self.add(body?["tool"]?.string, to: &tools) { $0.calls += 1 }
        case .toolResult where event.isFailure: Self.add(body?["tool"]?.string, to: &tools) { $0.failures += 1 }
        default: break
        }
    }

    private mutating func add(_ value: JSONValue?, to sum: WritableKeyPath<Self, Int>) {
        self[keyPath: sum] = self[keyPath: sum].addingReportingOverflow(max(0, value?.int ?? 0)).partialValue
    }

    private static func add(_ name: String?, to uses: inout [String: Use], _ change: (inout Use) -> Void) {
        guard let name else { return }
        let key = uses[name] != nil || uses.count < maximumNames ? name : otherNames
        change(&uses[key, default: Use()])
    }
}
