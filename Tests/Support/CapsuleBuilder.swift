@testable import Capsule

/// Builds capsules frame by frame, right ones and wrong ones, the same bytes every time.
///
/// What is added goes into the batch at hand; `flush` ends it. The tree and the runs are kept by the rules unless a
/// test says otherwise.
public final class CapsuleBuilder {
    public static let capsuleID = CapsuleID(hex: "00112233445566778899aabbccddeeff")!
    public static let policy = Array(#"{"policy":{"name":"acme","version":"1.0.0"}}"#.utf8)
    public static let policyID = Hashing.sha256(policy)
    /// 2026-01-01T00:00:00Z.
    public static let start = Timestamp(nanoseconds: 1_767_225_600_000_000_000)

    public var header: FileHeader
    public private(set) var tree = MerkleFrontier()
    private var body = BatchBody(.timeline)
    private let encoder: BatchEncoder
    private let random = CountingRandom()
    /// What the next headers say is durable.
    public var durable = FileHeader.size
    private var runs: [RunID: (next: UInt32, tree: MerkleFrontier, stage: UInt32, snapshot: Digest)] = [:]
    private var clock = start

    public init(header: FileHeader? = nil, compresses: Bool = true, created: Bool = true) {
        self.header = header ?? Self.plainHeader()
        encoder = BatchEncoder(header: self.header, position: BatchPosition(startOf: self.header))
        encoder.compresses = compresses
        if created { create() }
    }

    public static func plainHeader(
        generation: UInt64 = 0, predecessor: FileHeader.Predecessor? = nil
    ) -> FileHeader {
        var header = try? FileHeader(
            capsule: capsuleID, generation: generation, created: start, origin: "example.com/ledger",
            predecessor: predecessor)
        header?.writeVersion = 1
        return header!
    }

    /// Run IDs that are easy to read.
    public static func run(_ number: UInt8) -> RunID {
        RunID([0x01, 0x9b, 0, 0, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, number])!
    }

    private func create() {
        var envelope = Envelope(type: .registered(.capsuleCreate), time: Self.start, run: .zero, snapshot: header.digest)
        envelope.media = .json
        envelope.bodyKind = .inline
        add(envelope, body: Array("{}".utf8))
        flush()
        durable = encoder.position.offset
    }

    // MARK: Events by the rules

    /// Adds an event that follows the one before it in its run; `change` may then break a rule.
    @discardableResult
    public func event(
        _ type: EventType, in run: RunID, body: String? = "{}", media: MediaType = .json,
        change: (inout Envelope) -> Void = { _ in }
    ) -> EventReference {
        clock.nanoseconds += 1_000_000
        var state = runs[run] ?? (0, MerkleFrontier(), 0, Self.policyID)
        var envelope = Envelope(type: type, time: clock, run: run, snapshot: run.isRunZero ? .zero : state.snapshot)
        if run.isRunZero, runs[run] == nil { state.next = 1 }
        envelope.sequence = state.next
        if type == .registered(.stage) { state.stage = state.next }
        if type == .registered(.actor) { envelope.actor = state.next }
        envelope.stage = state.stage
        if let body {
            envelope.media = media
            envelope.bodyKind = .inline
            _ = body
        }
        if type == .registered(.runEnd) { envelope.seal = Envelope.Seal(outcomeCode: 1, root: state.tree.root) }
        change(&envelope)
        let hash = add(envelope, body: Array((body ?? "").utf8))
        state.tree.append(hash)
        state.next += 1
        state.snapshot = envelope.snapshot
        runs[run] = state
        return envelope.reference
    }

    @discardableResult
    public func event(
        _ type: RegisteredType, in run: RunID, body: String? = "{}", change: (inout Envelope) -> Void = { _ in }
    ) -> EventReference {
        event(.registered(type), in: run, body: body, change: change)
    }

    @discardableResult
    public func add(_ envelope: Envelope, body bytes: [UInt8]) -> Digest {
        if body.kind != .timeline { flush() }
        var salt = [UInt8](repeating: 0, count: 16)
        salt.withUnsafeMutableBytes { random.fill($0) }
        let hash = salt.withUnsafeBytes { body.addEvent(envelope, salt: $0, body: bytes) }
        tree.append(hash)
        return hash
    }

    public func addWithheld(_ type: RegisteredType, in run: RunID, commitment: Digest) {
        var state = runs[run]!
        var envelope = Envelope(type: .registered(type), time: clock, run: run, snapshot: state.snapshot)
        envelope.sequence = state.next
        envelope.media = .json
        envelope.bodyKind = .inline
        let hash = body.addWithheldEvent(envelope, commitment: commitment)
        tree.append(hash)
        state.tree.append(hash)
        state.next += 1
        runs[run] = state
    }

    /// Adds an event whose body is a blob.
    public func blobEvent(_ reference: BlobReference, in run: RunID) {
        var state = runs[run]!
        var envelope = Envelope(
            type: .custom("com.example.report"), time: clock, run: run, snapshot: state.snapshot)
        envelope.sequence = state.next
        envelope.media = .bytes
        envelope.bodyKind = .blob
        state.tree.append(add(envelope, body: reference.encoded))
        state.next += 1
        runs[run] = state
    }

    // MARK: Objects

    public func object(_ kind: FrameKind, _ bytes: [UInt8], media: MediaType = .none) {
        if body.kind != .objects { flush(next: .objects) }
        if let object = try? StoredObject(kind, bytes, media: media) { body.addObject(object) }
    }

    public func snapshot(_ bytes: [UInt8] = policy) { object(.snapshot, bytes) }

    /// Stores a blob and returns the reference to it.
    public func blob(_ content: [UInt8], salt: [UInt8]) -> BlobReference {
        let manifest = BlobManifest(of: content, salt: salt)
        for range in BlobManifest.ranges(length: content.count) { object(.chunk, salt + content[range]) }
        object(.manifest, manifest.encoded)
        return BlobReference(id: manifest.id, length: manifest.length)
    }

    public func rawFrame(_ kind: UInt8, flags: UInt8 = 0, auxiliary: UInt16 = 0, content: [UInt8], in batch: BatchHeader.Kind) {
        if body.kind != batch { flush(next: batch) }
        body.addRawFrame(kind: kind, flags: flags, auxiliary: auxiliary, content: content)
    }

    // MARK: Batches

    /// Ends the batch at hand, if it has frames.
    public func flush(next kind: BatchHeader.Kind = .timeline) {
        if !body.isEmpty {
            encoder.append(body, treeSize: tree.size, root: tree.root, durableLength: min(durable, encoder.position.offset))
        }
        body = BatchBody(kind)
    }

    /// Says that everything flushed so far was synced.
    public func sync() {
        flush()
        durable = encoder.position.offset
    }

    /// The file.
    public var bytes: [UInt8] {
        flush()
        return header.encoded() + encoder.output
    }

    /// A run of four events under the plain policy.
    public func plainRun(_ number: UInt8 = 1) {
        let run = Self.run(number)
        event(.runStart, in: run, body: #"{"name":"plain"}"#)
        event(.note, in: run, body: #"{"text":"first"}"#)
        event(.toolCall, in: run, body: #"{"tool":"grep"}"#)
        event(.runEnd, in: run)
    }
}
