/// What the index says is a hint. Here it is held against the capsule, and made anew where the two do not agree.
extension LedgerReader {
    /// Does a look-up, and again with an index that was made anew where there is reason to doubt what it found.
    ///
    /// Of a capsule that breaks rules, what it found stands: there the capsule may be what is wrong.
    func confirmed<Found>(_ look: () throws -> Found, doubt: (Found) throws -> String?) throws -> Found {
        let found = try look()
        guard let reason = try doubt(found), try !index.knowsOfBrokenRules() else { return found }
        try index.remake(because: reason)
        return try look()
    }

    /// Why a row is not what the capsule holds of the run; nil if it is.
    ///
    /// Reads the batches that the index names. Costs about half of what showing the run does.
    func doubt(about row: RunRow) throws -> String? {
        let offsets = try index.batchOffsets(of: row.id)
        var (events, leaf, last): (UInt64, UInt64?, Envelope?) = (0, nil, nil)
        var isUnbroken = true
        do {
            try RunEvents(row.id, in: capsule, batches: offsets).forEach(hashing: false) { event in
                if leaf == nil { leaf = event.leafIndex }
                if UInt64(event.envelope.sequence) != events { isUnbroken = false }
                (events, last) = (events + 1, event.envelope)
            }
        } catch let error as CapsuleError {
            return try doubt(at: offsets, after: error)
        }
        guard isUnbroken, events == row.events, leaf == row.firstLeaf else { return "events of a run are missing" }
        let (time, outcome) = (last?.time, last?.seal?.outcomeCode)
        guard time == row.lastTime, outcome == row.outcomeCode, last?.snapshot == row.snapshot else {
            return "a run did not end as it says"
        }
        return nil
    }

    /// Whether a batch begins at an offset, or might: where headers cannot be read up to there, the capsule is what is
    /// damaged.
    private func isBatch(at offset: UInt64) throws -> Bool {
        if try capsule.header(ofBatchAt: offset) != nil { return true }
        var walk = HeaderWalk(capsule, limit: status.end)
        while walk.offset < offset, try walk.next() != nil {}
        return walk.offset <= offset
    }

    /// Why the labels of a checkpoint are not those that events of the capsule gave it; nil if they are.
    func doubt(about checkpoint: Checkpoint) throws -> String? {
        let events: [RecordedEvent]
        do { events = try marks(of: checkpoint) } catch let error as CapsuleError {
            return try doubt(at: checkpoint.events.map(\.batchOffset), after: error)
        }
        let agree = zip(events, checkpoint.events).allSatisfy { event, row in
            // A body that was erased says nothing any more.
            let label = event.json?["label"]?.string
            return event.envelope.type == .registered(.checkpoint) && (label == nil || label == row.label)
        }
        return agree && events.count == checkpoint.events.count ? nil : "a checkpoint has another label"
    }

    /// Why the index is to blame for batches that could not be read; nil if the capsule is.
    private func doubt(at offsets: [UInt64], after error: CapsuleError) throws -> String? {
        try offsets.allSatisfy(isBatch) ? nil : "no batch is where one should be: \(error.reason)"
    }
}
