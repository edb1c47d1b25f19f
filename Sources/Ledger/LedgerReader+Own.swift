/// Run zero: the capsule's own events, which say that it was made, salvaged, adopted, or continued by another.
extension LedgerReader {
    /// What names run zero, where no run of the caller's does: this, or eight zeroes of its ID or more.
    public static let ownName = "capsule"

    private static func isOwn(_ text: String) -> Bool {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
        return text == ownName || ((8...32).contains(digits.count) && digits.allSatisfy { $0 == UInt8(ascii: "0") })
    }

    /// Run zero as a row, if `text` means it.
    func ownRun(named text: String) throws -> RunRow? {
        guard Self.isOwn(text) else { return nil }
        return try confirmed {
            try ownRun()
        } doubt: { row in
            row == nil ? "events of the capsule's own run are missing" : nil
        }
    }

    /// Run zero, read from the capsule up to a checkpoint; nil if it does not begin, or has not the events that the
    /// index counted.
    func ownRun(asOf checkpoint: Checkpoint? = nil) throws -> RunRow? {
        let events = RunEvents(
            .zero,
            in: capsule,
            batches: try index.batchOffsets(of: .zero),
            treeSize: checkpoint?.size ?? .max
        )
        var (first, last, count): (RecordedEvent?, RecordedEvent?, UInt64) = (nil, nil, 0)
        try events.forEach(hashing: false) { event in
            if first == nil { first = event }
            (last, count) = (event, count + 1)
        }
        guard let first, let last, try checkpoint != nil || count == index.ownEvents() else { return nil }
        return RunRow(
            ownFrom: first.envelope.time,
            to: last.envelope.time,
            events: count,
            snapshot: last.envelope.snapshot
        )
    }
}
