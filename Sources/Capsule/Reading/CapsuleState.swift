/// A capsule's state after some prefix of its events: the fold that the writer continues and the verifier checks.
///
/// Memory grows with open runs, their keys, named runs, snapshots and ended runs (some 60 bytes each), not with events.
public struct CapsuleState: Sendable {
    public let capsule: CapsuleID
    /// All leaves so far.
    public internal(set) var tree = MerkleFrontier()
    /// Runs that have not ended; run zero is one of them.
    public internal(set) var open: [RunID: RunState] = [:]
    /// What stands before the place from which this state goes on; nil if it began with the file.
    var history: (any CapsuleHistory)?
    /// Runs that ended since. Ask `endedRun`.
    package internal(set) var ended: [RunID: EndedRun] = [:]
    /// Runs with a name of the caller's since. Ask `namedRun`.
    package internal(set) var named: [KeyHash: NamedRun] = [:]
    /// Snapshots since. Ask `hasSnapshot`.
    package internal(set) var snapshots: Set<Digest> = []
    /// The one of them that was asked for last.
    private var snapshotFound: Digest?
    private var documents: Set<Digest> = []
    private var blobs: [Digest: UInt64] = [:]
    private var chunks: [Digest: StoredChunk] = [:]

    public func endedRun(_ run: RunID) -> EndedRun? { ended[run] ?? history?.endedRun(run) }
    /// The run that has the caller's own name with this hash.
    public func namedRun(_ name: KeyHash) -> NamedRun? { named[name] ?? history?.namedRun(name) }
    public func hasSnapshot(_ id: Digest) -> Bool { snapshots.contains(id) || history?.holds(.snapshot, id) ?? false }
    private func hasDocument(_ id: Digest) -> Bool { documents.contains(id) || history?.holds(.document, id) ?? false }
    private func blobLength(_ id: Digest) -> UInt64? { blobs[id] ?? history?.blobLength(id) }
    private func chunk(_ id: Digest) -> StoredChunk? { chunks[id] ?? history?.chunk(id) }

    /// Runs whose ID begins with these hexadecimal digits, but run zero; at most `limit` of those in the history.
    public func runs(withPrefix digits: String, limit: Int) -> [RunID] {
        var found = Set(open.keys.filter { !$0.isRunZero && $0.hex.hasPrefix(digits) })
        found.formUnion(ended.keys.filter { $0.hex.hasPrefix(digits) })
        found.formUnion(history?.runs(withPrefix: digits, limit: limit) ?? [])
        return Array(found)
    }

    /// Snapshots whose ID begins with these hexadecimal digits; at most `limit` of those in the history.
    public func snapshots(withPrefix digits: String, limit: Int) -> [Digest] {
        var found = snapshots.filter { $0.hex.hasPrefix(digits) }
        found.formUnion(history?.snapshots(withPrefix: digits, limit: limit) ?? [])
        return Array(found)
    }

    /// The first lookup in the history that went wrong since the last call: nothing that came of it may be written.
    package func takeHistoryFailure() -> (any Error)? { history?.takeFailure() }

    package var hasHistory: Bool { history != nil }

    /// How many ended runs and names this state knows itself.
    package var lookupCount: Int { ended.count + named.count }

    /// Forgets what a history has taken in meanwhile.
    package mutating func settle(into history: any CapsuleHistory) {
        self.history = history
        ended = [:]
        named = [:]
        snapshots = []
        documents = []
        blobs = [:]
        chunks = [:]
    }

    /// Whether an object stands in the file already. Notes and proofs are never asked for again.
    package func holds(_ object: StoredObject) -> Bool {
        switch object.kind {
        case .snapshot: hasSnapshot(object.id)
        case .document: hasDocument(object.id)
        case .manifest: blobLength(object.id) != nil
        case .chunk: chunk(object.id) != nil
        case .event, .note, .foreignProof: false
        }
    }
    /// The digest of the file header that run zero named last.
    public internal(set) var headerDigest: Digest?
    /// Whether run zero's last event closed the capsule.
    public internal(set) var isClosed = false

