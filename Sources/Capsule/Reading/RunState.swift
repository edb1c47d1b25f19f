/// What is known of an open run after its events so far: enough to complete the next one and to seal the run.
public struct RunState: Sendable {
    public let id: RunID
    /// Sequence of the next event.
    public internal(set) var next: UInt32 = 0
    /// Snapshot in force.
    public internal(set) var snapshot: Digest
    /// Sequence of the stage event in force; 0 before the first.
    public internal(set) var stage: UInt32 = 0
    /// The token's hash if appends need one.
    public internal(set) var token: KeyHash?
    /// Index of the run's first leaf in the capsule.
    public internal(set) var firstLeaf: UInt64
    /// Leaves of the run so far.
    public internal(set) var tree = MerkleFrontier()
    /// Keys and actors. Shared between copies of this value: who copies a state to go back to it undoes what was put
    /// in since.
    let keys: KeyTable

    init(id: RunID, snapshot: Digest, firstLeaf: UInt64, keys: KeyTable = KeyTable()) {
        self.keys = keys
        self.id = id
        self.snapshot = snapshot
        self.firstLeaf = firstLeaf
    }

    /// The event that has this key, if one has.
    public func event(with key: KeyHash) -> KeyedEvent? { keys[key] }

    /// Keys and actors of the run.
    public var keyCount: Int { keys.count }
}

/// An event that can be asked for again by its key.
public struct KeyedEvent: Equatable, Sendable {
    public var sequence: UInt32
    public var leafIndex: UInt64
    /// Tells whether a retry brings the same bytes; nil where the body is withheld.
    public var fingerprint: KeyHash?

    public init(sequence: UInt32, leafIndex: UInt64, fingerprint: KeyHash?) {
        self.sequence = sequence
        self.leafIndex = leafIndex
        self.fingerprint = fingerprint
    }
}

/// The keys and actors of one run.
final class KeyTable: @unchecked Sendable {
    // Reached only through the state that owns it, which one thread has at a time.
    private var events: [KeyHash: KeyedEvent] = [:]
    private var actors: Set<UInt32> = []
    /// Where the keys of a resumed run are until the first is asked for, and how many there are.
    private var source: (history: any CapsuleHistory, firstLeaf: UInt64, count: Int)?

    init() {}

    init(in history: any CapsuleHistory, firstLeaf: UInt64, count: Int) {
        if count > 0 { source = (history, firstLeaf, count) }
    }

    var count: Int { source?.count ?? events.count }

    subscript(key: KeyHash) -> KeyedEvent? {
        get {
            load()
            return events[key]
        }
        set {
            load()
            events[key] = newValue
        }
    }

    func isActor(_ sequence: UInt32) -> Bool {
        load()
        return actors.contains(sequence)
    }

    func addActor(_ sequence: UInt32) {
        load()
        actors.insert(sequence)
    }

    private func load() {
        guard let source else { return }
        self.source = nil
        (events, actors) = source.history.keys(ofRunAt: source.firstLeaf)
    }
}

/// What is kept of a run that has ended.
public struct EndedRun: Equatable, Sendable {
    /// Events, the seal among them.
    public var events: UInt32
    public var sealLeaf: UInt64
    public var outcomeCode: UInt8
    public var snapshot: Digest

    public init(events: UInt32, sealLeaf: UInt64, outcomeCode: UInt8, snapshot: Digest) {
        self.events = events
        self.sealLeaf = sealLeaf
        self.outcomeCode = outcomeCode
        self.snapshot = snapshot
    }
}

/// A run found by the caller's own name of it.
public struct NamedRun: Equatable, Sendable {
    public var run: RunID
    public var firstLeaf: UInt64
    public var snapshot: Digest
    public var fingerprint: KeyHash?

    public init(run: RunID, firstLeaf: UInt64, snapshot: Digest, fingerprint: KeyHash?) {
        self.run = run
        self.firstLeaf = firstLeaf
        self.snapshot = snapshot
        self.fingerprint = fingerprint
    }
}
