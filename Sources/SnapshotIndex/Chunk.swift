import Capsule

/// What some batches in a row add to the index: as much as goes into one transaction.
struct Chunk {
    /// Where they end; the mark that was given if there is none.
    private(set) var mark: IndexMark
    private(set) var rows = PendingRows()
    /// Why no batch follows; nil if the chunk is full.
    private(set) var ending: Status.Ending?

    private static let maximumBytes: UInt64 = 64 << 20
    private static let maximumRows = 100_000

    /// Reads on from `start`, up to `limit`.
    ///
    /// - Throws: `StorageError`.
    init(of capsule: CapsuleFile, from start: IndexMark, limit: UInt64) throws {
        mark = start
        let refusal: CapsuleError
        do {
            try read(capsule, from: start, limit: limit)
            if mark != start { try mark.rememberHeader(of: capsule) }
            return
        } catch let error as CapsuleError {
            refusal = error
        }
        // The rows hold some of the batch that is refused: read once more, up to it.
        let end = mark.offset
        mark = start
        rows = PendingRows()
        try read(capsule, from: start, limit: end)
        if mark != start { try mark.rememberHeader(of: capsule) }
        ending = .refused(refusal)
    }

    private mutating func read(_ capsule: CapsuleFile, from start: IndexMark, limit: UInt64) throws {
        let reader = BatchReader(
            file: capsule.file,
            header: capsule.header,
            from: start.position(in: capsule.header),
            limit: max(limit, start.offset)
        )
        while ending == nil {
            let step = try reader.next { batch in try take(batch) }
            switch step {
            case .end: ending = .end
            case .bad(let reason): ending = .badBatch(reason)
            case .batch:
                mark.move(to: reader.position)
                let bytes = mark.offset - start.offset
                if bytes >= Self.maximumBytes || rows.count >= Self.maximumRows { return }
            }
        }
    }

    private mutating func take(_ batch: borrowing BatchView) throws {
        let offset = batch.offset
        var leaf = mark.treeSize
        try batch.forEachFrame(
            event: { event throws(CapsuleError) in
                rows.add(event, leaf: leaf, batch: offset)
                leaf += 1
            },
            object: { object throws(CapsuleError) in rows.add(object, batch: offset) }
        )
        guard batch.header.treeSize == leaf else {
            throw CapsuleError(.sizeMismatch, "the header says \(batch.header.treeSize) events, counted are \(leaf)")
        }
        mark.treeSize = leaf
        mark.root = batch.header.root
        mark.lastBatch = offset
    }
}
