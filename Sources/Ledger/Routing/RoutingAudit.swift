import ModelRouter
import Synchronization

/// Derives the decisions of runs again from their timelines, and looks whether every model call was allowed.
///
/// It is handed the events of one run or of many, each run's in their order. Memory grows with the decisions of the
/// runs that have not ended.
public struct RoutingAudit {
    /// What was found at one event.
    public struct Finding: Sendable {
        public enum Problem: Sendable, Equatable {
            /// The decision is not what its inputs give.
            case differs([RoutingReplay.Difference])
            /// Nothing can be said of the decision.
            case cannotReplay(String)
            /// A model call that names no earlier decision of its run.
            case undecidedCall
            /// A model call that names a decision which permits none.
            case refusedCall(decision: UInt32)
            /// A model call that names a decision for which another call was made.
            case secondCall(decision: UInt32)
            /// A model call of another model, provider or role than the decision that it names.
            case otherCall(decision: UInt32, member: String)
            /// A settlement of what is no open decision.
            case strayedSettlement
        }

        public var event: EventReference
        public var problem: Problem
    }

    /// Decisions that agree with their replay.
    public private(set) var agreeing = 0
    /// Decisions in all.
    public private(set) var decisions = 0
    /// Model calls in all.
    public private(set) var modelCalls = 0
    public private(set) var findings: [Finding] = []
    /// All that was found, kept or not.
    public private(set) var findingCount = 0

    public static let maximumFindings = 1000

    private var runs: [RunID: Run] = [:]
    private let programs: RouterPrograms

    private struct Run {
        var fold: RoutingFold
        var permitting: [UInt32: Terms] = [:]
        var refusing: Set<UInt32> = []
        var called: Set<UInt32> = []
    }

    /// What a decision permits to call; nothing is said where a refusal did not bind.
    fileprivate struct Terms {
        var role: String
        var model: String?
        var modelID: String?
        var provider: String?
    }

    public init(_ programs: RouterPrograms) { self.programs = programs }

    /// Takes in the next event.
    ///
    /// - Returns: for a decision, what replaying it gives.
    @discardableResult
    public mutating func take(_ event: RecordedEvent) throws -> RoutingReplay.Verdict? {
        let id = event.envelope.run
        var run = runs.removeValue(forKey: id) ?? Run(fold: RoutingFold(programs))
        defer { if event.envelope.seal == nil { runs[id] = run } }
        if event.envelope.type == .registered(.routingDecision) { return try take(decision: event, &run) }
        let step = RoutingFold.Step(event)
        switch event.envelope.type {
        case .registered(.modelCall): check(call: event, &run)
        case .registered(.routingSettlement): check(settlement: event, step, run)
        default: break
        }
        run.fold.take(step)
        return nil
    }

    private mutating func take(decision event: RecordedEvent, _ run: inout Run) throws -> RoutingReplay.Verdict {
        decisions += 1
        if let bytes = event.inlineBody, let program = try programs.program(event.envelope.snapshot),
            let enforcement = run.fold.enforcement,
            let same = RoutingReplay.agreeing(bytes, after: run.fold.state, under: program, enforcement: enforcement)
        {
            agreeing += 1
            let terms = Terms(
                role: same.effect.role,
                model: same.effect.model,
                modelID: same.modelID,
                provider: same.effect.provider
            )
            note(event.envelope.sequence, same.permitsCall ? terms : nil, &run)
            run.fold.take(RoutingFold.Step(event.envelope, body: nil, effect: same.effect))
            return .agrees
        }
        let step = RoutingFold.Step(event)
        let verdict = try replay(event, step.event?.body, run.fold)
        switch verdict {
        case .agrees: agreeing += 1
        case .cannotReplay(let reason): note(event, .cannotReplay(reason))
        case .differs(let differences): note(event, .differs(differences))
        }
        let recorded = step.event?.body.flatMap(RecordedDecision.init)
        let terms = recorded.flatMap { decision in
            decision.permitsCall
                ? Terms(
                    role: decision.role,
                    model: decision.model,
                    modelID: decision.modelID,
                    provider: decision.provider
                ) : nil
        }
        note(event.envelope.sequence, terms, &run)
        run.fold.take(step)
        return verdict
    }

    private func note(_ sequence: UInt32, _ terms: Terms?, _ run: inout Run) {
        if let terms { run.permitting[sequence] = terms } else { run.refusing.insert(sequence) }
    }

    private func replay(
        _ event: RecordedEvent,
        _ body: JSONValue?,
        _ fold: RoutingFold
    ) throws -> RoutingReplay.Verdict {
        guard let bytes = event.inlineBody, let body else {
            return .cannotReplay("the decision's body is not here, or is no JSON")
        }
        guard let program = try programs.program(event.envelope.snapshot) else {
            return .cannotReplay(
                "snapshot \(PolicySnapshot.text(event.envelope.snapshot)) is not here, or is no compiled policy"
            )
        }
        guard let enforcement = fold.enforcement else {
            return .cannotReplay("the beginning of the run is not here")
        }
        return RoutingReplay.check(body, bytes, after: fold.state, under: program, enforcement: enforcement)
    }

    private mutating func check(call event: RecordedEvent, _ run: inout Run) {
        modelCalls += 1
        let causes = event.envelope.causes.filter { $0.run == event.envelope.run }.map(\.sequence)
        if let decision = causes.first(where: { run.permitting[$0] != nil }), let terms = run.permitting[decision] {
            if !run.called.insert(decision).inserted { note(event, .secondCall(decision: decision)) }
            if let member = terms.differs(event.json) { note(event, .otherCall(decision: decision, member: member)) }
        } else if let decision = causes.first(where: run.refusing.contains) {
            note(event, .refusedCall(decision: decision))
        } else {
            note(event, .undecidedCall)
        }
    }

