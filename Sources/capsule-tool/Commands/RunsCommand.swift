import ArgumentParser
import Ledger

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "runs", abstract: "List runs, newest first.")

    @OptionGroup var capsule: CapsuleOption

    @Option(help: "open, ended, or a way to end: completed, failed, cancelled, abandoned, refused.")
    var state: String?

    @Option(help: ArgumentHelp("Runs under this snapshot only.", valueName: "id"))
    var snapshot: String?

    @Option(help: "Runs of this spec only.")
    var spec: String?

    @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
    var limit = 50

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
    }

    func run() throws {
        let reader = try openReader(capsule)
        var query = RunQuery()
        query.limit = limit
        let outcome = try stateFilter(&query)
        if let snapshot { query.snapshot = try reader.snapshot(snapshot).id }
        if outcome != nil || spec != nil { query.limit = .max }
        let rows = try reader.index.runs(query)
            .filter { (outcome == nil || $0.outcome == outcome) && (spec == nil || $0.spec == spec) }
            .prefix(limit)
        if json {
            Output.json(.array(try rows.map { try $0.value(policy: reader.policyTitle(of: $0.snapshot)) }))
        } else {
            try printTable(Array(rows), reader)
        }
        warn(reader)
    }

    private func stateFilter(_ query: inout RunQuery) throws -> Outcome? {
        switch state {
        case nil: return nil
        case "open": query.state = .open
        case "ended": query.state = .ended
        case .some(let name):
            guard let outcome = Outcome(name: name) else {
                throw ValidationError(
                    "'\(name)' is not open, ended, or one of \(Outcome.allCases.map(\.name).joined(separator: ", "))"
                )
            }
            query.state = .ended
            return outcome
        }
        return nil
    }

    private func printTable(_ rows: [RunRow], _ reader: LedgerReader) throws {
        guard !rows.isEmpty else { return complain("no runs") }
        var columns = Columns([
            ("run", .left), ("name", .left), ("state", .left), ("started (UTC)", .left), ("took", .right),
            ("events", .right), ("policy", .left),
        ])
        var titles: [Digest: String] = [:]
        let digits = Self.prefixLength(rows.map(\.id.description))
        for row in rows {
            let title =
                try titles[row.snapshot] ?? reader.policyTitle(of: row.snapshot) ?? String(row.snapshot.hex.prefix(12))
            titles[row.snapshot] = title
            columns.add([
                String(row.id.description.prefix(digits)), row.name ?? row.spec ?? "", row.stateName,
                row.startTime.text(fractionDigits: 0).replacing("T", with: " ").replacing("Z", with: ""),
                Human.duration(nanoseconds: row.duration), Human.count(row.events), title,
            ])
        }
        for line in columns.lines(width: Terminal.width) { Output.line(line) }
    }

    /// Characters after which no two of the IDs are the same: what can be typed for one of them.
    static func prefixLength(_ ids: [String]) -> Int {
        let sorted = ids.sorted()
        let shared = zip(sorted, sorted.dropFirst()).map { zip($0, $1).prefix { $0 == $1 }.count }.max() ?? 0
        return max(13, shared + 1)
    }
}

func openReader(_ option: CapsuleOption) throws -> LedgerReader {
    let capsule = try option.open()
    let progress = Progress("indexing")
    let reader = try LedgerReader(capsule) { progress.update($0, of: $1) }
    progress.finish()
    return reader
}

/// Says so if not all of the file could be read.
func warn(_ reader: LedgerReader) {
    if !reader.isWhole { complain("warning: not all of the file could be read; see 'capsule-tool verify'") }
}

extension RunRow {
    var stateName: String { isOpen ? "open" : outcome?.name ?? "ended #\(outcomeCode ?? 0)" }

    var duration: Int64 {
        (endTime ?? lastTime).nanoseconds.subtractingReportingOverflow(startTime.nanoseconds).partialValue
    }

    func value(policy: String?) -> JSONValue {
        [
            "run": .string("\(id)"), "name": name.map { .string($0) } ?? .null,
            "spec": spec.map { .string($0) } ?? .null,
            "state": .string(isOpen ? "open" : "ended"), "outcome": outcome.map { .string($0.name) } ?? .null,
            "started": .string("\(startTime)"), "ended": endTime.map { .string("\($0)") } ?? .null,
            "last_event": .string("\(lastTime)"), "duration_ns": .number(JSONNumber(duration)),
            "events": .number(JSONNumber(events)), "snapshot": .string(PolicySnapshot.text(snapshot)),
            "policy": policy.map { .string($0) } ?? .null, "first_leaf": .number(JSONNumber(firstLeaf)),
            "exclusive": .bool(isExclusive),
        ]
    }
}
