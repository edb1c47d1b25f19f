import ArgumentParser
import Ledger
import ModelPolicy

extension PolicyCommand {
    struct Init: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init",
            abstract: "Write a policy to start from, with its scenarios, its changelog and a list of who approves.",
            discussion: """
                Writes model_policy.toml, policy/tests/scenarios.toml, policy/CHANGELOG.md, policy/allowed_signers and
                policy/.gitattributes into a folder, and never over a file that is there.
                Exit status: 0 · 73 one of them exists already, and nothing was written.
                """
        )

        @Argument(help: "The folder; the current one if none is named.", completion: .directory)
        var folder: String?

        @Option(help: "The policy's name; the folder's if none is given.")
        var name: String?

        @Option(help: "Who answers for the policy.")
        var owner = "unassigned"

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let root = folder.map { currentFolder().pushing(FilePath($0)).lexicallyNormalized() } ?? currentFolder()
            let name = try goodName(root)
            let policy = PolicyStarter.policy(name: name, owner: owner)
            let file = SourceFile(name: "model_policy.toml", bytes: Array(policy.utf8))
            let result = PolicyCompiler.compile(workspace: file)
            guard let snapshot = result.snapshot else {
                throw Failure(.malformedInput, result.errors.first.map { "\($0.message) [\($0.code.rawValue)]" } ?? "")
            }
            let changelog = "# Changelog of the policy\n\n## 0.1.0\n\n- The first version.\n"
            let files = [
                ("model_policy.toml", policy), ("policy/tests/scenarios.toml", PolicyStarter.scenarios),
                ("policy/CHANGELOG.md", changelog), ("policy/allowed_signers", PolicyStarter.signers),
                ("policy/.gitattributes", PolicyStarter.gitAttributes),
            ].map { (root.pushing(FilePath($0.0)).string, $0.1) }
            let others = PolicyWorkspace.names.map { root.appending($0).string }
            if let there = (others + files.map(\.0)).first(where: { TextFile($0).exists }) {
                throw Failure(.exists, "\(there) exists already; nothing was written")
            }
            try makeFolders(root.appending("policy").appending("tests"))
            for (path, text) in files { try TextFile(path).create(with: Array(text.utf8)) }
            if json {
                Output.json([
                    "files": .array(files.map { .string($0.0) }), "snapshot": .string("\(snapshot.id)"),
                ])
            } else {
                for (path, _) in files { Output.line(path) }
                for line in Self.next { talk(line) }
            }
        }

        private static let next = [
            "next",
            "  edit model_policy.toml; 'capsule-tool policy test' says whether it decides as its scenarios say",
            "  'capsule-tool start' begins a run under it",
            "  commit it; 'capsule-tool ci --no-capsule' says what a pipeline would say of a change",
            "  for approvals, list people in policy/allowed_signers and set 'approvals' to \"enforce\"",
        ]

        private func goodName(_ root: FilePath) throws -> String {
            if let name {
                guard PolicyStarter.isGoodName(name) else {
                    throw ValidationError("a policy's name is of small letters, digits, - and _, not '\(name)'")
                }
                return name
            }
            let letters = (root.lastComponent?.string ?? "").lowercased().unicodeScalars
                .map { PolicyStarter.isGoodName("a\($0)") ? String($0) : "-" }.joined()
            let name = String(letters.drop { $0 == "-" || $0 == "_" }.prefix(64))
            return PolicyStarter.isGoodName(name) ? name : "workspace"
        }
    }

    struct Format: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "fmt",
            abstract: "Lay out policy files in one way; comments stay, and so does the snapshot's ID.",
            discussion: """
                Without a file, the workspace's. - reads standard input and writes standard output.
                Exit status: 0 · 1 with --check when a file would change, or a file that cannot be laid out.
                """
        )

        @Argument(help: "Policy files.", completion: .file(extensions: ["toml", "yaml", "yml"]))
        var files: [String] = []

        @Flag(help: "Change nothing; say which files would change.")
        var check = false

        @Option(help: "toml or yaml, for standard input.")
        var inputFormat: SourceFile.Format = .toml

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            var files = files
            if files.isEmpty {
                let workspace = try PolicyWorkspace.find(option: nil, directory: currentFolder())
                files = [workspace.root.pushing(FilePath(workspace.file)).string]
            }
            var changed: [String] = []
            for name in files {
                let bytes = try readInput(name, limit: PolicyLimits.sourceBytes)
                let file = SourceFile(name: name, bytes: bytes, format: name == "-" ? inputFormat : nil)
                guard let laidOut = PolicyFormatter.formatted(file) else {
                    throw Failure(.no, "\(name) cannot be laid out; 'capsule-tool policy validate' may say why")
                }
                if name == "-", !check { Output.bytes(laidOut) }
                guard laidOut != bytes else { continue }
                changed.append(name)
                if !check, name != "-" { try TextFile(name).replace(with: laidOut) }
            }
            if json {
                Output.json(["changed": .array(changed.map { .string($0) }), "check": .bool(check)])
            } else if check || !files.contains("-") {
                for name in changed { Output.line(Printable.escape(name)) }
            }
            if check, !changed.isEmpty { endQuietly(.no) }
        }
    }

    struct Convert: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "convert",
            abstract: "Write a policy in the other form, TOML or YAML, with its comments; the ID stays.",
            discussion: "Exit status: 0 · 1 the policy cannot be read · 73 the output exists already."
        )

        @Argument(help: "The policy file.", completion: .file(extensions: ["toml", "yaml", "yml"]))
        var file: String

        @Option(name: .shortAndLong, help: ArgumentHelp("Write a new file instead of printing.", valueName: "file"))
        var output: String?

        @Flag(help: "Print JSON that names what was written.")
        var json = false

        func validate() throws {
            if json, output == nil { throw ValidationError("--json goes with --output") }
        }

        func run() throws {
            let source = SourceFile(name: file, bytes: try readInput(file, limit: PolicyLimits.sourceBytes))
            let format: SourceFile.Format = source.format == .toml ? .yaml : .toml
            switch PolicyConverter.convert(source, to: format) {
            case .faults(let errors): throw PolicySubject.failure(errors)
            case .text(let bytes):
                guard let output else { return Output.bytes(bytes) }
                let written = SourceFile(name: output, bytes: bytes)
                guard written.format == format else {
                    throw Failure(
                        .malformedInput,
                        "\(output) would be read as \(written.format), and this is \(format)"
                    )
                }
                try TextFile(output).create(with: bytes)
                if json { Output.json(["file": .string(output), "format": .string(format.rawValue)]) }
            }
        }
    }
}

extension SourceFile.Format: ExpressibleByArgument {}