    private mutating func check(settlement event: RecordedEvent, _ step: RoutingFold.Step, _ run: Run) {
        let named = step.event?.body?["decision"]?.int.flatMap(UInt32.init(exactly:)) ?? step.event?.causes.first
        guard let named, run.fold.state.open[named] != nil else { return note(event, .strayedSettlement) }
    }

    private mutating func note(_ event: RecordedEvent, _ problem: Finding.Problem) {
        findingCount += 1
        guard findings.count < Self.maximumFindings else { return }
        findings.append(Finding(event: event.envelope.reference, problem: problem))
    }
}

extension RoutingAudit.Finding.Problem {
    /// The code of `spec/router.md`.
    public var code: String {
        switch self {
        case .differs: "decision-differs"
        case .cannotReplay: "decision-not-replayed"
        case .undecidedCall: "call-undecided"
        case .refusedCall: "call-refused"
        case .secondCall: "call-repeated"
        case .otherCall: "call-other"
        case .strayedSettlement: "settlement-strayed"
        }
    }

    /// In a sentence.
    public var reason: String {
        switch self {
        case .differs(let differences):
            let paths = differences.prefix(5).map { $0.path.isEmpty ? "its bytes" : $0.path }
            let more = differences.count > 5 ? ", …" : ""
            return "the decision is not what its inputs give: \(paths.joined(separator: ", "))\(more)"
        case .cannotReplay(let reason): return "the decision cannot be replayed: \(reason)"
        case .undecidedCall: return "the model call names no earlier decision of its run"
        case .refusedCall(let decision): return "the model call names decision #\(decision), which permits none"
        case .secondCall(let decision): return "another model call was made for decision #\(decision)"
        case .otherCall(let decision, let member):
            return "the model call is of another \(member) than decision #\(decision)"
        case .strayedSettlement: return "the settlement is of no open decision"
        }
    }
}

extension RoutingAudit.Terms {
    /// The member of a `model.call` that is not as it was decided; nil if none is.
    func differs(_ call: JSONValue?) -> String? {
        // Where a refusal did not bind, the caller went its own way.
        guard let model else { return nil }
        if let called = call?["model"]?.string, called != model, called != modelID { return "model" }
        if let called = call?["provider"]?.string, called != provider { return "provider" }
        if let called = call?["role"]?.string, called != role { return "role" }
        return nil
    }
}

/// Programs of the snapshots of a capsule, each made once.
public final class RouterPrograms: RoutingSources {
    private let reader: LedgerReader
    private let programs = Mutex<[Digest: RouterProgram?]>([:])

    public init(_ reader: LedgerReader) { self.reader = reader }

    /// Nil for a snapshot that is not here, or is no compiled policy.
    public func program(_ id: Digest) throws -> RouterProgram? {
        if let known = programs.withLock({ $0[id] }) { return known }
        let bytes = try reader.object(id)?.bytes
        let program = bytes.flatMap { try? CompiledSnapshot(canonicalJSON: $0) }.map { RouterProgram($0) }
        programs.withLock { $0[id] = .some(program) }
        return program
    }

    func document(_ id: Digest) -> [UInt8]? { (try? reader.object(id))?.bytes }
    func enforcement(of snapshot: Digest) -> Enforcement? { (try? program(snapshot))?.policy.enforcement }
}

extension LedgerReader {
    /// Audits one run.
    ///
    /// - Parameter visit: called for each decision, with what replaying it gives.
    public func auditRouting(
        of run: RunID,
        _ visit: (RecordedEvent, RoutingReplay.Verdict) throws -> Void = { _, _ in }
    ) throws -> RoutingAudit {
        var audit = RoutingAudit(RouterPrograms(self))
        try RunEvents(run, in: capsule, batches: try index.batchOffsets(of: run)).forEach(hashing: false) { event in
            if let verdict = try audit.take(event) { try visit(event, verdict) }
        }
        return audit
    }

    /// Audits every run of the capsule, reading it once.
    public func auditRouting(progress: ((UInt64, UInt64) -> Void)? = nil) throws -> RoutingAudit {
        var audit = RoutingAudit(RouterPrograms(self))
        try forEachEvent(progress: progress) { event in try audit.take(event) }
        return audit
    }

    /// Hands over each event of the capsule but those of run zero, in the order of the file. Their hashes are zero.
    public func forEachEvent(
        progress: ((UInt64, UInt64) -> Void)? = nil,
        _ visit: (RecordedEvent) throws -> Void
    ) throws {
        try capsule.forEachEvent(upTo: status.end, progress: progress, visit)
    }
}

extension CapsuleFile {
    /// Hands over each event but those of run zero, in the order of the file, up to `end` or the first bad batch. Their
    /// hashes are zero.
    func forEachEvent(
        upTo end: UInt64,
        progress: ((UInt64, UInt64) -> Void)? = nil,
        _ visit: (RecordedEvent) throws -> Void
    ) throws {
        let reader = BatchReader(file: file, header: header, limit: end)
        var isAtEnd = false
        while !isAtEnd {
            let step = try reader.next { batch throws in
                var events: [RecordedEvent] = []
                var index = batch.header.treeSize - min(batch.header.treeSize, UInt64(batch.header.events))
                try batch.forEachEvent { event throws(CapsuleError) in
                    if !event.envelope.run.isRunZero {
                        events.append(RecordedEvent(event, leafIndex: index, hashing: false))
                    }
                    index += 1
                }
                for event in events { try visit(event) }
            }
            if case .batch = step { progress?(reader.position.offset, end) } else { isAtEnd = true }
        }
    }
}
