import Capsule

/// What rows say of the state after them, taken out of it: the state itself goes on.
struct RowState {
    /// An open run as the next writer needs it.
    struct Open {
        let firstLeaf: UInt64
        let bytes: [UInt8]
    }

    /// An event of an open run that can be asked for again by its key.
    struct Key {
        let firstLeaf: UInt64
        let key: KeyHash
        let event: KeyedEvent
        let isActor: Bool
    }

    /// The runs of the rows that are open, and run zero.
    private(set) var open: [RunID: Open] = [:]
    private(set) var keys: [Key] = []
    /// Fingerprints of the first events of runs, by the hash of the caller's name.
    private(set) var fingerprints: [KeyHash: KeyHash] = [:]
    let tree: MerkleFrontier
    let headerDigest: Digest?
    let isClosed: Bool

    init(_ state: CapsuleState, after rows: PendingRows) {
        tree = state.tree
        headerDigest = state.headerDigest
        isClosed = state.isClosed
        for run in CollectionOfOne(RunID.zero) + rows.runs.map(\.id) {
            guard let found = state.open[run] else { continue }
            open[run] = Open(firstLeaf: found.firstLeaf, bytes: found.encoded)
        }
        for (run, key, isActor) in rows.keys {
            guard let found = state.open[run], let event = found.event(with: key) else { continue }
            keys.append(Key(firstLeaf: found.firstLeaf, key: key, event: event, isActor: isActor))
        }
        for run in rows.runs {
            guard let key = run.start.key else { continue }
            fingerprints[key] = state.namedRun(key)?.fingerprint
        }
    }
}
