import Capsule
import JSONText

/// Rows that wait to be written: one addition a run, whatever the number of its events.
struct PendingRows {
    private(set) var runs: [PendingRun] = []
    private(set) var objects: [PendingObject] = []
    /// Events that can be asked for again by their key, and those that introduce an actor.
    private(set) var keys: [(run: RunID, key: KeyHash, isActor: Bool)] = []
    private(set) var checkpoints: [PendingCheckpoint] = []
    /// Rows that this will become, about.
    private(set) var count = 0
    private var places: [RunID: Int] = [:]
    /// Place of the run of the newest event: events of one run often stand together.
    private var newest = 0

    mutating func add(_ event: borrowing EventView, leaf: UInt64, batch: UInt64) {
        let run = event.envelope.run
        // Run zero is the capsule's own and not listed.
        guard !run.isRunZero else { return }
        let place = place(of: run) ?? append(PendingRun(run, firstLeaf: leaf, time: event.envelope.time))
        newest = place
        if runs[place].add(event, leaf: leaf, batch: batch) { count += 1 }
        if let key = event.envelope.key, event.envelope.type != .registered(.runStart) {
            keys.append((run, key, event.envelope.type == .registered(.actor)))
            count += 1
        }
        if event.envelope.type == .registered(.checkpoint) {
            checkpoints.append(PendingCheckpoint(event, leaf: leaf, batch: batch))
            count += 1
        }
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
    /// Snapshots in the order in which they came into force, and when they did.
    private(set) var snapshots: [(id: Digest, time: Timestamp)] = []
    private(set) var batches: [UInt64] = []

    init(_ id: RunID, firstLeaf: UInt64, time: Timestamp) {
        self.id = id
        self.firstLeaf = firstLeaf
        startTime = time
        lastTime = time
    }

    /// Returns whether the event stands in another batch than the one before it.
    fileprivate mutating func add(_ event: borrowing EventView, leaf: UInt64, batch: UInt64) -> Bool {
        let time = event.envelope.time
        events += 1
        lastTime = time
        if snapshots.last?.id != event.envelope.snapshot { snapshots.append((event.envelope.snapshot, time)) }
        if event.envelope.type == .registered(.runStart), event.envelope.sequence == 0 { start = Start(event) }
        if let seal = event.envelope.seal { end = (time, seal.outcomeCode, leaf) }
        guard batches.last != batch else { return false }
        batches.append(batch)
        return true
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

        fileprivate init(_ event: borrowing EventView) {
            key = event.envelope.key
            isExclusive = event.envelope.token != nil
            guard event.envelope.media == .json, event.envelope.bodyKind == .inline, let body = event.storedBody,
                let value = try? JSONValue.parse(body)
            else { return }
            name = Self.text(value["name"], atMost: Limits.nameBytes)
            spec = Self.text(value["spec"], atMost: Self.textBytes)
        }

        private static func text(_ value: JSONValue?, atMost limit: Int) -> String? {
            guard let text = value?.string, text.utf8.count <= limit else { return nil }
            return text
        }
    }
}

/// An event that marks a checkpoint; its note follows it.
struct PendingCheckpoint {
    let leaf: UInt64
    /// From its body, which may be missing.
    let label: String?
    let batch: UInt64

    fileprivate init(_ event: borrowing EventView, leaf: UInt64, batch: UInt64) {
        self.leaf = leaf
        self.batch = batch
        guard event.envelope.media == .json, event.envelope.bodyKind == .inline, let body = event.storedBody,
            let text = (try? JSONValue.parse(body))?["label"]?.string, text.utf8.count <= Limits.nameBytes
        else {
            label = nil
            return
        }
        label = text
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
