import ModelRouter
import Synchronization

/// What the events of one run say about routing, kept up to date inside the queue's turns.
final class RunRouter: RunFollower {
    let run: RunID
    private let inside: Mutex<Inside>

    private struct Inside {
        var fold: RoutingFold
        /// Events that came while those before them were still being read from the file.
        var waiting: [RoutingFold.Step]? = []
        /// The decision that was made last: it comes back as an event if it is admitted.
        var made: (body: [UInt8], effect: DecisionEffect)?
    }

    init(_ run: RunID, _ sources: any RoutingSources) {
        self.run = run
        inside = Mutex(Inside(fold: RoutingFold(sources)))
    }

    func take(_ envelope: Envelope, body: [UInt8]?) {
        inside.withLock { inside in
            // The same bytes say the same.
            let made = envelope.type == .registered(.routingDecision) ? inside.made : nil
            let effect = made.flatMap { made in body.map(made.body.isSame) ?? false ? made.effect : nil }
            inside.made = nil
            let step = RoutingFold.Step(envelope, body: body, effect: effect)
            if inside.waiting == nil { inside.fold.take(step) } else { inside.waiting?.append(step) }
        }
    }

    /// Says what the decision that is about to be written changes, so that it need not be read back.
    func expect(_ body: [UInt8], _ effect: DecisionEffect) { inside.withLock { $0.made = (body, effect) } }

    /// Puts what the file says before the events that were told since.
    func begin(behind fold: RoutingFold) {
        inside.withLock { inside in
            inside.fold = fold
            for step in inside.waiting ?? [] { inside.fold.take(step) }
            inside.waiting = nil
        }
    }

    /// The fold as it stands; nil while it does not know all events before `next`.
    func fold(at next: UInt32) -> RoutingFold? {
        inside.withLock { $0.waiting == nil && $0.fold.state.next == next ? $0.fold : nil }
    }
}

/// The fold of a run for routing: the router's own state, and what the envelopes add to it.
struct RoutingFold: Sendable {
    var state = RoutingState()
    /// The snapshot that the run began under.
    var first: Digest?
    private let sources: any RoutingSources
    /// The list of signers that was recorded when the run began.
    private var signersID: Digest?
    /// What was signed of overrides that counted: each counts once, however its signature is written.
    private var signed: Set<Digest> = []

    init(_ sources: any RoutingSources) { self.sources = sources }

    /// What is enforced in the run: as its start event says, else as the snapshot that it began under does. Nil while
    /// that snapshot is not known.
    var enforcement: Enforcement? { state.enforcement ?? first.flatMap(sources.enforcement) }

    /// An event cut down to what matters.
    struct Step: Sendable {
        var run: RunID
        var sequence: UInt32
        var snapshot: Digest
        var event: RoutingEvent?

        init(_ event: RecordedEvent) { self.init(event.envelope, body: event.inlineBody) }

        /// - Parameter effect: what the body says, if it is a decision that is known already.
        init(_ envelope: Envelope, body: [UInt8]?, effect: DecisionEffect? = nil) {
            run = envelope.run
            sequence = envelope.sequence
            snapshot = envelope.snapshot
            guard case .registered(let type) = envelope.type, let kind = RoutingEvent.Kind(type) else { return }
            event = RoutingEvent(
                kind,
                sequence: envelope.sequence,
                time: envelope.time.milliseconds,
                causes: envelope.causes.filter { $0.run == envelope.run }.map(\.sequence),
                body: effect != nil || envelope.media != .json
                    ? nil : body.flatMap { RoutingEvidence.read($0, of: kind) }
            )
            event?.effect = effect
        }
    }

    mutating func take(_ step: Step) {
        if step.sequence == 0 { begin(step) }
        guard let event = step.event else { return state.skip(step.sequence) }
        if event.kind == .override, let body = event.body {
            guard refusal(of: body, in: step.run, at: event.time) == nil else { return state.skip(step.sequence) }
            if body["signature"] != nil, let message = OverrideSignature.message(of: body) {
                signed.insert(Hashing.sha256(message))
            }
        }
        state.take(event)
    }

    private mutating func begin(_ step: Step) {
        first = step.snapshot
        signersID = step.event?.body?["policy"]?["approvals"]?["signers"]?.string.flatMap(PolicySnapshot.digest)
    }

    /// Why an override does not count in this run; nil if it does.
    func refusal(of override: JSONValue, in run: RunID, at time: Int64) -> String? {
        // What is not known to be left open is enforced.
        guard enforcement?.approvals ?? .enforce == .enforce else { return nil }
        if let message = OverrideSignature.message(of: override), signed.contains(Hashing.sha256(message)) {
            return "it counts already"
        }
        return OverrideSignature.refusal(of: override, in: run, at: time, signers: signers)
    }