    public init(capsule: CapsuleID) { self.capsule = capsule }

    /// Takes an event in, and says which rules of section 8 it breaks. Goes on after a broken rule as well as it can.
    ///
    /// - Parameters:
    ///   - fingerprint: of the event's content, needed only if the event has a key.
    ///   - blob: the reference, if the body is a blob and is not withheld.
    package mutating func fold(
        _ envelope: Envelope,
        leafHash: Digest,
        fingerprint: KeyHash?,
        blob: BlobReference?
    ) -> [Finding] {
        let leafIndex = tree.size
        tree.append(leafHash)
        var findings: [Finding] = []
        // By its index: asking for the run by its ID would hash it again, and take a copy of it to compare with nil.
        var place = open.index(forKey: envelope.run)
        if place == nil {
            begin(envelope, leafIndex: leafIndex, &findings)
            place = open.index(forKey: envelope.run)
        }
        checkReferences(envelope, blob: blob, &findings)
        // An event after the end of its run is said to be one, and otherwise left aside.
        if let place {
            open.values[place].advance(envelope, leafHash, leafIndex, fingerprint, &findings)
            finish(envelope, leafIndex: leafIndex, fingerprint: fingerprint, &findings)
        }
        return findings.isEmpty ? [] : Finding.oncePerCode(findings)
    }

    private mutating func begin(_ envelope: Envelope, leafIndex: UInt64, _ findings: inout [Finding]) {
        guard endedRun(envelope.run) == nil else {
            findings.append(Finding(.runSeal, envelope.reference, "the run had ended before this event"))
            return
        }
        let first: RegisteredType = envelope.run.isRunZero ? .capsuleCreate : .runStart
        if envelope.type != .registered(first) || envelope.sequence != 0 {
            findings.append(Finding(.runSequence, envelope.reference, "the run does not begin with \(first.name)"))
        }
        if envelope.run.isRunZero != (leafIndex == 0) {
            findings.append(Finding(.runSequence, envelope.reference, "the file does not begin with capsule.create"))
        }
        open[envelope.run] = RunState(id: envelope.run, snapshot: envelope.snapshot, firstLeaf: leafIndex)
        open[envelope.run]?.token = envelope.token
    }

    /// Whether the file has this snapshot; the next event asks for the same one as a rule.
    private mutating func takeFound(_ snapshot: Digest) -> Bool {
        guard hasSnapshot(snapshot) else { return false }
        snapshotFound = snapshot
        return true
    }

    private mutating func checkReferences(_ envelope: Envelope, blob: BlobReference?, _ findings: inout [Finding]) {
        if envelope.run.isRunZero {
            let namesHeader = [.registered(.capsuleCreate), .registered(.capsuleAdopt)].contains(envelope.type)
            if envelope.snapshot != .zero, !namesHeader {
                findings.append(Finding(.runSnapshot, envelope.reference, "run zero names no snapshot"))
            }
        } else if envelope.snapshot != snapshotFound, !takeFound(envelope.snapshot) {
            let name =
                envelope.snapshot == .zero ? "names no snapshot" : "names a snapshot that is not in the file before it"
            findings.append(Finding(.runSnapshot, envelope.reference, "the event \(name)"))
        }
        if isClosed {
            findings.append(Finding(.runSequence, envelope.reference, "the capsule had been closed before this event"))
        }
        guard !envelope.isPlain || blob != nil else { return }
        for cause in envelope.causes {
            let known = open[cause.run]?.next ?? endedRun(cause.run)?.events
            if let known, cause.sequence >= known {
                findings.append(Finding(.runCause, envelope.reference, "its cause \(cause) is not an earlier event"))
            }
        }
        if let blob, blobLength(blob.id) != blob.length {
            findings.append(
                Finding(.blobMissing, envelope.reference, "its body, blob \(blob.id.hex), is not in the file")
            )
        }
    }

