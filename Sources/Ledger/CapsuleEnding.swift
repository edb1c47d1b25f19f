/// Where the batches of a capsule end, and why.
public enum CapsuleEnding: Sendable, Equatable {
    /// The file ends there, and nothing says that it was ever longer.
    case whole
    /// A writer is at work on what follows.
    case beingWritten
    /// The last write was never acknowledged and did not complete: the next append cuts it off.
    case tornTail(CapsuleError)
    /// What was durable is missing or cannot be read, or this version does not know it.
    case damaged(CapsuleError)

    /// A capsule of so many bytes is read through to say how it ends: some milliseconds. Of a larger one, only what
    /// lies behind `start` is.
    public static let readThroughBytes: UInt64 = 16 << 20

    /// Reads batches up to where they end, and checks their checksums, not their content.
    ///
    /// - Parameters:
    ///   - start: where a batch begins or the file ends, as an index says, and the number of the batch there.
    ///   - knownDurable: a length that the note or an index knows.
    /// - Throws: `StorageError`.
    public init(
        of capsule: CapsuleFile,
        from start: (offset: UInt64, number: UInt64),
        knownDurable: UInt64
    ) throws {
        let length = try capsule.length()
        let reader = BatchReader(file: capsule.file, header: capsule.header, limit: length)
        if length > Self.readThroughBytes, start.offset > FileHeader.size { reader.jump(to: start.offset) }
        do {
            while true {
                switch try reader.check() {
                case .batch: continue
                case .end:
                    self = Self.end(at: reader.position.offset, length: length, knownDurable)
                    return
                case .bad(let reason):
                    guard let found = try Self.judge(reader, reason, capsule, start, knownDurable) else { continue }
                    self = found
                    return
                }
            }
        } catch let error as CapsuleError {
            self = .damaged(error)
        }
    }

    private static func end(at offset: UInt64, length: UInt64, _ knownDurable: UInt64) -> CapsuleEnding {
        if offset == FileHeader.size {
            return .damaged(CapsuleError(.cutShort, at: offset, "the file ends before its first batch"))
        }
        guard offset < knownDurable else { return .whole }
        return .damaged(
            CapsuleError(
                length < knownDurable ? .cutShort : .damaged,
                at: offset,
                "the capsule ends here, and was durable up to byte \(knownDurable)"
            )
        )
    }

    /// Nil if a writer has put a batch there meanwhile.
    private static func judge(
        _ reader: BatchReader,
        _ reason: String,
        _ capsule: CapsuleFile,
        _ start: (offset: UInt64, number: UInt64),
        _ knownDurable: UInt64
    ) throws -> CapsuleEnding? {
        // A writer in the middle of a write shows the same picture as a crash; it holds the lock.
        guard try capsule.file.tryLock(.shared) else { return .beingWritten }
        defer { try? capsule.file.unlock() }
        let length = try capsule.length()
        reader.refresh(limit: length)
        switch try reader.check() {
        case .batch: return nil
        case .end: return end(at: reader.position.offset, length: length, knownDurable)
        case .bad: break
        }
        var position = reader.position
        if position.offset == start.offset { position.number = start.number }
        let judge = TailJudge(
            file: capsule.file,
            header: capsule.header,
            limit: length,
            knownDurable: knownDurable
        )
        switch try judge.judge(badBatchAt: position, treeSize: 0) {
        case .torn:
            let count = length - min(length, position.offset)
            return .tornTail(
                CapsuleError(.tornTail, at: position.offset, "\(reason); the last \(count) bytes are a torn write")
            )
        case .damaged(let durable, let evidence):
            let text = "\(reason), and \(evidence) shows that the file was durable up to byte \(durable)"
            return .damaged(CapsuleError(length < knownDurable ? .cutShort : .damaged, at: position.offset, text))
        }
    }
}
