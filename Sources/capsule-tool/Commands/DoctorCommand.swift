import ArgumentParser
import Ledger

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Say what is the matter with a capsule, and what to type next.",
        discussion: """
            Reads everything and changes nothing. The note and the index are asked how long the file was and which root
            they saw.
            Exit status: 0 sound · 5 a writer is in the middle of its turn · 10 torn tail, healed at the next write ·
            11 damaged · 12 cut short · 13 forked · 14 breaks its own rules · 15 not a capsule · 16 of a newer version.
            """
    )

    @Argument(help: "The file; without it, the capsule that other commands would use.", completion: .file())
    var file: String?

    @OptionGroup var capsule: CapsuleOption

    @Option(help: ArgumentHelp("Another copy to compare with; may be repeated.", valueName: "file"))
    var against: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let path = try file.map { try existing($0) } ?? capsule.path()
        let progress = Progress("examining")
        let found = try CapsuleExamination(of: path, against: against.map { try existing($0) }) {
            progress.update($0, of: $1)
        }
        progress.finish()
        if json { Output.json(found.value) } else { print(found) }
        if let status = found.status { throw QuietFailure(status) }
    }

    private func print(_ found: CapsuleExamination) {
        var lines: [(String, String)] = [("file", found.path.string)]
        if let header = found.header { lines.append(("capsule", "\(header.capsule)  \(header.origin)")) }
        if let report = found.verification?.report {
            lines.append(
                (
                    "read",
                    "\(Human.bytes(report.end)) of \(Human.bytes(report.length)), "
                        + Human.count(report.treeSize, "event")
                )
            )
        }
        if found.header != nil { lines += facts(found) }
        for (name, value) in lines { Output.line("\(name.padding(9))\(Printable.escape(value))") }
        Output.line()
        Output.line(Terminal.styled(found.condition.headline, found.condition == .sound ? .green : .red))
        if let reason = found.reason {
            let place = found.offset.map { "at byte \($0): " } ?? ""
            Output.line("  \(place)\(Printable.escape(reason))")
        }
        for advice in found.advice {
            Output.line("  \(advice.text)\(advice.command == nil ? "" : ":")")
            if let command = advice.command { Output.line("    \(Printable.escape(command))") }
        }
    }

    private func facts(_ found: CapsuleExamination) -> [(String, String)] {
        var lines: [(String, String)] = []
        lines.append(("lock", found.lockHolder.map { "held by \($0.isEmpty ? "somebody" : $0)" } ?? "free"))
        lines.append(("note", found.noteText))
        lines.append(
            ("index", found.index.map { "covers \(Human.count($0.treeSize, "event")), up to byte \($0.end)" } ?? "none")
        )
        lines += found.verification?.copies.map { ($0.verb, $0.words) } ?? []
        if !found.keptTails.isEmpty { lines.append(("kept", found.keptTails.joined(separator: ", "))) }
        if !found.leftovers.isEmpty { lines.append(("left", found.leftovers.joined(separator: ", "))) }
        if let copy = found.verification?.report.damagedHeaderCopy {
            lines.append(("header", "copy \(copy + 1) is damaged; the other one was read"))
        }
        return lines
    }
}

extension CapsuleExamination {
    /// What stands in the note's place, in words.
    fileprivate var noteText: String {
        switch noteState {
        case .none: "none: damage in the last write would look like a torn tail"
        case .sound(let note):
            "durable up to byte \(note.durableLength)"
                + (isNoteOdd ? ", where no batch ends: no writer states that, so somebody else wrote it" : "")
                + (note.syncFailed ? ", and a sync failed" : "")
        case .foreign(let note):
            "that of capsule \(note.capsule), generation \(note.generation), durable up to byte "
                + "\(note.durableLength): it counts as none, and the next append writes over it"
        case .unreadable(let bytes):
            "\(Human.bytes(bytes)) that are no note: they count as none, and the next append writes over them"
        case .obstacle(let reason): reason
        }
    }

    private var noteName: String {
        switch noteState {
        case .none: "none"
        case .sound: isNoteOdd ? "odd" : "sound"
        case .foreign: "foreign"
        case .unreadable: "unreadable"
        case .obstacle: "obstacle"
        }
    }

    /// Nil for a sound one.
    var status: Int32? {
        switch condition {
        case .sound: nil
        case .locked: ExitStatus.locked.rawValue
        case .tornTail: 10
        case .damaged: 11
        case .cutShort: 12
        case .forked: 13
        case .broken: 14
        case .notACapsule: 15
        case .unsupported: 16
        }
    }

    var value: JSONValue {
        var members = JSONValue.Members()
        members["file"] = .string(path.string)
        members["condition"] = .string(condition.rawValue)
        members["reason"] = reason.map { .string($0) } ?? .null
        members["offset"] = offset.map { .number(JSONNumber($0)) } ?? .null
        members["advice"] = .array(
            advice.map { ["text": .string($0.text), "command": $0.command.map { .string($0) } ?? .null] }
        )
        members["locked"] = .bool(lockHolder != nil)
        members["lock_holder"] = lockHolder.map { .string($0) } ?? .null
        members["note"] = .string(noteName)
        members["note_durable_length"] = note.map { .number(JSONNumber($0.durableLength)) } ?? .null
        members["index_events"] = index.map { .number(JSONNumber($0.treeSize)) } ?? .null
        members["kept_tails"] = .array(keptTails.map { .string($0) })
        members["leftovers"] = .array(leftovers.map { .string($0) })
        members["verification"] = verification?.value(path: path, requireSnapshots: false) ?? .null
        return .object(members)
    }
}

extension CapsuleExamination.Condition {
    fileprivate var headline: String {
        switch self {
        case .sound: "sound"
        case .tornTail: "torn tail: the last write did not complete"
        case .damaged: "DAMAGED"
        case .cutShort: "CUT SHORT"
        case .forked: "FORKED"
        case .broken: "BREAKS ITS OWN RULES"
        case .notACapsule: "NOT A CAPSULE"
        case .unsupported: "OF A NEWER VERSION"
        case .locked: "being written"
        }
    }
}
