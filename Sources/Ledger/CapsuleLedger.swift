import Logging
import ModelPolicy

/// Runs in a capsule.
///
/// ```swift
/// let ledger = try await CapsuleLedger(appendingTo: "runs.cpsl")
/// let run = try await ledger.start(RunStart(.snapshot(policy)))
/// try await ledger.append([EventDraft(.registered(.note), body: body)], to: run.handle, durability: .durable)
/// try await ledger.end(run.handle, outcome: .completed, details: RunEnd())
/// await ledger.close()
/// ```
public final class CapsuleLedger: RunLedger {
    public let queue: WriterQueue
    /// Nil for a capsule that is not a file of the operating system's.
    private let keeper: IndexKeeper?
    /// What is known of the policies of runs.
    let policies: RunPolicies
    let routers: RunRouters
    let contents: RunContents
    let path: FilePath
    private static let log = Logger(label: "capsule.ledger")

    /// Opens a capsule for appending. One of a megabyte or more is not read from its beginning where its side index
    /// knows the state; the index follows behind what is appended.
    ///
    /// - Parameter followsIndex: false neither reads nor brings up to date the side index.
    /// - Throws: as `WriterQueue.init`.
    public init(
        appendingTo path: FilePath,
        options: WriterQueue.Options = .init(),
        followsIndex: Bool = true,
        approvals: any PolicyApprovals = WorkspaceApprovals(),
        secrets: any SecretSource = ProcessSecrets(),
        storage: any Storage = PosixStorage(),
        random: any RandomSource = SystemRandom()
    ) async throws {
        contents = RunContents(secrets)
        keeper = followsIndex && storage is PosixStorage ? IndexKeeper(storage.resolved(path)) : nil
        policies = RunPolicies(path, storage: storage, approvals: approvals)
        routers = RunRouters(path, storage: storage, policies: policies)
        self.path = path
        var options = options
        if options.resume == nil, let keeper { options.resume = { try keeper.resumePoint(for: $0) } }
        if options.followBatches == nil, let keeper {
            options.followBatches = { keeper.feed($0, from: $1) }
        }
        if options.evidence == nil {
            // An index that stands beside the capsule knows how far it was durable, whatever became of the note.
            options.evidence = { SnapshotIndex.evidence(for: storage.resolved(path), $0) }
        }
        if options.observe == nil { options.observe = LedgerLog.writerObserver }
        queue = try await WriterQueue(opening: path, options: options, storage: storage, random: random)
    }

    /// Makes a new capsule; see `CapsuleFile.create`.
    @discardableResult
    public static func create(
        _ path: FilePath,
        origin: String? = nil,
        storage: any Storage = PosixStorage()
    ) throws -> CapsuleFile {
        let id = CapsuleID(words: RunID(at: .now, random: SystemRandom()).words)
        let header = try FileHeader(capsule: id, created: .now, origin: origin)
        var body = JSONWriter()
        body.object {
            $0.member("tool", "capsule-tool \(Self.version)")
            $0.member("origin", header.origin)
        }
        return try CapsuleFile.create(path, header: header, body: body.bytes, storage: storage)
    }

    /// The version of this library and its tool.
    public static let version = "0.1.0"

