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

            A call that its decision did not allow, or a second one, is recorded too, with a warning: it was made.
            'verify --require-decisions' finds it.
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

    @OptionGroup var facts: CallFacts

    @OptionGroup var receipt: ReceiptOutput

    func validate() throws {
        if prompt == "-", output == "-" { throw ValidationError("--prompt and --output cannot both be standard input") }
    }

    func run() async throws {
        var call = ModelCall(model: model)
        call.decision = target.event.sequence
        (call.provider, call.role, call.summary) = (provider, role, summary)
        (call.inputTokens, call.outputTokens) = (facts.inputTokens, facts.outputTokens)
        (call.finishReason, call.durationNanoseconds) = (facts.finishReason, facts.durationNanoseconds)
        call.prompt = try prompt.map { try readInput($0, limit: Limits.bodyBytes) }
        call.output = try output.map { try readInput($0, limit: Limits.bodyBytes) }
        let final = call
        let written = try await write.withLedger { ledger in
            try await ledger.record(final, in: target.handle(in: ledger))
        }
        receipt.print(written)
        warn(of: written.event)
    }

    /// Says what is wrong with the call against its decision. It is recorded all the same: it was made, and a record
    /// that left it out would hide it.
    private func warn(of event: EventReference) {
        do {
            let audit = try LedgerReader(CapsuleFile(write.capsule.path())).auditRouting(of: event.run)
            for finding in audit.findings where finding.event == event {
                let words = "\(finding.problem.reason) [\(finding.problem.code)]"
                complain("warning: \(words); it is recorded, and 'verify --require-decisions' fails for it")
            }
        } catch {
            // A failure would look as if nothing were recorded, and be tried again.
            complain("warning: the call is recorded, and could not be compared with its decision: \(error)")
        }
    }
}
