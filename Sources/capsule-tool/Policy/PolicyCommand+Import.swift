import ArgumentParser
import Ledger
import ModelPolicy

extension PolicyCommand {
    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import",
            abstract: "Draft a policy from the configuration of another tool, and refuse what that lets pass.",
            discussion: """
                From LiteLLM: each model_name becomes a model and a role, with its fallbacks. Refused are unknown
                fallbacks, keys that are written into the file, models without a price, a name given twice, settings
                that are misspelt; each setting without a counterpart is a warning.
                Exit status: 0 · 1 something is wrong, and nothing was written · 73 the output exists already.
                """
        )

        @Option(name: .customLong("from"), help: "litellm.")
        var tool: Tool

        @Argument(help: "The configuration.", completion: .file(extensions: ["yaml", "yml"]))
        var file: String

        @Option(name: .shortAndLong, help: ArgumentHelp("Write a new file instead of printing.", valueName: "file"))
        var output: String?

        @Option(help: "The policy's name.")
        var name = "imported"

        @Option(help: "Who answers for the policy.")
        var owner = "unassigned"

        @Flag(help: "Print JSON: what is wrong, and the policy.")
        var json = false

        enum Tool: String, ExpressibleByArgument, CaseIterable {
            case litellm
        }

        func validate() throws {
            guard PolicyStarter.isGoodName(name) else {
                throw ValidationError("a policy's name is of small letters, digits, - and _, not '\(name)'")
            }
        }

        func run() throws {
            let source = SourceFile(name: file, bytes: try readInput(file, limit: PolicyLimits.sourceBytes))
            let outcome = LiteLLMImport.convert(source, name: name, owner: owner)
            // As everywhere: laid out as 'fmt' does.
            let policy = outcome.policy.map { bytes in
                PolicyFormatter.formatted(SourceFile(name: "policy.toml", bytes: bytes)) ?? bytes
            }
            if let output, let policy { try TextFile(output).create(with: policy) }
            if json {
                let told = Array(DiagnosticFormat.json.text(outcome.diagnostics).utf8)
                Output.json([
                    "diagnostics": try JSONValue.parse(told),
                    "policy": policy.map { .string(String(decoding: $0, as: UTF8.self)) } ?? .null,
                ])
            } else {
                PolicySubject.tell(outcome.diagnostics)
                if output == nil, let policy { Output.bytes(policy) }
            }
            guard policy == nil else { return }
            if json { endQuietly(.no) }
            let errors = outcome.diagnostics.count { $0.severity == .error }
            throw Failure(.no, "\(errors) error\(errors == 1 ? "" : "s"); nothing was imported")
        }
    }
}
