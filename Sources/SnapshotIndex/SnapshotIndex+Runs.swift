import Capsule
import GRDB

extension SnapshotIndex {
    /// Runs, newest first, in the order in which they began in the file.
    ///
    /// - Throws: a SQLite error, if another process kept the index locked.
    public func runs(_ query: RunQuery = RunQuery()) throws -> [RunRow] {
        var conditions: [String] = []
        var arguments = StatementArguments()
        switch query.state {
        case .open: conditions.append("outcome IS NULL")
        case .ended: conditions.append("outcome IS NOT NULL")
        case nil: break
        }
        if let snapshot = query.snapshot {
            conditions.append(
                """
                run.first_leaf IN \
                (SELECT run FROM run_snapshot WHERE snapshot = (SELECT number FROM snapshot WHERE id = ?))
                """
            )
            arguments += [snapshot.blob]
        }
        if let name = query.name {
            conditions.append("name = ?")
            arguments += [name]
        }
        if let before = query.before {
            conditions.append("run.first_leaf < ?")
            arguments += [before.signed]
        }
        let filter = conditions.isEmpty ? "1" : conditions.joined(separator: " AND ")
        arguments += [max(0, query.limit)]
        return try self.query { view in try view.runs(where: filter, arguments) }
    }

    /// The run that `text` names: a run ID with or without hyphens, the caller's own name of the run, or at least four
    /// of the ID's first hexadecimal digits.
    ///
    /// A whole ID decides alone, then a name, as for whoever writes. A name may be the beginning of another run's ID:
    /// `runs(beginningWith:)` says so.
    public func run(matching text: String) throws -> RunMatch {
        let digits = RunDigits(text)
        return try query { view in
            if let digits, digits.count == RunDigits.all {
                let exact = try view.runs(where: "run.id = ?", [digits.lowest, 1])
                if !exact.isEmpty { return RunMatch(exact) }
            }
            let key = KeyHash.runName(text, in: capsule.header.capsule)
            // Each arm by its own index: SQLite would read every run for an OR over a join.
            let arms = ["name = ?", "key = ?"].map { "SELECT first_leaf FROM run WHERE \($0)" }
            let named = try view.runs(
                where: "run.first_leaf IN (\(arms.joined(separator: " UNION ")))",
                [text, key.blob, RunMatch.maximumShown]
            )
            return RunMatch(try named.isEmpty ? digits.map(view.runs(beginningWith:)) ?? [] : named)
        }
    }

    /// Runs whose ID begins with at least four hexadecimal digits; a few of them, if there are many.
    public func runs(beginningWith text: String) throws -> [RunRow] {
        guard let digits = RunDigits(text) else { return [] }
        return try query { view in try view.runs(beginningWith: digits) }
    }

    /// Where the batches begin that hold events of a run, in order; none if the run is not known.
    public func batchOffsets(of run: RunID) throws -> [UInt64] {
        try query { view in
            let place = run.isRunZero ? "\(IndexSchema.ownRun)" : "(SELECT first_leaf FROM run WHERE id = ?)"
            let sql = "SELECT offsets FROM run_batches WHERE run = \(place) ORDER BY first_offset"
            let pieces = try view.rows(sql, run.isRunZero ? [] : [run.blob]) { try BatchOffsets.decode($0.bytes(0)) }
            let offsets = Array(pieces.joined())
            guard zip(offsets, offsets.dropFirst()).allSatisfy({ $0 < $1 }),
                offsets.allSatisfy({ (FileHeader.size..<view.mark.offset).contains($0) })
            else { throw IndexFault.damaged("a batch lies outside the capsule") }
            return offsets
        }
    }
}

/// Offsets of batches in a row: the first one, then the distances, seven bits a byte from the lowest.
///
/// One row a run and transaction: a row for each batch took most of the index, and of the time to make it.
enum BatchOffsets {
    static func encode(_ offsets: [UInt64]) -> [UInt8] {
        var bytes: [UInt8] = []
        var last: UInt64 = 0
        for offset in offsets {
            var distance = offset - last
            while distance >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: distance) | 0x80)
                distance >>= 7
            }
            bytes.append(UInt8(distance))
            last = offset
        }
        return bytes
    }

    static func decode(_ bytes: [UInt8]) throws(IndexFault) -> [UInt64] {
        var offsets: [UInt64] = []
        var (distance, shift, last): (UInt64, UInt64, UInt64) = (0, 0, 0)
        for byte in bytes {
            guard shift < 63 else { throw .damaged("an offset is too large") }
            distance |= UInt64(byte & 0x7F) << shift
            shift += 7
            guard byte < 0x80 else { continue }
            let (offset, overflow) = last.addingReportingOverflow(distance)
            guard !overflow else { throw .damaged("an offset is too large") }
            offsets.append(offset)
            (last, distance, shift) = (offset, 0, 0)
        }
        guard shift == 0 else { throw .damaged("an offset is cut off") }
        return offsets
    }
}

extension IndexView {
    /// - Parameter arguments: those of `filter`, and then the limit.
    func runs(where filter: String, _ arguments: StatementArguments) throws -> [RunRow] {
        let sql = """
            SELECT run.id, name, spec, start_time, last_time, end_time, outcome, events, snapshot.id, first_leaf, \
            exclusive FROM run LEFT JOIN snapshot ON snapshot.number = run.snapshot \
            WHERE \(filter) ORDER BY first_leaf DESC LIMIT ?
            """
        let size = mark.treeSize
        return try rows(sql, arguments) { fields in
            let row = try RunRow(fields)
            guard row.firstLeaf < size, (1...size).contains(row.events) else {
                throw IndexFault.damaged("a run has more events than the capsule")
            }
            return row
        }
    }
}

extension IndexView {
    fileprivate func runs(beginningWith digits: RunDigits) throws -> [RunRow] {
        try runs(where: "run.id BETWEEN ? AND ?", [digits.lowest, digits.highest, RunMatch.maximumShown])
    }
}

extension RunRow {
    fileprivate init(_ fields: Fields) throws(IndexFault) {
        id = try fields.identifier(0)
        name = try fields.optionalText(1)
        spec = try fields.optionalText(2)
        startTime = try fields.time(3)
        lastTime = try fields.time(4)
        endTime = try fields.optionalInteger(5).map(Timestamp.init(nanoseconds:))
        outcomeCode = try fields.optionalInteger(6).map(UInt8.init(truncatingIfNeeded:))
        events = try fields.unsigned(7)
        snapshot = try fields.digest(8)
        firstLeaf = try fields.unsigned(9)
        isExclusive = try fields.integer(10) != 0
    }
}

/// The first hexadecimal digits of a run ID, as people type them.
private struct RunDigits {
    static let all = 32
    private static let fewest = 4

    private let digits: String
    var count: Int { digits.utf8.count }

    /// Nil if `text` cannot be the beginning of an ID, or is too short to be meant as one.
    init?(_ text: String) {
        digits = String(text.unicodeScalars.filter { $0 != "-" }.map(Character.init))
        let isHex = digits.unicodeScalars.allSatisfy { $0.isASCII && $0.properties.isASCIIHexDigit }
        guard isHex, (Self.fewest...Self.all).contains(count) else { return nil }
    }

    /// The lowest ID that begins so.
    var lowest: DatabaseValue { id(padding: "0") }
    /// The highest.
    var highest: DatabaseValue { id(padding: "f") }

    private func id(padding: String) -> DatabaseValue {
        RunID(hex: digits + String(repeating: padding, count: Self.all - count))?.blob ?? .null
    }
}
