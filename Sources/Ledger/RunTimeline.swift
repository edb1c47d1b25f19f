/// An event of a run as it was read back.
public struct RecordedEvent: Sendable {
    public var envelope: Envelope
    /// Index of the event's leaf in the capsule's tree.
    public var leafIndex: UInt64
    public var leafHash: Digest
    public var content: Content

    /// What is there of the body.
    public enum Content: Sendable, Equatable {
        case none
        /// Erased, or left out of this copy. The commitment to it still holds.
        case withheld
        case inline([UInt8])
        case blob(BlobReference)
    }

    /// The body if it stands in the event itself.
    public var inlineBody: [UInt8]? {
        if case .inline(let bytes) = content { return bytes }
        return nil
    }

    /// The body as a JSON tree, if it is JSON, is there, and stands in the event itself.
    public var json: JSONValue? {
        guard envelope.media == .json, let body = inlineBody else { return nil }
        return try? JSONValue.parse(body)
    }

    init(_ event: borrowing EventView, leafIndex: UInt64) {
        envelope = event.envelope
        self.leafIndex = leafIndex
        leafHash = event.leafHash
        content =
            if event.envelope.bodyKind == .none {
                .none
            } else if event.isWithheld {
                .withheld
            } else if let blob = event.blob {
                .blob(blob)
            } else {
                .inline(event.storedBody?.array ?? [])
            }
    }
}

/// A run put back together from the file, with what could be checked on the way.
public struct RunTimeline: Sendable {
    public var run: RunID
    public var events: [RecordedEvent]
    /// Root over the run's leaves, without a seal.
    public var root: Digest
    /// Nil if the run is open.
    public var seal: Envelope.Seal?
    /// What contradicts the rules of a run; empty for a sound one.
    public var problems: [String]

    /// Whether the run ended, and its seal agrees with every event before it.
    public var isSealed: Bool { seal != nil && problems.isEmpty }

    /// Reads a run from the batches that hold its events, each checked by its checksums.
    ///
    /// Checks what can be checked without the rest of the file: unbroken sequences from 0, one beginning, the seal's
    /// count and root.
    /// Memory grows with the run.
    ///
    /// - Throws: `CapsuleError.damaged` if one of the batches is no longer right.
    public init(_ run: RunID, in capsule: CapsuleFile, batches: some Sequence<UInt64>) throws {
        self.run = run
        var events: [RecordedEvent] = []
        try capsule.forEachBatch(at: batches) { batch throws in
            var index = batch.header.treeSize - min(batch.header.treeSize, UInt64(batch.header.events))
            try batch.forEachEvent { event throws(CapsuleError) in
                if event.envelope.run == run { events.append(RecordedEvent(event, leafIndex: index)) }
                index += 1
            }
        }
        var tree = MerkleFrontier()
        var problems: [String] = []
        for (index, event) in events.enumerated() {
            if event.envelope.sequence != UInt32(clamping: index) {
                problems.append("event \(event.envelope.sequence) stands where \(index) is expected")
                break
            }
            if let seal = event.envelope.seal {
                if seal.root != tree.root { problems.append("the seal does not agree with the events before it") }
                if index != events.count - 1 { problems.append("events follow the seal") }
            } else {
                tree.append(event.leafHash)
            }
        }
        if let first = events.first, first.envelope.type != .registered(run.isRunZero ? .capsuleCreate : .runStart) {
            problems.append("the run does not begin with run.start")
        }
        self.events = events
        root = tree.root
        seal = events.last?.envelope.seal
        self.problems = problems
    }

    /// Names of the actors by the sequence of the event that introduced them.
    public var actors: [UInt32: String] {
        var names: [UInt32: String] = [:]
        for event in events where event.envelope.type == .registered(.actor) {
            names[event.envelope.sequence] = event.json?["name"]?.string
        }
        if let starter = events.first?.json?["actor"]?.string { names[0] = starter }
        return names
    }

    /// Names of the stages by the sequence of the event that entered them.
    public var stages: [UInt32: String] {
        var names: [UInt32: String] = [:]
        for event in events where event.envelope.type == .registered(.stage) {
            names[event.envelope.sequence] = event.json?["name"]?.string
        }
        return names
    }
}
