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
    let keys = KeyTable()

    init(id: RunID, snapshot: Digest, firstLeaf: UInt64) {
        self.id = id
        self.snapshot = snapshot
        self.firstLeaf = firstLeaf
    }

    /// The event that has this key, if one has.
    public func event(with key: KeyHash) -> KeyedEvent? { keys.events[key] }

    /// Keys and actors of the run.
    public var keyCount: Int { keys.events.count }
}

/// An event that can be asked for again by its key.
public struct KeyedEvent: Equatable, Sendable {
    public var sequence: UInt32
    public var leafIndex: UInt64
    /// Tells whether a retry brings the same bytes; nil where the body is withheld.
    public var fingerprint: KeyHash?
}

/// The keys of one run.
final class KeyTable: @unchecked Sendable {
    // Reached only through the state that owns it, which one thread has at a time.
    var events: [KeyHash: KeyedEvent] = [:]
    var actors: Set<UInt32> = []
}

/// What is kept of a run that has ended.
public struct EndedRun: Equatable, Sendable {
    /// Events, the seal among them.
    public var events: UInt32
    public var sealLeaf: UInt64
    public var outcomeCode: UInt8
    public var snapshot: Digest
}

/// A run found by the caller's own name of it.
public struct NamedRun: Equatable, Sendable {
    public var run: RunID
    public var firstLeaf: UInt64
    public var snapshot: Digest
    public var fingerprint: KeyHash?
}
