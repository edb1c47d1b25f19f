/// Reads a whole capsule and says what it proved, what it could not, and what is wrong.
public struct Verifier {
    /// What the reading came to.
    public enum Verdict: String, Sendable {
        /// Everything agrees. Without a checkpoint kept elsewhere, the end may still have been cut off.
        case intact
        /// The last write was never acknowledged and did not complete; all before it is intact.
        case tornTail = "torn-tail"
        /// Something that was durable is unreadable.
        case damaged
        /// The bytes are as they were written, and what they say does not agree.
        case broken
        /// Shorter than it is known to have been.
        case cutShort = "cut-short"
        /// A writer is at work; what was read is intact.
        case beingWritten = "being-written"
        /// This version cannot read on.
        case unsupported
    }

    public struct Report: Sendable {
        public var verdict: Verdict
        /// Where and why reading ended, if not at the end.
        public var error: CapsuleError?
        public var findings: [Finding]
        public var findingCount: Int
        public var batches: UInt64
        public var treeSize: UInt64
        public var root: Digest
        /// Where the last valid batch ends.
        public var end: UInt64
        public var length: UInt64
        public var openRuns: Int
        public var endedRuns: Int
        public var snapshots: Int
        public var damagedHeaderCopy: Int?

        /// Whether nothing contradicts what the capsule says.
        public var isSound: Bool { [.intact, .tornTail, .beingWritten].contains(verdict) }
    }

    let capsule: CapsuleFile
    /// A durable length known from outside: the note's.
    var knownDurable: UInt64?
    /// Called with bytes read and bytes to read, every few megabytes.
    public var progress: ((UInt64, UInt64) -> Void)?

    /// Where reading ends, whatever stands beyond: what lies there may still be taken back.
    public var limit: UInt64?

    public init(_ capsule: CapsuleFile, knownDurable: UInt64? = nil) {
        self.capsule = capsule
        self.knownDurable = knownDurable
    }

    /// Reads everything up to the length that the file has now.
    ///
    /// - Throws: `StorageError`, and what the visitors throw. What is wrong with the capsule is in the report.
    ///
    /// - Parameter batch: called with the offset of each batch, when its events and objects were visited.
    public func run(
        event: CapsuleFold.EventVisitor? = nil,
        object: CapsuleFold.ObjectVisitor? = nil,
        batch onBatch: ((UInt64) throws -> Void)? = nil
    ) throws -> Report {
        var length = try capsule.length()
        if let limit { length = min(length, limit) }
        let fold = CapsuleFold(file: capsule.file, header: capsule.header, limit: length)
        var reported: UInt64 = 0
        var start: UInt64 = 0
        func step() throws -> BatchReader.Step {
            let step = try fold.next(event: event, object: object) { _, offset in start = offset }
            if step == .batch { try onBatch?(start) }
            return step
        }
        do {
            while true {
                switch try step() {
                case .batch:
                    if let progress, fold.reader.position.offset - reported > 4 << 20 {
                        reported = fold.reader.position.offset
                        progress(reported, length)
                    }
                case .end: return report(fold, length: length, try verdictAtEnd(fold, length: length))
                case .bad(let reason):
                    // A writer that is in the middle of a write shows the same picture as a crash; it holds the lock.
                    guard try capsule.file.tryLock(.shared) else {
                        return report(fold, length: length, beingWritten(fold))
                    }
                    defer { try? capsule.file.unlock() }
                    // It may have finished since: what stands there now is what counts.
                    length = try capsule.length()
                    fold.reader.refresh(limit: length)
                    let again = try step()
                    if again == .batch { continue }
                    if again == .end { return report(fold, length: length, try verdictAtEnd(fold, length: length)) }
                    return report(fold, length: length, try judge(fold, length: length, reason))
                }
            }
        } catch let error as CapsuleError {
            fold.finish()
            let verdict: Verdict = error.code == .unsupported ? .unsupported : .broken
            return report(fold, length: length, (verdict, error))
        }
    }

    private func verdictAtEnd(_ fold: CapsuleFold, length: UInt64) throws -> (Verdict, CapsuleError?) {
        let end = fold.reader.position.offset
        fold.finish()
        // Where reading ends before the file does, because a writer is at work, nothing is missing.
        let isLimited = try limit.map { try capsule.length() > $0 } ?? false
        if isLimited, end == FileHeader.size { return (.beingWritten, nil) }
        if end == FileHeader.size {
            return (.cutShort, CapsuleError(.cutShort, at: end, "the file ends before its first batch"))
        }
        let judge = TailJudge(file: capsule.file, header: capsule.header, limit: length, knownDurable: knownDurable)
        if case .damaged(let durable, let evidence) = judge.judge(endAt: end, treeSize: fold.state.tree.size),
            try !isLimited || capsule.length() < durable
        {
            let text = "the capsule ends here, and \(evidence) shows that it was durable up to byte \(durable)"
            if length < durable { return (.cutShort, CapsuleError(.cutShort, at: end, text)) }
            return (.damaged, CapsuleError(.damaged, at: end, text))
        }
        let sound: Verdict = isLimited ? .beingWritten : .intact
        return (fold.findings.isEmpty ? sound : .broken, nil)
    }

    private func beingWritten(_ fold: CapsuleFold) -> (Verdict, CapsuleError?) {
        fold.finish()
        return (fold.findings.isEmpty ? .beingWritten : .broken, nil)
    }

    private func judge(_ fold: CapsuleFold, length: UInt64, _ reason: String) throws -> (Verdict, CapsuleError?) {
        let position = fold.reader.position
        fold.finish()
        let judge = TailJudge(file: capsule.file, header: capsule.header, limit: length, knownDurable: knownDurable)
        switch try judge.judge(badBatchAt: position, treeSize: fold.state.tree.size) {
        case .torn:
            let count = length - position.offset
            let error = CapsuleError(
                .tornTail,
                at: position.offset,
                "\(reason); the last \(count) bytes are a torn write"
            )
            return (fold.findings.isEmpty ? .tornTail : .broken, error)
        case .damaged(let durable, let evidence):
            let text = "\(reason), and \(evidence) shows that the file was durable up to byte \(durable)"
            if let knownDurable, length < knownDurable {
                return (.cutShort, CapsuleError(.cutShort, at: position.offset, text))
            }
            return (.damaged, CapsuleError(.damaged, at: position.offset, text))
        }
    }

    private func report(_ fold: CapsuleFold, length: UInt64, _ end: (Verdict, CapsuleError?)) -> Report {
        let runs = fold.state.open.keys.filter { !$0.isRunZero }.count
        return Report(
            verdict: end.0,
            error: end.1,
            findings: fold.findings,
            findingCount: fold.findingCount,
            batches: fold.reader.position.number,
            treeSize: fold.verified.size,
            root: fold.verified.root,
            end: fold.reader.position.offset,
            length: length,
            openRuns: runs,
            endedRuns: fold.state.ended.count,
            snapshots: fold.state.snapshots.count,
            damagedHeaderCopy: capsule.damagedHeaderCopy
        )
    }
}
