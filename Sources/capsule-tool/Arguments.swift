import ArgumentParser

/// The arguments as the system gave them.
enum Arguments {
    /// Refuses what is not UTF-8: it would be taken for another text, with U+FFFD in it, and stored so.
    ///
    /// - Throws: `ValidationError` with the first such argument.
    static func check() throws {
        for index in 1..<max(1, Int(CommandLine.argc)) {
            guard let bytes = CommandLine.unsafeArgv[index] else { continue }
            guard String(validatingCString: bytes) == nil else { continue }
            let shown = String(cString: bytes)
            throw ValidationError(
                "argument \(index), '\(shown)', is not UTF-8. Bytes of any kind go in with --body-file and --media"
            )
        }
    }

    /// The command that the arguments name, as it is typed: where its options are explained.
    static var command: String {
        var (name, commands) = ("capsule-tool", CapsuleTool.configuration.subcommands)
        for word in CommandLine.arguments.dropFirst() where !commands.isEmpty {
            if word == "--" { break }
            guard let found = commands.first(where: { $0.configuration.commandName == word }) else { continue }
            name += " \(word)"
            commands = found.configuration.subcommands
        }
        return name
    }
}
