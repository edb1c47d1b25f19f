/// Reads a capsule from the start and folds it into a `CapsuleState`, checking every hash, root and rule on the way.
///
/// The one reading loop: the verifier, the writer and the index stand on it, so that what one of them refuses the
/// others do too.
public final class CapsuleFold {
    public private(set) var state: CapsuleState
    public let reader: BatchReader
    let header: FileHeader
    /// Broken rules, in file order; no more than `maximumFindings` are kept.
    public private(set) var findings: [Finding] = []
    /// All broken rules, kept or not.
    public private(set) var findingCount = 0
    /// Roots after the newest batches, for checking notes.
    private var boundaries = RootHistory()
    /// Length of the file before which everything is known to be synced, as the newest header says.
    public private(set) var statedDurable: UInt64 = FileHeader.size
    /// Events, and their root, up to the newest batch that turned out right.
    public private(set) var verified = (size: UInt64(0), root: MerkleFrontier().root)

    public static let maximumFindings = 1000

    public init(file: any StorageFile, header: FileHeader, limit: UInt64) {
        self.header = header
        state = CapsuleState(capsule: header.capsule)
        reader = BatchReader(file: file, header: header, limit: limit)
    }

    /// Goes on from a place that is known.
    package init(file: any StorageFile, header: FileHeader, from point: ResumePoint, limit: UInt64) {
        self.header = header
        state = point.state
        reader = BatchReader(file: file, header: header, from: point.position, limit: limit)
        statedDurable = point.position.durableLength
        verified = (point.state.tree.size, point.state.tree.root)
        boundaries = RootHistory(from: verified.size, root: verified.root)
    }

    /// Lets a second thread read, check, decompress and hash what follows up to the limit, while this one takes it in.
    package func readAheadInThread() { reader.readAheadInThread() }

    /// Forgets what a history has taken in meanwhile.
    package func settle(into history: any CapsuleHistory) { state.settle(into: history) }

    /// What is called for each event of a batch that turned out right: index of the leaf, hash, event.
    public typealias EventVisitor = (UInt64, Digest, borrowing EventView) throws(CapsuleError) -> Void
    public typealias ObjectVisitor = (StoredObject) throws(CapsuleError) -> Void

    /// Reads the next batch and takes it in.
    ///
    /// - Throws: as `BatchReader.next`; `sizeMismatch`, `rootMismatch`, `objectMismatch`. The state then is that
    ///   before the batch
    ///   or within it, and the fold is of no further use.
    public func next(
        event onEvent: EventVisitor? = nil,
        object onObject: ObjectVisitor? = nil,
        batch onBatch: ((BatchHeader, UInt64) -> Void)? = nil
    ) throws -> BatchReader.Step {
        let (count, total) = (findings.count, findingCount)
        do {
            return try step(onEvent, onObject, onBatch)
        } catch let error as CapsuleError {
            // What a batch that is wrong as a whole says about runs is not worth reporting.
            findings.removeLast(findings.count - count)
            findingCount = total
            throw error
        }
    }

    private func step(
        _ onEvent: EventVisitor?,
        _ onObject: ObjectVisitor?,
        _ onBatch: ((BatchHeader, UInt64) -> Void)?
    ) throws -> BatchReader.Step {
        try reader.next { batch throws in
            let hashes = batch.leafHashes
            var next = 0
            try batch.forEachFrame(
                event: { event throws(CapsuleError) in
                    try self.take(event, next < hashes.count ? hashes[next] : event.leafHash, onEvent)
                    next += 1
                },
                object: { object throws(CapsuleError) in
                    try self.take(object)
                    try onObject?(object)
                }
            )
            try self.checkTree(batch.header)
            onBatch?(batch.header, batch.offset)
        }
    }

    private func take(
        _ event: borrowing EventView,
        _ hash: Digest,
        _ visitor: EventVisitor?
    ) throws(CapsuleError) {
        var fingerprint: KeyHash?
        if event.envelope.key != nil, !event.isWithheld {
            let body = event.storedBody?.array ?? []
            fingerprint = .fingerprint(of: event.envelope, body: body.span.bytes, blobLength: event.blob?.length)
        }
        let index = state.tree.size
        note(state.fold(event.envelope, leafHash: hash, fingerprint: fingerprint, blob: event.blob))
        try visitor?(index, hash, event)
    }

