import Capsule

/// An event with everything that the envelope needs, accepted and not yet written.
struct AdmittedEvent {
    var envelope: Envelope
    var storedBody: [UInt8]
    var blob: BlobReference?
    var fingerprint: KeyHash?
}

/// What admission made of a submission.
struct Admitted {
    /// In the order in which they will be written.
    var events: [AdmittedEvent] = []
    /// One for each event that was asked for: written before, or the index into `events` that will be.
    var answers: [Answer] = []

    enum Answer {
        case written(Receipt)
        case index(Int)
    }
}

/// Completes or refuses submissions: a pure function of the state at the tail and of what is asked.
///
/// Several submissions of a turn are admitted one after the other, each upon the state with the ones before it taken
/// in.
struct Admission {
    let state: CapsuleState
    private var result = Admitted()
    private var cursor: Cursor

    /// The run as it will be after the events admitted so far.
    private struct Cursor {
        var run: RunID
        var next: UInt32
        var stage: UInt32
        var snapshot: Digest
        var keys: [KeyHash: (sequence: UInt32, fingerprint: KeyHash?, index: Int)] = [:]
        var isEnding = false
        /// Snapshots that the submission brings with it.
        var offered: Set<Digest> = []
    }

    static func admit(_ submission: PreparedSubmission, state: CapsuleState) throws(WriteError) -> Admitted {
        if state.isClosed, !submission.events.isEmpty {
            throw WriteError(.capsuleClosed, "this capsule was closed; another one continues it")
        }
        switch submission.target {
        case .none:
            return Admitted()
        case .newRun(let id, let name, let snapshot, let token):
            return try start(submission, id: id, name: name, snapshot: snapshot, token: token, state: state)
        case .run(let id, let token):
            return try append(submission, id: id, token: token, state: state)
        }
    }

    // MARK: Starting

    private static func start(
        _ submission: PreparedSubmission,
        id: RunID,
        name: String?,
        snapshot: Digest,
        token: String?,
        state: CapsuleState
    ) throws(WriteError) -> Admitted {
        guard let first = submission.events.first, first.draft.type == .registered(.runStart) else {
            throw WriteError(.misplacedType, "a run begins with run.start")
        }
        guard snapshot != .zero else {
            throw WriteError(.noSnapshot, "a run cannot start without a policy snapshot; name one with --snapshot")
        }
        guard state.hasSnapshot(snapshot) || submission.offeredSnapshots.contains(snapshot) else {
            throw Self.unknown(snapshot)
        }
        let key = name.map { KeyHash.runName($0, in: state.capsule) }
        var event = AdmittedEvent(first, run: id)
        event.envelope.snapshot = snapshot
        event.envelope.key = key
        event.envelope.token = token.map { KeyHash.token($0, for: id) }
        event.envelope.causes = first.draft.causes
        event.fingerprint = event.contentFingerprint
        var admission = Admission(state: state, cursor: Cursor(run: id, next: 0, stage: 0, snapshot: snapshot))
        admission.cursor.offered = submission.offeredSnapshots
        for cause in first.draft.causes { try admission.check(cause) }
        admission.cursor.next = 1
        admission.result.events = [event]
        admission.result.answers = [.index(0)]
        try admission.add(submission.events.span.extracting(droppingFirst: 1))
        if let key, let earlier = state.namedRun(key) {
            return try repeatedStart(earlier, admission.result, name: name ?? "")
        }
        guard state.open[id] == nil, state.endedRun(id) == nil else {
            throw WriteError(.keyConflict, "there is a run \(id) already")
        }
        guard state.open.count <= Limits.openRuns else {
            throw WriteError(
                .limitOpenRuns,
                "\(Limits.openRuns) runs are open; end some with 'capsule-tool end RUN --abandoned'"
            )
        }
        return admission.result
    }

    /// The answers to a start that was written before, as a whole: its events follow each other from sequence 0.
    private static func repeatedStart(
        _ earlier: NamedRun,
        _ again: Admitted,
        name: String
    ) throws(WriteError) -> Admitted {
        let first = again.events[0]
        let isSame = earlier.fingerprint == nil || earlier.fingerprint == first.fingerprint
        guard isSame, earlier.snapshot == first.envelope.snapshot else {
            throw WriteError(
                .keyConflict,
                "a run named '\(name)' was started before, with other content or another snapshot: \(earlier.run)"
            )
        }
        let answers = again.answers.map { answer -> Admitted.Answer in
            guard case .index(let index) = answer else { return answer }
            let event = EventReference(run: earlier.run, sequence: again.events[index].envelope.sequence)
            return .written(Receipt(event: event, leafIndex: earlier.firstLeaf + UInt64(index), isRepeat: true))
        }
        return Admitted(events: [], answers: answers)
    }

    // MARK: Appending

