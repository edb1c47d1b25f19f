import Capsule

/// How safe an event must be before the caller hears of it.
public enum Durability: Int, Sendable, Comparable {
    /// Taken into the queue; a crash of this process loses it. No receipt.
    case queued
    /// Written to the file; survives a crash of this process, not one of the machine.
    case written
    /// Synced; survives kill -9 and power loss.
    case durable

    public static func < (left: Durability, right: Durability) -> Bool { left.rawValue < right.rawValue }
}

/// An event before it has a place: what the caller says of it. Admission adds run, sequence, stage and snapshot.
public struct EventDraft: Sendable {
    public var type: EventType
    public var media: MediaType
    /// Nil for an event without a body.
    public var body: [UInt8]?
    public var time: Timestamp
    /// What most events do not say, behind one reference: drafts are copied, and every field of them costs.
    private var rare: Boxed<Rare>?

    private struct Rare: Equatable, Sendable {
        var actor: ActorDraft?
        var causes: [EventReference] = []
        var trace: TraceContext?
        var key: String?
        var expectedSequence: UInt32?
        var sharesBlob = false
        var snapshot: Digest?
        var outcome: Outcome?
    }

    public init(_ type: EventType, media: MediaType = .json, body: [UInt8]?, time: Timestamp = .now) {
        self.type = type
        self.media = media
        self.body = body
        self.time = time
    }
}

extension EventDraft {
    /// Who did this; nil is who started the run.
    public var actor: ActorDraft? {
        get { rare?.value.actor }
        set { set(\.actor, newValue) }
    }
    public var causes: [EventReference] {
        get { rare?.value.causes ?? [] }
        set { set(\.causes, newValue) }
    }
    public var trace: TraceContext? {
        get { rare?.value.trace }
        set { set(\.trace, newValue) }
    }
    /// A retry with the same key is the same event. Scoped to the run.
    public var key: String? {
        get { rare?.value.key }
        set { set(\.key, newValue) }
    }
    /// Refuse unless the event gets this sequence.
    public var expectedSequence: UInt32? {
        get { rare?.value.expectedSequence }
        set { set(\.expectedSequence, newValue) }
    }
    /// If the body is so large that it becomes a blob: store equal ones once. The blob's ID then confirms guesses of
    /// it.
    public var sharesBlob: Bool {
        get { rare?.value.sharesBlob ?? false }
        set { set(\.sharesBlob, newValue) }
    }
    /// For a `snapshot` event: the snapshot that comes into force.
    public var snapshot: Digest? {
        get { rare?.value.snapshot }
        set { set(\.snapshot, newValue) }
    }
    /// For `run.end`.
    public var outcome: Outcome? {
        get { rare?.value.outcome }
        set { set(\.outcome, newValue) }
    }

    /// Whether nothing is said but type, body and time.
    var isPlain: Bool { rare == nil }

    private mutating func set<Value>(_ field: WritableKeyPath<Rare, Value>, _ value: Value) {
        var all = rare?.value ?? Rare()
        all[keyPath: field] = value
        rare = Boxed(all)
    }
}

/// Someone who acts in a run. The first event of a name brings an `actor` event with it that introduces them.
public struct ActorDraft: Hashable, Sendable {
    public var name: String
    /// Body of the `actor` event, JSON.
    public var body: [UInt8]

    public init(name: String, body: [UInt8]) {
        self.name = name
        self.body = body
    }
}

/// Events that are written together or not at all, with the objects that they need.
public struct Submission: Sendable {
    /// Which run the events are for.
    public enum Target: Sendable {
        /// A run that begins with these events.
        case newRun(RunID, name: String?, snapshot: Digest, token: String?)
        case run(RunID, token: String?)
        /// None: objects, or nothing at all, and the durability that is asked for.
        case none
    }

    public var target: Target
    public var events: [EventDraft]
    /// Stored before the events, once.
    public var objects: [StoredObject]
    public var durability: Durability
    /// Also store a checkpoint note over everything up to and with these events.
    public var makesCheckpoint = false
    /// Makes the events inside the turn, from the run as it then stands: for what must not be decided on a state that
    /// another process may have changed. `events` is empty then. It runs in the queue's thread and holds up everyone;
    /// what it throws refuses this submission alone.
    public var compose: (@Sendable (RunView) throws -> Composed)?

    public init(
        _ target: Target,
        events: [EventDraft],
        objects: [StoredObject] = [],
        durability: Durability = .durable
    ) {
        self.target = target
        self.events = events
        self.objects = objects
        self.durability = durability
    }

    /// Nothing but the wish that all before it be durable.
    init(flush: Void) { self.init(.none, events: []) }
}

/// Where an event is.
public struct Receipt: Equatable, Sendable {
    public var event: EventReference
    /// Index of the event's leaf in the capsule's tree.
    public var leafIndex: UInt64
    /// Whether the event had been written before, by an earlier try.
    public var isRepeat: Bool

    public init(event: EventReference, leafIndex: UInt64, isRepeat: Bool) {
        self.event = event
        self.leafIndex = leafIndex
        self.isRepeat = isRepeat
    }
}
