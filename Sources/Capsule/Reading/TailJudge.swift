/// Says whether a bad batch is a write that a crash left unfinished, or damage to what was durable (section 9.2).
///
/// Evidence may be forged, and a torn tail then called damage. Without evidence from outside the file, damage inside
/// the last
/// write cannot be told from a torn tail.
public struct TailJudge {
    public enum Verdict: Equatable, Sendable {
        /// Everything from the offset on was never acknowledged.
        case torn
        /// The file was durable up to at least `durable`, beyond the bad batch. `evidence` says how we know.
        case damaged(durable: UInt64, evidence: String)
    }

    let file: any StorageFile
    let header: FileHeader
    let limit: UInt64
    /// A length that something outside the file (the note, an index) says was durable.
    var knownDurable: UInt64?
    /// Leaves that a known checkpoint needs.
    var knownSize: UInt64?

    public init(
        file: any StorageFile,
        header: FileHeader,
        limit: UInt64,
        knownDurable: UInt64? = nil,
        knownSize: UInt64? = nil
    ) {
        self.file = file
        self.header = header
        self.limit = limit
        self.knownDurable = knownDurable
        self.knownSize = knownSize
    }

    /// - Parameters:
    ///   - position: where the first bad batch begins, and the number that it should have.
    ///   - treeSize: events before it.
    public func judge(badBatchAt position: BatchPosition, treeSize: UInt64) throws -> Verdict {
        let offset = position.offset
        if Mutant.isOn(.damageIsTakenForATornTail) { return .torn }
        if case .damaged(let durable, let evidence) = judge(endAt: offset, treeSize: treeSize) {
            return .damaged(durable: durable, evidence: evidence)
        }
        if offset == FileHeader.size {
            return .damaged(durable: offset + 1, evidence: "the first batch, durable before the file had its name,")
        }
        if let durable = try headerEvidence(after: position) {
            return .damaged(durable: durable, evidence: "a batch header that stands after it")
        }
        return .torn
    }

    /// The same for a file in which nothing stands at `offset`: `torn` then means that nothing is missing.
    public func judge(endAt offset: UInt64, treeSize: UInt64) -> Verdict {
        if let knownDurable, knownDurable > offset {
            return .damaged(durable: knownDurable, evidence: "what the note or the index beside the capsule knows")
        }
        if let knownSize, knownSize > treeSize, !Mutant.isOn(.acceptsALargerCheckpoint) {
            return .damaged(durable: offset, evidence: "a checkpoint of \(knownSize) events")
        }
        return .torn
    }

    /// The durable length of the first intact header after the bad batch which says that the file was durable beyond
    /// it.
    private func headerEvidence(after position: BatchPosition) throws -> UInt64? {
        var start = position.offset + 1
        while start + UInt64(BatchHeader.size) <= limit {
            let count = Int(min(UInt64(BatchReader.windowSize), limit - start))
            let bytes = try file.bytes(at: start, count: count)
            guard bytes.count >= BatchHeader.size else { return nil }
            if let durable = search(bytes, at: start, after: position) { return durable }
            // Windows overlap by a header less one byte, so that none is missed on the seam.
            start += UInt64(bytes.count - BatchHeader.size + 1)
        }
        return nil
    }

    private func search(_ bytes: [UInt8], at start: UInt64, after position: BatchPosition) -> UInt64? {
        let span = bytes.span.bytes
        let first = UInt8(truncatingIfNeeded: BatchHeader.magic)
        for index in 0...(bytes.count - BatchHeader.size) where bytes[index] == first {
            let offset = start + UInt64(index)
            let candidate = span.extracting(index..<(index + BatchHeader.size))
            guard case .intact(let found) = BatchHeader.parse(candidate, file: header, offset: offset) else { continue }
            if found.number >= position.number, found.durableLength > position.offset, found.durableLength <= offset {
                return found.durableLength
            }
        }
        return nil
    }
}
