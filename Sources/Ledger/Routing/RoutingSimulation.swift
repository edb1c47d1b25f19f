import ModelPolicy
import ModelRouter

/// The policy that recorded decisions are made again under: the workspace's, and for specs that have a layer theirs.
public struct SimulatedPolicies: Sendable {
    public let workspace: CompiledSnapshot
    private let program: RouterProgram
    private let specs: [String: RouterProgram]

    public init(_ workspace: CompiledSnapshot, specs: [String: CompiledSnapshot] = [:]) {
        self.workspace = workspace
        program = RouterProgram(workspace)
        self.specs = specs.mapValues { RouterProgram($0) }
    }

    /// The policy of a run of this spec.
    public func program(of spec: String?) -> RouterProgram { spec.flatMap { specs[$0] } ?? program }
}

/// What recorded decisions would have been under another policy.
///
/// Each decision is made again on the state that the run's events give up to it, as they were recorded: one decision
/// that comes out otherwise does not change what the next is made on. *Why: what would have happened after it, nobody
/// knows; what was recorded is known.* Enforcement is that of the other policy.
public struct RoutingSimulation: Sendable {
    /// What is counted of a role or a model.
    public struct Line: Sendable, Hashable {
        public var decisions = 0
        public var changed = 0
        /// Permitted a call, and would not.
        public var refused = 0
        /// Permitted none, and would.
        public var permitted = 0
        /// Reserved: as recorded, and by the other policy.
        public var reserved = (before: USD.zero, after: USD.zero)
        /// Of calls that were settled with their tokens: what they cost, and what as many tokens of the model that is
        /// chosen now cost by the other policy's prices.
        public var settled = (before: USD.zero, after: USD.zero)
        public var settledCalls = 0

        public init() {}

        public static func == (left: Line, right: Line) -> Bool { left.counts == right.counts }
        public func hash(into hasher: inout Hasher) { hasher.combine(counts) }

        private var counts: [Int64] {
            [decisions, changed, refused, permitted, settledCalls].map(Int64.init)
                + [reserved.before, reserved.after, settled.before, settled.after].map(\.picodollars)
        }
    }

    /// A decision that would come out otherwise.
    public struct Example: Sendable {
        public var event: EventReference
        public var old: RecordedDecision
        public var new: RecordedDecision
    }

    public private(set) var total = Line()
    public private(set) var byRole: [String: Line] = [:]
    /// By the model that was recorded.
    public private(set) var byModel: [String: Line] = [:]
    /// The first of those that change.
    public private(set) var examples: [Example] = []
    /// Runs with a decision that changes.
    public private(set) var changedRuns: Set<RunID> = []
    /// Decisions that cannot be read, or are of other semantics.
    public private(set) var unread = 0

    public static let mostExamples = 50
    static let mostNames = 1000

    private let policies: SimulatedPolicies
    private let recorded: RouterPrograms
    private var runs: [RunID: Run] = [:]

    private struct Run {
        var fold: RoutingFold
        var spec: String?
        var open: [UInt32: (role: String, model: String, choice: String?, reserved: USD)] = [:]
    }

    /// - Parameter recorded: the policies that the runs were under, of which the fold takes what a start leaves open.
    public init(_ policies: SimulatedPolicies, recorded: RouterPrograms) {
        (self.policies, self.recorded) = (policies, recorded)
    }

    /// Takes in the next event; each run's in their order.
    public mutating func take(_ event: RecordedEvent) {
        let id = event.envelope.run
        var run = runs.removeValue(forKey: id) ?? Run(fold: RoutingFold(recorded))
        let step = RoutingFold.Step(event)
        switch event.envelope.type {
        case .registered(.runStart): run.spec = event.json?["spec"]?.string
        case .registered(.routingDecision): decide(event, &run)
        case .registered(.routingSettlement): settle(event, step, &run)
        default: break
        }
        run.fold.take(step)
        if event.envelope.seal == nil { runs[id] = run }
    }

