import ArgumentParser
import Ledger

/// What is said of a run when it begins, for `start` and `record`.
struct RunStartOptions: ParsableArguments {
    @OptionGroup var policy: PolicyChoice

    @Option(help: "Your own name of the run. Repeating the command then gives the same run.")
    var name: String?

    @Option(help: "What the run is for, like SPEC-KIT-977. Its own policy file is policy/specs/SPEC.toml (or .yaml).")
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

    func runStart(in ledger: CapsuleLedger) async throws -> RunStart {
        var start = try await policy.runStart(in: ledger, spec: spec, risk: risk?.rawValue)
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
        abstract: "Begin a run under the policy in force, and print its ID.",
        discussion: """
            The policy is model_policy.toml (or .yaml), found upwards from the current folder, with the spec's own file
            laid over it; --policy names another, --snapshot takes one that was compiled before. It is compiled and
            stored in the capsule with where it came from, and looked at again at each stage and checkpoint: a change
            that only tightens is taken up, and one that is approved; another is not, and the timeline says so.

            When the policy does not load, or enforces approvals and lacks some, a run of high risk (which unstated
            risk is) is refused: it is recorded as refused, nothing is printed, and the exit status is 78. A run of low
            risk begins, with a warning, under the snapshot that was bound last in the capsule, else under one that
            routes nothing.
            """
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var options: RunStartOptions

    @Flag(help: "Print a token too, without which nothing can be appended to the run.")
    var exclusive = false

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let (started, bound) = try await write.withLedger { ledger in
            var start = try await options.runStart(in: ledger)
            start.isExclusive = exclusive
            return (try await ledger.start(start), start.bound)
        }
        let failure = bound?.failure
        if json {
            Output.json([
                "run": .string("\(started.handle.id)"), "snapshot": .string(PolicySnapshot.text(started.snapshot)),
                "token": started.handle.token.map { .string($0) } ?? .null, "repeated": .bool(started.receipt.isRepeat),
                "refused": .bool(started.isRefused), "policy_failure": failure.map { .string($0.reason) } ?? .null,
                "approved": bound?.origin.approvals.map { .bool($0.verdict.isApproved) } ?? .null,
            ])
        } else if !started.isRefused {
            Output.line("\(started.handle.id)")
            if let token = started.handle.token { Output.line(token) }
        }
        try tell(bound, of: started)
    }
}

/// Says what a policy that does not load, or lacks approvals, has led to.
///
/// - Throws: `Failure` when the run was refused.
func tell(_ bound: BoundPolicy?, of started: StartedRun) throws {
    if let warning = bound?.approvalWarning {
        complain("warning: the policy is not approved: \(warning). 'capsule-tool policy approvals' tells all")
    }
    guard let failure = bound?.failure else { return }
    let cause = failure.cause.words
    let command = failure.cause == .doesNotLoad ? "policy validate" : "policy approvals"
    switch failure.action {
    case .refused:
        throw Failure(
            .policyFault,
            "refused: \(cause), and this run is of high risk: \(failure.reason). "
                + "'capsule-tool \(command)' tells all; the refusal is recorded as run \(started.handle.id)"
        )
    case .lastBound:
        complain(
            "warning: \(cause): \(failure.reason). The run is under the snapshot that was bound last, "
                + PolicySnapshot.text(started.snapshot)
        )
    case .fallback:
        complain(
            "warning: \(cause): \(failure.reason). No other was bound in this capsule: the run is "
                + "under builtin-fallback, which routes nothing"
        )
    }
}
