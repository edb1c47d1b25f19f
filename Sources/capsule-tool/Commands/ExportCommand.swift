import ArgumentParser
import Ledger

extension ExportFormat: ExpressibleByArgument {}

struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write events with what a third party needs to check them.",
        discussion: """
            ndjson: a line that says what is exported, then a line an event: the leaf's bytes, its hash and index, the
            commitment to the body, salt and body where they are there, and the size and root that they lead to.
            docs/auditing.md says how to check such a file with SQL and nothing of ours.
            The whole capsule is read, for one run too, and its leaves must give its root.
            """
    )

    @OptionGroup var capsule: CapsuleOption

    @Argument(help: ArgumentHelp("One run only: its ID, a unique prefix of it, or its name.", valueName: "run"))
    var name: String?

    @Option(help: "ndjson.")
    var format = ExportFormat.ndjson

    @OptionGroup var past: AsOfOption

    func run() throws {
        let reader = try openReader(capsule)
        let checkpoint = try past.checkpoint(reader)
        let row = try name.map { try findRun($0, reader) }
        if let row, let checkpoint, row.firstLeaf >= checkpoint.size {
            throw LedgerError(.unknownRun, "run \(row.id) had not begun at checkpoint \(checkpoint.title)")
        }
        do {
            let count = try reader.export(format, run: row, asOf: checkpoint) { Output.bytes($0) }
            Output.flush()
            if Terminal.isError, !Terminal.isOutput { complain("\(Human.count(count, "event")) exported") }
        } catch let error as CapsuleError {
            throw CapsuleError(error.code, at: error.offset, "\(reader.capsule.path): \(error.reason)")
        }
        if checkpoint == nil { try finish(reader) }
    }
}
