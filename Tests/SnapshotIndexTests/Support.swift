import Capsule
import SnapshotIndex
import Testing
import WriterQueue

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A capsule in a folder of its own, which is deleted in the end, and verbs to make short cases of it.
final class Fixture: Sendable {
    let folder: FilePath
    let path: FilePath
    let header: FileHeader
    let queue: WriterQueue

    var indexPath: FilePath { SnapshotIndex.path(for: path) }

    init(name: String = "test.cpsl", options configure: (inout WriterQueue.Options) -> Void = { _ in }) async throws {
        folder = FilePath("/tmp/capsule-index-\(RunID(at: .now, random: SystemRandom()))")
        try #require(folder.withPlatformString { mkdir($0, 0o755) } == 0)
        path = folder.appending(name)
        header = try Self.header()
        try CapsuleFile.create(path, header: header, body: Array("{}".utf8))
        var options = WriterQueue.Options()
        configure(&options)
        queue = try await WriterQueue(opening: path, options: options)
    }

    deinit { Self.delete(folder) }

    static func header(generation: UInt64 = 0, capsule: CapsuleID? = nil) throws -> FileHeader {
        let id = capsule ?? CapsuleID(words: RunID(at: .now, random: SystemRandom()).words)
        return try FileHeader(capsule: id, generation: generation, created: .now)
    }

    private static func delete(_ path: FilePath) {
        _ = path.withPlatformString { chmod($0, 0o755) }
        for name in (try? PosixStorage().names(in: path)) ?? [] {
            guard let component = FilePath.Component(name) else { continue }
            let inner = path.appending(component)
            if inner.withPlatformString({ unlink($0) }) != 0 { _ = inner.withPlatformString { rmdir($0) } }
        }
        _ = path.withPlatformString { rmdir($0) }
    }

    // MARK: Writing

    static func snapshot(_ text: String = "{}") throws -> StoredObject { try StoredObject(.snapshot, Array(text.utf8)) }

    /// Starts a run and returns its ID.
    @discardableResult
    func start(
        _ name: String? = nil, id: RunID? = nil, body: String? = nil, snapshot: String = "{}", token: String? = nil,
        time: Int64 = 1000
    ) async throws -> RunID {
        let id = id ?? RunID(at: .now, random: SystemRandom())
        let object = try Self.snapshot(snapshot)
        let text = body ?? name.map { "{\"name\":\"\($0)\",\"spec\":\"job.toml\"}" } ?? "{}"
        let draft = EventDraft(.registered(.runStart), body: Array(text.utf8), time: Timestamp(nanoseconds: time))
        _ = try await queue.submit(
            Submission(.newRun(id, name: name, snapshot: object.id, token: token), events: [draft], objects: [object]))
        return id
    }

    func append(
        to run: RunID, count: Int = 1, time: Int64 = 2000, makesCheckpoint: Bool = false, token: String? = nil
    ) async throws {
        let draft = EventDraft(.registered(.note), body: Array("{}".utf8), time: Timestamp(nanoseconds: time))
        var submission = Submission(.run(run, token: token), events: Array(repeating: draft, count: count))
        submission.makesCheckpoint = makesCheckpoint
        _ = try await queue.submit(submission)
    }

    func end(_ run: RunID, _ outcome: Outcome = .completed, time: Int64 = 3000) async throws {
        var draft = EventDraft(.registered(.runEnd), body: nil, time: Timestamp(nanoseconds: time))
        draft.outcome = outcome
        _ = try await queue.submit(Submission(.run(run, token: nil), events: [draft]))
    }

    /// Brings another snapshot into force.
    func change(_ run: RunID, to snapshot: String) async throws {
        let object = try Self.snapshot(snapshot)
        var draft = EventDraft(.registered(.snapshot), body: Array("{}".utf8))
        draft.snapshot = object.id
        _ = try await queue.submit(Submission(.run(run, token: nil), events: [draft], objects: [object]))
    }

    // MARK: Reading

    func open(inMemory: Bool = false) throws -> SnapshotIndex {
        try SnapshotIndex(for: CapsuleFile(path), inMemory: inMemory)
    }

    /// An index that has caught up.
    func indexed() throws -> SnapshotIndex {
        let index = try open()
        try index.catchUp()
        return index
    }

    /// Options of a writer that goes on behind the index, however short the capsule is.
    func resuming() -> WriterQueue.Options {
        var options = WriterQueue.Options()
        options.resumedBytes = 0
        options.resume = { [path] header in
            let index = try SnapshotIndex(for: CapsuleFile(path))
            return try index.resumePoint()
        }
        return options
    }

    // MARK: Files

    func length(of path: FilePath) throws -> UInt64 { try PosixStorage().open(path, for: .reading).length() }

    func truncate(_ path: FilePath, to length: UInt64) throws {
        try PosixStorage().open(path, for: .readingAndWriting).truncate(to: length)
    }

    func write(_ bytes: [UInt8], at offset: UInt64, of path: FilePath) throws {
        let file = try PosixStorage().open(path, for: .readingAndWriting)
        try bytes.withUnsafeBytes { buffer throws in try file.writeFully(buffer, at: offset) }
    }

    func bytes(of path: FilePath) throws -> [UInt8] {
        let file = try PosixStorage().open(path, for: .reading)
        return try file.bytes(at: 0, count: Int(try file.length()))
    }

    func make(_ path: FilePath, _ bytes: [UInt8]) throws {
        let file = try PosixStorage().create(path)
        try bytes.withUnsafeBytes { buffer throws in try file.writeFully(buffer, at: 0) }
    }

    func remove(_ path: FilePath) throws { try PosixStorage().remove(path) }
}

/// All that an index says, for comparing two.
struct Contents: Equatable {
    var runs: [RunRow]
    var batches: [[UInt64]]
    var snapshots: [SnapshotRow]
    var checkpoints: [CheckpointRow]

    init(_ index: SnapshotIndex) throws {
        runs = try index.runs()
        batches = try runs.map { try index.batchOffsets(of: $0.id) }
        snapshots = try index.snapshots()
        checkpoints = try index.checkpoints()
    }
}

/// A small generator with a fixed seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
