import ArgumentParser
import Ledger
import ModelPolicy

/// Which policy a command is about: a file, or the workspace's with a spec's file over it.
struct PolicySubject: ParsableArguments {
    @Argument(
        help: "The policy file; the workspace's if none is named.",
        completion: .file(extensions: ["toml", "yaml", "yml"])
    )
    var file: String?

    @Option(help: ArgumentHelp("Lay this spec's file, policy/specs/SPEC.toml, over it.", valueName: "spec"))
    var spec: String?

    @Option(help: ArgumentHelp("Lay this file over it.", valueName: "file"))
    var layer: String?

    func validate() throws {
        if spec != nil, layer != nil { throw ValidationError("--layer names the file that --spec would look for") }
    }

    func workspace() throws -> PolicyWorkspace {
        try PolicyWorkspace.find(option: file, layer: layer, directory: currentFolder())
    }

    /// Reads and compiles; a spec that is named must have a file.
    ///
    /// - Throws: `Failure` when a file cannot be read.
    func compile() throws -> CompileResult {
        let workspace = try workspace()
        if let spec, workspace.layerPath(spec) == nil {
            throw Failure(
                .noCapsule,
                "there is no \(PolicyWorkspace.layerFolder)/\(spec).toml (or .yaml) in \(workspace.root); "
                    + "--layer names a file elsewhere"
            )
        }
        let load = workspace.load(spec: spec)
        if let problem = load.problems.first { throw Failure(.noCapsule, problem) }
        guard let result = load.result else { throw Failure(.noCapsule, "\(workspace.file) cannot be read") }
        return result
    }

    /// As `compile`, and tells the errors of a policy that has some.
    ///
    /// - Throws: `Failure` with status 1.
    func compileWhole() throws -> (result: CompileResult, snapshot: CompiledSnapshot) {
        let result = try compile()
        guard let snapshot = result.snapshot else { throw Self.failure(result.errors) }
        return (result, snapshot)
    }

    static func failure(_ errors: [Diagnostic]) -> Failure {
        tell(errors)
        return Failure(.no, "the policy has \(errors.count) error\(errors.count == 1 ? "" : "s")")
    }

    /// Diagnostics for people, on standard error.
    static func tell(_ diagnostics: [Diagnostic]) {
        for line in DiagnosticFormat.human.text(diagnostics).split(separator: "\n", omittingEmptySubsequences: false) {
            talk(String(line))
        }
    }
}

extension DiagnosticFormat: ExpressibleByArgument {}

extension PolicyCommand {
    struct Validate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "validate",
            abstract: "Check a policy: every fault, at its place, with what to do about it.",
            discussion: """
                Faults go to standard output in the format that is asked for; 'policy explain P201' says more of a code.
                Exit status: 0 no errors (there may be warnings) · 1 errors · 66 no such file.
                """
        )

        @OptionGroup var subject: PolicySubject

        @Option(help: "human, json, sarif (SARIF 2.1.0) or github (annotations).")
        var format: DiagnosticFormat = .human

        @Flag(help: "The same as --format json.")
        var json = false

        func run() throws {
            let result = try subject.compile()
            let format = json ? .json : format
            Output.bytes(Array(format.text(result.diagnostics, toolVersion: CapsuleLedger.version).utf8))
            let errors = result.errors.count
            if format == .human {
                if let snapshot = result.snapshot {
                    complain("\(snapshot.policy.name) \(snapshot.policy.version) is valid: \(snapshot.id)")
                } else {
                    complain("\(errors) error\(errors == 1 ? "" : "s")")
                }
            }
            if errors > 0 { endQuietly(.no) }
        }
    }
}
