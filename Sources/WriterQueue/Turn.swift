import Capsule

/// What one turn writes, and what it will answer to whom.
///
/// Events are encoded as they are admitted, because the next submission of the turn is admitted upon them. Where they
/// will stand
/// in the file is known only when all objects of the turn are, which go before them.
struct Turn {
    let session: WriterSession
    private let salts: SaltPool
    private var objects: [StoredObject] = []
    private var timeline: [Closed] = []
    private var body = BatchBody(.timeline)
    private var entries: [(entry: PendingList.Entry, outcome: Result<[Receipt], any Error>)] = []
    private(set) var eventCount = 0
    private(set) var needsSync = false
    private(set) var makesCheckpoint = false
    /// Root of the tree after everything that was admitted.
    private(set) var root: Digest

    /// A batch of events, and the tree after it.
    private struct Closed {
        var body: BatchBody
        var treeSize: UInt64
        var root: Digest
    }

    init(session: WriterSession, salts: SaltPool) {
        self.session = session
        self.salts = salts
        root = session.fold.verified.root
        body = BatchBody(.timeline, reusing: session.takeSpareBuffer())
    }

    var isEmpty: Bool { eventCount == 0 && objects.isEmpty }

    // MARK: Admission

    /// Admits or refuses one submission, upon the state with those before it in this turn taken in.
    mutating func admit(_ entry: PendingList.Entry) {
        var submission = entry.ticket.submission
        do {
            if submission.compose != nil {
                guard let composed = try compose(submission, entry) else { return }
                submission = composed
            }
            let admitted = try Admission.admit(submission, state: session.fold.state)
            try session.fold.state.check(submission.objects)
            for object in submission.objects where !session.fold.state.holds(object) {
                try session.fold.admit(object)
                objects.append(object)
            }
            let firstLeaf = session.fold.state.tree.size
            let events = admitted.events.span
            take(events)
            let receipts = admitted.answers.map { answer in
                switch answer {
                case .written(let receipt): receipt
                case .index(let index):
                    Receipt(
                        event: admitted.events[index].envelope.reference,
                        leafIndex: firstLeaf + UInt64(index),
                        isRepeat: false
                    )
                }
            }
            entries.append((entry, .success(receipts)))
            // A repeated answer may be about bytes that were written and not synced: it too waits for the sync.
            if submission.durability == .durable { needsSync = true }
            if submission.makesCheckpoint { makesCheckpoint = true }
        } catch {
            entries.append((entry, .failure(error)))
        }
    }

    /// The submission with the events that it makes of the run as it stands; nil if it was answered.
    private mutating func compose(
        _ submission: PreparedSubmission,
        _ entry: PendingList.Entry
    ) throws -> PreparedSubmission? {
        // An ended or unknown run: admission says which.
        guard case .run(let id, _) = submission.target, let run = session.fold.state.open[id] else { return submission }
        let view = RunView(run: run, follower: session.followers[id])
        switch try submission.compose?(view) {
        case .events(let drafts, let durability):
            return try submission.with(drafts, durability: durability, random: salts.random)
        case .written(let event):
            let place = EventReference(run: id, sequence: event.sequence)
            entries.append((entry, .success([Receipt(event: place, leafIndex: event.leafIndex, isRepeat: true)])))
            if submission.durability == .durable { needsSync = true }
            return nil
        case nil: return submission
        }
    }

    /// Encodes events and takes them into the state, two at a time where their hashes can be worked out side by side.
    private mutating func take(_ events: Span<AdmittedEvent>) {
        var index = 0
        while index < events.count {
            if index + 1 < events.count, isPair(events[index], events[index + 1]) {
                take(events[index], events[index + 1])
                index += 2
            } else {
                take(events[index])
                index += 1
            }
        }
    }

    private func isPair(_ first: borrowing AdmittedEvent, _ second: borrowing AdmittedEvent) -> Bool {
        guard first.envelope.bodyKind != .none, second.envelope.bodyKind != .none, second.envelope.seal == nil
        else { return false }
        let bytes = contentBytes(first) + contentBytes(second)
        return first.envelope.seal == nil && body.hasRoom(forContent: bytes, frames: 2)
    }

    private func contentBytes(_ event: borrowing AdmittedEvent) -> Int {
        BatchBody.contentBytes(of: event.envelope, bodyBytes: event.storedBody.count)
    }

    private mutating func take(_ first: borrowing AdmittedEvent, _ second: borrowing AdmittedEvent) {
        let hashes = salts.withNext(32) {
            body.addEvents(first.envelope, first.storedBody, second.envelope, second.storedBody, salts: $0)
        }
        fold(first.envelope, first, hashes.0)
        fold(second.envelope, second, hashes.1)
    }

