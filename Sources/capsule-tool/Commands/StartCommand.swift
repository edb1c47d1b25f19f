import ArgumentParser
import Ledger

/// What is said of a run when it begins, for `start` and `record`.
struct RunStartOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The policy: a file of canonical JSON, or sha256:… of a snapshot in the capsule.",
            valueName: "file|id"
        )
    )
    var snapshot: String

    @Option(help: "Your own name of the run. Repeating the command then gives the same run.")
    var name: String?

    @Option(help: "What the run is for, like SPEC-KIT-977.")
    var spec: String?

    @Option(help: "high or low. Unstated risk is high.")
    var risk: Risk?

    @Option(help: "Who starts the run.")
    var actor: String?

    @Option(name: .customLong("label"), help: ArgumentHelp("A label; may be repeated.", valueName: "name=value"))
    var labels: [String] = []

    @Option(help: "The stage in which the run begins.")
    var stage: String?

    @Option(help: ArgumentHelp("Position in a trace (W3C Trace Context).", valueName: "traceparent"))
    var trace: String?

    enum Risk: String, ExpressibleByArgument, CaseIterable {
        case high
        case low
    }

    func runStart(state: CapsuleState) throws -> RunStart {
        var start = RunStart(try policyArgument(snapshot, state: state))
        start.name = name
        start.spec = spec
        start.risk = risk?.rawValue
        start.actor = actor
        start.stage = stage
        start.labels = try labels.map { label in
            let parts = label.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw ValidationError("a label looks like name=value, not '\(label)'")
            }
            return (String(parts[0]), String(parts[1]))
        }
        if let trace {
            guard let context = TraceContext(traceparent: trace) else {
                throw ValidationError("'\(trace)' is not a traceparent of W3C Trace Context, version 00")
            }
            start.trace = context
        }
        return start
    }
}

struct StartCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "start",
        abstract: "Begin a run under a policy snapshot, and print its ID."
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var options: RunStartOptions

    @Flag(help: "Print a token too, without which nothing can be appended to the run.")
    var exclusive = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let started = try await write.withLedger { ledger in
            var start = try options.runStart(state: await ledger.queue.state())
            start.isExclusive = exclusive
            return try await ledger.start(start)
        }
        if json {
            Output.json([
                "run": .string("\(started.handle.id)"), "snapshot": .string(PolicySnapshot.text(started.snapshot)),
                "token": started.handle.token.map { .string($0) } ?? .null, "repeated": .bool(started.receipt.isRepeat),
            ])
        } else {
            Output.line("\(started.handle.id)")
            if let token = started.handle.token { Output.line(token) }
        }
    }
}
