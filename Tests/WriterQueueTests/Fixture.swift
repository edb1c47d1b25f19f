import Dispatch
import Support
import Synchronization
import Testing

@testable import Capsule
@testable import WriterQueue

/// A capsule in memory or on disk, watched, and what stands in it.
final class Desk: Sendable {
    static let policy = CapsuleBuilder.policy
    static let policyID = CapsuleBuilder.policyID

    let storage: ObservedStorage
    let path: FilePath
    let folder: TemporaryFolder?

    /// In memory; with these bytes, or new.
    init(_ bytes: [UInt8]? = nil, note: [UInt8]? = nil) throws {
        let memory = MemoryStorage()
        storage = ObservedStorage(memory)
        path = "d/a.cpsl"
        folder = nil
        if let bytes { memory.put(bytes, at: path) } else { try create() }
        if let note { memory.put(note, at: DurableNote.path(for: path)) }
        storage.forget()
    }

    /// A real file in a folder of its own.
    init(onDisk: Void) throws {
        let folder = try TemporaryFolder()
        storage = ObservedStorage(PosixStorage())
        path = folder.path("a.cpsl")
        self.folder = folder
        try create()
    }

    private func create() throws {
        try CapsuleFile.create(path, header: CapsuleBuilder.plainHeader(), body: Array("{}".utf8), storage: storage)
    }

    func open(
        random: any RandomSource = SystemRandom(),
        _ change: (inout WriterQueue.Options) -> Void = { _ in }
    ) async throws -> WriterQueue {
        var options = WriterQueue.Options()
        options.lockTimeout = 120
        change(&options)
        return try await WriterQueue(opening: path, options: options, storage: storage, random: random)
    }

    /// For tests in which a call to storage waits: it must not keep a thread of the shared pool waiting.
    func openToHold(_ change: (inout WriterQueue.Options) -> Void = { _ in }) async throws -> WriterQueue {
        try await open {
            $0.takesTurnsInCaller = false
            change(&$0)
        }
    }

    /// The bytes of a file; nil if there is none.
    func bytes(of path: FilePath? = nil) throws -> [UInt8]? {
        guard let file = try? storage.open(path ?? self.path, for: .reading) else { return nil }
        return try file.bytes(at: 0, count: Int(file.length()))
    }

    /// Everything in the capsule, which must be without fault.
    func read(at place: SourceLocation = #_sourceLocation) throws -> Contents {
        let contents = try Contents(path, storage)
        let why = "\(contents.report.error.map(String.init(describing:)) ?? "") \(contents.report.findings)"
        #expect(contents.report.verdict == .intact, "\(why)", sourceLocation: place)
        return contents
    }

    /// Syncs of the capsule itself since `forget`.
    var syncs: Int { storage.calls(.sync, on: path).count }

    /// From now on the calls of an operation on the capsule wait for the gate.
    func hold(_ operation: ObservedStorage.Operation, at gate: Gate) {
        storage.set { [path] call, _ in
            if call.operation == operation, call.path == path { gate.pass() }
            return nil
        }
    }
}

/// What a capsule holds, read by the verifier.
struct Contents {
    struct Event {
        var index: UInt64
        var hash: Digest
        var envelope: Envelope
        /// The body, put together from its chunks if it is a blob.
        var body: [UInt8]?
    }

    private(set) var events: [Event] = []
    private(set) var objects: [StoredObject] = []
    let report: Verifier.Report

    init(_ path: FilePath, _ storage: any Storage) throws {
        var events: [Event] = []
        var objects: [StoredObject] = []
        var stored: [Digest: [UInt8]] = [:]
        report = try Verifier(CapsuleFile(path, storage: storage)).run(
            event: { index, hash, event throws(CapsuleError) in
                var body = event.storedBody?.array
                if let blob = event.blob, let manifest = stored[blob.id].flatMap({ try? BlobManifest(reading: $0) }) {
                    body = manifest.chunks.flatMap { stored[$0]?.dropFirst(16) ?? [] }
                }
                events.append(Event(index: index, hash: hash, envelope: event.envelope, body: body))
            },
            object: { object throws(CapsuleError) in
                objects.append(object)
                stored[object.id] = object.bytes
            }
        )
        self.events = events
        self.objects = objects
    }

    func events(of run: RunID) -> [Event] { events.filter { $0.envelope.run == run } }
    func bodies(of run: RunID) -> [String] { events(of: run).map { String(decoding: $0.body ?? [], as: UTF8.self) } }
    func objects(_ kind: FrameKind) -> [StoredObject] { objects.filter { $0.kind == kind } }

