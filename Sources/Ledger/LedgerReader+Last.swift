extension LedgerReader {
    /// The last events in the order of the file, of a run or of the whole capsule.
    ///
    /// Reads batches from the end backwards, until there are enough.
    ///
    /// - Parameter damage: set to what is wrong with a batch that the index saw whole; events before it are not sought.
    public func lastEvents(
        _ count: Int,
        of row: RunRow? = nil,
        damage: inout CapsuleError?,
        where isWanted: (RecordedEvent) -> Bool
    ) throws -> [RecordedEvent] {
        guard count > 0 else { return [] }
        var found: [RecordedEvent] = []
        let end = status.end
        var before = end
        var reach: UInt64 = 1 << 20
        while before > FileHeader.size {
            let from = max(FileHeader.size, end - min(end, reach))
            let offsets = try batches(of: row, from: from, before: before)
            for offset in offsets.reversed() {
                let events: [RecordedEvent]
                do {
                    events = try self.events(inBatchAt: offset, of: row?.id).filter(isWanted)
                } catch let error as CapsuleError {
                    damage = error
                    return found.reversed()
                }
                found.append(contentsOf: events.reversed())
                if found.count >= count { return found.prefix(count).reversed() }
            }
            before = from
            reach = reach.multipliedReportingOverflow(by: 8).partialValue
        }
        return found.reversed()
    }

    private func batches(of row: RunRow?, from offset: UInt64, before end: UInt64) throws -> [UInt64] {
        if let row { return try index.batchOffsets(of: row.id).filter { (offset..<end).contains($0) } }
        return try index.batches(from: offset).filter { $0 < end }
    }

    private func events(inBatchAt offset: UInt64, of run: RunID?) throws -> [RecordedEvent] {
        var events: [RecordedEvent] = []
        try capsule.forEachBatch(at: CollectionOfOne(offset)) { batch throws in
            var index = batch.header.treeSize - min(batch.header.treeSize, UInt64(batch.header.events))
            try batch.forEachEvent { event throws(CapsuleError) in
                if run.map({ $0 == event.envelope.run }) ?? true {
                    events.append(RecordedEvent(event, leafIndex: index))
                }
                index += 1
            }
        }
        return events
    }

    /// The events that mark a checkpoint, as the capsule holds them.
    public func marks(of checkpoint: Checkpoint) throws -> [RecordedEvent] {
        try checkpoint.events.compactMap { mark in
            try events(inBatchAt: mark.batchOffset, of: nil).first { $0.leafIndex == mark.leaf }
        }
    }
}
