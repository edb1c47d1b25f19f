import ArgumentParser
import Ledger

/// A run's event, as `RUN#12`.
struct EventArgument {
    var run: String
    var sequence: UInt32

    init(_ text: String) throws {
        guard let mark = text.lastIndex(of: "#"), let sequence = UInt32(text[text.index(after: mark)...]) else {
            throw ValidationError(
                "'\(text)' names no event: write RUN#12, with the run's ID, a prefix of it, or its name"
            )
        }
        run = String(text[..<mark])
        self.sequence = sequence
    }
}

/// Which event of a run a command is about, and the token of an exclusive run.
struct EventOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The decision, as 'route' printed it.", valueName: "run#n"),
        transform: { try EventArgument($0) }
    )
    var event: EventArgument

    @Option(help: ArgumentHelp("The token that 'start --exclusive' printed.", valueName: "token"))
    var token: String?

    func handle(in ledger: CapsuleLedger) async throws -> RunHandle {
        RunHandle(try await ledger.resolve(event.run), token: token ?? Terminal.environment("CAPSULE_TOKEN"))
    }
}

struct SettleCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settle",
        abstract: "Tell how a routed call ended: what was served, what it used and cost.",
        discussion: """
            Once for each decision. What the call did not use is free again; a cost that nobody states is worked out
            from the tokens and the policy's prices, and without tokens the whole reservation is spent.
            Outcomes: completed · rejected (an answer that was no good: a failed attempt) · timeout · unavailable ·
            rate_limited · unauthorized · context_exceeded (each passes the model over for a while) · safety_refusal ·
            cancelled.
            """
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var target: EventOptions

    @Option(help: ArgumentHelp("How it ended.", valueName: "outcome"))
    var outcome: CallOutcome = .completed

    @Option(help: ArgumentHelp("What the provider says it served.", valueName: "model"))
    var served: String?

    @OptionGroup var facts: CallFacts

    @Option(help: "Tokens of the input that the provider had cached.")
    var cacheReadTokens: Int?

    @Option(help: "Tokens of the input that the provider cached.")
    var cacheWriteTokens: Int?

    @Option(help: ArgumentHelp("What it cost, as a decimal; without it the policy's prices say.", valueName: "dollars"))
    var costUsd: String?

    @Option(help: "A key of your own: a retry with the same one settles nothing twice.")
    var key: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        try CallFacts.check([cacheReadTokens, cacheWriteTokens])
        if let costUsd, USD(decimal: costUsd) == nil {
            throw ValidationError("--cost-usd is dollars, such as 0.0525, with at most twelve places")
        }
    }

    func run() async throws {
        var settlement = Settlement(of: target.event.sequence, outcome)
        settlement.servedModel = served
        settlement.inputTokens = facts.inputTokens
        settlement.outputTokens = facts.outputTokens
        settlement.cacheReadTokens = cacheReadTokens
        settlement.cacheWriteTokens = cacheWriteTokens
        settlement.cost = costUsd.flatMap(USD.init(decimal:))
        settlement.durationNanoseconds = facts.durationNanoseconds
        settlement.finishReason = facts.finishReason
        let (final, key) = (settlement, key)
        let settled = try await write.withLedger { ledger in
            try await ledger.settle(final, in: target.handle(in: ledger), key: key)
        }
        if let overrun = settled.overrun {
            complain("warning: the call cost $\(overrun) more than was reserved for it")
        }
        guard json else {
            let cost = settled.cost.map { "  $\($0)" } ?? ""
            return Output.line("\(settled.receipt.event)\(cost)")
        }
        var members = ReceiptOutput.value(settled.receipt).object ?? JSONValue.Members()
        members["cost_usd"] = settled.cost.map { .string("\($0)") } ?? .null
        members["overrun_usd"] = settled.overrun.map { .string("\($0)") } ?? .null
        Output.json(.object(members))
    }
}

extension CallOutcome: ExpressibleByArgument {
    public init?(argument: String) { self.init(rawValue: argument.replacing("-", with: "_")) }
}