    /// The event that a receipt is for.
    func event(_ receipt: Receipt) -> Event? {
        events.first { $0.index == receipt.leafIndex && $0.envelope.reference == receipt.event }
    }
}

extension EventDraft {
    static func note(_ body: String, key: String? = nil, actor: String? = nil) -> EventDraft {
        var draft = EventDraft(.registered(.note), body: Array(body.utf8), time: CapsuleBuilder.start)
        draft.key = key
        draft.actor = actor.map { ActorDraft(name: $0, body: Array(#"{"name":"\#($0)"}"#.utf8)) }
        return draft
    }

    static func of(_ type: RegisteredType, _ body: String? = "{}") -> EventDraft {
        EventDraft(.registered(type), body: body.map { Array($0.utf8) }, time: CapsuleBuilder.start)
    }

    static func end(_ outcome: Outcome) -> EventDraft {
        var draft = of(.runEnd)
        draft.outcome = outcome
        return draft
    }
}

/// The verbs of a runner.
extension WriterQueue {
    @discardableResult
    func start(
        _ run: RunID = RunID(at: .now, random: SystemRandom()),
        name: String? = nil,
        token: String? = nil,
        body: String = "{}",
        snapshot: [UInt8] = Desk.policy
    ) async throws -> Receipt {
        let object = try StoredObject(.snapshot, snapshot)
        let target = Submission.Target.newRun(run, name: name, snapshot: object.id, token: token)
        let receipts = try await submit(Submission(target, events: [.of(.runStart, body)], objects: [object]))
        return try #require(receipts.first)
    }

    /// Starts a run and returns its ID.
    func newRun(token: String? = nil) async throws -> RunID { try await start(token: token).event.run }

    @discardableResult
    func append(
        _ draft: EventDraft,
        to run: RunID,
        token: String? = nil,
        _ durability: Durability = .durable
    ) async throws -> Receipt {
        let receipts = try await submit(Submission(.run(run, token: token), events: [draft], durability: durability))
        return try #require(receipts.first)
    }

    @discardableResult
    func append(_ body: String, to run: RunID, _ durability: Durability = .durable) async throws -> Receipt {
        try await append(.note(body), to: run, durability)
    }

    func enqueue(_ body: String, to run: RunID) async throws {
        let receipts = try await submit(Submission(.run(run, token: nil), events: [.note(body)], durability: .queued))
        #expect(receipts.isEmpty, "what is queued has no place yet")
    }

    @discardableResult
    func end(_ run: RunID, _ outcome: Outcome = .completed, token: String? = nil) async throws -> Receipt {
        try await append(.end(outcome), to: run, token: token)
    }
}

/// Says that `body` throws a `WriteError` of this code.
func expectRefusal(
    _ code: WriteError.Code,
    at place: SourceLocation = #_sourceLocation,
    _ body: () async throws -> Void
) async {
    await #expect(throws: WriteError(code, ""), sourceLocation: place) { try await body() }
}

/// A place in a storage call where a writer's thread waits until a test lets it go on.
final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let state = Mutex((arrived: false, isOpen: false))

    var isOpen: Bool { state.withLock { $0.isOpen } }

    func pass() {
        let isOpen = state.withLock { state in
            state.arrived = true
            return state.isOpen
        }
        if isOpen { return }
        semaphore.wait()
        semaphore.signal()
    }

    func open() {
        state.withLock { $0.isOpen = true }
        semaphore.signal()
    }

    struct NobodyCame: Error {}

    /// Returns when somebody waits at the gate; gives up long after anybody would have come.
    func arrival() async throws {
        for _ in 0..<30_000 {
            if state.withLock({ $0.arrived }) { return }
            try await Task.sleep(for: .milliseconds(1))
        }
        throw NobodyCame()
    }
}

/// Time for tasks to get where they will wait. What is asserted afterwards holds without it too; with it, it can fail.
func settle() async throws { try await Task.sleep(for: .milliseconds(50)) }

/// Counts, from any thread.
final class Counter: Sendable {
    private let state = Mutex(0)

    var count: Int { state.withLock { $0 } }

    /// The count before this one.
    func next() -> Int {
        state.withLock { count in
            defer { count += 1 }
            return count
        }
    }
}

/// Something that a storage's rule looks at and a test switches.
final class Switch: Sendable {
    private let state = Mutex(false)

    var isOn: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
