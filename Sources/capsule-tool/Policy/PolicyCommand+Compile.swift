import ArgumentParser
import Ledger
import ModelPolicy

extension PolicyCommand {
    struct Compile: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "compile",
            abstract: "Write the snapshot of a policy: canonical JSON (RFC 8785), known by its SHA-256.",
            discussion: "The same meaning gives the same bytes, from TOML or YAML. Exit status: 0 · 1 errors."
        )

        @OptionGroup var subject: PolicySubject

        @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file.", valueName: "file"))
        var output: String?

        @Option(help: ArgumentHelp("Write where each rule was written to this file.", valueName: "file"))
        var sourceMap: String?

        @Flag(help: "Print JSON that names the snapshot, instead of the snapshot itself.")
        var json = false

        func run() throws {
            let (result, snapshot) = try subject.compileWhole()
            if let sourceMap { try TextFile(sourceMap).replace(with: result.sourceMap.canonicalJSON) }
            if let output { try TextFile(output).replace(with: snapshot.canonicalJSON) }
            if json {
                Output.json([
                    "snapshot": .string("\(snapshot.id)"), "name": .string(snapshot.policy.name),
                    "version": .string(snapshot.policy.version),
                    "bytes": .number(JSONNumber(snapshot.canonicalJSON.count)),
                ])
            } else if output == nil {
                Output.bytes(snapshot.canonicalJSON)
            } else {
                Output.line("\(snapshot.id)")
            }
        }
    }
}
