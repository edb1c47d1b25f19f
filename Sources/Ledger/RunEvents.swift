/// The events of one run, read from the batches that hold them.
///
/// Memory is one batch, whatever the length of the run.
public struct RunEvents: Sendable {
    public let run: RunID
    let capsule: CapsuleFile
    let batches: [UInt64]
    /// Leaves of the capsule from this one on are left out.
    let treeSize: UInt64

    /// - Parameters:
    ///   - batches: where the batches begin, in the order of the file.
    ///   - treeSize: leave out what came after the capsule had so many events.
    public init(_ run: RunID, in capsule: CapsuleFile, batches: [UInt64], treeSize: UInt64 = .max) {
        self.run = run
        self.capsule = capsule
        self.batches = batches
        self.treeSize = treeSize
    }

    public var batchCount: Int { batches.count }

    /// Hands over each event, in the order of the file.
    ///
    /// - Throws: `CapsuleError.damaged` if a batch is no longer right, and what `visit` throws.
    public func forEach(_ visit: (RecordedEvent) throws -> Void) throws { try forEach(hashing: true, visit) }

    /// The same; without `hashing` the events' hashes are zero.
    func forEach(hashing: Bool, _ visit: (RecordedEvent) throws -> Void) throws {
        // One reader for all: batches that follow each other are read from the disk in one piece.
        try forEachBatch(at: batches, hashing: hashing) { events in
            for event in events { try visit(event) }
        }
    }

    /// One event. Costs the logarithm of the number of batches: sequences rise from one to the next.
    public func event(_ sequence: UInt32) throws -> RecordedEvent? {
        var (low, high) = (0, batches.count)
        while low < high {
            let middle = low + (high - low) / 2
            let events = try events(inBatchAt: batches[middle])
            guard let first = events.first, first.envelope.sequence <= sequence else {
                high = middle
                continue
            }
            if let found = events.first(where: { $0.envelope.sequence == sequence }) { return found }
            low = middle + 1
        }
        return nil
    }

    private func events(inBatchAt offset: UInt64) throws -> [RecordedEvent] {
        var found: [RecordedEvent] = []
        try forEachBatch(at: CollectionOfOne(offset)) { found = $0 }
        return found
    }

    private func forEachBatch(
        at offsets: some Sequence<UInt64>,
        hashing: Bool = true,
        _ visit: ([RecordedEvent]) throws -> Void
    ) throws {
        try capsule.forEachBatch(at: offsets) { batch throws in
            var events: [RecordedEvent] = []
            var index = batch.header.treeSize - min(batch.header.treeSize, UInt64(batch.header.events))
            try batch.forEachEvent { event throws(CapsuleError) in
                if event.envelope.run == run, index < treeSize {
                    events.append(RecordedEvent(event, leafIndex: index, hashing: hashing))
                }
                index += 1
            }
            try visit(events)
        }
    }
}

/// Checks what can be checked of a run without the rest of the file: unbroken sequences from 0, one beginning, the
/// seal's count and root.
public struct RunCheck: Sendable {
    private let run: RunID
    private var tree = MerkleFrontier()
    private var isBroken = false
    /// Events so far.
    public private(set) var events: UInt64 = 0
    /// Nil while the run is open.
    public private(set) var seal: Envelope.Seal?
    /// What contradicts the rules of a run; empty for a sound one.
    public private(set) var problems: [String] = []

    public init(_ run: RunID) { self.run = run }

    /// Root over the run's leaves, without a seal.
    public var root: Digest { tree.root }

    /// Whether the run ended, and its seal agrees with every event before it.
    public var isSealed: Bool { seal != nil && problems.isEmpty }

    public mutating func take(_ event: RecordedEvent) {
        let envelope = event.envelope
        if events == 0, envelope.type != .registered(run.isRunZero ? .capsuleCreate : .runStart) {
            problems.append("the run does not begin with \(run.isRunZero ? "capsule.create" : "run.start")")
        }
        if !isBroken, UInt64(envelope.sequence) != events {
            problems.append("event \(envelope.sequence) stands where \(events) is expected")
            isBroken = true
        }
        if seal != nil, !problems.contains("events follow the seal") { problems.append("events follow the seal") }
        events += 1
        guard let seal = envelope.seal else { return tree.append(event.leafHash) }
        if seal.root != tree.root { problems.append("the seal does not agree with the events before it") }
        self.seal = seal
    }
}

extension RunEvents {
    /// Who did it, by the name under which they were introduced in the run.
    public func actorName(_ envelope: Envelope) throws -> String? {
        try event(envelope.actor)?.json?[envelope.actor == 0 ? "actor" : "name"]?.string
    }

    /// The name of the stage that an event is in.
    public func stageName(_ envelope: Envelope) throws -> String? {
        envelope.stage == 0 ? nil : try event(envelope.stage)?.json?["name"]?.string
    }
}
