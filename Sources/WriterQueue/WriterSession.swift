import Capsule

/// One open capsule file and what is known of it: where it ends, what is durable, the state at its tail.
///
/// Used by the writer's thread only.
final class WriterSession {
    let capsule: CapsuleFile
    let file: any StorageFile
    let lock: TurnLock
    private let path: FilePath
    private let storage: any Storage
    private let identity: FileIdentity
    private let noteFile: any StorageFile
    private(set) var fold: CapsuleFold
    private let encoder: BatchEncoder
    /// The buffer of a batch that was written: a fresh one of that size comes from the kernel page by page.
    var spareBuffer: [UInt8] = []
    /// Length that a sync is known to cover.
    private(set) var durable: UInt64 = FileHeader.size
    /// Where the last batch that was read or written ends.
    var end: UInt64 { fold.reader.position.offset }
    /// Whether the note names us as the one who writes.
    private var isNoteOurs = false
    private var hasRead = false
    private let resume: (@Sendable (FileHeader) throws -> ResumePoint?)?
    private let resumedBytes: UInt64

    init(
        path: FilePath,
        storage: any Storage,
        options: WriterQueue.Options,
        trustsIndex: Bool,
        expecting known: CapsuleID?
    ) throws {
        resume = trustsIndex ? options.resume : nil
        resumedBytes = options.resumedBytes
        self.path = path
        self.storage = storage
        file = try storage.open(path, for: .readingAndWriting)
        capsule = try CapsuleFile(path, storage: storage, openFile: file)
        guard capsule.header.writeVersion <= 1 else {
            throw WriteError(
                .newerFormat,
                "this capsule was written by a newer version; it can be read, not appended to"
            )
        }
        guard known == nil || known == capsule.header.capsule else {
            throw WriteError(.replaced, "\(path) is another capsule than the one that was opened; nothing was written")
        }
        identity = try file.identity()
        noteFile = try Self.openNote(path, storage: storage)
        lock = TurnLock(capsule: file, note: noteFile, timeout: options.lockTimeout)
        fold = CapsuleFold(file: file, header: capsule.header, limit: 0)
        encoder = BatchEncoder(header: capsule.header, position: fold.reader.position)
    }

    private static func openNote(_ path: FilePath, storage: any Storage) throws(StorageError) -> any StorageFile {
        let note = DurableNote.path(for: path)
        while true {
            do throws(StorageError) {
                return try storage.open(note, for: .readingAndWritingNoLink)
            } catch  where error.errno == .noSuchFileOrDirectory {
                do throws(StorageError) {
                    return try storage.create(note)
                } catch  where error.errno == .fileExists {
                    continue  // another writer made it between our two calls
                }
            }
        }
    }

    /// Says what an earlier session of this writer knew to be durable.
    func expect(durable known: UInt64) { durable = max(durable, known) }

    /// Whether the path names the file that is open.
    func isStillNamed() throws -> Bool { try storage.identity(of: path) == identity }

    /// Whether everything in the file was read or written here, so that a turn has nothing to catch up with.
    func isUpToDate() throws -> Bool { try hasRead && file.length() == end }

    func holderInNote() -> String? {
        DurableNote.read(for: path, header: capsule.header, storage: storage)?.holder
    }

    // MARK: Catching up

    /// Takes in what was written since the last turn, and recovers first if some of it may not be durable.
    func catchUp(holder: String, progress: ((UInt64, UInt64) -> Void)?) throws {
        let length = try file.length()
        if hasRead, length == end { return }
        isNoteOurs = false
        let note = DurableNote.read(for: path, header: capsule.header, storage: storage)
        if let note { durable = max(durable, note.durableLength) }
        guard length >= max(durable, hasRead ? end : 0) else {
            throw CapsuleError(
                .cutShort,
                at: length,
                "the file ends here and was durable up to byte \(max(durable, end)); it was cut or restored. "
                    + "See 'capsule-tool verify', and bring back the longer copy"
            )
        }
        if !hasRead, length >= resumedBytes { try beginBehindIndex(length: length) }
        let validEnd = try read(to: length, progress: progress)
        hasRead = true
        if validEnd < length || durable < validEnd {
            try Recovery(path: path, storage: storage, file: file, header: capsule.header)
                .run(end: validEnd, durable: note == nil ? fold.statedDurable : durable, length: length)
            durable = validEnd
            writeNote(holder: holder)
        }
    }

