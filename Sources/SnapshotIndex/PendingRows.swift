import Capsule
import JSONText

/// Rows that wait to be written: one addition a run, whatever the number of its events.
struct PendingRows {
    private(set) var runs: [PendingRun] = []
    /// Batches that hold events of run zero, which is the capsule's own and not listed.
    private(set) var ownBatches: [UInt64] = []
    private(set) var objects: [PendingObject] = []
    /// Events that can be asked for again by their key, and those that introduce an actor.
    private(set) var keys: [(run: RunID, key: KeyHash, isActor: Bool)] = []
    private(set) var checkpoints: [PendingCheckpoint] = []
    /// Snapshots in the order in which events came under them, with the time of the first.
    private(set) var snapshots: [(id: Digest, time: Timestamp)] = []
    private var used: Set<Digest> = []
    /// Blocks of leaves that begin here, by their number, and the batches that hold the first leaf of each.
    private(set) var blocks: [(number: UInt64, batch: UInt64)] = []
    /// Roots of blocks that are complete.
    private(set) var subtrees: [(number: UInt64, root: Digest)] = []
    /// Rows that this will become, about.
    private(set) var count = 0
    private var places: [RunID: Int] = [:]
    /// Place of the run of the newest event: events of one run often stand together.
    private var newest = 0

    /// Whether a row says something of an event's body.
    static func readsBody(of envelope: Envelope) -> Bool {
        switch envelope.type {
        case .registered(.runStart), .registered(.checkpoint): envelope.media == .json && envelope.bodyKind == .inline
        default: false
        }
    }

    /// - Parameter body: as it stands in the event; needed only where `readsBody` says so.
    mutating func add(_ envelope: Envelope, body: [UInt8]?, leaf: UInt64, batch: UInt64) {
        if leaf % MerkleFrontier.keptLeaves == 0 {
            blocks.append((leaf / MerkleFrontier.keptLeaves, batch))
            count += 1
        }
        let run = envelope.run
        guard !run.isRunZero else {
            if ownBatches.last != batch { ownBatches.append(batch) }
            return
        }
        let place = place(of: run) ?? append(PendingRun(run, firstLeaf: leaf, time: envelope.time))
        newest = place
        if runs[place].snapshots.last != envelope.snapshot, used.insert(envelope.snapshot).inserted {
            snapshots.append((envelope.snapshot, envelope.time))
        }
        if runs[place].add(envelope, leaf: leaf, batch: batch, body) { count += 1 }
        if let key = envelope.key, envelope.type != .registered(.runStart) {
            keys.append((run, key, envelope.type == .registered(.actor)))
            count += 1
        }
        if envelope.type == .registered(.checkpoint) {
            checkpoints.append(
                PendingCheckpoint(leaf: leaf, label: JSONValue(bodyOf: envelope, body)?["label"], batch: batch)
            )
            count += 1
        }
    }

    /// - Parameter size: leaves up to the end of the block.
    mutating func add(block root: Digest, endingAt size: UInt64) {
        subtrees.append((size / MerkleFrontier.keptLeaves - 1, root))
        count += 1
    }

    /// Puts the offsets of batches in the place of their numbers.
    mutating func place(batches offsets: [UInt64]) {
        for index in runs.indices { runs[index].place(batches: offsets) }
        ownBatches = ownBatches.map { offsets[Int($0)] }
        for index in checkpoints.indices { checkpoints[index].batch = offsets[Int(checkpoints[index].batch)] }
        for index in blocks.indices { blocks[index].batch = offsets[Int(blocks[index].batch)] }
    }

    mutating func add(_ object: StoredObject, batch: UInt64) {
        objects.append(PendingObject(object, batch: batch))
        count += 1
    }

    private func place(of run: RunID) -> Int? {
        newest < runs.count && runs[newest].id == run ? newest : places[run]
    }

    private mutating func append(_ run: PendingRun) -> Int {
        runs.append(run)
        places[run.id] = runs.count - 1
        count += 1
        return runs.count - 1
    }
}