    private mutating func decide(_ event: RecordedEvent, _ run: inout Run) {
        let program = policies.program(of: run.spec)
        guard let body = event.json, let old = RecordedDecision(body),
            let request = body["asserted"].flatMap(RoutingRequest.init(recorded:))
        else { return unread += 1 }
        let made = RoutingEvidence.decideAnew(request, after: run.fold.state, under: program)
        guard let new = (try? JSONValue.parse(made.body)).flatMap(RecordedDecision.init) else { return unread += 1 }
        let isChanged = old.outcome != new.outcome
        add(old.role, old.model) { line in
            line.decisions += 1
            if isChanged { line.changed += 1 }
            if old.permitsCall, !new.permitsCall { line.refused += 1 }
            if !old.permitsCall, new.permitsCall { line.permitted += 1 }
            line.reserved.before.add(old.reserved?.usd)
            line.reserved.after.add(new.reserved?.usd)
        }
        if isChanged {
            changedRuns.insert(event.envelope.run)
            if examples.count < Self.mostExamples {
                examples.append(Example(event: event.envelope.reference, old: old, new: new))
            }
        }
        let reserved = old.reserved?.usd ?? .zero
        run.open[event.envelope.sequence] = (old.role, old.model ?? "", new.model, reserved)
    }

    private mutating func settle(_ event: RecordedEvent, _ step: RoutingFold.Step, _ run: inout Run) {
        guard let body = event.json,
            let decision = body["decision"]?.int.flatMap(UInt32.init(exactly:)) ?? step.event?.causes.first,
            let call = run.open.removeValue(forKey: decision), let choice = call.choice
        else { return }
        let price = policies.program(of: run.spec).policy.models[choice]?.price
        guard let after = Self.cost(body, price) else { return }
        let before = body["cost_usd"]?.string.flatMap(USD.init(decimal:)) ?? call.reserved
        add(call.role, call.model.isEmpty ? nil : call.model) { line in
            line.settledCalls += 1
            line.settled.before.add(before)
            line.settled.after.add(after)
        }
    }

    /// What the tokens of a settlement cost by a price; nothing where the model has none, nil where no tokens are said.
    private static func cost(_ body: JSONValue, _ price: Price?) -> USD? {
        let tokens = ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"].map { body[$0]?.int }
        guard tokens.contains(where: { $0 != nil }) else { return nil }
        guard let price else { return .zero }
        var sum = USD.zero
        for (count, each) in zip(tokens, [price.input, price.output, price.cacheRead, price.cacheWrite]) {
            guard let part = each.multiplied(by: Int64(max(count ?? 0, 0))), let next = sum.adding(part) else {
                return nil
            }
            sum = next
        }
        return sum
    }

    private mutating func add(_ role: String, _ model: String?, _ change: (inout Line) -> Void) {
        change(&total)
        Self.add(role, to: &byRole, change)
        Self.add(model ?? "(none)", to: &byModel, change)
    }

    private static func add(_ name: String, to lines: inout [String: Line], _ change: (inout Line) -> Void) {
        let key = lines[name] != nil || lines.count < mostNames ? name : RoutingReport.otherNames
        change(&lines[key, default: Line()])
    }
}

extension RecordedDecision {
    /// What a caller sees of it: the model and mode, or why there is none.
    fileprivate var outcome: [String?] { [result, model, mode, reason, permitsCall ? "permits" : nil] }
}

extension USD {
    fileprivate mutating func add(_ other: USD?) { if let other { self = adding(other) ?? self } }
}

extension LedgerReader {
    /// Makes every recorded decision of the capsule again under another policy.
    public func simulateRouting(
        under policies: SimulatedPolicies,
        progress: ((UInt64, UInt64) -> Void)? = nil
    ) throws -> RoutingSimulation {
        var simulation = RoutingSimulation(policies, recorded: RouterPrograms(self))
        try forEachEvent(progress: progress) { event in simulation.take(event) }
        return simulation
    }
}
