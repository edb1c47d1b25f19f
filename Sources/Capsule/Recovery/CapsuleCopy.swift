/// Copies what a capsule proves into a new one, under another header: to salvage a damaged capsule, or to let a copy go
/// its own way.
///
/// The old file is only read. Every event that is copied keeps its leaf, so seals and run roots stay what they were;
/// the tree is a new one, because the origin is. What cannot be proved is not copied, and is in the report: beyond a
/// gap
/// a body may hold bytes that look like a batch, so reading goes on behind unreadable bytes only where intact headers
/// lead there one to the next and no leaf is missing.
///
/// The new file gets its name when it was written, synced and verified from its beginning.
public final class CapsuleCopy {
    public enum Purpose: Sendable {
        /// Leaves out what is not proved; run zero begins anew, and its last event says what was lost.
        case salvage
        /// Copies everything or nothing, run zero too, whose last event names the new header.
        case adopt
    }

    let old: CapsuleFile
    let purpose: Purpose
    let header: FileHeader
    private let output: CopyOutput
    private var report: CopyReport
    /// Runs of which nothing is copied from a sequence on, because a rule is broken there.
    private var dropped: [RunID: Dropped] = [:]
    /// Events copied of each run.
    private var copied: [RunID: UInt32] = [:]
    private var findingsSeen = 0

    private struct Dropped {
        var first: UInt32
        var last: UInt32
        var reason: String
    }

    /// What the last event of run zero says, made when everything else was copied.
    public typealias Closing = (CopyReport) throws -> (objects: [StoredObject], body: [UInt8])

    /// - Parameters:
    ///   - header: of the new capsule: another ID and another origin.
    ///   - knownDurable: a length that the old file is known to have had.
    ///   - createBody: JSON of the new `capsule.create`; for `adopt`, not used.
    /// - Throws: `StorageError` with `.fileExists` if `path` is taken; `CapsuleError` if an adoption finds something
    ///   lost, or if the new file does not verify.
    public static func run(
        from old: CapsuleFile,
        to path: FilePath,
        header: FileHeader,
        purpose: Purpose,
        knownDurable: UInt64? = nil,
        createBody: [UInt8] = [],
        storage: any Storage = PosixStorage(),
        random: some RandomSource = SystemRandom(),
        progress: ((UInt64, UInt64) -> Void)? = nil,
        closing: Closing
    ) throws -> CopyReport {
        if try storage.identity(of: path) != nil { throw StorageError("create", path, .fileExists) }
        try CapsuleFile.checkName(path)
        let (temporary, file) = try Leftovers.create(for: path, storage)
        defer { file.close() }
        do {
            let copy = try CapsuleCopy(old, purpose, header, file, createBody: createBody, random: random)
            try copy.read(knownDurable: knownDurable, progress)
            let report = try copy.close(closing, random: random)
            try verify(temporary, storage)
            try storage.link(temporary, to: path)
            try? storage.remove(temporary)
            try storage.syncDirectory(path.directory)
            return report
        } catch {
            try? storage.remove(temporary)
            throw error
        }
    }

    private init(
        _ old: CapsuleFile,
        _ purpose: Purpose,
        _ header: FileHeader,
        _ file: any StorageFile,
        createBody: [UInt8],
        random: some RandomSource
    ) throws {
        self.old = old
        self.purpose = purpose
        self.header = header
        report = CopyReport(origin: old.header.origin, capsule: old.header.capsule)
        switch purpose {
        case .salvage:
            output = try CopyOutput(file, header, createBody: createBody, random: random)
            copied[.zero] = 1
        case .adopt: output = try CopyOutput(file, header)
        }
    }

    // MARK: Reading

    private func read(knownDurable: UInt64?, _ progress: ((UInt64, UInt64) -> Void)?) throws {
        let length = try old.length()
        let fold = CapsuleFold(file: old.file, header: old.header, limit: length)
        var stop: (offset: UInt64, reason: String, isTorn: Bool)?
        while stop == nil {
            let batch = CopiedBatch()
            let offset = fold.reader.position.offset
            do {
                let step = try fold.next(
                    event: { _, hash, event throws(CapsuleError) in batch.add(event, hash) },
                    object: { object throws(CapsuleError) in batch.objects.append(object) }
                )
                switch step {
                case .batch: try take(batch, fold, at: offset)
                case .end: stop = (offset, "", true)
                case .bad(let reason):
                    if try skipUnreadableObjects(fold, reason, length: length) { continue }
                    stop = (offset, reason, try isTorn(fold, length: length, knownDurable))
                }
            } catch let error as CapsuleError where error.offset == offset {
                stop = (offset, error.reason, false)
            }
            progress?(fold.reader.position.offset, length)
        }
        fold.finish()
        report.provedSize = fold.verified.size
        report.provedRoot = fold.verified.root
        report.isClosed = fold.state.isClosed
        if let stop { try account(for: stop, length: length, knownDurable) }
        accountForDropped()
    }