    public func start(_ start: RunStart) async throws -> StartedRun {
        var objects: [StoredObject] = []
        let snapshot: Digest
        switch start.policy {
        case .stored(let id): snapshot = id
        case .snapshot(let policy):
            snapshot = policy.id
            objects = [try StoredObject(.snapshot, policy.bytes)]
        }
        if let bound = start.bound {
            objects += bound.documents
        } else {
            try policies.checkApproved(byHand: start.policy)
        }
        let id = RunID(at: start.time, random: SystemRandom())
        let token = start.isExclusive ? Hex.encode(random: 32) : nil
        var first = EventDraft(.registered(.runStart), body: try start.body(), time: start.time)
        first.trace = start.trace
        if case .snapshot(let policy) = start.policy, let policy = try? CompiledPolicy(canonicalJSON: policy.bytes) {
            contents.rules(of: policy, start.bound?.origin.workspace.root).redactor?.redact(&first)
        }
        try first.checkBody()
        var events = [first]
        events += try start.failureEvents(snapshot)
        let isRefused = start.bound?.isRefusal == true
        if !isRefused, let stage = start.stage {
            events.append(try Self.stageDraft(stage, reason: nil, time: start.time))
        }
        let submission = Submission(
            // A refused run leaves its name to the one that is begun when the policy has been repaired.
            .newRun(id, name: isRefused ? nil : start.name, snapshot: snapshot, token: token),
            events: events,
            objects: objects
        )
        guard let receipt = try await queue.submit(submission).first else {
            throw WriteError(.closed, "the queue gave no receipt")
        }
        // Whoever repeats a start does not get the token again: it is known to the first caller only.
        let handle = RunHandle(receipt.event.run, token: receipt.isRepeat ? nil : token)
        policies.noteStart(of: receipt.event.run, start)
        Self.log.debug("run started", metadata: ["run": "\(receipt.event.run)", "snapshot": "\(snapshot.hex)"])
        return StartedRun(handle: handle, receipt: receipt, snapshot: snapshot, isRefused: isRefused)
    }

    public func append(
        _ events: [EventDraft],
        to run: RunHandle,
        durability: Durability
    ) async throws -> [Receipt] {
        guard !run.id.isRunZero else {
            throw WriteError(
                .misplacedType,
                "run zero is the capsule's own: it says what became of the file, and nothing is appended to it"
            )
        }
        // A span lends the drafts where a loop over the array would copy them, with a count of references for each
        // field.
        let drafts = events.span
        var actors: [Int] = []
        for index in drafts.indices {
            try drafts[index].checkType()
            try drafts[index].checkBody()
            if drafts[index].type == .registered(.actor) { actors.append(index) }
        }
        if drafts.indices.contains(where: { drafts[$0].isBoundary }) {
            return try await appendBoundaries(events, to: run, durability)
        }
        var events = events
        if let rules = try await contentRules(of: run.id) { try rules.apply(to: &events) }
        for index in actors { events[index].actor = try Self.actor(introducedBy: events[index]) }
        return try await queue.submit(
            Submission(.run(run.id, token: run.token), events: events, durability: durability)
        )
    }

    /// Events among which are stages or checkpoints: the policy is looked at before each, and none is lost when a later
    /// one is refused, as with the lines of a stream.
    private func appendBoundaries(
        _ events: [EventDraft],
        to run: RunHandle,
        _ durability: Durability
    ) async throws -> [Receipt] {
        var receipts: [Receipt] = []
        var rest = events[...]
        while let index = rest.firstIndex(where: \.isBoundary) {
            let before = Array(rest[..<index])
            if !before.isEmpty { receipts += try await append(before, to: run, durability: durability) }
            receipts.append(try await appendAtBoundary(rest[index], to: run))
            rest = rest[(index + 1)...]
        }
        if !rest.isEmpty { receipts += try await append(Array(rest), to: run, durability: durability) }
        return receipts
    }

    public func enter(stage: String, in run: RunHandle, reason: String?) async throws -> Receipt {
        let draft = try Self.stageDraft(stage, reason: reason, time: .now)
        return try await appendAtBoundary(draft, to: run)
    }

    public func bind(_ snapshot: PolicySnapshot, in run: RunHandle, reason: String?) async throws -> Receipt {
        defer { contents.forget(run.id) }
        for _ in 0..<Self.boundaryTries {
            guard let state = await queue.state().open[run.id] else { break }
            try policies.checkTightens(from: state.snapshot, to: snapshot)
            let draft = PolicyLook.snapshotDraft(snapshot.id, previous: state.snapshot, reason: reason)
            do {
                let object = try StoredObject(.snapshot, snapshot.bytes)
                return try await submitOne([draft.expecting(state.next)], to: run, objects: [object])
            } catch let error as WriteError where error.code == .sequenceConflict {
                continue
            }
        }
        // An ended or unknown run: the queue says which.
        return try await appendOne(PolicyLook.snapshotDraft(snapshot.id, previous: nil, reason: reason), to: run)
    }

