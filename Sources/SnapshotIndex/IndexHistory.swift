import Capsule
import Foundation
import GRDB
import Synchronization

/// What the index says of the part of a capsule that it covered once, for a state that goes on behind it.
///
/// The index goes on meanwhile: what lies behind that part the state reads itself, and would take for something that
/// was there before. So each look-up ends where that part did.
final class IndexHistory: CapsuleHistory {
    private let store: IndexStore
    private let failure = Mutex<(any Error)?>(nil)
    private let reach = Mutex(Reach(end: 0, leaves: 0))

    /// How far the part reaches.
    private struct Reach {
        /// In bytes of the capsule.
        var end: UInt64
        var leaves: UInt64
    }

    init(_ store: IndexStore) { self.store = store }

    /// - Parameter mark: where the state stands for which things are looked up.
    func move(to mark: IndexMark) { reach.withLock { $0 = Reach(end: mark.offset, leaves: mark.treeSize) } }

    func takeFailure() -> (any Error)? {
        failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
    }

    private func look<Result>(otherwise none: Result, _ work: (IndexView, Reach) throws -> Result) -> Result {
        let reach = reach.withLock { $0 }
        do {
            return try store.read { view in
                // One that is being made anew does not know yet what it knew.
                guard view.mark.offset >= reach.end else { throw IndexFault.foreign }
                return try work(view, reach)
            }
        } catch {
            failure.withLock { if $0 == nil { $0 = error } }
            return none
        }
    }

    func endedRun(_ run: RunID) -> EndedRun? {
        let sql = """
            SELECT events, seal_leaf, outcome, snapshot.id FROM run JOIN snapshot ON snapshot.number = run.snapshot \
            WHERE run.id = ? AND outcome IS NOT NULL AND seal_leaf < ?
            """
        return look(otherwise: nil) { view, reach in
            try view.rows(sql, [run.blob, reach.leaves.signed]) { fields in
                EndedRun(
                    events: UInt32(clamping: try fields.unsigned(0)),
                    sealLeaf: try fields.unsigned(1),
                    outcomeCode: UInt8(truncatingIfNeeded: try fields.integer(2)),
                    snapshot: try fields.digest(3)
                )
            }.first
        }
    }

    func namedRun(_ name: KeyHash) -> NamedRun? {
        let sql = """
            SELECT run.id, first_leaf, snapshot.id, fingerprint FROM run \
            JOIN snapshot ON snapshot.number = run.first_snapshot WHERE key = ? AND first_leaf < ? \
            ORDER BY first_leaf LIMIT 1
            """
        return look(otherwise: nil) { view, reach in
            try view.rows(sql, [name.blob, reach.leaves.signed]) { fields in
                NamedRun(
                    run: try fields.identifier(0),
                    firstLeaf: try fields.unsigned(1),
                    snapshot: try fields.digest(2),
                    fingerprint: try fields.optionalIdentifier(3)
                )
            }.first
        }
    }

    func holds(_ kind: FrameKind, _ id: Digest) -> Bool {
        look(otherwise: false) { view, reach in
            if kind == .snapshot {
                let sql = "SELECT 1 FROM snapshot WHERE id = ? AND batch_offset < ?"
                return try !view.rows(sql, [id.blob, reach.end.signed]) { _ in true }.isEmpty
            }
            let sql = "SELECT 1 FROM object WHERE id = ? AND kind = ? AND batch_offset < ?"
            return try !view.rows(sql, [id.blob, Int64(kind.rawValue), reach.end.signed]) { _ in true }.isEmpty
        }
    }

    func blobLength(_ id: Digest) -> UInt64? {
        look(otherwise: nil) { view, reach in
            let sql = "SELECT extra FROM object WHERE id = ? AND kind = ? AND batch_offset < ?"
            let kind = Int64(FrameKind.manifest.rawValue)
            return try view.rows(sql, [id.blob, kind, reach.end.signed]) { fields in
                try fields.bytes(0, count: 8).withUnsafeBytes {
                    UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
                }
            }.first
        }
    }

    func chunk(_ id: Digest) -> StoredChunk? {
        look(otherwise: nil) { view, reach in
            let sql = "SELECT size, extra FROM object WHERE id = ? AND kind = ? AND batch_offset < ?"
            let kind = Int64(FrameKind.chunk.rawValue)
            return try view.rows(sql, [id.blob, kind, reach.end.signed]) { fields in
                let salt = try fields.bytes(1, count: 16)
                return StoredChunk(length: Int(clamping: try fields.unsigned(0)) - salt.count, salt: salt)
            }.first
        }
    }

    func keys(ofRunAt firstLeaf: UInt64) -> (events: [KeyHash: KeyedEvent], actors: Set<UInt32>) {
        look(otherwise: ([:], [])) { view, reach in
            let sql = "SELECT key, sequence, leaf, fingerprint, actor FROM open_key WHERE run = ?"
            var (events, actors): ([KeyHash: KeyedEvent], Set<UInt32>) = ([:], [])
            let known = try view.rows(sql, [firstLeaf.signed]) { fields in
                let sequence = UInt32(clamping: try fields.unsigned(1))
                let event = KeyedEvent(
                    sequence: sequence,
                    leafIndex: try fields.unsigned(2),
                    fingerprint: try fields.optionalIdentifier(3)
                )
                guard event.leafIndex < reach.leaves else { return }
                events[try fields.identifier(0)] = event
                if try fields.integer(4) != 0 { actors.insert(sequence) }
            }
            let state = try OpenRuns.state(ofRunAt: firstLeaf, view.db, in: self)
            guard known.count == state?.keyCount else { throw IndexFault.damaged("keys of an open run are missing") }
            return (events, actors)
        }
    }

    func runs(withPrefix digits: String, limit: Int) -> [RunID] {
        look(otherwise: []) { view, reach in
            guard let range = IDRange(digits, digits: 32) else { return [] }
            let sql = "SELECT id FROM run WHERE id BETWEEN ? AND ? AND first_leaf < ? LIMIT ?"
            let arguments: StatementArguments = [
                range.lowest.databaseValue, range.highest.databaseValue, reach.leaves.signed, limit,
            ]
            return try view.rows(sql, arguments) { try $0.identifier(0) }
        }
    }

    func snapshots(withPrefix digits: String, limit: Int) -> [Digest] {
        look(otherwise: []) { view, reach in
            guard let range = IDRange(digits, digits: 64) else { return [] }
            let sql = "SELECT id FROM snapshot WHERE batch_offset < ? AND id BETWEEN ? AND ? LIMIT ?"
            let arguments: StatementArguments = [
                reach.end.signed, range.lowest.databaseValue, range.highest.databaseValue, limit,
            ]
            return try view.rows(sql, arguments) { try $0.digest(0) }
        }
    }
}

/// The identifiers that begin with some hexadecimal digits.
private struct IDRange {
    let lowest: Data
    let highest: Data

    init?(_ prefix: String, digits: Int) {
        guard prefix.utf8.count <= digits,
            let lowest = Hex.decode(prefix + String(repeating: "0", count: digits - prefix.utf8.count)),
            let highest = Hex.decode(prefix + String(repeating: "f", count: digits - prefix.utf8.count))
        else { return nil }
        self.lowest = Data(lowest)
        self.highest = Data(highest)
    }
}
