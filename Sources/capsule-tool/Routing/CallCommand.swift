import ArgumentParser
import Ledger

struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Record a model call, with as much of prompt and output as the policy keeps.",
        discussion: """
            RUN#N is the decision that allowed it. Prompt and output are read from files, and the policy's mode of
            capture says what is kept: nothing, their SHA-256, a summary too, the prompt's text, or both texts. With
            'redaction.on_ingest' secrets are taken out before anything is written.
            """
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var target: EventOptions

    @Option(help: "The model that was called.")
    var model: String

    @Option(help: "Who served it.")
    var provider: String?

    @Option(help: "The role that it was called for.")
    var role: String?

    @Option(help: ArgumentHelp("A file with the prompt; - for standard input.", valueName: "file"))
    var prompt: String?

    @Option(help: ArgumentHelp("A file with the output; - for standard input.", valueName: "file"))
    var output: String?

    @Option(help: "What it was about, in a sentence.")
    var summary: String?

    @Option(help: "Tokens of the input.")
    var inputTokens: Int?

    @Option(help: "Tokens of the output.")
    var outputTokens: Int?

    @Option(help: ArgumentHelp("How long it took.", valueName: "ms"))
    var latencyMs: Int64?

    @Option(help: ArgumentHelp("Why the provider stopped.", valueName: "reason"))
    var finishReason: String?

    @OptionGroup var receipt: ReceiptOutput

    func validate() throws {
        if prompt == "-", output == "-" { throw ValidationError("--prompt and --output cannot both be standard input") }
        guard [inputTokens, outputTokens].compactMap(\.self).allSatisfy({ (0...RoutingLimits.tokens).contains($0) })
        else { throw ValidationError("tokens are counts from 0 to \(RoutingLimits.tokens)") }
        if let latencyMs, !(0...86_400_000_000).contains(latencyMs) {
            throw ValidationError("--latency-ms is a number of milliseconds, 0 or more")
        }
    }

    func run() async throws {
        var call = ModelCall(model: model)
        call.decision = target.event.sequence
        (call.provider, call.role, call.summary) = (provider, role, summary)
        (call.inputTokens, call.outputTokens, call.finishReason) = (inputTokens, outputTokens, finishReason)
        call.durationNanoseconds = latencyMs.map { $0 * 1_000_000 }
        call.prompt = try prompt.map { try readInput($0, limit: Limits.bodyBytes) }
        call.output = try output.map { try readInput($0, limit: Limits.bodyBytes) }
        let final = call
        receipt.print(
            try await write.withLedger { ledger in
                try await ledger.record(final, in: target.handle(in: ledger))
            }
        )
    }
}
