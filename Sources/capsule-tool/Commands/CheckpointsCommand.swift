import ArgumentParser
import Ledger

struct CheckpointsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoints",
        abstract: "List checkpoints, newest first.",
        discussion: """
            'runs', 'show', 'export' and 'verify' take one with --as-of: by its label, as #3, or by its number of \
            events.
            """
    )

    @OptionGroup var capsule: CapsuleOption

    @Option(help: "Checkpoints of this label only.")
    var label: String?

    @Option(help: ArgumentHelp("How many at most.", valueName: "n"))
    var limit = 50

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit is at least 1") }
    }

    func run() throws {
        let reader = try openReader(capsule)
        let all = try reader.checkpoints().reversed().filter { label.map($0.labels.contains) ?? true }
        var damage: CapsuleError?
        let rows = try all.prefix(limit).map { checkpoint in
            do {
                return (checkpoint: checkpoint, marks: try reader.marks(of: checkpoint))
            } catch let error as CapsuleError {
                damage = error
                return (checkpoint: checkpoint, marks: [])
            }
        }
        if json {
            Output.json(.array(rows.map { Self.value($0.checkpoint, $0.marks) }))
        } else if rows.isEmpty {
            complain("no checkpoints")
        } else {
            var columns = Columns([
                ("#", .right), ("label", .left), ("events", .right), ("time (UTC)", .left), ("run", .left),
                ("signed", .right), ("root", .left),
            ])
            for (checkpoint, marks) in rows {
                let time = marks.first?.envelope.time.text(fractionDigits: 0)
                columns.add([
                    "\(checkpoint.number)", checkpoint.labels.joined(separator: ", "), Human.count(checkpoint.size),
                    time?.replacing("T", with: " ").replacing("Z", with: "") ?? "",
                    marks.map { "\($0.envelope.reference)" }.joined(separator: ", "),
                    checkpoint.signatures > 0 ? "\(checkpoint.signatures)" : "", checkpoint.root.hex,
                ])
            }
            for line in columns.lines(width: Terminal.width) { Output.line(line) }
        }
        try finish(reader, damage)
    }

    private static func value(_ checkpoint: Checkpoint, _ marks: [RecordedEvent]) -> JSONValue {
        [
            "number": .number(JSONNumber(checkpoint.number)), "size": .number(JSONNumber(checkpoint.size)),
            "root": .string(checkpoint.root.hex), "note": .string(checkpoint.id.hex),
            "signatures": .number(JSONNumber(checkpoint.signatures)),
            "labels": .array(checkpoint.labels.map { .string($0) }),
            "events": .array(
                marks.map { mark in
                    [
                        "run": .string("\(mark.envelope.run)"),
                        "sequence": .number(JSONNumber(mark.envelope.sequence)),
                        "time": .string("\(mark.envelope.time)"),
                        "label": mark.json?["label"]?.string.map { .string($0) } ?? .null,
                    ]
                }
            ),
        ]
    }
}
