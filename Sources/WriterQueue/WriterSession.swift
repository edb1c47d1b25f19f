import Capsule

/// One open capsule file and what is known of it: where it ends, what is durable, the state at its tail.
///
/// Used by the writer's thread only.
final class WriterSession {
    let capsule: CapsuleFile
    let file: any StorageFile
    let lock: TurnLock
    /// As the caller gave it; what the capsule's own path is, if a link leads to it, is `capsule.path`.
    private let path: FilePath
    private let storage: any Storage
    private let evidence: (@Sendable (FileHeader) -> OutsideEvidence?)?
    /// What is known outside the file and its note, once it was asked for.
    private var known = OutsideEvidence()
    private let identity: FileIdentity
    private let noteFile: any StorageFile
    private let noteIdentity: FileIdentity
    private let notePath: FilePath
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
    /// Who is told the events of a run.
    var followers: [RunID: any RunFollower] = [:]
    private let followBatches: (@Sendable (FileHeader, BatchPosition) -> (any BatchFollower)?)?
    /// Who is told what is written.
    private(set) var batchFollower: (any BatchFollower)?
    private let resume: (@Sendable (FileHeader) throws -> ResumePoint?)?
    private let resumedBytes: UInt64
    private let observe: (@Sendable (WriterNotice) -> Void)?

    init(
        path: FilePath,
        storage: any Storage,
        options: WriterQueue.Options,
        trustsIndex: Bool,
        expecting known: CapsuleID?
    ) throws {
        resume = trustsIndex ? options.resume : nil
        resumedBytes = options.resumedBytes
        followBatches = options.followBatches
        observe = options.observe
        self.path = path
        self.storage = storage
        evidence = options.evidence
        let resolved = storage.resolved(path)
        file = try CapsuleFile.open(resolved, for: .readingAndWriting, storage)
        capsule = try CapsuleFile(resolved, storage: storage, openFile: file)
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
        notePath = DurableNote.path(for: resolved)
        noteFile = try Self.openNote(notePath, storage: storage)
        noteIdentity = try noteFile.identity()
        lock = TurnLock(capsule: file, note: noteFile, timeout: options.lockTimeout, observe: options.observe)
        fold = CapsuleFold(file: file, header: capsule.header, limit: 0)
        encoder = BatchEncoder(header: capsule.header, position: fold.reader.position)
    }

    private static func openNote(_ note: FilePath, storage: any Storage) throws(StorageError) -> any StorageFile {
        while true {
            do throws(StorageError) {
                return try storage.open(note, for: .readingAndWritingNoLink)
            } catch  where error.errno == .noSuchFileOrDirectory {
                do throws(StorageError) {
                    return try storage.create(note)
                } catch  where error.errno == .fileExists {
                    continue  // another writer made it between our two calls
                }
            } catch  where error.errno == .permissionDenied || error.errno == .readOnlyFileSystem {
                // Another user's: a place to queue all the same. That we cannot write it makes others read more.
                return try storage.open(note, for: .reading)
            } catch {
                throw unusable(error)
            }
        }
    }

    /// A place where no note can be: writers queue there, so nothing is written.
    private static func unusable(_ error: StorageError) -> StorageError {
        var error = error
        if error.obstacle != nil {
            error.remedy = "the capsule's note belongs there: move it away, and the next write makes a new note"
        } else if error.errno == .fileNameTooLong {
            error.remedy = "rename the capsule: its name leaves no room for those of the files beside it"
        }
        return error
    }

    /// Says what an earlier session of this writer knew to be durable.
    func expect(durable known: UInt64) { durable = max(durable, known) }

    /// Whether the path names the file that is open, and the note beside it is the one that is open too: what is
    /// written into a note that was deleted, nobody reads.
    func isStillNamed() throws -> Bool {
        guard try storage.identity(of: path) == identity else { return false }
        return try storage.identity(of: notePath) == noteIdentity
    }

    /// Whether everything in the file was read or written here, so that a turn has nothing to catch up with.
    func isUpToDate() throws -> Bool { try hasRead && file.length() == end }