    private func isTorn(_ fold: CapsuleFold, length: UInt64, _ knownDurable: UInt64?) throws -> Bool {
        let judge = TailJudge(file: old.file, header: old.header, limit: length, knownDurable: knownDurable)
        return try judge.judge(badBatchAt: fold.reader.position, treeSize: fold.state.tree.size) == .torn
    }

    /// Goes on behind a batch of objects whose header is intact and whose body is not, if the next header follows it.
    private func skipUnreadableObjects(_ fold: CapsuleFold, _ reason: String, length: UInt64) throws -> Bool {
        let position = fold.reader.position
        guard let found = try intactHeader(at: position.offset), case .success(let batch) = found.content,
            found.number == position.number, found.previousChecksum == position.previousChecksum, batch.events == 0
        else { return false }
        let end = position.offset.addingReportingOverflow(batch.totalLength)
        guard !end.overflow, end.partialValue < length, let next = try intactHeader(at: end.partialValue),
            next.number == found.number &+ 1, next.previousChecksum == found.checksum
        else { return false }
        var behind = position
        behind.offset = end.partialValue
        behind.number = next.number
        behind.previousChecksum = found.checksum
        behind.durableLength = batch.durableLength
        fold.reader.skip(to: behind)
        report.losses.append(
            CopyLoss(.unreadable, at: position.offset, bytes: batch.totalLength, "\(reason); it held objects, no event")
        )
        return true
    }

    private func intactHeader(at offset: UInt64) throws -> BatchHeader.Intact? {
        let bytes = try old.file.bytes(at: offset, count: BatchHeader.size)
        guard case .intact(let header) = BatchHeader.parse(bytes.span.bytes, file: old.header, offset: offset) else {
            return nil
        }
        return header
    }

    // MARK: Taking

    private func take(_ batch: CopiedBatch, _ fold: CapsuleFold, at offset: UInt64) throws {
        guard fold.findingCount == fold.findings.count else {
            throw CapsuleError(.damaged, at: offset, "too many rules are broken to tell what holds")
        }
        for finding in fold.findings.dropFirst(findingsSeen) {
            if let event = finding.event { drop(event, finding.reason) }
        }
        findingsSeen = fold.findings.count
        batch.objects.removeAll { $0.kind == .note }
        batch.events.removeAll { !isCopied($0) }
        try output.write(batch)
        report.events += UInt64(batch.events.count)
        report.objects += UInt64(batch.objects.count)
    }

    private func drop(_ event: EventReference, _ reason: String) {
        let known = dropped[event.run]
        if let known, known.first <= event.sequence { return }
        let last = max(event.sequence, known?.last ?? 0)
        dropped[event.run] = Dropped(first: event.sequence, last: last, reason: reason)
    }

    private func isCopied(_ event: CopiedEvent) -> Bool {
        let (run, sequence) = (event.envelope.run, event.envelope.sequence)
        if run.isRunZero, purpose == .salvage {
            report.runZero.append(event)
            return false
        }
        for cause in event.envelope.causes where cause.sequence >= copied[cause.run] ?? .max {
            drop(event.envelope.reference, "its cause \(cause) was not copied")
        }
        if let known = dropped[run], sequence >= known.first {
            dropped[run]?.last = max(known.last, sequence)
            return false
        }
        copied[run] = sequence + 1
        return true
    }

    private func accountForDropped() {
        for (run, lost) in dropped.sorted(by: { $0.key.hex < $1.key.hex }) {
            var loss = CopyLoss(.broken, at: nil, bytes: 0, lost.reason)
            loss.events = UInt64(lost.last - lost.first) + 1
            loss.runs = [CopyLoss.Range(run: run, first: lost.first, last: lost.last)]
            report.losses.append(loss)
        }
        report.runs = copied.keys.filter { !$0.isRunZero }.count
    }

