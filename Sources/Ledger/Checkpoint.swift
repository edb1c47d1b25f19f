/// A checkpoint that stands in the capsule: a note of a size and a root, and the events that asked for it.
public struct Checkpoint: Sendable, Equatable {
    /// Its number, from 1 in the order of the file.
    public var number: Int
    /// Events of the capsule that it covers, and the root over them.
    public var size: UInt64
    public var root: Digest
    /// SHA-256 of the note.
    public var id: Digest
    /// Signature lines of the note; none of them was verified.
    public var signatures: Int
    /// Where the batch begins that holds the note.
    public var batchOffset: UInt64
    /// The events that mark it.
    public var events: [CheckpointEventRow]

    public var labels: [String] { events.compactMap(\.label) }

    /// As people name it: `#3 'before-merge' (1204 events)`.
    public var title: String {
        let names = labels.isEmpty ? "" : " " + labels.map { "'\($0)'" }.joined(separator: " ")
        return "#\(number)\(names) (\(size) event\(size == 1 ? "" : "s"))"
    }
}

extension LedgerReader {
    /// All checkpoints, in the order of the file.
    public func checkpoints() throws -> [Checkpoint] {
        try confirmed {
        } doubt: {
            try index.missesCheckpoints() ? "checkpoints are missing" : nil
        }
        var events = try index.checkpointEvents()[...]
        return try index.checkpoints().reversed().enumerated().map { place, row in
            let covered = events.prefix { $0.leaf < row.size && $0.batchOffset < row.batchOffset }
            events = events.dropFirst(covered.count)
            return Checkpoint(
                number: place + 1,
                size: row.size,
                root: row.root,
                id: row.id,
                signatures: row.signatures,
                batchOffset: row.batchOffset,
                events: Array(covered)
            )
        }
    }

    /// The checkpoint that a text names: a label, `#3` for the third one, or a number that is the size or the number
    /// of one.
    ///
    /// Its note was read from the capsule and says what the index said.
    ///
    /// - Throws: `LedgerError.unknownCheckpoint`, which says which there are; `ambiguousCheckpoint`.
    public func checkpoint(_ text: String) throws -> Checkpoint {
        let (all, found) = try confirmed {
            let all = try checkpoints()
            return (all, Self.checkpoints(named: text, in: all))
        } doubt: {
            for checkpoint in $0.1 { if let reason = try doubt(about: checkpoint) { return reason } }
            return nil
        }
        guard let checkpoint = found.first else { throw Self.unknown(text, all) }
        guard found.count == 1 else {
            let shown = found.prefix(20).map(\.title).joined(separator: ", ")
            throw LedgerError(.ambiguousCheckpoint, "'\(text)' names \(found.count) checkpoints: \(shown); write #N")
        }
        guard let note = try capsule.object(checkpoint.id, inBatchAt: checkpoint.batchOffset),
            let stated = CheckpointNote(note.bytes), stated.size == checkpoint.size, stated.root == checkpoint.root
        else {
            throw CapsuleError(
                .damaged,
                at: checkpoint.batchOffset,
                "the note of checkpoint \(checkpoint.title) is not what it was"
            )
        }
        return checkpoint
    }

    private static func checkpoints(named text: String, in all: [Checkpoint]) -> [Checkpoint] {
        var found = all.filter { $0.labels.contains(text) }
        if found.isEmpty, text.hasPrefix("#"), let number = Int(text.dropFirst()) {
            found = all.filter { $0.number == number }
        }
        if found.isEmpty, let number = UInt64(text) {
            // Several notes may state one size; they then state one root, and the first is as good as the others.
            found = all.filter { $0.size == number }.prefix(1) + all.filter { UInt64($0.number) == number }
            if found.count == 2, found[0] == found[1] { found.removeLast() }
        }
        return found
    }

    private static func unknown(_ text: String, _ all: [Checkpoint]) -> LedgerError {
        guard !all.isEmpty else {
            return LedgerError(
                .unknownCheckpoint,
                "there is no checkpoint '\(text)': this capsule has none; 'capsule-tool checkpoint RUN' makes one"
            )
        }
        let newest = all.suffix(10).reversed().map(\.title).joined(separator: ", ")
        let more = all.count > 10 ? ", and \(all.count - 10) older ones" : ""
        return LedgerError(.unknownCheckpoint, "there is no checkpoint '\(text)'; there are \(newest)\(more)")
    }
}
