/// Verifies what a capsule said at one of its checkpoints, and nothing behind it.
public struct CheckpointVerification: Sendable {
    /// What the reading came to.
    public enum Verdict: String, Sendable {
        /// Everything before the note agrees, and gives the root that it states.
        case proved
        /// The bytes are as they were written, and what they say does not agree.
        case broken
        /// Something before the note cannot be read.
        case damaged
    }

    public var checkpoint: Checkpoint
    public var verdict: Verdict
    /// Where and why reading ended, if not at the checkpoint.
    public var error: CapsuleError?
    public var findings: [Finding]
    public var findingCount: Int
    public var batches: UInt64
    /// Events read, and the root over them, recomputed from their leaves.
    public var events: UInt64
    public var root: Digest
    public var withheldBodies: UInt64

    public var isSound: Bool { verdict == .proved }

    /// Reads the file up to the batch whose end the note is of.
    ///
    /// - Throws: `StorageError`. What is wrong with the capsule is in the result.
    public init(
        _ capsule: CapsuleFile,
        checkpoint: Checkpoint,
        progress: ((UInt64, UInt64) -> Void)? = nil
    ) throws {
        let fold = CapsuleFold(file: capsule.file, header: capsule.header, limit: checkpoint.batchOffset)
        var (withheld, error): (UInt64, CapsuleError?) = (0, nil)
        var verdict = Verdict.broken
        do {
            loop: while fold.verified.size < checkpoint.size {
                let step = try fold.next(
                    event: { _, _, event throws(CapsuleError) in if event.isWithheld { withheld += 1 } },
                    batch: { _, offset in if offset & 0xFF == 0 { progress?(offset, checkpoint.batchOffset) } }
                )
                switch step {
                case .batch: continue
                case .end: break loop
                case .bad(let reason):
                    verdict = .damaged
                    error = CapsuleError(.damaged, at: fold.reader.position.offset, reason)
                    break loop
                }
            }
        } catch let problem as CapsuleError {
            error = problem
        }
        if error == nil { error = try Self.mismatch(checkpoint, fold.verified, capsule) }
        fold.finish()
        if error == nil, fold.findings.isEmpty { verdict = .proved }
        self.checkpoint = checkpoint
        self.verdict = verdict
        self.error = error
        findings = fold.findings
        findingCount = fold.findingCount
        batches = fold.reader.position.number
        events = fold.verified.size
        root = fold.verified.root
        withheldBodies = withheld
    }

    /// What the note says that the events do not.
    private static func mismatch(
        _ checkpoint: Checkpoint,
        _ read: (size: UInt64, root: Digest),
        _ capsule: CapsuleFile
    ) throws -> CapsuleError? {
        func error(_ reason: String) -> CapsuleError {
            CapsuleError(.rootMismatch, at: checkpoint.batchOffset, reason)
        }
        let object = try capsule.object(checkpoint.id, inBatchAt: checkpoint.batchOffset)
        guard let note = object.flatMap({ CheckpointNote($0.bytes) }) else {
            return error("the checkpoint's note cannot be read")
        }
        if note.origin != capsule.header.origin { return error("the note is of another origin, \(note.origin)") }
        if read.size != note.size {
            return error("the note is of \(note.size) events, and batches end at \(read.size)")
        }
        if read.root != note.root {
            return error("the note states root \(note.root), and the events give \(read.root)")
        }
        return nil
    }
}
