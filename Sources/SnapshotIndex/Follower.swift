import Capsule

/// Brings an index up to where its capsule is known to be durable.
///
/// It reads without holding the index, and then writes what it read in one transaction, if the mark is where it was. If
/// another process was faster, what was read is thrown away: one of them always gets on, and queries wait for neither.
struct Follower {
    let capsule: CapsuleFile
    let store: IndexStore

    /// Runs and names that are kept in memory while an index is made anew: asking it for them takes longer than all
    /// else. Some 100 bytes each.
    private static let rememberedLookups = 400_000

    /// Below this a second thread is not worth starting.
    private static let readAheadBytes: UInt64 = 4 << 20

    /// - Parameter end: where a batch ends that is the last to be taken in; nil takes in all.
    func run(_ progress: ((UInt64, UInt64) -> Void)?, upTo end: UInt64? = nil) throws -> Status {
        let history = IndexHistory(store)
        var (mark, fold) = try start(history)
        try mark.checkLength(of: capsule)
        let reach = try DurableReach(of: capsule, from: mark.offset)
        let limit = min(reach.limit, end ?? reach.limit)
        fold.reader.limit = max(limit, mark.offset)
        if fold.reader.limit - mark.offset >= Self.readAheadBytes { fold.readAheadInThread() }
        while true {
            let chunk: Chunk
            do {
                chunk = try Chunk(of: capsule, from: mark, limit: limit, fold: fold) {
                    let (again, fold) = try start(history)
                    guard again == mark else { throw Overtaken() }
                    return fold
                }
            } catch is Overtaken {
                (mark, fold) = try start(history)
                continue
            }
            let state = RowState(chunk.fold.state, after: chunk.rows)
            if let failure = history.takeFailure() { throw failure }
            if chunk.mark == mark { return status(mark, chunk.ending ?? .end, reach) }
            if try store.write(
                upon: mark,
                { db in
                    try RowWriter(db).write(chunk.rows, state, findings: chunk.findings)
                    try chunk.mark.write(db)
                }
            ) {
                (mark, fold) = (chunk.mark, chunk.fold)
                // What the fold then no longer remembers stands in the index.
                history.move(to: mark)
                if fold.state.hasHistory || fold.state.lookupCount > Self.rememberedLookups {
                    fold.settle(into: history)
                }
                progress?(mark.offset, max(mark.offset, reach.limit))
                if let ending = chunk.ending { return status(mark, ending, reach) }
            } else {
                (mark, fold) = try start(history)
            }
        }
    }

    /// Another process went on meanwhile: what was read is of no use, and is read from there.
    private struct Overtaken: Error {}

    /// Where the index ends, and a fold that stands there.
    private func start(_ history: IndexHistory) throws -> (IndexMark, CapsuleFold) {
        try store.read { view in
            history.move(to: view.mark)
            let found = try OpenRuns.resumePoint(view, header: capsule.header, history: history)
            let fold =
                if let point = found?.point {
                    CapsuleFold(file: capsule.file, header: capsule.header, from: point, limit: view.mark.offset)
                } else {
                    CapsuleFold(file: capsule.file, header: capsule.header, limit: view.mark.offset)
                }
            return (view.mark, fold)
        }
    }

    func status(_ mark: IndexMark, _ ending: Status.Ending, _ reach: DurableReach) -> Status {
        Status(
            end: mark.offset,
            batches: mark.number,
            lastBatch: mark.lastBatch,
            treeSize: mark.treeSize,
            root: mark.root,
            knownDurable: mark.durable,
            ending: ending == .end && reach.isBeingWritten ? .beingWritten : ending
        )
    }
}
