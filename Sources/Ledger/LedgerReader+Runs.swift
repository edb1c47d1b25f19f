/// Which runs to list: what the index knows, and what only the capsule does.
public struct RunSelection: Sendable {
    public var filter = RunFilter()
    /// Labels that the run must have.
    public var labels: [(name: String, value: String)] = []
    /// What the capsule said then.
    public var asOf: Checkpoint?
    public var limit = Int.max

    public init() {}

    fileprivate static let page = 256
}

extension LedgerReader {
    /// Runs, newest first.
    ///
    /// Without labels and a checkpoint, costs what the index does; with labels, a batch for each run that passes the
    /// rest of the filter, up to the limit.
    public func runs(_ selection: RunSelection) throws -> [RunRow] {
        try confirmed {
        } doubt: {
            try index.missesRuns() ? "runs are missing" : nil
        }
        var filter = selection.filter
        if let size = selection.asOf?.size {
            filter.before = min(filter.before ?? .max, size)
            // What a run was then is not what the index knows of it.
            (filter.state, filter.outcome) = (nil, nil)
        }
        let isExact = selection.labels.isEmpty && selection.asOf == nil
        let page = isExact ? selection.limit : RunSelection.page
        var found: [RunRow] = []
        var starts = RunStarts(self)
        while found.count < selection.limit {
            let rows = try index.runs(filter, limit: page)
            for row in rows where found.count < selection.limit {
                guard let row = try selection.asOf.map({ try self.row(row, asOf: $0) }) ?? row,
                    try selection.asOf == nil || isSelected(row, selection)
                else { continue }
                if try selection.labels.isEmpty || starts.has(selection.labels, row) { found.append(row) }
            }
            guard !isExact, rows.count == page, let last = rows.last else { break }
            filter.before = last.firstLeaf
        }
        return found
    }

    private func isSelected(_ row: RunRow, _ selection: RunSelection) throws -> Bool {
        if let state = selection.filter.state, row.isOpen != (state == .open) { return false }
        if let outcome = selection.filter.outcome, row.outcome != outcome { return false }
        guard let snapshot = selection.filter.snapshot, row.snapshot != snapshot else { return true }
        var wasInForce = false
        try events(of: row, asOf: selection.asOf).forEach { if $0.envelope.snapshot == snapshot { wasInForce = true } }
        return wasInForce
    }

    /// A run as it was when the capsule had as many events as a checkpoint covers; nil if it had not begun.
    public func row(_ row: RunRow, asOf checkpoint: Checkpoint) throws -> RunRow? {
        guard row.firstLeaf < checkpoint.size else { return nil }
        if row.id.isRunZero { return try ownRun(asOf: checkpoint) }
        var offset = checkpoint.batchOffset
        while let batch = try index.lastBatch(ofRunAt: row.firstLeaf, before: offset) {
            var last: RecordedEvent?
            try RunEvents(row.id, in: capsule, batches: [batch], treeSize: checkpoint.size).forEach { last = $0 }
            offset = batch
            guard let envelope = last?.envelope else { continue }
            var then = row
            then.events = UInt64(envelope.sequence) + 1
            then.lastTime = envelope.time
            then.endTime = envelope.seal == nil ? nil : envelope.time
            then.outcomeCode = envelope.seal?.outcomeCode
            then.snapshot = envelope.snapshot
            return then
        }
        return nil
    }

    /// The events of a run, up to a checkpoint if one is given.
    public func events(of row: RunRow, asOf checkpoint: Checkpoint? = nil) throws -> RunEvents {
        let batches = try index.batchOffsets(of: row.id)
        guard let checkpoint else { return RunEvents(row.id, in: capsule, batches: batches) }
        return RunEvents(
            row.id,
            in: capsule,
            batches: batches.filter { $0 < checkpoint.batchOffset },
            treeSize: checkpoint.size
        )
    }
}

/// Reads how runs began, a batch once for all runs that begin in it.
struct RunStarts {
    private let reader: LedgerReader
    private var batch: UInt64?
    private var events: [RunID: RecordedEvent] = [:]

    init(_ reader: LedgerReader) { self.reader = reader }

    mutating func has(_ labels: [(name: String, value: String)], _ row: RunRow) throws -> Bool {
        let stated = try body(of: row)?["labels"]
        return labels.allSatisfy { stated?[$0.name]?.string == $0.value }
    }

    /// The body of a run's first event; nil if it is not there.
    mutating func body(of row: RunRow) throws -> JSONValue? {
        var first = try reader.index.firstBatch(ofRunAt: row.firstLeaf)
        if first == nil {
            // Every run begins somewhere.
            try reader.index.remake(because: "the batches of a run are missing")
            first = try reader.index.firstBatch(ofRunAt: row.firstLeaf)
        }
        guard let offset = first else { return nil }
        if batch != offset {
            var read: [RunID: RecordedEvent] = [:]
            try reader.capsule.forEachBatch(at: [offset]) { batch throws in
                try batch.forEachEvent { event throws(CapsuleError) in
                    guard event.envelope.sequence == 0 else { return }
                    read[event.envelope.run] = RecordedEvent(event, leafIndex: 0, hashing: false)
                }
            }
            (batch, events) = (offset, read)
        }
        return try events[row.id].flatMap { try reader.json(of: $0) }
    }
}