    private static func append(
        _ submission: PreparedSubmission,
        id: RunID,
        token: String?,
        state: CapsuleState
    ) throws(WriteError) -> Admitted {
        guard let run = state.open[id] else {
            guard let ended = state.endedRun(id) else {
                throw WriteError(.unknownRun, "there is no run \(id) in this capsule; 'capsule-tool runs' lists them")
            }
            return try repeatedEnd(submission, id: id, ended)
        }
        let abandons = submission.events.count == 1 && submission.events[0].draft.outcome == .abandoned
        if let needed = run.token, !abandons {
            guard let token else {
                throw WriteError(.tokenRequired, "run \(id) was started with --exclusive; show its token with --token")
            }
            guard KeyHash.token(token, for: id) == needed else {
                throw WriteError(.wrongToken, "this is not the token that run \(id) was started with")
            }
        }
        let snapshot = id.isRunZero ? .zero : run.snapshot
        var admission = Admission(
            state: state,
            cursor: Cursor(run: id, next: run.next, stage: run.stage, snapshot: snapshot)
        )
        admission.cursor.offered = submission.offeredSnapshots
        try admission.add(submission.events.span)
        return admission.result
    }

    private static func repeatedEnd(
        _ submission: PreparedSubmission,
        id: RunID,
        _ ended: EndedRun
    ) throws(WriteError) -> Admitted {
        let name = Outcome(rawValue: ended.outcomeCode)?.name ?? "#\(ended.outcomeCode)"
        guard submission.events.count == 1, let outcome = submission.events[0].draft.outcome,
            outcome.rawValue == ended.outcomeCode
        else {
            throw WriteError(
                .runEnded,
                "run \(id) has ended (\(name), \(ended.events) events); nothing can be added to it"
            )
        }
        let receipt = Receipt(
            event: EventReference(run: id, sequence: ended.events - 1),
            leafIndex: ended.sealLeaf,
            isRepeat: true
        )
        return Admitted(events: [], answers: [.written(receipt)])
    }

    private init(state: CapsuleState, cursor: Cursor) {
        self.state = state
        self.cursor = cursor
    }

    /// A span lends events where iterating over the array would copy them, with a count of references for each field.
    private mutating func add(_ events: Span<PreparedSubmission.Event>) throws(WriteError) {
        result.events.reserveCapacity(result.events.count + events.count)
        result.answers.reserveCapacity(result.answers.count + events.count)
        for index in events.indices { try add(events[index]) }
    }

    /// Completes one event, or two if its actor is new.
    private mutating func add(_ event: borrowing PreparedSubmission.Event) throws(WriteError) {
        try checkPlace(event.draft.type)
        var key: KeyHash?
        if let text = event.draft.key { key = KeyHash.event(text, in: cursor.run) }
        if let key, let answer = try earlier(key, event) { return result.answers.append(answer) }
        if event.draft.type == .registered(.actor) { return try introduce(event) }
        var actor: UInt32 = 0
        if let name = event.draft.actor { actor = try sequence(of: name, time: event.draft.time) }
        if let expected = event.draft.expectedSequence, expected != cursor.next {
            throw WriteError(
                .sequenceConflict,
                "the next event of run \(cursor.run) is number \(cursor.next), not \(expected)"
            )
        }
        // In its place in the result from the beginning: an event is 200 bytes, and each move of it copies them.
        result.events.append(AdmittedEvent(event, run: cursor.run))
        let index = result.events.count - 1
        result.events[index].envelope.actor = actor
        result.events[index].envelope.key = key
        if !event.draft.isPlain {
            result.events[index].envelope.causes = event.draft.causes
            for cause in event.draft.causes { try check(cause) }
        }
        if case .registered(let type) = event.draft.type { try take(type, event, at: index) }
        if key != nil { result.events[index].fingerprint = result.events[index].contentFingerprint }
        try placeLast()
        result.answers.append(.index(index))
    }

    /// What a registered type changes for itself and for the events after it.
    private mutating func take(
        _ type: RegisteredType,
        _ event: borrowing PreparedSubmission.Event,
        at index: Int
    ) throws(WriteError) {
        switch type {
        case .stage: cursor.stage = cursor.next
        case .snapshot: cursor.snapshot = try checked(event.draft.snapshot)
        case .capsuleClose: cursor.isEnding = true
        case .runEnd:
            cursor.isEnding = true
            guard let outcome = event.draft.outcome else {
                throw WriteError(.misplacedType, "run.end needs an outcome; use 'capsule-tool end'")
            }
            // The root is put in when the event is encoded: it needs the leaves before it.
            result.events[index].envelope.seal = Envelope.Seal(outcomeCode: outcome.rawValue, root: .zero)
        default: break
        }
    }

    /// Gives the last event of the result its place in the run.
    private mutating func placeLast() throws(WriteError) {
        guard cursor.next < Limits.runEvents else {
            throw WriteError(.limitRun, "run \(cursor.run) has as many events as a run can have; start another one")
        }
        let index = result.events.count - 1
        result.events[index].envelope.sequence = cursor.next
        result.events[index].envelope.stage = cursor.stage
        result.events[index].envelope.snapshot = cursor.snapshot
        if let key = result.events[index].envelope.key {
            let count = (state.open[cursor.run]?.keyCount ?? 0) + cursor.keys.count
            guard count < Limits.runKeys else {
                throw WriteError(.limitRun, "run \(cursor.run) has as many keys and actors as a run can have")
            }
            cursor.keys[key] = (cursor.next, result.events[index].fingerprint, index)
        }
        cursor.next += 1
    }

