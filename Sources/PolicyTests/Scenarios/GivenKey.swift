import ModelPolicy

/// What a scenario can give: the inputs of one decision, as they are at the beginning of a run where nothing is said.
public enum GivenKey: String, Sendable, CaseIterable {
    case policy
    case role
    case task
    case mode
    case stage
    case runStage = "run_stage"
    case risk
    case requestRisk = "request_risk"
    case confidence
    case inputTokens = "input_tokens"
    case outputTokens = "output_tokens"
    case failedAttempts = "failed_attempts"
    case settled
    case tried
    case failed
    case fired
    case asked
    case answer
    case spentUSD = "spent_usd"
    case spentShare = "spent_share"
    case reservedUSD = "reserved_usd"
    case tokens
    case failing
    case gates
    case overrides
    case alerted
    case enforcement
    case roomForTask = "room_for_task"
    case now

    /// The key, what it holds, and what it says.
    var key: ScenarioKey { Self.keys[self] ?? ScenarioKey(rawValue, .scalar(.text), "") }

    /// What the key does, in a sentence.
    public var note: String { key.note }

    /// What it holds, in words that follow "is".
    public var words: String { key.kind.words }

    private static let count = PolicyScalar.integer(0...PolicyTestLimits.count)
    private static let tokenCount = PolicyScalar.integer(0...PolicyLimits.tokens)
    private static let enforcementMode = ScenarioKind.scalar(.choice(EnforcementMode.allCases.map(\.rawValue)))

    private static let keys: [GivenKey: ScenarioKey] = {
        let all = ofRequest + ofTask + ofRun
        return Dictionary(uniqueKeysWithValues: all.map { ($0.0, ScenarioKey($0.0.rawValue, $0.1, $0.2)) })
    }()

    private typealias Row = (GivenKey, ScenarioKind, String)

    private static let ofRequest: [Row] = [
        (.role, .scalar(.name(.role)), "The role that asks. Required."),
        (.task, .scalar(.text), "The task; \"task\" if none is given."),
        (.mode, .scalar(.name(.mode)), "The mode that is wished for; without it the role's `start_mode`."),
        (.stage, .scalar(.name(.stage)), "The stage that the request names; without it the run's."),
        (.requestRisk, .scalar(.text), "The risk that the request claims; anything but `low` raises it to high."),
        (.confidence, .stated(.ratio(0...1_000_000)), "How sure the caller is; without it, not at all."),
        (
            .inputTokens, .stated(tokenCount),
            "Tokens of the input; 100 if nothing is given, and `\"none\"` for a request that does not say."
        ),
        (
            .outputTokens, .stated(.integer(1...PolicyLimits.tokens)),
            "The most tokens of the output; 100 if nothing is given, and `\"none\"` for a request that does not say."
        ),
        (.now, .scalar(.time), "The time of the request; 2026-01-01T00:00:00Z if none is given."),
    ]

    private static let ofTask: [Row] = [
        (.failedAttempts, .scalar(count), "Attempts of the task that failed."),
        (.settled, .scalar(count), "Calls of the task that were settled; as many as failed if none is given."),
        (.tried, .list(.name(.model)), "Models that the task has called."),
        (
            .failed, .named(.model, .age),
            "Models whose call failed in this task so that they are passed over, so long ago."
        ),
        (
            .fired,
            .either(
                .list(.name(.escalation)),
                .named(
                    .escalation,
                    .table([
                        ScenarioKey("failed_attempts", .scalar(count), "Attempts that had failed when it fired."),
                        ScenarioKey("settled", .scalar(count), "Calls that were settled when it fired."),
                    ])
                )
            ),
            "Escalations that fired in the task, just now where no counts are given; the task is where they led to."
        ),
        (.asked, .scalar(.boolean), "A human was asked and has not answered."),
        (
            .answer,
            .either(
                .scalar(.choice(["proceed", "stop"])),
                .table([ScenarioKey("model", .scalar(.name(.model)), required: true, "The model that was named.")])
            ),
            "What a human answered."
        ),
        (.roomForTask, .scalar(.boolean), "`false`: the run has as many tasks as are kept."),
    ]

    private static let ofRun: [Row] = [
        (
            .policy, .scalar(.choice(BuiltinPolicy.allCases.map(\.rawValue))),
            "The policy did not load, and this took its place."
        ),
        (
            .risk, .scalar(.choice(RiskClass.allCases.map(\.rawValue))),
            "The run's class of risk; high if none is given."
        ),
        (.runStage, .scalar(.name(.stage)), "The stage that the run is in."),
        (.spentUSD, .money, "Dollars that the run has spent."),
        (
            .spentShare, .scalar(.ratio(0...10_000_000)),
            "The same, as a share of `budgets.per_run_usd` (nothing where there is none)."
        ),
        (.reservedUSD, .money, "Dollars that calls under way have reserved."),
        (.tokens, .named(.stage, .scalar(tokenCount)), "Tokens used, by stage; under `\"\"` those of no stage."),
        (
            .failing,
            .named(
                .provider,
                .table([
                    ScenarioKey(
                        "failures",
                        .scalar(.integer(1...PolicyTestLimits.count)),
                        "So many failures in a row; 1."
                    ),
                    ScenarioKey("age", .age, "The last was so long ago; 0s."),
                ])
            ),
            "Providers whose last call failed."
        ),
        (
            .gates,
            .named(
                .gate,
                .named(
                    nil,
                    .table([
                        ScenarioKey("value", .scalar(.decimal), required: true, "What was measured."),
                        ScenarioKey("samples", .scalar(count), "It rests on so many samples; 1."),
                        ScenarioKey("age", .age, "It was recorded so long ago; 0s."),
                    ])
                )
            ),
            "The newest results of gates, by metric."
        ),
        (
            .overrides,
            .tables([
                ScenarioKey("rule", .scalar(.text), "`budgets.per_run_usd`, `budgets.tokens.STAGE` or `gates.GATE`."),
                ScenarioKey("amount", .scalar(.text), "So much more of the budget."),
                ScenarioKey("break_glass", .scalar(.boolean), "Budgets and gates stop nothing."),
                ScenarioKey("expired", .scalar(.boolean), "It counts no longer."),
            ]),
            "Overrides that were made in the run."
        ),
        (.alerted, .list(.text), "Alerts that were given, such as `\"warn budgets.per_run_usd\"`."),
        (
            .enforcement,
            .table(
                ["routing", "budgets", "gates"].map { ScenarioKey($0, enforcementMode, "As `enforcement.\($0)`.") }
            ),
            "The enforcement that the run began under, where it is not the policy's."
        ),
    ]
}
