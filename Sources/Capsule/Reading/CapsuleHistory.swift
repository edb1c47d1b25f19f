/// What stands in a capsule before the place from which a state goes on, kept where it can be looked up: in a side
/// index.
///
/// Without one, a state knows everything from reading the file from its beginning. Lookups cannot fail: what goes wrong
/// is kept for `takeFailure`, which whoever relies on an answer asks before acting upon it.
public protocol CapsuleHistory: AnyObject, Sendable {
    func endedRun(_ run: RunID) -> EndedRun?
    func namedRun(_ name: KeyHash) -> NamedRun?
    /// Whether an object of this kind stands in the file: a snapshot or a document.
    func holds(_ kind: FrameKind, _ id: Digest) -> Bool
    /// Length of the content of a blob whose manifest stands in the file.
    func blobLength(_ id: Digest) -> UInt64?
    func chunk(_ id: Digest) -> StoredChunk?
    /// Keys and actors of an open run, by the index of its first leaf.
    func keys(ofRunAt firstLeaf: UInt64) -> (events: [KeyHash: KeyedEvent], actors: Set<UInt32>)
    /// Runs whose ID begins with these hexadecimal digits, open or ended.
    func runs(withPrefix digits: String, limit: Int) -> [RunID]
    /// Snapshots whose ID begins with these hexadecimal digits.
    func snapshots(withPrefix digits: String, limit: Int) -> [Digest]
    /// The first lookup that went wrong since the last call.
    func takeFailure() -> (any Error)?
}

/// What a blob's manifest must agree with.
public struct StoredChunk: Equatable, Sendable {
    public var length: Int
    public var salt: [UInt8]

    public init(length: Int, salt: [UInt8]) {
        self.length = length
        self.salt = salt
    }
}

/// A place behind some batch of a capsule, and the state there: reading can go on from it.
///
/// Whoever takes one from outside the capsule first compares the root of its tree with the batch header before it.
public struct ResumePoint: Sendable {
    public var position: BatchPosition
    public var state: CapsuleState
    /// A length up to which the capsule is known to have been durable: the place, or more.
    public var durableLength: UInt64

    /// - Parameters:
    ///   - tree: of all events before the place.
    ///   - open: runs that have not ended, run zero among them.
    ///   - history: everything else.
    public init(
        position: BatchPosition,
        durableLength: UInt64,
        capsule: CapsuleID,
        tree: MerkleFrontier,
        open: [RunState],
        headerDigest: Digest?,
        isClosed: Bool,
        history: any CapsuleHistory
    ) {
        self.position = position
        self.durableLength = durableLength
        state = CapsuleState(capsule: capsule)
        state.tree = tree
        state.open = Dictionary(open.map { ($0.id, $0) }) { first, _ in first }
        state.headerDigest = headerDigest
        state.isClosed = isClosed
        state.history = history
    }
}
