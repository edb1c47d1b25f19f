import ArgumentParser
import Ledger
import Logging

struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "runs", abstract: "List runs, newest first.")

    @OptionGroup var capsule: CapsuleOption

    @Option(
        name: [.long, .customLong("status")],
        help: "open, ended, or a way to end: completed, failed, cancelled, abandoned, refused."
    )
    var state: String?

    @Option(
        help: ArgumentHelp("Runs that began at or after \(TimeArgument.help).", valueName: "time"),
        transform: { try TimeArgument($0) }
    )
    var since: TimeArgument?

    @Option(
        help: ArgumentHelp("Runs that began before this; of a date, up to its end.", valueName: "time"),
        transform: { try TimeArgument($0) }
    )
    var until: TimeArgument?

    @Option(help: ArgumentHelp("Runs under this snapshot only.", valueName: "id"))
    var snapshot: String?

    @Option(help: "Runs of this spec only.")
    var spec: String?

    @Option(help: "Runs of this name only; * and ? stand for any characters and any one.")
    var name: String?

    @Option(
        help: ArgumentHelp("Runs with this label only; may be repeated.", valueName: "name=value"),
        transform: { try LabelArgument($0) }
    )
    var label: [LabelArgument] = []

    @OptionGroup var past: AsOfOption

    @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
    var limit = 50

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
        if let since, let until, since.first >= until.end {
            throw ValidationError("--since is not before --until: no run can lie between them")
        }
        _ = try states()
    }

    func run() throws {
        let reader = try openReader(capsule)
        var selection = RunSelection()
        (selection.filter.state, selection.filter.outcome) = try states()
        selection.filter.snapshot = try snapshot.map { try reader.snapshot($0).id }
        selection.filter.spec = spec
        selection.filter.name = name
        selection.filter.since = since?.first
        selection.filter.until = until?.end
        selection.labels = label.map { ($0.name, $0.value) }
        selection.asOf = try past.checkpoint(reader)
        // One more than asked for says whether there are more.
        selection.limit = limit == .max ? limit : limit + 1
        let found = try reader.runs(selection)
        let rows = Array(found.prefix(limit))
        var titles = PolicyTitles(reader)
        if json {
            Output.json(.array(try rows.map { $0.value(policy: try titles.title(of: $0.snapshot)) }))
        } else {
            try printTable(rows, &titles, isWhole: found.count <= limit)
        }
        try finish(reader, titles.damage)
    }

    private func states() throws -> (RunQuery.State?, Outcome?) {
        switch state {
        case nil: return (nil, nil)
        case "open": return (.open, nil)
        case "ended": return (.ended, nil)
        case .some(let name):
            guard let outcome = Outcome(name: name) else {
                throw ValidationError(
                    "'\(name)' is not open, ended, or one of \(Outcome.allCases.map(\.name).joined(separator: ", "))"
                )
            }
            return (nil, outcome)
        }
    }

    private func printTable(_ rows: [RunRow], _ titles: inout PolicyTitles, isWhole: Bool) throws {
        guard !rows.isEmpty else { return complain("no runs") }
        var columns = Columns([
            ("run", .left), ("name", .left), ("state", .left), ("started (UTC)", .left), ("took", .right),
            ("events", .right), ("policy", .left),
        ])
        let digits = Self.prefixLength(rows.map(\.id.description))
        for row in rows {
            let title = try titles.title(of: row.snapshot) ?? String(row.snapshot.hex.prefix(12))
            columns.add([
                String(row.id.description.prefix(digits)), row.name ?? row.spec ?? "", row.stateName,
                row.startTime.text(fractionDigits: 0).replacing("T", with: " ").replacing("Z", with: ""),
                Human.duration(nanoseconds: row.duration), Human.count(row.events), title,
            ])
        }
        for line in columns.lines(width: Terminal.width) { Output.line(line) }
        if !isWhole, Terminal.isOutput { Output.line(Terminal.styled("… and more: --limit N", .dim)) }
    }

    /// Characters after which no two of the IDs are the same: what can be typed for one of them.
    static func prefixLength(_ ids: [String]) -> Int {
        let sorted = ids.sorted()
        let shared = zip(sorted, sorted.dropFirst()).map { zip($0, $1).prefix { $0 == $1 }.count }.max() ?? 0
        return max(13, shared + 1)
    }
}

/// Names of policies, each looked for once.
private struct PolicyTitles {
    private let reader: LedgerReader
    private var known: [Digest: String?] = [:]
    /// What is wrong with the batch of one that could not be read.
    private(set) var damage: CapsuleError?

    init(_ reader: LedgerReader) { self.reader = reader }

    mutating func title(of snapshot: Digest) throws -> String? {
        if let title = known[snapshot] { return title }
        var title: String?
        do { title = try reader.policyTitle(of: snapshot) } catch let error as CapsuleError { damage = error }
        known[snapshot] = .some(title)
        return title
    }
}

func openReader(_ option: CapsuleOption) throws -> LedgerReader {
    let capsule = try option.open()
    let progress = Progress("indexing")
    let reader = try LedgerReader(capsule) { progress.update($0, of: $1) }
    progress.finish()
    Logger(label: "capsule.index").debug(
        "the side index is up to date",
        metadata: [
            "events": "\(reader.status.treeSize)", "end": "\(reader.status.end)", "ending": "\(reader.status.ending)",
        ]
    )
    return reader
}

/// Says so if the file does not end where it should, after everything was printed.
///
/// - Parameter found: damage that the command came upon.
/// - Throws: `Failure` with the status of damage.
func finish(_ reader: LedgerReader, _ found: CapsuleError? = nil) throws {
    let path = reader.capsule.path
    if reader.sawAnotherHistory {
        complain(
            "\(path): its index saw another history of it: the file was replaced, or damaged where the index ended; "
                + "see 'capsule-tool doctor'"
        )
    }
    if case .tornTail(let error) = try reader.ending() {
        complain("\(path): \(error.reason), which the next append cuts off; see 'capsule-tool doctor'")
    }
    guard let damage = try reader.damage() ?? found else { return }
    throw Failure(.unreadable, notAll(of: path, damage))
}

/// The same as a warning only: for commands that found what was asked for.
func warn(_ reader: LedgerReader) {
    if let damage = try? reader.damage() { complain("warning: \(notAll(of: reader.capsule.path, damage))") }
}

/// What is said of a capsule that is not all there.
func notAll(of path: FilePath, _ damage: CapsuleError) -> String {
    let place = damage.offset.map { "at byte \($0): " } ?? ""
    return "\(path): not all of the file could be read; \(place)\(damage.reason); see 'capsule-tool doctor' "
        + "[\(damage.code.rawValue)]"
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