    func holderInNote() -> String? {
        DurableNote.read(for: capsule.path, header: capsule.header, storage: storage)?.holder
    }

    // MARK: Catching up

    /// Takes in what was written since the last turn, and recovers first if some of it may not be durable.
    func catchUp(holder: String, progress: ((UInt64, UInt64) -> Void)?) throws {
        let length = try file.length()
        if hasRead, length == end { return }
        isNoteOurs = false
        let note = DurableNote.read(for: capsule.path, header: capsule.header, storage: storage)
        if let note { durable = max(durable, note.durableLength) }
        if !hasRead, try !beginBehindIndex(length: length), let outside = evidence?(capsule.header) { known = outside }
        let expected = max(durable, known.durableLength ?? 0, hasRead ? end : 0)
        guard length >= expected else { throw cutShort(at: length, durable: expected) }
        let validEnd = try read(to: length, progress: progress)
        hasRead = true
        batchFollower = followBatches?(capsule.header, fold.reader.position)
        if validEnd < length || durable < validEnd || note?.syncFailed ?? false {
            try recover(to: validEnd, length: length, hasNote: note != nil, holder: holder)
        }
    }

    /// Goes on where an index knows the state, if one does. It covers durable bytes only.
    private func beginBehindIndex(length: UInt64) throws -> Bool {
        guard length >= resumedBytes, let point = try resume?(capsule.header), point.position.offset <= length else {
            return false
        }
        fold = CapsuleFold(file: file, header: capsule.header, from: point, limit: length)
        durable = max(durable, point.position.offset)
        known = OutsideEvidence(durableLength: point.durableLength)
        return true
    }

    /// The first lookup in an index that went wrong since the last call: nothing that came of it may be written.
    func takeHistoryFailure() -> (any Error)? { fold.state.takeHistoryFailure() }

    private func recover(to validEnd: UInt64, length: UInt64, hasNote: Bool, holder: String) throws {
        let recovery = Recovery(path: capsule.path, storage: storage, file: file, header: capsule.header)
        // Without a note, what the newest header states: that was synced before it was made.
        let start = hasNote ? durable : fold.statedDurable
        do {
            let outcome = try recovery.run(end: validEnd, durable: start, length: length, isNameDurable: hasNote)
            observe?(.recovered(outcome))
        } catch {
            noteFailedSync(error, holder: holder)
            throw error
        }
        durable = validEnd
        writeNote(holder: holder)
    }

    private func cutShort(at length: UInt64, durable: UInt64) -> CapsuleError {
        CapsuleError(
            .cutShort,
            at: length,
            "the file ends here and was durable up to byte \(durable); it was cut or restored. "
                + "See 'capsule-tool verify', and bring back the longer copy"
        )
    }

    private func tellFollower(_: UInt64, _: Digest, _ event: borrowing EventView) {
        guard followers[event.envelope.run] != nil else { return }
        let isInline = event.envelope.bodyKind == .inline && !event.isWithheld
        let body = isInline ? event.storedBody?.array ?? [] : nil
        tell(event.envelope) { body }
    }

    /// Tells whoever follows the run of an event that was read, or is about to be written.
    func tell(_ envelope: Envelope, body: () -> [UInt8]?) {
        guard !followers.isEmpty, let follower = followers[envelope.run] else { return }
        follower.take(envelope, body: body())
        if envelope.seal != nil { followers[envelope.run] = nil }
    }

    /// Tells whoever follows the file of an event that was admitted.
    func tellBatchFollower(_ envelope: Envelope, body: [UInt8]?) {
        guard let batchFollower else { return }
        let size = fold.state.tree.size
        batchFollower.take(envelope, body: envelope.bodyKind == .inline ? body : nil, leaf: size - 1)
        if size % MerkleFrontier.keptLeaves == 0 { batchFollower.take(subtree: fold.state.tree.newestKept) }
    }

    private var writtenPlace: WrittenPlace {
        WrittenPlace(end: fold.reader.position, state: fold.state, root: fold.verified.root)
    }