    /// Encodes an event and takes it into the state.
    private mutating func take(_ event: borrowing AdmittedEvent) {
        guard event.envelope.seal != nil, let run = session.fold.state.open[event.envelope.run] else {
            return put(event.envelope, event)
        }
        var envelope = event.envelope
        envelope.seal?.root = run.tree.root
        put(envelope, event)
    }

    private mutating func put(_ envelope: Envelope, _ event: borrowing AdmittedEvent) {
        if !body.hasRoom(forContent: BatchBody.contentBytes(of: envelope, bodyBytes: event.storedBody.count)) {
            closeBody()
        }
        fold(envelope, event, salts.withNext(16) { body.addEvent(envelope, salt: $0, body: event.storedBody) })
    }

    private mutating func fold(_ envelope: Envelope, _ event: borrowing AdmittedEvent, _ hash: Digest) {
        let findings = session.fold.admit(envelope, leafHash: hash, fingerprint: event.fingerprint, blob: event.blob)
        assert(findings.isEmpty, "admission let something pass that breaks a rule: \(findings)")
        eventCount += 1
        session.tellBatchFollower(envelope, body: event.storedBody)
        session.tell(envelope) { envelope.bodyKind == .inline ? event.storedBody : nil }
    }

    private mutating func closeBody() {
        guard !body.isEmpty else { return }
        root = session.fold.settledRoot()
        session.batchFollower?.closeBatch()
        timeline.append(Closed(body: body, treeSize: session.fold.state.tree.size, root: root))
        body = BatchBody(.timeline)
    }

    // MARK: Encoding

    /// Puts everything into one write: objects first.
    mutating func encode(into encoder: BatchEncoder, durable: UInt64) {
        let (size, rootBefore) = session.fold.verified
        closeBody()
        var batch = BatchBody(.objects)
        for object in objects {
            if !batch.hasRoom(forContent: object.bytes.count + 64) {
                encoder.append(batch, treeSize: size, root: rootBefore, durableLength: durable)
                batch = BatchBody(.objects)
            }
            session.batchFollower?.take(object, inBatchAt: encoder.position.offset)
            batch.addObject(object)
        }
        if !batch.isEmpty { encoder.append(batch, treeSize: size, root: rootBefore, durableLength: durable) }
        for closed in timeline {
            session.batchFollower?.place(batchAt: encoder.position.offset)
            let stated = Mutant.isOn(.headerClaimsItsOwnBytes) ? encoder.position.offset : durable
            encoder.append(closed.body, treeSize: closed.treeSize, root: closed.root, durableLength: stated)
        }
        if let last = timeline.popLast() { session.spareBuffer = last.body.takeBuffer() }
    }

    // MARK: Answers

    /// What each submission came to, in order.
    var outcomes: [Result<[Receipt], any Error>] { entries.map(\.outcome) }

    /// Turns every success of this turn into a failure.
    mutating func fail(_ error: any Error) {
        for index in entries.indices {
            if case .success = entries[index].outcome { entries[index].outcome = .failure(error) }
        }
    }

    /// Turns every outcome into this failure, refusals too.
    mutating func failAll(_ error: any Error) {
        for index in entries.indices { entries[index].outcome = .failure(error) }
    }

    /// Tells those who asked for a checkpoint that it is not whole.
    mutating func failCheckpoints(_ error: any Error) {
        for index in entries.indices where entries[index].entry.ticket.submission.makesCheckpoint {
            entries[index].outcome = .failure(error)
        }
    }

    /// Tells everyone how it went.
    func answer(_ pending: PendingList) {
        for (entry, outcome) in entries {
            if let waiter = entry.waiter {
                waiter.resume(with: outcome)
            } else if case .failure(let error) = outcome {
                pending.recordQueuedFailure(error)
            }
        }
    }
}

/// Salts, drawn from the random source many at a time.
final class SaltPool {
    let random: any RandomSource
    private var bytes = [UInt8](repeating: 0, count: 16_384)
    private var next = 16_384

    init(_ random: any RandomSource) { self.random = random }

    /// Calls `body` with so many bytes that nobody gets again.
    func withNext<R>(_ count: Int, _ body: (UnsafeRawBufferPointer) -> R) -> R {
        if bytes.count - next < count {
            bytes.withUnsafeMutableBytes { random.fill($0) }
            next = 0
        }
        defer { next += count }
        return bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[next..<(next + count)])) }
    }
}