/// What some events add to what is known of a run.
struct PendingRun {
    let id: RunID
    /// Leaf of the first of these events.
    let firstLeaf: UInt64
    /// Time of the first of these events.
    let startTime: Timestamp
    /// From `run.start`, if it is one of them.
    private(set) var start = Start()
    private(set) var lastTime: Timestamp
    private(set) var events: Int64 = 0
    /// The seal, if it is one of them.
    private(set) var end: (time: Timestamp, outcome: UInt8, leaf: UInt64)?
    /// Snapshots in the order in which they came into force.
    private(set) var snapshots: [Digest] = []
    private(set) var batches: [UInt64] = []

    init(_ id: RunID, firstLeaf: UInt64, time: Timestamp) {
        self.id = id
        self.firstLeaf = firstLeaf
        startTime = time
        lastTime = time
    }

    /// Returns whether the event stands in another batch than the one before it.
    fileprivate mutating func add(
        _ envelope: Envelope,
        leaf: UInt64,
        batch: UInt64,
        _ body: [UInt8]?
    ) -> Bool {
        let time = envelope.time
        events += 1
        lastTime = time
        if snapshots.last != envelope.snapshot { snapshots.append(envelope.snapshot) }
        if envelope.type == .registered(.runStart), envelope.sequence == 0 {
            start = Start(envelope, JSONValue(bodyOf: envelope, body))
        }
        if let seal = envelope.seal { end = (time, seal.outcomeCode, leaf) }
        guard batches.last != batch else { return false }
        batches.append(batch)
        return true
    }

    fileprivate mutating func place(batches offsets: [UInt64]) {
        for index in batches.indices { batches[index] = offsets[Int(batches[index])] }
    }

    /// What `run.start` says. The body is a claim, and may be missing.
    struct Start {
        var name: String?
        var spec: String?
        var key: KeyHash?
        var isExclusive = false

        /// Longest text that is kept: other tools may write longer ones.
        private static let textBytes = 4096

        init() {}

        fileprivate init(_ envelope: Envelope, _ json: JSONValue?) {
            key = envelope.key
            isExclusive = envelope.token != nil
            guard let value = json else { return }
            name = Self.text(value["name"], atMost: Limits.nameBytes)
            spec = Self.text(value["spec"], atMost: Self.textBytes)
        }

        private static func text(_ value: JSONValue?, atMost limit: Int) -> String? {
            guard let text = value?.string, text.utf8.count <= limit else { return nil }
            return text
        }
    }
}

extension JSONValue {
    /// Nil if there is no body, or it is no JSON.
    fileprivate init?(bodyOf envelope: Envelope, _ body: [UInt8]?) {
        guard PendingRows.readsBody(of: envelope), let body, let value = try? JSONValue.parse(body) else { return nil }
        self = value
    }
}

/// An event that marks a checkpoint; its note follows it.
struct PendingCheckpoint {
    let leaf: UInt64
    /// From its body, which may be missing.
    let label: String?
    fileprivate(set) var batch: UInt64

    fileprivate init(leaf: UInt64, label: JSONValue?, batch: UInt64) {
        self.leaf = leaf
        self.batch = batch
        self.label = label?.string.flatMap { $0.utf8.count <= Limits.nameBytes ? $0 : nil }
    }
}

/// An object that stands in a batch.
struct PendingObject {
    let id: Digest
    let kind: FrameKind
    let size: Int
    let batch: UInt64
    /// If it is a checkpoint note that can be read.
    let note: CheckpointNote?
    /// A chunk's salt; the length of a manifest's blob.
    let extra: [UInt8]?

    init(_ object: StoredObject, batch: UInt64) {
        id = object.id
        kind = object.kind
        size = object.bytes.count
        self.batch = batch
        note = object.kind == .note ? CheckpointNote(object.bytes) : nil
        extra =
            switch object.kind {
            case .chunk: Array(object.bytes.prefix(BlobManifest.saltBytes))
            case .manifest:
                (try? BlobManifest(reading: object.bytes)).map { manifest in
                    withUnsafeBytes(of: manifest.length.littleEndian) { Array($0) }
                }
            default: nil
            }
    }
}