    /// Says that nothing more is written here.
    func finish() {
        if hasRead { batchFollower?.finish(writtenPlace) }
        batchFollower = nil
    }

    /// Folds batches up to `length`; returns where the last valid one ends.
    private func read(to length: UInt64, progress: ((UInt64, UInt64) -> Void)?) throws -> UInt64 {
        fold.reader.limit = length
        var reported = end
        while true {
            switch try fold.next(event: followers.isEmpty ? nil : tellFollower) {
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
                if end < max(durable, known.durableLength ?? 0) {
                    throw damage("nothing but zeroes follow, where data was durable")
                }
                if case .damaged(_, let evidence) = judge(length).judge(endAt: end, treeSize: fold.state.tree.size) {
                    throw CapsuleError(
                        .cutShort,
                        at: end,
                        "the file ends here, with \(fold.state.tree.size) events, and \(evidence) shows that it had "
                            + "more; it was cut or restored. See 'capsule-tool verify', and bring back the longer copy"
                    )
                }
                return end
            case .bad(let reason):
                try refuseIfBroken()
                try refuseIfDamaged(reason, length: length)
                return end
            }
        }
    }

    private func refuseIfDamaged(_ reason: String, length: UInt64) throws {
        let verdict = try judge(length).judge(badBatchAt: fold.reader.position, treeSize: fold.state.tree.size)
        if case .damaged(_, let evidence) = verdict {
            throw damage("\(reason), and \(evidence) shows that it was durable")
        }
    }

    private func judge(_ length: UInt64) -> TailJudge {
        TailJudge(
            file: file,
            header: capsule.header,
            limit: length,
            knownDurable: max(durable, known.durableLength ?? 0),
            knownSize: known.treeSize
        )
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
        batchFollower?.written(writtenPlace)
        return UInt64(encoder.output.count)
    }

    /// After a write that failed: cuts what it left and makes sure that the cut holds.
    ///
    /// - Throws: `StorageError`; then nothing may be written any more.
    func undoWrite(holder: String) throws {
        try file.truncate(to: end)
        do { try file.sync() } catch {
            noteFailedSync(error, holder: holder)
            throw error
        }
    }

    /// Syncs, then notes the durable length. Returns how many syncs that took.
    func sync(holder: String) throws -> UInt64 {
        guard durable < end else { return 0 }
        let covered = end
        if Mutant.isOn(.noteLeads) { writeNote(holder: holder, durable: covered) }
        do { try file.sync() } catch {
            noteFailedSync(error, holder: holder)
            guard Mutant.isOn(.retriesAFailedSync) else { throw error }
            try file.sync()
        }
        durable = covered
        writeNote(holder: holder)
        return 1
    }

    /// Tells those who only read that a sync of theirs would succeed without having written what ours did not.
    private func noteFailedSync(_ error: any Error, holder: String) {
        guard (error as? StorageError)?.operation == "sync" else { return }
        writeNote(holder: holder, syncFailed: true)
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
        let object = try StoredObject(.note, note.bytes)
        body.addObject(object)
        encoder.append(body, treeSize: note.size, root: note.root, durableLength: durable)
        let start = end
        try encoder.output.withUnsafeBytes { bytes throws in try file.writeFully(bytes, at: start) }
        fold.encoded(upTo: encoder.position, root: note.root)
        batchFollower?.take(object, inBatchAt: start)
        batchFollower?.written(writtenPlace)
    }

    /// Says in the note that it is we who write, if somebody else stands there.
    func claimNote(holder: String) {
        if !isNoteOurs { writeNote(holder: holder) }
    }

    /// It may be lost, and never leads: no sync, and a failure only makes the next writer read more.
    private func writeNote(holder: String, durable length: UInt64? = nil, syncFailed: Bool = false) {
        let note = DurableNote(
            capsule: capsule.header.capsule,
            generation: capsule.header.generation,
            durableLength: length ?? durable,
            holder: holder,
            syncFailed: syncFailed
        )
        try? note.encoded.withUnsafeBytes { bytes throws in try noteFile.writeFully(bytes, at: 0) }
        isNoteOurs = true
    }
}
