import ArgumentParser
import Ledger

struct SnapshotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Look at policy snapshots, or store one.",
        subcommands: [List.self, Show.self, Add.self, Canonicalize.self]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the snapshots in the capsule."
        )

        @OptionGroup var capsule: CapsuleOption

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let reader = try openReader(capsule)
            let rows = try reader.index.snapshots()
            if json {
                Output.json(
                    .array(
                        try rows.map { row in
                            [
                                "snapshot": .string(PolicySnapshot.text(row.id)),
                                "policy": try reader.policyTitle(of: row.id).map { .string($0) } ?? .null,
                                "bytes": .number(JSONNumber(row.size)), "runs": .number(JSONNumber(row.runs)),
                                "first_used": row.firstSeen.map { .string("\($0)") } ?? .null,
                            ]
                        }
                    )
                )
            } else if rows.isEmpty {
                complain("no snapshots")
            } else {
                var columns = Columns([("snapshot", .left), ("bytes", .right), ("runs", .right), ("policy", .left)])
                for row in rows {
                    columns.add([
                        PolicySnapshot.text(row.id), Human.count(row.size), Human.count(row.runs),
                        try reader.policyTitle(of: row.id) ?? "",
                    ])
                }
                for line in columns.lines(width: nil) { Output.line(line) }
            }
            try finish(reader)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Print a snapshot, its hash checked.",
            discussion:
                "On a terminal the JSON is indented; elsewhere, or with --raw, the bytes are those that were hashed."
        )

        @OptionGroup var capsule: CapsuleOption

        @Argument(help: "The snapshot's ID or a unique prefix of it.")
        var snapshot: String

        @Flag(help: "Print the exact bytes.")
        var raw = false

        func run() throws {
            let reader = try openReader(capsule)
            let row = try reader.snapshot(snapshot)
            guard let object = try reader.object(row.id) else {
                throw LedgerError(.unknownSnapshot, "snapshot \(PolicySnapshot.text(row.id)) is no longer where it was")
            }
            if Terminal.isOutput, !raw, let value = try? JSONValue.parse(object.bytes) {
                let text = String(decoding: value.encoded(.pretty), as: UTF8.self)
                for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                    Output.line(Printable.escape(String(line)))
                }
            } else {
                Output.bytes(object.bytes)
            }
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Store a snapshot that was compiled elsewhere, and print its ID."
        )

        @OptionGroup var write: WriteOptions

        @Argument(help: "A file of canonical JSON; - is standard input.", completion: .file())
        var file: String

        func run() async throws {
            let snapshot = try readSnapshot(file)
            try await write.withLedger { try await $0.store(snapshot) }
            Output.line(PolicySnapshot.text(snapshot.id))
        }
    }

    struct Canonicalize: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "canonicalize",
            abstract: "Write JSON in its canonical form (RFC 8785) to standard output."
        )

        @Argument(help: "A JSON file; - is standard input.", completion: .file())
        var file: String

        func run() throws {
            let bytes = try readInput(file, limit: 16 * Limits.objectBytes)
            Output.bytes(try CanonicalJSON.encode(JSONValue.parse(bytes)))
        }
    }
}