    public func checkpoint(label: String?, in run: RunHandle) async throws -> Receipt {
        var body = JSONWriter()
        body.object { if let label { $0.member("label", label) } }
        return try await appendAtBoundary(EventDraft(.registered(.checkpoint), body: body.bytes), to: run)
    }

    /// Another process may write between looking and appending; after so many tries the run is too busy.
    private static let boundaryTries = 16

    /// Looks at the policy again, and appends what came of that, then `draft`, then a checkpoint note.
    private func appendAtBoundary(_ draft: EventDraft, to run: RunHandle) async throws -> Receipt {
        var draft = draft
        if let rules = try await contentRules(of: run.id) { rules.redactor?.redact(&draft) }
        defer { contents.forget(run.id) }
        try draft.checkBody()
        for _ in 0..<Self.boundaryTries {
            guard let state = await queue.state().open[run.id],
                let look = policies.look(at: run.id, inForce: state.snapshot)
            else { return try await submitOne([draft], to: run, makesCheckpoint: true) }
            // Judged against the snapshot in force: nothing may come between.
            var found = look.draft.expecting(state.next)
            found.time = draft.time
            try found.checkBody()
            do {
                let events = [found, draft]
                return try await submitOne(events, to: run, objects: look.objects, makesCheckpoint: true)
            } catch let error as WriteError where error.code == .sequenceConflict {
                Self.log.debug("another process wrote to the run; looking again", metadata: ["run": "\(run.id)"])
            }
        }
        return try await submitOne([draft], to: run, makesCheckpoint: true)
    }

    public func end(_ run: RunHandle, outcome: Outcome, details: RunEnd) async throws -> Receipt {
        var body = JSONWriter()
        body.object {
            if let reason = details.reason { $0.member("reason", reason) }
            if let status = details.exitStatus { $0.member("exit_status", status) }
            if let duration = details.durationNanoseconds { $0.member("duration_ns", duration) }
        }
        var draft = EventDraft(.registered(.runEnd), body: body.bytes, time: details.time)
        draft.outcome = outcome
        if let rules = try await contentRules(of: run.id) { rules.redactor?.redact(&draft) }
        let receipt = try await appendOne(draft, to: run)
        routers.end(run.id)
        contents.forget(run.id)
        return receipt
    }

    /// A run by its ID, a unique prefix of it, or the caller's own name.
    ///
    /// - Throws: `LedgerError.unknownRun`, `ambiguousRun`.
    public func resolve(_ text: String) async throws -> RunID {
        do {
            return try RunResolver.resolve(text, in: await queue.state())
        } catch  where error.code == .unknownRun {
            guard let run = keeper?.run(named: text) else { throw error }
            return run
        }
    }

    /// Other runs than `run` whose ID begins with what was taken as the name of that one.
    public func runs(beginningWith text: String, besides run: RunID) async -> [RunID] {
        RunResolver.runs(beginningWith: text, in: await queue.state()).filter { $0 != run }
    }

    public func flush() async throws { try await queue.flush() }

    /// Stores a snapshot that no run names yet.
    public func store(_ snapshot: PolicySnapshot) async throws {
        _ = try await queue.submit(
            Submission(.none, events: [], objects: [try StoredObject(.snapshot, snapshot.bytes)])
        )
    }

    /// Writes what is waiting and gives up the lock.
    public func close() async {
        await queue.close()
        if let keeper { keeper.close(length: await queue.statistics().fileLength) }
    }

