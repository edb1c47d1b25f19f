@_exported import SnapshotIndex
import Synchronization

/// Reads runs from a capsule, with the index to know where to look.
///
/// What it returns was read from the capsule and checked; the index only said where.
public final class LedgerReader: Sendable {
    public let capsule: CapsuleFile
    public let index: SnapshotIndex
    /// How far the index reaches, and how the file ended.
    public let status: Status

    /// Whether the index saw another history of the capsule, and was made anew for it.
    public let sawAnotherHistory: Bool

    /// What the note said to be durable before the file was read.
    private let noted: UInt64

    /// What the index knows of bytes that are not there any more.
    private let cutShort: CapsuleError?

    /// Opens the index of a capsule and brings it up to date. Of a capsule that is shorter than its index knows, what
    /// is there can be read all the same, by an index in memory; `ending` then says so.
    ///
    /// - Throws: `StorageError`.
    public init(_ capsule: CapsuleFile, progress: ((UInt64, UInt64) -> Void)? = nil) throws {
        self.capsule = capsule
        // Before the file is read: what a writer notes later is of no concern to what was read.
        noted =
            DurableNote.read(for: capsule.path, header: capsule.header, storage: capsule.storage)?
            .durableLength ?? 0
        let disagreed = Mutex(false)
        let observe: SnapshotIndex.Observer = { notice in
            if notice == .remade(.disagrees) { disagreed.withLock { $0 = true } }
            LedgerLog.observe(notice)
        }
        let opened: (index: SnapshotIndex, status: Status, cutShort: CapsuleError?)
        do {
            let index = try SnapshotIndex(for: capsule, observe: observe)
            opened = (index, try index.catchUp(progress: progress), nil)
        } catch let error as CapsuleError where error.code == .cutShort {
            let index = try SnapshotIndex(for: capsule, inMemory: true)
            opened = (index, try index.catchUp(progress: progress), error)
        }
        (index, status, cutShort) = opened
        sawAnotherHistory = disagreed.withLock { $0 }
    }

    /// How the file ends, as far as anything known says where that is. A small capsule is read through for it, a large
    /// one behind what the index covers; see `CapsuleEnding.readThroughBytes`.
    ///
    /// - Throws: `StorageError`.
    public func ending() throws -> CapsuleEnding {
        if let cutShort { return .damaged(cutShort) }
        if case .refused(let error) = status.ending { return .damaged(error) }
        let known = max(status.knownDurable, noted)
        if status.ending == .beingWritten, known <= status.end { return .beingWritten }
        return try CapsuleEnding(of: capsule, from: (status.end, status.batches), knownDurable: known)
    }

    /// What keeps the file from being read to its end; nil if nothing that was durable is missing.
    ///
    /// - Throws: `StorageError`.
    public func damage() throws -> CapsuleError? {
        if case .damaged(let error) = try ending() { return error }
        return nil
    }

    /// A run by its ID, a unique prefix of it, or the caller's own name; or run zero, as `ownName`.
    ///
    /// Its batches are read, to see that they hold what the index says; where they do not, the index is made anew.
    ///
    /// - Throws: `LedgerError.unknownRun`, `ambiguousRun`.
    public func run(_ text: String) throws -> RunRow {
        let match = try confirmed {
            try index.run(matching: text)
        } doubt: { match in
            if case .one(let row) = match { return try doubt(about: row) }
            return try index.missesRuns() ? "runs are missing" : nil
        }
        switch match {
        case .one(let row): return row
        case .ambiguous(let rows): throw Self.ambiguous(text, rows)
        case .none:
            if let own = try ownRun(named: text) { return own }
            throw try unknown(text)
        }
    }

    /// Runs that are named to whoever named one wrongly.
    private static let shownCandidates = 8

    private static func title(_ row: RunRow) -> String { "\(row.id)\(row.name.map { " ('\($0)')" } ?? "")" }

    private static func ambiguous(_ text: String, _ rows: [RunRow]) -> LedgerError {
        let shown = rows.prefix(shownCandidates).map(title).joined(separator: ", ")
        let more = rows.count > shownCandidates ? ", …" : ""
        let count = rows.count >= RunMatch.maximumShown ? "\(rows.count) runs or more" : "\(rows.count) runs"
        return LedgerError(.ambiguousRun, "'\(text)' may be any of \(count): \(shown)\(more)")
    }

    private func unknown(_ text: String) throws -> LedgerError {
        if text.isEmpty {
            return LedgerError(.unknownRun, "name a run by its ID, four digits or more of it, or its own name")
        }
        let newest = try index.runs(RunQuery(limit: 3)).map(Self.title).joined(separator: ", ")
        let hint = newest.isEmpty ? "it has none" : "'capsule-tool runs' lists them, the newest are \(newest)"
        return LedgerError(.unknownRun, "there is no run '\(text)' in this capsule; \(hint)")
    }

    /// A run with all its events.
    public func timeline(of run: RunID) throws -> RunTimeline {
        try RunTimeline(run, in: capsule, batches: try index.batchOffsets(of: run))
    }

    /// A snapshot by its ID or a unique prefix of it.
    ///
    /// - Throws: `LedgerError.unknownSnapshot`, `ambiguousSnapshot`.
    public func snapshot(_ text: String) throws -> SnapshotRow {
        switch try index.snapshot(matching: text) {
        case .one(let row): return row
        case .ambiguous(let rows):
            let shown = rows.map { PolicySnapshot.text($0.id) }.joined(separator: ", ")
            throw LedgerError(.ambiguousSnapshot, "'\(text)' is the beginning of \(rows.count) snapshots: \(shown)")
        case .none:
            throw LedgerError(
                .unknownSnapshot,
                "there is no snapshot '\(text)' in this capsule; 'capsule-tool snapshot list' lists them"
            )
        }
    }

    /// The bytes of an object, its ID checked; nil if it is not in the capsule.
    public func object(_ id: Digest) throws -> StoredObject? {
        guard let offset = try index.objectBatch(id) else { return nil }
        return try capsule.object(id, inBatchAt: offset)
    }

    /// Name and version of the policy behind a snapshot; nil if it is not here or does not say.
    public func policyTitle(of snapshot: Digest) throws -> String? {
        try object(snapshot).flatMap { PolicySnapshot.title(ofPolicy: $0.bytes) }
    }

    /// A body that is a blob is read as JSON up to so many bytes: what a command line can hold, and some.
    static let jsonBlobBytes = 4 << 20

    /// The body as a JSON tree, wherever it stands; nil if it is no JSON, is not there, or is a blob of more than
    /// 4 MiB.
    public func json(of event: RecordedEvent) throws -> JSONValue? {
        guard case .blob(let blob) = event.content else { return event.json }
        guard event.envelope.media == .json, blob.length <= Self.jsonBlobBytes else { return nil }
        return try content(of: blob).flatMap { try? JSONValue.parse($0) }
    }

    /// The whole content of a body that is a blob; nil if part of it is not in the capsule.
    public func content(of blob: BlobReference) throws -> [UInt8]? {
        guard let stored = try object(blob.id), stored.kind == .manifest else { return nil }
        let manifest = try BlobManifest(reading: stored.bytes)
        var bytes: [UInt8] = []
        for chunk in manifest.chunks {
            guard let piece = try object(chunk) else { return nil }
            bytes.append(contentsOf: piece.bytes.dropFirst(BlobManifest.saltBytes))
        }
        return UInt64(bytes.count) == blob.length ? bytes : nil
    }
}