    /// Goes on where an index knows the state, if one does. It covers durable bytes only.
    private func beginBehindIndex(length: UInt64) throws {
        guard let point = try resume?(capsule.header), point.position.offset <= length else { return }
        fold = CapsuleFold(file: file, header: capsule.header, from: point, limit: length)
        durable = max(durable, point.position.offset)
    }

    /// The first lookup in an index that went wrong since the last call: nothing that came of it may be written.
    func takeHistoryFailure() -> (any Error)? { fold.state.takeHistoryFailure() }

    /// Folds batches up to `length`; returns where the last valid one ends.
    private func read(to length: UInt64, progress: ((UInt64, UInt64) -> Void)?) throws -> UInt64 {
        fold.reader.limit = length
        var reported = end
        while true {
            switch try fold.next() {
            case .batch:
                if let progress, end - reported > 4 << 20 {
                    reported = end
                    progress(end, length)
                }
            case .end:
                try refuseIfBroken()
                guard end > FileHeader.size else {
                    throw CapsuleError(.cutShort, at: end, "the file ends before its first batch; nothing is written")
                }
                if end < durable { throw damage("nothing but zeroes follow, where data was durable") }
                return end
            case .bad(let reason):
                try refuseIfBroken()
                try refuseIfDamaged(reason, length: length)
                return end
            }
        }
    }

    private func refuseIfDamaged(_ reason: String, length: UInt64) throws {
        let judge = TailJudge(file: file, header: capsule.header, limit: length, knownDurable: durable)
        let verdict = try judge.judge(badBatchAt: fold.reader.position, treeSize: fold.state.tree.size)
        if case .damaged(_, let evidence) = verdict {
            throw damage("\(reason), and \(evidence) shows that it was durable")
        }
    }

    private func damage(_ reason: String) -> CapsuleError {
        CapsuleError(.damaged, at: end, "\(reason); nothing is written. See 'capsule-tool verify'")
    }

    private func refuseIfBroken() throws {
        fold.finish()
        guard let finding = fold.findings.first else { return }
        let place = finding.event.map { " (\($0))" } ?? ""
        throw WriteError(
            .broken,
            "this capsule breaks its own rules: \(finding.reason)\(place); see 'capsule-tool verify'"
        )
    }

    // MARK: Writing

    func takeSpareBuffer() -> [UInt8] {
        defer { spareBuffer = [] }
        return spareBuffer
    }

    /// Encodes and writes what was admitted: objects first, then events. Returns bytes written.
    func write(_ turn: inout Turn) throws -> UInt64 {
        guard !turn.isEmpty else { return 0 }
        encoder.restart(at: fold.reader.position)
        turn.encode(into: encoder, durable: durable)
        let start = end
        try encoder.output.withUnsafeBytes { bytes throws in try file.writeFully(bytes, at: start) }
        fold.encoded(upTo: encoder.position, root: turn.root)
        return UInt64(encoder.output.count)
    }

    /// After a write that failed: cuts what it left and makes sure that the cut holds.
    ///
    /// - Throws: `StorageError`; then nothing may be written any more.
    func undoWrite() throws {
        try file.truncate(to: end)
        try file.sync()
    }

    /// Syncs, then notes the durable length. Returns how many syncs that took.
    func sync(holder: String) throws -> UInt64 {
        guard durable < end else { return 0 }
        let covered = end
        try file.sync()
        durable = covered
        writeNote(holder: holder)
        return 1
    }

    /// Writes a checkpoint note over everything that is durable now.
    func writeCheckpoint() throws {
        let note = CheckpointNote(
            origin: capsule.header.origin,
            size: fold.verified.size,
            root: fold.verified.root
        )
        encoder.restart(at: fold.reader.position)
        var body = BatchBody(.objects)
        body.addObject(try StoredObject(.note, note.bytes))
        encoder.append(body, treeSize: note.size, root: note.root, durableLength: durable)
        let start = end
        try encoder.output.withUnsafeBytes { bytes throws in try file.writeFully(bytes, at: start) }
        fold.encoded(upTo: encoder.position, root: note.root)
    }

    /// Says in the note that it is we who write, if somebody else stands there.
    func claimNote(holder: String) {
        if !isNoteOurs { writeNote(holder: holder) }
    }

    /// It may be lost, and never leads: no sync, and a failure only makes the next writer read more.
    private func writeNote(holder: String) {
        let note = DurableNote(
            capsule: capsule.header.capsule,
            generation: capsule.header.generation,
            durableLength: durable,
            holder: holder
        )
        try? note.encoded.withUnsafeBytes { bytes throws in try noteFile.writeFully(bytes, at: 0) }
        isNoteOurs = true
    }
}