    /// Who an `actor` event introduces: its body says more of them than a name.
    private static func actor(introducedBy draft: EventDraft) throws -> ActorDraft {
        let body = draft.body ?? []
        guard let name = try JSONValue.parse(body)["name"]?.string else {
            throw LedgerError(.bodyInvalid, "an actor event needs the actor's name")
        }
        return ActorDraft(name: name, body: body)
    }

    private func appendOne(_ draft: EventDraft, to run: RunHandle) async throws -> Receipt {
        try draft.checkBody()
        return try await submitOne([draft], to: run)
    }

    /// Answers with the receipt of the last event.
    private func submitOne(
        _ events: [EventDraft],
        to run: RunHandle,
        objects: [StoredObject] = [],
        makesCheckpoint: Bool = false
    ) async throws -> Receipt {
        var submission = Submission(.run(run.id, token: run.token), events: events, objects: objects)
        submission.makesCheckpoint = makesCheckpoint
        guard let receipt = try await queue.submit(submission).last else {
            throw WriteError(.closed, "the queue gave no receipt")
        }
        return receipt
    }

    private static func stageDraft(_ name: String, reason: String?, time: Timestamp) throws -> EventDraft {
        var body = JSONWriter()
        body.object {
            $0.member("name", name)
            if let reason { $0.member("reason", reason) }
        }
        let draft = EventDraft(.registered(.stage), body: body.bytes, time: time)
        try draft.checkBody()
        return draft
    }
}

extension RunStart {
    fileprivate func body() throws(LedgerError) -> [UInt8] {
        guard labels.count <= Limits.labels else {
            throw LedgerError(.inputInvalid, "a run has at most \(Limits.labels) labels")
        }
        for label in labels where label.name.isEmpty || label.name.utf8.count > Limits.nameBytes {
            throw LedgerError(.inputInvalid, "a label's name has 1 to \(Limits.nameBytes) bytes")
        }
        var body = JSONWriter()
        body.object { object in
            if let name, bound?.isRefusal != true { object.member("name", name) }
            if let spec { object.member("spec", spec) }
            object.member("risk", risk ?? "high")
            if let actor { object.member("actor", actor) }
            object.member("backend", "capsule")
            if let command { object.member("command", .array(command.map { .string($0) })) }
            if !labels.isEmpty { object.member("labels", .object(labelMembers)) }
            if let bound { object.member("policy", bound.origin.json) }
        }
        return body.bytes
    }

    /// What is recorded when the policy did not load; for a refused run its end as well.
    fileprivate func failureEvents(_ snapshot: Digest) throws -> [EventDraft] {
        guard let failure = bound?.failure else { return [] }
        let body = failure.body(bound: snapshot, name: failure.action == .refused ? name : nil)
        var events = [EventDraft(.registered(.policyFailure), body: body, time: time)]
        if failure.action == .refused {
            var end = JSONWriter()
            end.object { $0.member("reason", failure.cause.words) }
            events.append(EventDraft(.registered(.runEnd), body: end.bytes, time: time))
            events[1].outcome = .refused
        }
        for event in events { try event.checkBody() }
        return events
    }

    private var labelMembers: JSONValue.Members {
        var members = JSONValue.Members()
        for label in labels { members[label.name] = .string(label.value) }
        return members
    }
}

extension EventDraft {
    /// Whether the policy is looked at again here. What is appended with it is not one submission with it: what stands
    /// before may be written where the boundary is refused.
    public var isBoundary: Bool { type == .registered(.stage) || type == .registered(.checkpoint) }
}

extension EventDraft {
    fileprivate func expecting(_ sequence: UInt32) -> EventDraft {
        var draft = self
        draft.expectedSequence = sequence
        return draft
    }
}

extension ActorDraft {
    /// Someone known by a name only.
    public init(named name: String) {
        var body = JSONWriter()
        body.object { $0.member("name", name) }
        self.init(name: name, body: body.bytes)
    }
}