    private mutating func finish(
        _ envelope: Envelope,
        leafIndex: UInt64,
        fingerprint: KeyHash?,
        _ findings: inout [Finding]
    ) {
        switch envelope.type {
        case .registered(.runStart):
            guard let name = envelope.key else { break }
            if namedRun(name) != nil {
                findings.append(Finding(.runKey, envelope.reference, "another run has the same name"))
            } else {
                named[name] = NamedRun(
                    run: envelope.run,
                    firstLeaf: leafIndex,
                    snapshot: envelope.snapshot,
                    fingerprint: fingerprint
                )
            }
        case .registered(.runEnd):
            ended[envelope.run] = EndedRun(
                events: envelope.sequence &+ 1,
                sealLeaf: leafIndex,
                outcomeCode: envelope.seal?.outcomeCode ?? 0,
                snapshot: envelope.snapshot
            )
            open[envelope.run] = nil
        case .registered(.capsuleCreate) where envelope.run.isRunZero,
            .registered(.capsuleAdopt) where envelope.run.isRunZero:
            headerDigest = envelope.snapshot
        case .registered(.capsuleClose):
            isClosed = true
        default:
            break
        }
    }

    /// Whether `objects` can be taken in, one after the other.
    ///
    /// - Throws: `objectMismatch`, for what `fold` would throw for one of them.
    package func check(_ objects: [StoredObject]) throws(CapsuleError) {
        var trial = CapsuleState(capsule: capsule)
        for object in objects {
            if object.kind == .manifest {
                // What it needs and is here already; copying all chunks to try would cost as much as the file has.
                for chunk in try BlobManifest(reading: object.bytes).chunks where trial.chunks[chunk] == nil {
                    trial.chunks[chunk] = self.chunk(chunk)
                }
            }
            try trial.fold(object)
        }
    }

    /// Takes an object in.
    ///
    /// - Throws: `objectMismatch` if a manifest is malformed or names a chunk that does not stand before it.
    package mutating func fold(_ object: StoredObject) throws(CapsuleError) {
        switch object.kind {
        case .snapshot: snapshots.insert(object.id)
        case .chunk:
            guard object.bytes.count > EventView.saltSize else {
                throw CapsuleError(.objectMismatch, "a blob's chunk is empty")
            }
            let salt = Array(object.bytes.prefix(EventView.saltSize))
            chunks[object.id] = StoredChunk(length: object.bytes.count - EventView.saltSize, salt: salt)
        case .manifest:
            let manifest = try BlobManifest(object.bytes.span.bytes)
            for (index, chunk) in manifest.chunks.enumerated()
            where self.chunk(chunk) != StoredChunk(length: manifest.chunkLength(index), salt: manifest.salt) {
                throw CapsuleError(
                    .objectMismatch,
                    "blob \(object.id.hex) names a chunk that is not in the file before it"
                )
            }
            blobs[object.id] = manifest.length
        case .document: documents.insert(object.id)
        case .note, .foreignProof, .event: break
        }
    }
}

extension RunState {
    /// Checks and takes in the next event of this run.
    fileprivate mutating func advance(
        _ envelope: Envelope,
        _ leafHash: Digest,
        _ leafIndex: UInt64,
        _ fingerprint: KeyHash?,
        _ findings: inout [Finding]
    ) {
        let reference = envelope.reference
        if envelope.sequence != next {
            findings.append(Finding(.runSequence, reference, "sequence \(next) is expected"))
        } else if next > 0, envelope.type == .registered(.runStart) || envelope.type == .registered(.capsuleCreate) {
            findings.append(Finding(.runSequence, reference, "\(envelope.type.name) is not the first event of the run"))
        }
        if envelope.snapshot != snapshot, envelope.type != .registered(.snapshot), !id.isRunZero {
            findings.append(Finding(.runSnapshot, reference, "it is not under the snapshot in force"))
        }
        if case .registered(let type) = envelope.type, type.isOfRunZero != id.isRunZero,
            type.isOfRunZero || [.runStart, .runEnd, .snapshot, .stage].contains(type)
        {
            findings.append(Finding(.runSequence, reference, "\(type.name) does not belong into this run"))
        }
        checkActor(envelope, &findings)
        checkStage(envelope, &findings)
        checkSeal(envelope, &findings)
        takeKey(envelope, leafIndex, fingerprint, &findings)
        snapshot = envelope.snapshot
        next = envelope.sequence == UInt32.max ? envelope.sequence : envelope.sequence + 1
        tree.append(leafHash)
    }