    // MARK: What is lost behind

    private func account(
        for stop: (offset: UInt64, reason: String, isTorn: Bool),
        length: UInt64,
        _ knownDurable: UInt64?
    ) throws {
        let start = stop.reason.isEmpty ? stop.offset : max(length, stop.offset)
        if let knownDurable, knownDurable > start {
            report.losses.append(
                CopyLoss(.missing, at: start, bytes: knownDurable - start, "the file is known to have been longer")
            )
        }
        guard stop.offset < length, !stop.reason.isEmpty else { return }
        if stop.isTorn {
            report.tornBytes = length - stop.offset
            return
        }
        var survey = UnprovedSurvey(old, from: stop.offset, length: length, reason: stop.reason)
        report.losses += try survey.run()
    }

    // MARK: Closing

    private func close(_ closing: Closing, random: some RandomSource) throws -> CopyReport {
        if purpose == .adopt {
            guard report.losses.isEmpty else {
                throw CapsuleError(
                    .damaged,
                    at: report.losses.first?.offset,
                    "only a sound capsule can be adopted, and \(report.losses[0].reason); "
                        + "'capsule-tool salvage' copies what can be proved"
                )
            }
            guard !report.isClosed else {
                throw CapsuleError(.damaged, "the capsule was closed: another one continues it")
            }
        }
        let (objects, body) = try closing(report)
        try output.close(objects, closingEvent(), body: body, random: random)
        report.newSize = output.tree.size
        report.newRoot = output.tree.root
        return report
    }

    private func closingEvent() -> Envelope {
        let type: RegisteredType = purpose == .salvage ? .capsuleSalvage : .capsuleAdopt
        let snapshot = purpose == .salvage ? Digest.zero : header.digest
        var envelope = Envelope(type: .registered(type), time: .now, run: .zero, snapshot: snapshot)
        envelope.sequence = copied[.zero] ?? 0
        return envelope
    }

    private static func verify(_ path: FilePath, _ storage: any Storage) throws {
        let report = try Verifier(CapsuleFile(path, storage: storage)).run()
        guard report.verdict == .intact, report.findings.isEmpty else {
            let reason = report.error?.reason ?? report.findings.first?.reason ?? report.verdict.rawValue
            throw CapsuleError(.damaged, "the copy does not verify, and was not kept: \(reason)")
        }
    }
}

/// What a copy came to.
public struct CopyReport: Sendable {
    /// Of the capsule that was copied.
    public var origin: String
    public var capsule: CapsuleID
    /// Events and root up to the last batch that was proved.
    public var provedSize: UInt64 = 0
    public var provedRoot = Digest.zero
    public var isClosed = false
    /// What was copied.
    public var events: UInt64 = 0
    public var objects: UInt64 = 0
    public var runs = 0
    /// The old capsule's own events, which a salvaged one does not take over.
    public var runZero: [CopiedEvent] = []
    /// Bytes of a last write that was never acknowledged: no loss.
    public var tornBytes: UInt64 = 0
    public var losses: [CopyLoss] = []
    public var newSize: UInt64 = 0
    public var newRoot = Digest.zero

    /// Whether nothing that was acknowledged is missing, as far as anything known tells.
    public var isComplete: Bool { losses.isEmpty }
}

/// Something that was not copied.
public struct CopyLoss: Sendable, Equatable {
    public enum Kind: String, Sendable {
        /// Bytes in which no batch can be read.
        case unreadable
        /// Batches that can be read behind a gap: their checksums are right, and nothing proves them.
        case unproved
        /// Events that break a rule, or follow one in their run that does.
        case broken
        /// Bytes that the file is known to have had and has not.
        case missing
    }

    /// Sequences of a run.
    public struct Range: Sendable, Equatable {
        public var run: RunID
        public var first: UInt32
        public var last: UInt32
    }

    public var kind: Kind
    public var offset: UInt64?
    public var bytes: UInt64
    public var reason: String
    public var batches: UInt64 = 0
    public var events: UInt64 = 0
    /// At most `maximumRuns`.
    public var runs: [Range] = []

    public static let maximumRuns = 1000

    init(_ kind: Kind, at offset: UInt64?, bytes: UInt64, _ reason: String) {
        self.kind = kind
        self.offset = offset
        self.bytes = bytes
        self.reason = reason
    }
}
