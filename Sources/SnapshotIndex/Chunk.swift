import Capsule

/// What some batches in a row add to the index: as much as goes into one transaction.
struct Chunk {
    /// Where they end; the mark that was given if there is none.
    private(set) var mark: IndexMark
    let rows: PendingRows
    /// The state after them.
    let fold: CapsuleFold
    /// Rules that they break.
    let findings: Int
    /// Why no batch follows; nil if the chunk is full.
    private(set) var ending: Status.Ending?

    private static let maximumBytes: UInt64 = 64 << 20
    private static let maximumRows = 100_000

    /// Reads on from `start`, up to `limit`.
    ///
    /// - Parameter makeFold: makes a fold that stands at `start`.
    /// - Throws: `StorageError`.
    init(
        of capsule: CapsuleFile,
        from start: IndexMark,
        limit: UInt64,
        fold: CapsuleFold,
        makeFold: () throws -> CapsuleFold
    ) throws {
        var reading = Reading(fold: fold, mark: start)
        do {
            ending = try reading.run(limit: max(limit, start.offset))
        } catch let refusal as CapsuleError {
            // The rows and the state hold some of the batch that is refused: read once more, up to it.
            let end = reading.mark.offset
            reading = Reading(fold: try makeFold(), mark: start)
            _ = try reading.run(limit: end)
            ending = .refused(refusal)
        }
        self.fold = reading.fold
        rows = reading.collector.rows
        findings = reading.findings
        mark = reading.mark
        if mark != start { try mark.rememberHeader(of: capsule) }
    }

    /// Gathers rows in the visitors of a fold.
    private final class Collector {
        var rows = PendingRows()
    }

    private struct Reading {
        let fold: CapsuleFold
        var mark: IndexMark
        let collector = Collector()
        var findings = 0

        /// Returns why no batch follows, or nil if there are enough.
        mutating func run(limit: UInt64) throws -> Status.Ending? {
            let start = mark.offset
            let findingsBefore = fold.findingCount
            defer { findings = fold.findingCount - findingsBefore }
            fold.reader.limit = limit
            while true {
                let offset = fold.reader.position.offset
                let step = try fold.next(
                    event: { [collector, fold] leaf, _, event throws(CapsuleError) in
                        let body = PendingRows.readsBody(of: event.envelope) ? event.storedBody?.array : nil
                        collector.rows.add(event.envelope, body: body, leaf: leaf, batch: offset)
                        guard (leaf + 1) % MerkleFrontier.keptLeaves == 0 else { return }
                        collector.rows.add(block: fold.newestKeptSubtree, endingAt: leaf + 1)
                    },
                    object: { [collector] object throws(CapsuleError) in collector.rows.add(object, batch: offset) }
                )
                switch step {
                case .end: return .end
                case .bad(let reason): return .badBatch(reason)
                case .batch:
                    mark.move(to: fold.reader.position)
                    mark.treeSize = fold.state.tree.size
                    mark.root = fold.verified.root
                    mark.lastBatch = offset
                    if mark.offset - start >= Chunk.maximumBytes || collector.rows.count >= Chunk.maximumRows {
                        return nil
                    }
                }
            }
        }
    }
}
