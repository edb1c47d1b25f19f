import ArgumentParser
import Ledger

struct SalvageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "salvage",
        abstract: "Copy all that a capsule still proves into a new one, and say what was lost.",
        discussion: """
            The old file is only read. The new capsule has an ID and an origin of its own; its run zero records where it
            comes from and what was lost: ranges, bytes, sequences. It gets its name when it was verified.
            Exit status: 0 complete · 1 something was lost · 3 not a capsule · 73 NEW exists.
            """
    )

    @Argument(help: "The capsule to copy from.", completion: .file())
    var old: String

    @Argument(help: "The file to make.", completion: .file(extensions: ["cpsl"]))
    var new: String

    @Option(help: "The name of the new ledger in checkpoints. Default: capsule/ID.")
    var origin: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let capsule = try naming(FilePath(old)) { try CapsuleFile(existing(old)) }
        let progress = Progress("salvaging")
        let report = try CapsuleSalvage.salvage(capsule, to: FilePath(new), origin: origin) {
            progress.update($0, of: $1)
        }
        progress.finish()
        if json { Output.json(report.value(path: new)) } else { printReport(report) }
        if !report.isComplete { throw QuietFailure(ExitStatus.no.rawValue) }
    }

    private func printReport(_ report: CopyReport) {
        Output.line("\(new)  \(Human.count(report.events, "event")) of \(Human.count(report.runs, "run")), verified")
        if report.tornBytes > 0 {
            Output.line("a torn write of \(Human.bytes(report.tornBytes)) was left out: nothing of it was acknowledged")
        }
        guard !report.isComplete else { return Output.line(Terminal.styled("complete", .green)) }
        Output.line(Terminal.styled("with loss:", .red))
        for loss in report.losses { Output.line("  \(Printable.escape(loss.text))") }
    }
}

struct AdoptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "adopt",
        abstract: "Give a copy that goes its own way an origin of its own.",
        discussion: """
            Two copies that are both appended to are a fork under one origin. This makes a new capsule of one of them:
            every event as it is, an ID and an origin of its own, and a last event of run zero that says so.
            Exit status: 0 done · 3 the copy is not sound; 'salvage' takes what can be proved · 73 NEW exists.
            """
    )

    @Argument(help: "The copy.", completion: .file())
    var old: String

    @Argument(help: "The file to make.", completion: .file(extensions: ["cpsl"]))
    var new: String

    @Option(help: "The name of the new ledger in checkpoints. Default: capsule/ID.")
    var origin: String?

    @Option(help: "Why; recorded.")
    var reason: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let path = FilePath(new)
        let capsule = try naming(FilePath(old)) { try CapsuleFile(existing(old)) }
        let progress = Progress("copying")
        let report = try naming(FilePath(old)) {
            try CapsuleSalvage.adopt(capsule, to: path, origin: origin, reason: reason) { progress.update($0, of: $1) }
        }
        progress.finish()
        let header = try CapsuleFile(path).header
        if json { return Output.json(report.value(path: new)) }
        Output.line("\(new)  \(header.capsule)  origin \(header.origin)")
        Output.line("\(Human.count(report.newSize, "event")), verified; from \(Printable.escape(report.origin))")
    }
}

extension CopyLoss {
    var text: String {
        let place = offset.map { "byte \($0): " } ?? ""
        let size = bytes > 0 ? "\(Human.bytes(bytes)) " : ""
        var text = "\(place)\(size)\(kind.rawValue): \(reason)"
        if events > 0 { text += "; \(Human.count(events, "event"))" }
        let shown = runs.prefix(5).map { "\($0.run)#\($0.first)\($0.first == $0.last ? "" : "–\($0.last)")" }
        if !shown.isEmpty { text += " (\(shown.joined(separator: ", "))\(runs.count > 5 ? ", …" : ""))" }
        return text
    }
}

extension CopyReport {
    func value(path: String) -> JSONValue {
        [
            "new": .string(path), "complete": .bool(isComplete), "from_origin": .string(origin),
            "from_size": .number(JSONNumber(provedSize)), "from_root": .string(provedRoot.hex),
            "events": .number(JSONNumber(events)), "runs": .number(JSONNumber(runs)),
            "objects": .number(JSONNumber(objects)), "torn_bytes": .number(JSONNumber(tornBytes)),
            "size": .number(JSONNumber(newSize)), "root": .string(newRoot.hex),
            "lost": .array(losses.map { $0.value() }),
        ]
    }
}
