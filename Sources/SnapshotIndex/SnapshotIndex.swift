// The side index: a SQLite file beside a capsule (`NAME.cpsl.index`) that tells where its runs and objects stand.
//
// It is for finding things fast: which runs there are, which batches hold a run's events, where a snapshot is. It can
// be deleted at any time and is made again from the capsule, never the other way round. It never writes to a capsule,
// proves nothing, and is believed by nobody who has not looked at the capsule himself. It also keeps the state at its
// mark (the tree's right edge, open runs and their keys), so that a writer can go on from there.
//
// Invariants:
// - What the index says up to its mark is what the batches up to there hold: rows and mark change in one transaction.
// - The mark covers durable bytes only, so a capsule that is shorter than its mark was cut or restored. That is
//   reported, never repaired: deleting the index loses nothing but this evidence. A rebuild keeps it where it can still
//   be read.
// - Whatever stands in the index or under its name ends in a rebuild or in an index in memory, whatever stands in the
//   capsule in an error or an end of reading; never in a trap.
// - Several processes may index at once: a transaction applies only upon the mark that it was read from.

import Capsule
import Synchronization

/// Finds runs, snapshots, objects and checkpoints of one capsule without reading all of it.
///
/// What it says is a hint: read the batches that it names and compare run ID and sequences before you rely on it.
///
/// ```swift
/// let index = try SnapshotIndex(for: CapsuleFile("runs.cpsl"))
/// try index.catchUp()
/// for run in try index.runs(RunQuery(state: .open)) { … }
/// ```
///
/// Calls block; they may come from any thread. Give it a `CapsuleFile` of its own and never the one that a writer has
/// open: both lock it, and one would give up the other's lock.
public final class SnapshotIndex: Sendable {
    let capsule: CapsuleFile
    private let store: Mutex<IndexStore>
    private let observe: Observer?

    /// Told when an index is made, and why, in the thread that makes it. It must not block.
    public typealias Observer = @Sendable (IndexNotice) -> Void

    /// Opens or creates the index of `capsule`, and makes it anew if it is not of this capsule and generation, of
    /// another schema, damaged, or if not what it says stands at its mark.
    ///
    /// Does not read what was appended since: `catchUp` does. Costs three milliseconds or so.
    /// Where the folder cannot hold an index, or something else has its name, the index is in memory only (see
    /// `isTemporary`), and begins empty.
    ///
    /// - Parameter inMemory: keep nothing beside the capsule.
    /// - Throws: `CapsuleError` with `cutShort` if the capsule is shorter than it is known to have been; `StorageError`
    ///   if the capsule cannot be read.
    public init(for capsule: CapsuleFile, inMemory: Bool = false, observe: Observer? = nil) throws {
        self.capsule = capsule
        self.observe = observe
        store = Mutex(
            try inMemory ? IndexStore(inMemoryFor: capsule) : IndexStore.open(for: capsule, observe: observe)
        )
    }

    /// Makes the index of `capsule` anew, whatever it is like, and keeps what it knew of the capsule's durable length:
    /// that may be the only evidence that what cannot be read any more was there.
    ///
    /// - Throws: as `init(for:inMemory:)`.
    public init(remaking capsule: CapsuleFile, observe: Observer? = nil) throws {
        self.capsule = capsule
        self.observe = observe
        store = Mutex(try IndexStore.open(for: capsule, replacing: .asked, observe: observe))
    }

    /// Where the index of the capsule at `path` is.
    public static func path(for path: FilePath) -> FilePath { IndexFiles(following: path).main }

    /// What the index beside a capsule knows of how far it was durable; nil if there is none of this capsule and
    /// generation. Changes nothing.
    public static func evidence(for path: FilePath, _ header: FileHeader) -> OutsideEvidence? {
        reach(for: path, header).map { OutsideEvidence(durableLength: $0.knownDurable) }
    }

    /// How far the index beside a capsule reaches, and the root there, whatever version made it; nil if there is none
    /// of
    /// this capsule and generation. Changes nothing.
    public static func reach(for path: FilePath, _ header: FileHeader) -> Reach? {
        let found = IndexStore.evidence(in: IndexFiles(following: path), header)
        guard let mark = found.mark else { return nil }
        return Reach(
            end: mark.offset,
            batches: mark.number,
            treeSize: mark.treeSize,
            root: mark.root,
            knownDurable: mark.durable,
            other: found.kept.other
        )
    }

    /// How far an index reaches.
    public struct Reach: Equatable, Sendable {
        /// Where the last batch ends that it covers.
        public var end: UInt64
        public var batches: UInt64
        public var treeSize: UInt64
        /// As that batch states it.
        public var root: Digest
        public var knownDurable: UInt64
        /// What an index saw before this one was made, where the file went on otherwise.
        public var other: OtherHistory?
    }