struct AnswerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "answer",
        abstract: "Record what a human decided of a decision that asks one.",
        discussion: """
            The task's next decision sees it: it goes on as before, with the model that was named if the policy permits
            it, or not at all.
            """
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var target: EventOptions

    @Flag(help: "Go on as before.")
    var proceed = false

    @Flag(help: "Do not go on with this task.")
    var stop = false

    @Option(help: "Go on with this model of the policy.")
    var model: String?

    @Option(help: "Who decided.")
    var by: String

    @Option(help: "Why.")
    var reason: String?

    @OptionGroup var output: ReceiptOutput

    func validate() throws {
        guard [proceed, stop, model != nil].filter(\.self).count == 1 else {
            throw ValidationError("say one of --proceed, --stop and --model MODEL")
        }
    }

    func run() async throws {
        let answer: HumanAnswer = model.map { .model($0) } ?? (stop ? .stop : .proceed)
        var decision = HumanDecision(of: target.event.sequence, answer, by: by)
        decision.reason = reason
        let final = decision
        output.print(
            try await write.withLedger { ledger in
                try await ledger.answer(final, in: target.handle(in: ledger))
            }
        )
    }
}

struct OverrideCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "override",
        abstract: "Set a rule of a run's policy aside, and say who and why.",
        discussion: """
            RULE is budgets.per_run_usd or budgets.tokens.STAGE, with an --amount that is added to the limit, or
            gates.GATE, which then counts as passed. --break-glass sets every budget and gate aside; what a role
            requires and what the class of risk denies hold all the same. It is an event of the run; reports list it.
            """
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var target: RunOptions

    @Argument(help: "The rule; without it, with --break-glass, budgets and gates.")
    var rule: String?

    @Option(help: "Dollars or tokens more.")
    var amount: String?

    @Option(help: "Who sets it aside.")
    var by: String

    @Option(help: "Why.")
    var reason: String

    @Option(help: ArgumentHelp("Until when, RFC 3339; without it to the end of the run.", valueName: "time"))
    var expires: String?

    @Flag(help: "Set every budget and gate aside.")
    var breakGlass = false

    @Flag(help: "Sign it with an SSH key, as a policy that enforces approvals asks for; --by is then your name there.")
    var sign = false

    @Option(help: ArgumentHelp("The key to sign with; without it git's, or one in ~/.ssh.", valueName: "file"))
    var key: String?

    @OptionGroup var output: ReceiptOutput

    func validate() throws {
        if key != nil, !sign { throw ValidationError("--key goes with --sign") }
        if rule == nil, !breakGlass { throw ValidationError("name a rule, or say --break-glass") }
        if let expires, Timestamp(rfc3339: expires) == nil {
            throw ValidationError("--expires is a time like 2026-11-23T14:00:00Z (RFC 3339)")
        }
    }

    func run() async throws {
        var request = OverrideRequest(rule ?? "budgets", by: by, reason: reason)
        request.amount = amount
        request.expires = expires.flatMap { Timestamp(rfc3339: $0) }
        request.breaksGlass = breakGlass
        let final = request
        output.print(
            try await write.withLedger { ledger in
                let handle = try await target.handle(in: ledger)
                return try await ledger.override(sign ? signed(final, handle.id) : final, in: handle)
            }
        )
    }

    private func signed(_ request: OverrideRequest, _ run: RunID) throws -> OverrideRequest {
        let key = try SigningKey(option: key, workspace: PolicyWorkspace(root: ".", file: ""))
        let folder = try ScratchFolder()
        defer { folder.remove() }
        let path = folder.file("override.json")
        try TextFile(path).replace(with: request.message(of: run))
        try PolicyCommand.Approve.sign(
            ["ssh-keygen", "-Y", "sign", "-n", OverrideSignature.namespace, "-f", key.path, path]
        )
        var signed = request
        let bytes = try readInput("\(path).sig", limit: ApprovalLimits.signatureBytes)
        signed.signature = String(decoding: bytes, as: UTF8.self)
        return signed
    }
}
