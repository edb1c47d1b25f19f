import ArgumentParser
import Ledger

struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Make a new capsule.",
        discussion: "Fails with status 73 if the file exists. Of two at once, one makes the file and the other is told."
    )

    @Argument(help: "The file to make.", completion: .file(extensions: ["cpsl"]))
    var file = CapsuleLocator.defaultName

    @Option(help: "The name of this ledger in checkpoints, like example.com/ledger. Default: capsule/ID.")
    var origin: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let made = try CapsuleLedger.create(FilePath(file), origin: origin)
        if json {
            Output.json([
                "capsule": .string(file), "capsule_id": .string("\(made.header.capsule)"),
                "origin": .string(made.header.origin),
            ])
        } else {
            Output.line("\(file)  \(made.header.capsule)  origin \(made.header.origin)")
        }
    }
}
