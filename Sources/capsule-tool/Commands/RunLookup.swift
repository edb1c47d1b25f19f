import Ledger

/// Finds a run, and says so where what was typed could be meant for another one.
func findRun(_ text: String, _ reader: LedgerReader) throws -> RunRow {
    let row = try reader.run(text)
    try tellOthers(text, takenFor: row.id, reader.index.runs(beginningWith: text).map(\.id).filter { $0 != row.id })
    return row
}

/// Says that a text was taken as the name of a run, though other runs' IDs begin with it.
func tellOthers(_ text: String, takenFor run: RunID, _ others: [RunID]) throws {
    guard let other = others.first, !run.description.hasPrefix(text.lowercased()) else { return }
    let more = others.count > 1 ? " and others" : ""
    complain(
        "'\(text)' is taken as the name of run \(run); the ID of \(other)\(more) begins so too: "
            + "write more of it to mean it"
    )
}

extension RunMatch {
    var row: RunRow? {
        if case .one(let row) = self { return row }
        return nil
    }
}