    private func take(_ object: StoredObject) throws(CapsuleError) {
        try state.fold(object)
        if object.kind == .note, let problem = noteProblem(object.bytes) {
            note([Finding(.noteMismatch, nil, problem)])
        }
    }

    private func noteProblem(_ bytes: [UInt8]) -> String? {
        guard let note = CheckpointNote(bytes) else { return "a checkpoint note is malformed" }
        guard note.origin == header.origin else { return "a checkpoint note is of another origin, \(note.origin)" }
        guard note.size <= state.tree.size else { return "a checkpoint note states more events than stand before it" }
        switch boundaries.root(atSize: note.size) {
        case .some(let root) where root == note.root: return nil
        case .some: return "a checkpoint note of \(note.size) events states another root"
        case .none where boundaries.reaches(note.size):
            return "a checkpoint note of \(note.size) events is not of the end of a batch"
        case .none: return nil
        }
    }

    private func checkTree(_ batch: BatchHeader) throws(CapsuleError) {
        guard batch.treeSize == state.tree.size else {
            throw CapsuleError(
                .sizeMismatch,
                "the header says \(batch.treeSize) events, counted are \(state.tree.size)"
            )
        }
        if batch.events > 0 || batch.root != verified.root {
            guard batch.root == settledRoot() else {
                throw CapsuleError(.rootMismatch, "the events up to here do not give the root that the header states")
            }
            boundaries.add(size: batch.treeSize, root: batch.root)
            verified = (batch.treeSize, batch.root)
        }
        statedDurable = batch.durableLength
    }

    /// Takes in what the writer is about to write itself, so that it need not read it back.
    ///
    /// If the write then fails, this fold is of no further use.
    package func admit(
        _ envelope: Envelope,
        leafHash: Digest,
        fingerprint: KeyHash?,
        blob: BlobReference?
    ) -> [Finding] {
        state.fold(envelope, leafHash: leafHash, fingerprint: fingerprint, blob: blob)
    }

    /// Root of the newest complete subtree of `MerkleFrontier.keptLeaves` leaves.
    package var newestKeptSubtree: Digest { state.tree.newestKept }

    /// The root over all events so far, merged for good: asking the state for it would merge a copy.
    package func settledRoot() -> Digest {
        state.tree.settle()
        return state.tree.root
    }

    /// Takes in an object that the writer is about to write.
    package func admit(_ object: StoredObject) throws(CapsuleError) { try state.fold(object) }

    /// Says that a batch with everything admitted so far was encoded, and where the next one goes.
    package func encoded(upTo position: BatchPosition, root: Digest) {
        reader.advance(to: position)
        statedDurable = position.durableLength
        guard verified.size != state.tree.size else { return }
        verified = (state.tree.size, root)
        boundaries.add(size: verified.size, root: root)
    }

    /// What can be judged only where reading ends: whether run zero names the header that the file has.
    public func finish() {
        guard let named = state.headerDigest, named != header.digest else { return }
        note([Finding(.headerMismatch, nil, "the file header is not the one that run zero names")])
    }

    private func note(_ new: [Finding]) {
        findingCount += new.count
        findings.append(contentsOf: new.prefix(Self.maximumFindings - findings.count))
    }
}

/// Roots at the newest batch boundaries: a note states one of them.
struct RootHistory {
    /// Boundaries that are kept: 40 bytes each.
    static let capacity = 65_536

    private var entries: [(size: UInt64, root: Digest)] = []
    private var next = 0
    /// Boundaries before this size were never known here.
    private var floor: UInt64 = 0

    init() {}

    /// Of a reading that goes on from a boundary.
    init(from size: UInt64, root: Digest) {
        floor = size
        add(size: size, root: root)
    }

    mutating func add(size: UInt64, root: Digest) {
        if entries.count < Self.capacity {
            entries.append((size, root))
        } else {
            entries[next] = (size, root)
            next = (next + 1) % Self.capacity
        }
    }

    /// Whether every boundary of this size or more is still kept.
    func reaches(_ size: UInt64) -> Bool {
        size >= floor && (entries.count < Self.capacity || size >= entries[next].size)
    }

    func root(atSize size: UInt64) -> Digest? {
        // A note is made soon after the batch whose root it states, so the newest are looked at first.
        let older = entries[..<next].reversed()
        return older.first { $0.size == size }?.root ?? entries[next...].reversed().first { $0.size == size }?.root
    }
}
