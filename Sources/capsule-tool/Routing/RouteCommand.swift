import ArgumentParser
import Ledger

struct RouteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "route",
        abstract: "Ask which model may do a piece of work, reserve what it may cost, and record why.",
        discussion: """
            The decision is in the capsule before this returns: on disk where the policy's class of risk says
            'evidence = durable'. It prints the decision's place, the model and where to call it. Call the model with at
            most the printed output tokens, then tell how it ended with 'settle RUN#N'.
            The same --key gives the first decision again. --dry-run explains and records nothing.
            Exit status: 0 a model, or a refusal that does not bind · 1 refused, or a human is asked · else as others.
            """
    )

    @OptionGroup var write: WriteOptions

    @Option(name: .customLong("run"), help: "The run: its ID, a unique prefix of it, or its name.")
    var runName: String

    @Option(help: ArgumentHelp("The token that 'start --exclusive' printed.", valueName: "token"))
    var token: String?

    @Option(help: "The role of the policy that the work is for.")
    var role: String

    @Option(help: "Your name of the piece of work: attempts and escalations are counted by role and task.")
    var task: String = ""

    @Option(help: "The mode to work in; without it the role's start mode. One that is not permitted gives the default.")
    var mode: String?

    @Option(help: "The stage that the work belongs to; without it the run's.")
    var stage: String?

    @Option(help: "high raises the risk of this call; nothing lowers the run's.")
    var risk: String?

    @Option(help: "How sure you are of what the task gave so far, 0 to 1; without it, not at all.")
    var confidence: String?

    @Option(help: "Tokens of the input, about; without it all that the context holds is reserved.")
    var inputTokens: Int?

    @Option(help: "The most tokens that you will let the model write; without it what the model can.")
    var maxOutputTokens: Int?

    @Option(help: "The model that you call if the policy does not bind you.")
    var model: String?

    @Option(help: "Who asks.")
    var by: String?

    @Option(help: "A key of your own: a retry with the same one reserves nothing twice.")
    var key: String?

    @Option(help: .hidden, transform: { try TimeArgument($0) })
    var now: TimeArgument?

    @Flag(help: "Explain what would be decided now, and record nothing.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if confidence != nil, ratio == nil {
            throw ValidationError("--confidence is a number from 0 to 1 with at most six places")
        }
        if dryRun, key != nil { throw ValidationError("--dry-run records nothing, and takes no --key") }
    }

    /// Read exactly: a rounded one could be on the other side of a bound.
    private var ratio: Ratio? {
        guard let amount = confidence.flatMap(USD.init(decimal:)), amount.picodollars % 1_000_000 == 0 else {
            return nil
        }
        let ratio = Ratio(millionths: amount.picodollars / 1_000_000)
        return ratio.millionths <= 1_000_000 ? ratio : nil
    }

    private var request: RoutingRequest {
        let time = now?.first ?? .now
        var request = RoutingRequest(role: role, task: task, now: time.nanoseconds / 1_000_000)
        request.mode = mode
        request.stage = stage
        request.risk = risk
        request.confidence = ratio
        request.inputTokens = inputTokens
        request.maxOutputTokens = maxOutputTokens
        request.model = model
        request.by = by
        return request
    }

    func run() async throws {
        if dryRun { return try explain() }
        let routed = try await write.withLedger { ledger in
            let handle = RunHandle(
                try await ledger.resolve(runName),
                token: token ?? Terminal.environment("CAPSULE_TOKEN")
            )
            return try await ledger.route(request, in: handle, key: key)
        }
        for alert in routed.alerts { complain("warning: \(DecisionText.alert(alert))") }
        for exception in routed.decision.exceptions where exception.mode == "warn" {
            complain("warning: the policy's \(exception.part) would have refused this: \(exception.reason)")
        }
        warnOfReserving(routed.decision)
        if json {
            var members = ReceiptOutput.value(routed.receipt).object ?? JSONValue.Members()
            members["decision"] = routed.decision.body
            members["permits_call"] = .bool(routed.decision.permitsCall)
            Output.json(.object(members))
        } else {
            for line in DecisionText.answer(routed.decision, at: "\(routed.receipt.event)") { Output.line(line) }
        }
        if !routed.decision.permitsCall { throw QuietFailure(ExitStatus.no.rawValue) }
    }

    /// Who states no tokens is refused by a small budget, and finds nothing spent.
    private func warnOfReserving(_ decision: RecordedDecision) {
        guard ["budget-usd", "budget-tokens"].contains(decision.reason), inputTokens == nil || maxOutputTokens == nil
        else { return }
        complain("next: state --input-tokens and --max-output-tokens; what is not stated reserves the whole context")
    }

    private func explain() throws {
        let reader = try openReader(write.capsule)
        let row = try reader.run(runName)
        let (decision, map) = try reader.wouldRoute(request, in: row.id)
        if json {
            Output.json(["dry_run": true, "decision": decision.body, "permits_call": .bool(decision.permitsCall)])
        } else {
            Output.line("not recorded")
            for line in DecisionText.explanation(decision, map: map, width: Terminal.width) { Output.line(line) }
        }
        warn(reader)
        if !decision.permitsCall { throw QuietFailure(ExitStatus.no.rawValue) }
    }
}
