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

    /// - Parameter hashing: false leaves the hash zero, for whoever reads many events and asks for no hash.
    init(_ event: borrowing EventView, leafIndex: UInt64, hashing: Bool = true) {
        envelope = event.envelope
        self.leafIndex = leafIndex
        leafHash = hashing ? event.leafHash : .zero
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
    /// Checks what can be checked without the rest of the file; see `RunCheck`. Memory grows with the run; `RunEvents`
    /// reads one batch after the other.
    ///
    /// - Throws: `CapsuleError.damaged` if one of the batches is no longer right.
    public init(_ run: RunID, in capsule: CapsuleFile, batches: some Sequence<UInt64>) throws {
        self.run = run
        var events: [RecordedEvent] = []
        var check = RunCheck(run)
        try RunEvents(run, in: capsule, batches: Array(batches)).forEach { event in
            check.take(event)
            events.append(event)
        }
        self.events = events
        root = check.root
        seal = check.seal
        problems = check.problems
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
