import Capsule

/// A submission checked and cut to size in the caller's task, so that the turn has little left to do.
struct PreparedSubmission: Sendable {
    struct Event: Sendable {
        var draft: EventDraft
        /// The body as it will stand in the frame; for a blob, the reference.
        var storedBody: [UInt8]
        var blob: BlobReference?
    }

    let target: Submission.Target
    let events: [Event]
    let objects: [StoredObject]
    let durability: Durability
    let makesCheckpoint: Bool
    let compose: (@Sendable (RunView) throws -> Composed)?
    /// What the submission weighs in the queue.
    let bytes: Int

    /// - Throws: `CapsuleError` for a limit.
    init(_ submission: Submission, random: any RandomSource) throws(CapsuleError) {
        target = submission.target
        var objects = submission.objects
        for object in objects where object.kind == .event || object.kind == .note {
            // A note states what the file holds: only whoever holds the lock can know that.
            throw CapsuleError(.objectMismatch, "a \(object.kind.name) cannot be given as an object")
        }
        // One pass, and a span that lends the drafts: every further loop over them copies each.
        let drafts = submission.events.span
        var events: [Event] = []
        events.reserveCapacity(drafts.count)
        var weight = submission.compose == nil ? 0 : Self.composedBytes
        // A run's first and last event, a snapshot and a checkpoint are what everything else leans on.
        var leansOn = objects.contains { $0.kind == .snapshot }
        for index in drafts.indices {
            let event = try Self.prepare(drafts[index], random: random, objects: &objects)
            weight += 256 + event.storedBody.count
            if Self.isAlwaysDurable(event.draft.type) { leansOn = true }
            events.append(event)
        }
        if case .newRun(_, let name, _, _) = submission.target { try Self.check(name: name) }
        self.events = events
        self.objects = objects
        makesCheckpoint = submission.makesCheckpoint
        compose = submission.compose
        durability = leansOn || makesCheckpoint ? .durable : submission.durability
        bytes = objects.reduce(weight) { $0 + 64 + $1.bytes.count }
    }

    /// What is set aside for events that are made inside the turn.
    private static let composedBytes = 4096

    /// The same, with the events that were made inside the turn.
    func with(
        _ drafts: [EventDraft],
        durability: Durability,
        random: any RandomSource
    ) throws(CapsuleError) -> PreparedSubmission {
        var submission = Submission(
            target,
            events: drafts,
            objects: objects,
            durability: max(self.durability, durability)
        )
        submission.makesCheckpoint = makesCheckpoint
        return try PreparedSubmission(submission, random: random)
    }

    var offeredSnapshots: Set<Digest> { Set(objects.lazy.filter { $0.kind == .snapshot }.map(\.id)) }

    private static func isAlwaysDurable(_ type: EventType) -> Bool {
        guard case .registered(let type) = type else { return false }
        return switch type {
        case .runStart, .runEnd, .snapshot, .checkpoint: true
        default: type.isOfRunZero
        }
    }

    private static func prepare(
        _ draft: EventDraft,
        random: any RandomSource,
        objects: inout [StoredObject]
    ) throws(CapsuleError) -> Event {
        if !draft.isPlain {
            try check(name: draft.key)
            try check(name: draft.actor?.name)
            guard draft.causes.count <= Limits.causes else {
                throw CapsuleError(.limitCauses, "an event has at most \(Limits.causes) causes")
            }
        }
        try check(type: draft.type)
        guard draft.body == nil || draft.media != .none else {
            throw CapsuleError(.invalidName, "a body needs a media type")
        }
        let body = draft.body ?? []
        guard body.count <= Limits.bodyBytes else {
            throw CapsuleError(
                .limitBody,
                "a body has at most \(Limits.bodyBytes) bytes; this one has \(body.count). "
                    + "Store a file's digest instead"
            )
        }
        guard body.count > Limits.inlineBodyBytes else { return Event(draft: draft, storedBody: body, blob: nil) }
        var salt = [UInt8](repeating: 0, count: 16)
        if !draft.sharesBlob { salt.withUnsafeMutableBytes { random.fill($0) } }
        let manifest = BlobManifest(of: body, salt: salt)
        for start in stride(from: 0, to: body.count, by: Limits.chunkBytes) {
            let chunk = body[start..<min(body.count, start + Limits.chunkBytes)]
            objects.append(try StoredObject(.chunk, salt + chunk))
        }
        objects.append(try StoredObject(.manifest, manifest.encoded))
        let reference = BlobReference(id: manifest.id, length: manifest.length)
        return Event(draft: draft, storedBody: reference.encoded, blob: reference)
    }

    /// A type that was made by hand may be what no reader accepts.
    private static func check(type: EventType) throws(CapsuleError) {
        let isWritable =
            switch type {
            case .registered: true
            case .unknown(let code): code != 0 && RegisteredType(rawValue: code) == nil
            case .custom(let name): try EventType(name: name) == type
            }
        guard isWritable else { throw CapsuleError(.invalidName, "'\(type.name)' is not a type of its own") }
    }

    private static func check(name: String?) throws(CapsuleError) {
        guard let name else { return }
        guard name.utf8.count <= Limits.nameBytes else {
            throw CapsuleError(.limitName, "a key or a name has at most \(Limits.nameBytes) bytes of UTF-8")
        }
        guard !name.isEmpty else { throw CapsuleError(.invalidName, "a key or a name is not empty") }
    }
}