    private func checkPlace(_ type: EventType) throws(WriteError) {
        if cursor.isEnding { throw WriteError(.misplacedType, "nothing follows run.end or capsule.close") }
        guard case .registered(let type) = type else { return }
        let isAllowed =
            cursor.run.isRunZero
            ? ![.runStart, .runEnd, .stage, .snapshot, .capsuleCreate, .capsuleAdopt].contains(type)
            : !type.isOfRunZero && type != .runStart
        guard isAllowed else { throw WriteError(.misplacedType, "\(type.name) cannot be appended to this run") }
    }

    /// The answer to a retry, or nil if the key is new.
    private func earlier(
        _ key: KeyHash,
        _ event: borrowing PreparedSubmission.Event
    ) throws(WriteError) -> Admitted.Answer? {
        let written = state.open[cursor.run]?.event(with: key)
        let pending = cursor.keys[key]
        guard written != nil || pending != nil else { return nil }
        var again = AdmittedEvent(event, run: cursor.run)
        again.envelope.causes = event.draft.causes
        let known = written?.fingerprint ?? pending?.fingerprint
        guard known == nil || known == again.contentFingerprint else {
            throw WriteError(
                .keyConflict,
                "event \(cursor.run)#\(written?.sequence ?? pending?.sequence ?? 0) has this key and other content"
            )
        }
        if let pending { return .index(pending.index) }
        return written.map {
            .written(
                Receipt(
                    event: EventReference(run: cursor.run, sequence: $0.sequence),
                    leafIndex: $0.leafIndex,
                    isRepeat: true
                )
            )
        }
    }

    /// An `actor` event of the caller's own, who has more to say of the actor than a name.
    private mutating func introduce(_ event: borrowing PreparedSubmission.Event) throws(WriteError) {
        guard let actor = event.draft.actor else {
            throw WriteError(.misplacedType, "an actor event needs the actor's name")
        }
        let before = result.events.count
        let sequence = try sequence(of: actor, time: event.draft.time)
        if result.events.count > before { return result.answers.append(.index(before)) }
        let key = KeyHash.actor(actor.name, in: cursor.run)
        if let pending = cursor.keys[key] { return result.answers.append(.index(pending.index)) }
        let leaf = state.open[cursor.run]?.event(with: key)?.leafIndex ?? 0
        let reference = EventReference(run: cursor.run, sequence: sequence)
        result.answers.append(.written(Receipt(event: reference, leafIndex: leaf, isRepeat: true)))
    }

    /// The sequence of the event that introduced an actor; introduces them if nothing did.
    private mutating func sequence(of actor: ActorDraft, time: Timestamp) throws(WriteError) -> UInt32 {
        let key = KeyHash.actor(actor.name, in: cursor.run)
        if let known = state.open[cursor.run]?.event(with: key) { return known.sequence }
        if let known = cursor.keys[key] { return known.sequence }
        let draft = EventDraft(.registered(.actor), body: actor.body, time: time)
        var event = AdmittedEvent(
            PreparedSubmission.Event(draft: draft, storedBody: actor.body, blob: nil),
            run: cursor.run
        )
        event.envelope.actor = cursor.next
        event.envelope.key = key
        result.events.append(event)
        try placeLast()
        return event.envelope.actor
    }

    private func check(_ cause: EventReference) throws(WriteError) {
        let known =
            cause.run == cursor.run ? cursor.next : state.open[cause.run]?.next ?? state.endedRun(cause.run)?.events
        if let known, cause.sequence >= known {
            throw WriteError(.unknownCause, "cause \(cause) is not an event of that run, which has \(known)")
        }
    }

    private func checked(_ snapshot: Digest?) throws(WriteError) -> Digest {
        guard let snapshot, snapshot != .zero else {
            throw WriteError(.noSnapshot, "a snapshot event names the snapshot that comes into force")
        }
        guard state.hasSnapshot(snapshot) || cursor.offered.contains(snapshot) else {
            throw Self.unknown(snapshot)
        }
        return snapshot
    }

    private static func unknown(_ snapshot: Digest) -> WriteError {
        WriteError(.unknownSnapshot, "snapshot sha256:\(snapshot.hex) is not in the capsule; give the snapshot's file")
    }
}

extension AdmittedEvent {
    init(_ event: borrowing PreparedSubmission.Event, run: RunID) {
        envelope = Envelope(type: event.draft.type, time: event.draft.time, run: run, snapshot: .zero)
        if event.draft.body != nil {
            envelope.media = event.draft.media
            envelope.bodyKind = event.blob == nil ? .inline : .blob
        }
        envelope.trace = event.draft.trace
        storedBody = event.storedBody
        blob = event.blob
    }

    var contentFingerprint: KeyHash {
        .fingerprint(of: envelope, body: storedBody.span.bytes, blobLength: blob?.length)
    }
}
