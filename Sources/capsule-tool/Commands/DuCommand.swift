import ArgumentParser
import Ledger

struct DuCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "du",
        abstract: "Say which types of events and which runs take the room in a capsule.",
        discussion: """
            Reads the whole capsule. 'bodies' are bytes as they were given; 'stored' are bytes in the file, an event's \
            being its part of its batch times what compression left of that batch. Large bodies stand outside their \
            events, and their bytes in the file are those of chunks.
            """
    )

    @OptionGroup var capsule: CapsuleOption

    @Option(help: ArgumentHelp("How many runs and types at most, the largest first.", valueName: "n"))
    var limit = 20

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
    }

    func run() throws {
        let reader = try openReader(capsule)
        let progress = Progress("reading")
        let usage = try CapsuleUsage(reader) { progress.update($0, of: $1) }
        progress.finish()
        let runs = Self.largest(usage.runs, limit)
        let types = Self.largest(usage.types, limit)
        if json {
            Output.json([
                "runs": .array(runs.map { Self.value("run", "\($0.0)", $0.1) }),
                "types": .array(types.map { Self.value("type", $0.0, $0.1) }),
                "objects": .array(Self.largest(usage.objects, .max).map { Self.value("kind", $0.0.name, $0.1) }),
                "headers": .number(JSONNumber(Int(usage.headers))),
            ])
        } else {
            try printTables(usage, runs, types, reader)
        }
        try finish(reader, usage.unread)
    }

    private func printTables(
        _ usage: CapsuleUsage,
        _ runs: [(RunID, CapsuleUsage.Use)],
        _ types: [(String, CapsuleUsage.Use)],
        _ reader: LedgerReader
    ) throws {
        let end = Double(max(1, reader.status.end))
        func table(_ heading: String, _ rows: [(String, CapsuleUsage.Use)]) {
            var columns = Columns([
                (heading, .left), ("count", .right), ("bodies", .right), ("stored", .right), ("share", .right),
            ])
            for (name, use) in rows {
                let share = (use.stored / end * 1000).rounded() / 10
                columns.add([
                    name, Human.count(use.events), Human.bytes(use.bodies), Human.bytes(UInt64(use.stored)),
                    "\(share) %",
                ])
            }
            for line in columns.lines(width: Terminal.width) { Output.line(line) }
        }
        table("type", types)
        Output.line()
        let digits = RunsCommand.prefixLength(runs.map(\.0.description))
        table(
            "run",
            try runs.map { run, use in
                let name = try reader.index.run(matching: run.description).row?.name.map { "  \($0)" } ?? ""
                return (run.isRunZero ? "the capsule's own" : String(run.description.prefix(digits)) + name, use)
            }
        )
        Output.line()
        let rest = CapsuleUsage.Use(events: reader.status.batches, bodies: 0, stored: usage.headers)
        table("beside events", Self.largest(usage.objects, .max).map { ($0.0.name, $0.1) } + [("headers", rest)])
    }

    private static func largest<Key>(_ uses: [Key: CapsuleUsage.Use], _ limit: Int) -> [(Key, CapsuleUsage.Use)] {
        let sorted = uses.sorted { ($1.value.stored, "\($0.key)") < ($0.value.stored, "\($1.key)") }
        return sorted.prefix(limit).map { ($0.key, $0.value) }
    }

    private static func value(_ key: String, _ name: String, _ use: CapsuleUsage.Use) -> JSONValue {
        var members = JSONValue.Members()
        members[key] = .string(name)
        members["count"] = .number(JSONNumber(use.events))
        members["body_bytes"] = .number(JSONNumber(use.bodies))
        members["stored_bytes"] = .number(JSONNumber(Int(use.stored)))
        return .object(members)
    }
}