    private func checkActor(_ envelope: Envelope, _ findings: inout [Finding]) {
        let isKnown = envelope.actor == 0 || keys.isActor(envelope.actor)
        let isRight = envelope.type == .registered(.actor) ? envelope.actor == envelope.sequence : isKnown
        if !isRight {
            findings.append(Finding(.runActor, envelope.reference, "event \(envelope.actor) introduced no actor"))
        }
    }

    private mutating func checkStage(_ envelope: Envelope, _ findings: inout [Finding]) {
        if envelope.type == .registered(.stage) { stage = envelope.sequence }
        if envelope.stage != stage {
            findings.append(Finding(.runStage, envelope.reference, "it is in stage \(envelope.stage), not \(stage)"))
            stage = envelope.stage
        }
    }

    private func checkSeal(_ envelope: Envelope, _ findings: inout [Finding]) {
        guard let seal = envelope.seal, seal.root != tree.root else { return }
        findings.append(Finding(.runSeal, envelope.reference, "its seal does not agree with the run's events"))
    }

    private func takeKey(
        _ envelope: Envelope,
        _ leafIndex: UInt64,
        _ fingerprint: KeyHash?,
        _ findings: inout [Finding]
    ) {
        if envelope.type == .registered(.actor) { keys.addActor(envelope.sequence) }
        guard let key = envelope.key, envelope.type != .registered(.runStart) else { return }
        if keys[key] != nil {
            findings.append(Finding(.runKey, envelope.reference, "another event of the run has the same key"))
        } else {
            keys[key] = KeyedEvent(
                sequence: envelope.sequence,
                leafIndex: leafIndex,
                fingerprint: fingerprint
            )
        }
    }
}

extension KeyHash {
    /// Tells apart events that were given the same key: over type, media type, causes and body.
    ///
    /// Of a blob only the length counts: its reference is salted, and differs in every retry.
    public static func fingerprint(of envelope: Envelope, body: RawSpan, blobLength: UInt64?) -> KeyHash {
        var bytes: [UInt8] = Array(envelope.type.name.utf8)
        bytes.append(0)
        bytes.append(integer: envelope.media.rawValue)
        for cause in envelope.causes {
            bytes.append(cause.run)
            bytes.append(integer: cause.sequence)
        }
        if let blobLength {
            bytes.append(integer: blobLength)
        } else {
            bytes.append(Hashing.sha256(body))
        }
        let digest = Hashing.sha256(bytes)
        return KeyHash(words: (digest.words.0, digest.words.1))
    }
}

/// A rule that a capsule breaks. Reading goes on; the verdict is "broken".
public struct Finding: Equatable, Sendable {
    /// As in `spec/format.md` section 13.
    public enum Code: String, Sendable, CaseIterable {
        case runSequence = "run-sequence"
        case runSnapshot = "run-snapshot"
        case runActor = "run-actor"
        case runStage = "run-stage"
        case runCause = "run-cause"
        case runSeal = "run-seal"
        case runKey = "run-key"
        case blobMissing = "blob-missing"
        case noteMismatch = "note-mismatch"
        case headerMismatch = "header-mismatch"
    }

    public var code: Code
    /// The event that breaks the rule; nil for a note.
    public var event: EventReference?
    public var reason: String

    /// Each code at most once, in the order in which `spec/format.md` lists them.
    static func oncePerCode(_ findings: [Finding]) -> [Finding] {
        Code.allCases.compactMap { code in findings.first { $0.code == code } }
    }

    init(_ code: Code, _ event: EventReference?, _ reason: String) {
        self.code = code
        self.event = event
        self.reason = reason
    }
}
