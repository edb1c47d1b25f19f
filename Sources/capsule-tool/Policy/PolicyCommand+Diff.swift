import ArgumentParser
import Ledger
import ModelPolicy

extension PolicyCommand {
    struct Diff: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "diff",
            abstract: "Say what one policy permits otherwise than another, value by value.",
            discussion: """
                Each is a file, sha256:… (or a prefix) of a snapshot in the capsule, or a revision of git: REV for the
                workspace's policy there, REV:PATH for another. Compared is the meaning, not the text: '-' is looser or
                neither, '+' is stricter, '=' changes nothing that a run may do.
                Exit status: 0 · with --exit-code 1 when they differ · 1 when one has errors.
                """
        )

        @OptionGroup var capsule: CapsuleOption

        @Argument(help: "The old policy.")
        var old: String

        @Argument(help: "The new policy; the workspace's if none is named.")
        var new: String?

        @Option(help: ArgumentHelp("Compare what holds for this spec.", valueName: "spec"))
        var spec: String?

        @Option(help: "human, json or markdown.")
        var format: Format = .human

        @Flag(help: "The same as --format json.")
        var json = false

        @Flag(help: "Exit with 1 when they differ.")
        var exitCode = false

        enum Format: String, ExpressibleByArgument, CaseIterable {
            case human
            case json
            case markdown
        }

        func run() throws {
            let before = try PolicyReference(text: old, spec: spec, capsule: capsule).resolve()
            let after: CompiledSnapshot
            if let new {
                after = try PolicyReference(text: new, spec: spec, capsule: capsule).resolve()
            } else {
                var subject = PolicySubject()
                subject.file = nil
                subject.layer = nil
                subject.spec = spec
                after = try subject.compileWhole().snapshot
            }
            let view = PolicyDiffView(old: before, new: after)
            switch json ? .json : format {
            case .json: Output.json(view.json)
            case .human: for line in view.human { Output.line(line) }
            case .markdown: for line in view.markdown { Output.line(line) }
            }
            if exitCode, !view.diff.isEmpty { endQuietly(.no) }
        }
    }
}

/// A comparison of two policies, in the forms in which it is told.
struct PolicyDiffView {
    let old: CompiledSnapshot
    let new: CompiledSnapshot
    let diff: PolicyDiff

    init(old: CompiledSnapshot, new: CompiledSnapshot) {
        self.old = old
        self.new = new
        diff = PolicyDiff(from: old.policy, to: new.policy)
    }

    private static func title(_ snapshot: CompiledSnapshot) -> String {
        "\(snapshot.policy.name) \(snapshot.policy.version)"
    }

    private var verdict: String {
        if diff.isEmpty { return "the same policy" }
        let looser = diff.changes.count { $0.effect == .looser }
        let total = "\(diff.changes.count) change\(diff.changes.count == 1 ? "" : "s")"
        return diff.onlyTightens ? "\(total); the new one only tightens" : "\(total), \(looser) of them not stricter"
    }

    var human: [String] {
        var lines = [
            "old  \(Self.title(old))  \(old.id)", "new  \(Self.title(new))  \(new.id)",
        ]
        for (group, changes) in diff.groups {
            lines += ["", Terminal.styled(group, .bold)]
            for change in changes {
                let text = "\(change.path): \(change.oldText ?? "nothing") → \(change.newText ?? "nothing")"
                let (mark, style): (String, Terminal.Style) =
                    switch change.effect {
                    case .looser: ("-", .red)
                    case .stricter: ("+", .green)
                    case .neutral: ("=", .dim)
                    }
                lines.append(Terminal.styled("  \(mark) \(Printable.escape(text))", style))
            }
        }
        return lines + ["", verdict]
    }

    var markdown: [String] {
        func cell(_ text: String?) -> String {
            guard let text else { return "—" }
            let plain = Printable.escape(text).replacing("`", with: "'").replacing("|", with: "\\|")
            return "`\(plain)`"
        }
        var lines = ["**\(Self.title(old))** → **\(Self.title(new))**: \(verdict)"]
        for (group, changes) in diff.groups {
            lines += ["", "### \(group)", "", "| rule | old | new | |", "|---|---|---|---|"]
            for change in changes {
                let cells = [cell(change.path), cell(change.oldText), cell(change.newText), change.effect.rawValue]
                lines.append("| \(cells.joined(separator: " | ")) |")
            }
        }
        return lines
    }

    var json: JSONValue {
        func side(_ snapshot: CompiledSnapshot) -> JSONValue {
            [
                "snapshot": .string("\(snapshot.id)"), "name": .string(snapshot.policy.name),
                "version": .string(snapshot.policy.version),
            ]
        }
        let changes = diff.changes.map { change -> JSONValue in
            [
                "group": .string(change.group), "path": .string(change.path), "effect": .string(change.effect.rawValue),
                "old": change.old ?? .null, "new": change.new ?? .null,
                "old_text": change.oldText.map { .string($0) } ?? .null,
                "new_text": change.newText.map { .string($0) } ?? .null,
            ]
        }
        return [
            "old": side(old), "new": side(new), "only_tightens": .bool(diff.onlyTightens), "changes": .array(changes),
        ]
    }
}
