import ArgumentParser
import Ledger

struct StageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stage",
        abstract: "Record that a run enters a stage, and make a checkpoint there.",
        discussion: """
            The policy's files are looked at again: a change that only tightens comes into force, another is kept out,
            and the timeline says so.
            """
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var target: RunOptions

    @Argument(help: "The stage's name.")
    var stage: String

    @Option(help: "Why.")
    var reason: String?

    @OptionGroup var output: ReceiptOutput

    func run() async throws {
        output.print(
            try await write.withLedger { ledger in
                try await ledger.enter(stage: stage, in: target.handle(in: ledger), reason: reason)
            }
        )
    }
}

struct CheckpointCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "checkpoint",
        abstract: "Mark a point to go back to, and state the size and root of everything up to it.",
        discussion: """
            The policy's files are looked at again, as at a stage. With --snapshot, another policy comes into force
            there, if it permits nothing that the one in force does not.
            """
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var target: RunOptions

    @Option(help: "A label to find the checkpoint by.")
    var label: String?

    @Option(help: ArgumentHelp("The policy from here on: a file of canonical JSON.", valueName: "file"))
    var snapshot: String?

    @OptionGroup var output: ReceiptOutput

    func run() async throws {
        let policy = try snapshot.map { try readSnapshot($0) }
        output.print(
            try await write.withLedger { ledger in
                let handle = try await target.handle(in: ledger)
                if let policy { _ = try await ledger.bind(policy, in: handle, reason: label) }
                return try await ledger.checkpoint(label: label, in: handle)
            }
        )
    }
}

struct EndCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "end",
        abstract: "End and seal a run.",
        discussion: "Repeating it with the same outcome gives the same answer. Anyone may end a run as abandoned."
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var target: RunOptions

    @Option(help: "completed, failed or cancelled.")
    var outcome: OutcomeArgument = .completed

    @Flag(help: "The runner died or fell silent: end the run in its place.")
    var abandoned = false

    @Option(help: "Why.")
    var reason: String?

    @OptionGroup var output: ReceiptOutput

    enum OutcomeArgument: String, ExpressibleByArgument, CaseIterable {
        case completed
        case failed
        case cancelled
    }

    func run() async throws {
        output.print(
            try await write.withLedger { ledger in
                var details = RunEnd()
                details.reason = reason
                let outcome = abandoned ? .abandoned : Outcome(name: self.outcome.rawValue) ?? .completed
                return try await ledger.end(target.handle(in: ledger), outcome: outcome, details: details)
            }
        )
    }
}
