import ArgumentParser
import Ledger
import ModelPolicy
import PolicyTests

extension PolicyCommand {
    struct Bump: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "bump",
            abstract: "Raise the version for what changed, and draft the changelog's entry and scenarios.",
            discussion: """
                Compares the workspace's policy with --base, and writes the new version into the policy file, an entry
                into policy/CHANGELOG.md, and a scenario for each change that decides something into
                policy/tests/VERSION.toml: it says what is decided now and was not before. 'major' when something went,
                'minor' when a value changed or something came, 'patch' when nothing that decides did. What is there of
                the version already stays, and gets what is missing.
                Exit status: 0 · 1 nothing changed, or the policy has errors · 66 there is no such base.
                """
        )

        @OptionGroup var capsule: CapsuleOption

        @Option(help: ArgumentHelp("What is compared with: a revision, a file, or a snapshot.", valueName: "policy"))
        var base = "HEAD"

        @Option(help: "major, minor or patch, instead of what fits the change.")
        var level: PolicyBump.Level?

        @Option(help: ArgumentHelp("The policy file, instead of the workspace's.", valueName: "file"))
        var policy: String?

        @Flag(help: "Print what would be written, and write nothing.")
        var dryRun = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let workspace = try PolicyWorkspace.find(option: policy, directory: currentFolder())
            var subject = PolicySubject()
            (subject.file, subject.spec, subject.layer) = (policy, nil, nil)
            let new = try subject.compileWhole().snapshot.policy
            let old = try PolicyReference(text: base, spec: nil, capsule: capsule, policy: policy)
                .resolve().policy
            guard let bump = PolicyBump(from: old, to: new, level: level) else {
                throw Failure(.no, "nothing changed since \(base), \(old.name) \(old.version)")
            }
            let draft = try Draft(bump, workspace, old, new)
            if json {
                Output.json([
                    "old_version": .string(old.version), "version": .string(bump.version),
                    "level": .string(bump.level.rawValue), "changes": .number(JSONNumber(bump.diff.changes.count)),
                    "files": .array(draft.files.map { .string($0.name) }), "written": .bool(!dryRun),
                    "changelog_entry": .string(draft.entry), "scenarios": .string(draft.scenarios),
                ])
            } else if dryRun {
                Output.line("\(old.version) → \(bump.version) (\(bump.level.rawValue))\n")
                Output.line(Printable.lines(draft.entry))
                Output.line(Printable.lines(draft.scenarios))
            } else {
                Output.line("\(old.version) → \(bump.version) (\(bump.level.rawValue))")
                for file in draft.files { Output.line(Printable.escape(file.name)) }
            }
            if !dryRun { try draft.write() }
        }

        /// The files as they will be.
        private struct Draft {
            let files: [(name: String, bytes: [UInt8])]
            let entry: String
            let scenarios: String

            init(
                _ bump: PolicyBump,
                _ workspace: PolicyWorkspace,
                _ old: CompiledPolicy,
                _ new: CompiledPolicy
            ) throws {
                let day = String(Timestamp.now.text(fractionDigits: 0).prefix(10))
                entry = bump.changelogEntry(day: day)
                func path(_ name: String) -> String { workspace.root.pushing(FilePath(name)).string }
                func text(_ name: String) throws -> String? {
                    guard TextFile(name).exists else { return nil }
                    return String(decoding: try readInput(name, limit: Limits.objectBytes), as: UTF8.self)
                }
                let tests = path("\(PolicyTests.folder)/\(bump.version).toml")
                let known = try text(tests)
                scenarios = ChangeDrafts(from: old, to: new).toml(version: bump.version, after: known)
                let file = path(workspace.file)
                let source = SourceFile(name: file, bytes: try readInput(file, limit: PolicyLimits.sourceBytes))
                guard let raised = bump.source(source) else {
                    throw Failure(.no, "\(file) gives no version that could be raised")
                }
                var files = [(file, raised)]
                let changelog = path("policy/CHANGELOG.md")
                files.append((changelog, Array(bump.changelog(try text(changelog), day: day).utf8)))
                if scenarios != known ?? "" { files.append((tests, Array(scenarios.utf8))) }
                self.files = files
            }

            func write() throws {
                for (name, bytes) in files {
                    try makeFolders(FilePath(name).removingLastComponent())
                    try TextFile(name).replace(with: bytes)
                }
            }
        }
    }
}

extension PolicyBump.Level: ExpressibleByArgument {}

extension Printable {
    /// Several lines made safe to print.
    static func lines(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { escape(String($0)) }.joined(separator: "\n")
    }
}
