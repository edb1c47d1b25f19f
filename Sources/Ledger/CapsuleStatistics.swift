/// Figures of a capsule that cost a walk over its batch headers, and no look into its bodies.
public struct CapsuleStatistics: Sendable {
    public var length: UInt64
    /// Where the last batch ends that could be read.
    public var end: UInt64
    /// What the note says to be durable; nil without a note.
    public var notedDurable: UInt64?
    public var events: UInt64
    public var timelineBatches: UInt64 = 0
    public var objectBatches: UInt64 = 0
    /// Bytes of the bodies of timeline batches, before and after compression.
    public var timelineBytes: (raw: UInt64, stored: UInt64) = (0, 0)
    /// Bytes of the bodies of batches of objects as they are stored, each object compressed on its own.
    public var objectStored: UInt64 = 0
    /// Durable lengths that batch headers state: at least so many syncs were made.
    public var knownSyncs: UInt64 = 0
    public var runs: [(outcomeCode: UInt8?, runs: UInt64)]
    public var objects: [(kind: FrameKind, count: UInt64, bytes: UInt64)]
    /// Bytes that snapshots would take more if each run carried its own.
    public var savedBySharing: UInt64
    public var checkpoints: Int
    /// Why the walk ended before the place where the index ends.
    public private(set) var unread: CapsuleError?

    /// Bytes that compression saved; frames of objects have a header, which counts against it.
    public var savedByCompression: UInt64 {
        let raw = timelineBytes.raw + objects.reduce(0) { $0 + $1.bytes }
        let stored = timelineBytes.stored + objectStored
        return raw - min(raw, stored)
    }

    /// - Throws: `StorageError`.
    public init(_ reader: LedgerReader, progress: ((UInt64, UInt64) -> Void)? = nil) throws {
        let capsule = reader.capsule
        length = try capsule.length()
        notedDurable =
            DurableNote.read(for: capsule.path, header: capsule.header, storage: capsule.storage)?.durableLength
        events = reader.status.treeSize
        runs = try reader.index.runCounts()
        objects = try reader.index.objectSizes().filter { $0.count > 0 }
        savedBySharing = try reader.index.bytesSavedBySharing()
        checkpoints = try reader.index.checkpoints().count
        var walk = HeaderWalk(capsule, limit: reader.status.end)
        var (durable, reported): (UInt64, UInt64) = (0, 0)
        while let header = try walk.next() {
            if header.kind == .timeline {
                timelineBatches += 1
                timelineBytes.raw += UInt64(header.rawLength)
                timelineBytes.stored += UInt64(header.storedLength)
            } else {
                objectBatches += 1
                objectStored += UInt64(header.storedLength)
            }
            if header.durableLength != durable { knownSyncs += 1 }
            durable = header.durableLength
            guard walk.offset - reported > 64 << 20 else { continue }
            reported = walk.offset
            progress?(reported, reader.status.end)
        }
        end = walk.offset
        if end < reader.status.end { unread = .changed(at: end) }
    }
}

extension CapsuleError {
    /// What the index saw whole cannot be read any more.
    static func changed(at offset: UInt64, _ reason: String? = nil) -> CapsuleError {
        let cause = reason.map { "; \($0)" } ?? ""
        return CapsuleError(.damaged, at: offset, "no valid batch begins here, though one did before\(cause)")
    }
}

/// Where the bytes of a capsule go: by run and by type. Reads all of it.
public struct CapsuleUsage: Sendable {
    public struct Use: Sendable, Equatable {
        public var events: UInt64 = 0
        /// Bytes of bodies, those of large ones that stand outside their events among them.
        public var bodies: UInt64 = 0
        /// Bytes in the file: what the event added to its batch, times what compression left of that batch.
        public var stored: Double = 0

        public init(events: UInt64 = 0, bodies: UInt64 = 0, stored: Double = 0) {
            self.events = events
            self.bodies = bodies
            self.stored = stored
        }

        public static func + (left: Use, right: Use) -> Use {
            Use(
                events: left.events + right.events,
                bodies: left.bodies + right.bodies,
                stored: left.stored + right.stored
            )
        }
    }

    public private(set) var runs: [RunID: Use] = [:]
    public private(set) var types: [String: Use] = [:]
    /// Objects by kind: snapshots, chunks of large bodies, notes.
    public private(set) var objects: [FrameKind: Use] = [:]
    /// Bytes of the file's header and of batch headers.
    public private(set) var headers = Double(FileHeader.size)
    /// Why reading ended before the place where the index ends; what lies behind is not counted.
    public private(set) var unread: CapsuleError?

    /// Names of types that are kept apart at most.
    private static let maximumTypes = 10_000
    private static let otherTypes = "others"

    /// - Throws: `StorageError`.
    public init(_ reader: LedgerReader, progress: ((UInt64, UInt64) -> Void)? = nil) throws {
        let (capsule, end) = (reader.capsule, reader.status.end)
        let batches = BatchReader(file: capsule.file, header: capsule.header, limit: end)
        var reported: UInt64 = 0
        do {
            while true {
                switch try batches.next({ batch in try take(batch) }) {
                case .batch: break
                case .bad(let reason):
                    unread = .changed(at: batches.position.offset, reason)
                    return
                case .end:
                    if batches.position.offset < end { unread = .changed(at: batches.position.offset) }
                    return
                }
                guard batches.position.offset - reported > 4 << 20 else { continue }
                reported = batches.position.offset
                progress?(reported, end)
            }
        } catch let error as CapsuleError {
            unread = error
        }
    }

    private mutating func take(_ batch: borrowing BatchView) throws {
        headers += Double(BatchHeader.size)
        let header = batch.header
        let share = Double(header.storedLength) / Double(max(1, header.rawLength))
        var stored: [StoredObject] = []
        try batch.forEachFrame(
            event: { event throws(CapsuleError) in count(event, share: share) },
            object: { object throws(CapsuleError) in stored.append(object) }
        )
        let total = stored.reduce(0) { $0 + $1.bytes.count }
        for object in stored {
            let part = Double(header.storedLength) * Double(object.bytes.count) / Double(max(1, total))
            let bodies = UInt64(object.bytes.count)
            objects[object.kind, default: Use()] =
                objects[object.kind, default: Use()] + Use(events: 1, bodies: bodies, stored: part)
        }
    }

    private mutating func count(_ event: borrowing EventView, share: Double) {
        let stored = event.storedBody?.byteCount ?? 0
        let body = event.blob?.length ?? UInt64(stored)
        let payload = event.isWithheld ? 32 : event.envelope.bodyKind == .none ? 0 : 16 + stored
        let frame = Double(8 + event.envelopeBytes.byteCount + payload)
        let use = Use(events: 1, bodies: body, stored: frame * share)
        runs[event.envelope.run, default: Use()] = runs[event.envelope.run, default: Use()] + use
        let name = event.envelope.type.name
        let type = types[name] != nil || types.count < Self.maximumTypes ? name : Self.otherTypes
        types[type, default: Use()] = types[type, default: Use()] + use
    }
}