    /// Deletes the index of the capsule at `path`, if there is one: nothing is lost but the evidence of its mark.
    ///
    /// Who has it open goes on with what they have. Erasing calls this, for the index holds names of runs.
    ///
    /// - Throws: `StorageError`, with `.wouldBlock` if others keep the folder locked for seconds.
    public static func drop(for path: FilePath) throws(StorageError) {
        let files = IndexFiles(following: path)
        guard let lock = try? FolderLock(files.folder, .exclusive) else {
            throw StorageError("lock", files.folder, .wouldBlock)
        }
        defer { lock.release() }
        try files.remove()
    }

    /// Whether the index is in memory only, because it could not be kept beside the capsule. The next process reads all
    /// again.
    public var isTemporary: Bool { current.isTemporary }

    /// Takes in what was appended since the mark, as far as it is known to be durable.
    ///
    /// Where that is not known it syncs the capsule, unless a writer is at work, whose next sync will make it known.
    ///
    /// - Parameter progress: called with the offset reached and the offset to reach, every few megabytes.
    /// - Returns: where the index now ends and why. A torn or damaged tail is not an error here.
    /// - Throws: `CapsuleError` with `cutShort`; `StorageError`; a SQLite error, if another process kept the index
    ///   locked.
    @discardableResult
    public func catchUp(progress: ((UInt64, UInt64) -> Void)? = nil) throws -> Status {
        try perform(refills: false) { store in
            try Follower(capsule: capsule, store: store).run(progress)
        }
    }

    /// Runs a query upon one state of the index.
    func query<Result>(_ work: (IndexView) throws -> Result) throws -> Result {
        try perform(refills: true) { store in try store.read(work) }
    }

    /// Runs a query upon one state of the index as it is, without making it anew.
    func queryOnce<Result>(_ work: (IndexStore, IndexView) throws -> Result) throws -> Result {
        let store = current
        return try store.read { view in try work(store, view) }
    }

    private var current: IndexStore { store.withLock { $0 } }

    /// Does `work`; if the index turns out to be of no use, makes it anew once, then does without a file.
    func perform<Result>(refills: Bool, _ work: (IndexStore) throws -> Result) throws -> Result {
        var attempt = 0
        while true {
            let used = current
            do {
                return try work(used)
            } catch {
                guard let fault = IndexFault(error), !used.isTemporary, attempt < 3 else { throw error }
                try replace(used, inMemory: attempt > 0 || fault.isOfPlace, fault)
                attempt += 1
                guard refills else { continue }
                // What fails here fails again in `work`, and is dealt with there.
                do {
                    _ = try Follower(capsule: capsule, store: current).run(nil)
                } catch  where IndexFault(error) != nil {
                    continue
                }
            }
        }
    }

    /// Makes the index anew because what it said is not what the capsule holds, and takes in the capsule.
    ///
    /// Costs reading the whole capsule.
    ///
    /// - Throws: as `catchUp`.
    public func remake(because reason: String) throws {
        let used = current
        try replace(used, inMemory: used.isTemporary, .damaged(reason))
        try catchUp()
    }

    /// Puts a new store in the place of `old`, unless another thread has done so.
    private func replace(_ old: IndexStore, inMemory: Bool, _ fault: IndexFault) throws {
        try store.withLock { store in
            guard store === old else { return }
            old.close()
            if inMemory {
                observe?(.inMemory(fault.words))
                store = try IndexStore(inMemoryFor: capsule)
            } else {
                store = try IndexStore.open(for: capsule, replacing: .damaged(fault.words), observe: observe)
            }
        }
    }
}

/// How far an index reaches.
public struct Status: Equatable, Sendable {
    /// Where the last batch that it covers ends.
    public var end: UInt64
    /// Batches that it covers.
    public var batches: UInt64
    /// Where the last of them begins; 0 if there is none.
    public var lastBatch: UInt64
    /// Events that it covers, run zero's among them.
    public var treeSize: UInt64
    /// Root over them, as the last batch header states it; not recomputed.
    public var root: Digest
    /// A length that the capsule is known to have been durable up to. Where it is beyond `end`, what is missing was
    /// damaged and is no torn tail; give it to `TailJudge` or `Verifier`.
    public var knownDurable: UInt64
    public var ending: Ending

    /// Why an index ends where it does.
    public enum Ending: Equatable, Sendable {
        /// The capsule ends there.
        case end
        /// No valid batch stands there. Whether it is a torn tail or damage is for `TailJudge` to say.
        case badBatch(String)
        /// The batch that stands there breaks the format, or is of a newer version.
        case refused(CapsuleError)
        /// A writer is at work: what follows is not known to be durable yet.
        case beingWritten
    }
}