    private var signers: AllowedSigners? {
        guard let signersID, let bytes = sources.document(signersID) else { return nil }
        return AllowedSigners.read(SourceFile(name: "allowed_signers", bytes: bytes, format: .toml)).signers
    }
}

extension RoutingEvent.Kind {
    init?(_ type: RegisteredType) {
        switch type {
        case .runStart: self = .start
        case .stage: self = .stage
        case .routingDecision: self = .decision
        case .routingSettlement: self = .settlement
        case .gateResult: self = .gateResult
        case .humanAnswer: self = .answer
        case .override: self = .override
        case .budgetAlert: self = .alert
        default: return nil
        }
    }
}

extension Timestamp {
    /// Milliseconds since 1970, rounded down.
    var milliseconds: Int64 {
        let (quotient, remainder) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    init(milliseconds: Int64) {
        let (nanoseconds, overflow) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        self.init(nanoseconds: overflow ? .max : nanoseconds)
    }
}

/// The routers of a ledger's runs, each made when it is first asked for.
final class RunRouters: RoutingSources {
    private let routers = Mutex<[RunID: Entry]>([:])

    private enum Entry {
        case loading(Task<RunRouter, any Error>)
        case ready(RunRouter)
    }

    private let programs = Mutex<[Digest: RouterProgram]>([:])
    private let path: FilePath
    private let storage: any Storage
    private let policies: RunPolicies

    /// So many programs are kept before all are forgotten.
    private static let mostPrograms = 1000

    init(_ path: FilePath, storage: any Storage, policies: RunPolicies) {
        self.path = path
        self.storage = storage
        self.policies = policies
    }

    /// The router of a run, told everything up to the queue's last turn.
    func router(of run: RunID, following queue: WriterQueue) async throws -> RunRouter {
        let entry = routers.withLock { routers in
            if let entry = routers[run] { return entry }
            let entry = Entry.loading(Task { try await self.load(run, following: queue) })
            routers[run] = entry
            return entry
        }
        switch entry {
        case .ready(let router): return router
        case .loading(let task):
            do {
                let router = try await task.value
                routers.withLock { routers in
                    if case .loading(task)? = routers[run] { routers[run] = .ready(router) }
                }
                return router
            } catch {
                routers.withLock { routers in
                    if case .loading(task)? = routers[run] { routers[run] = nil }
                }
                throw error
            }
        }
    }

    /// Lets go of the router of a run that has ended.
    func end(_ run: RunID) { routers.withLock { $0[run] = nil } }

    /// Lets go of a router that the queue no longer tells anything.
    func forget(_ run: RunID, _ router: RunRouter) {
        routers.withLock { routers in
            if case .ready(let kept)? = routers[run], kept === router { routers[run] = nil }
        }
    }

    private func load(_ run: RunID, following queue: WriterQueue) async throws -> RunRouter {
        let router = RunRouter(run, self)
        let next = try await queue.follow(run, router)
        var fold = RoutingFold(self)
        try forEachEvent(of: run) { event in
            if event.envelope.sequence < next { fold.take(RoutingFold.Step(event)) }
        }
        guard fold.state.next == next else {
            throw LedgerError(.historyUnread, "of the \(next) events of run \(run) only \(fold.state.next) were found")
        }
        router.begin(behind: fold)
        return router
    }

    private func forEachEvent(of run: RunID, _ visit: (RecordedEvent) throws -> Void) throws {
        let capsule = try CapsuleFile(path, storage: storage)
        if storage is PosixStorage {
            let reader = try LedgerReader(capsule)
            try RunEvents(run, in: capsule, batches: try reader.index.batchOffsets(of: run)).forEach(visit)
            return
        }
        try capsule.forEachEvent(upTo: try capsule.length()) { event in
            if event.envelope.run == run { try visit(event) }
        }
    }

    /// The program of a snapshot that is in the capsule; nil if that is no compiled policy.
    func program(_ id: Digest) -> RouterProgram? {
        if let program = programs.withLock({ $0[id] }) { return program }
        guard let policy = policies.compiled(id) else { return nil }
        let program = RouterProgram(policy)
        programs.withLock { programs in
            if programs.count >= Self.mostPrograms { programs.removeAll() }
            programs[id] = program
        }
        return program
    }

    /// Whether a snapshot was read and is no compiled policy.
    func isNoPolicy(_ id: Digest) -> Bool { policies.isNoPolicy(id) }

    func document(_ id: Digest) -> [UInt8]? { policies.document(id) }
    func enforcement(of snapshot: Digest) -> Enforcement? { program(snapshot)?.policy.enforcement }
}
