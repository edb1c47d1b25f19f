/// The language, key by key. This is its one definition.
public enum PolicyLanguage {
    /// The keys of a source file, in the order in which they are best written.
    public static let keys: [PolicyKey] = [
        PolicyKey(
            "schema",
            .scalar(.integer(1...ModelPolicy.schemaVersion)),
            required: true,
            "The version of the language. A later tool compiles an older version to the same bytes."
        ),
        PolicyKey(
            "stages",
            .list(.newName(.stage), isSet: false, least: 1),
            required: true,
            "The stages of a run, in their order. A stage that is not named here is refused."
        ),
        PolicyKey("policy", .table(policy), required: true, "Which policy this is."),
        PolicyKey(
            "providers",
            .named(.defines(.provider), .table(provider)),
            required: true,
            "Where models are called."
        ),
        PolicyKey("models", .named(.defines(.model), .table(model)), required: true, "What may be called."),
        PolicyKey(
            "roles",
            .named(.defines(.role), .table(role)),
            required: true,
            "Kinds of work, and the models that do them. A role that is not named here is refused."
        ),
        PolicyKey(
            "escalations",
            .entries(escalation),
            "What is done when a role's models do not do. The first whose conditions hold applies; each applies once "
                + "in a task and never returns to a model that was tried."
        ),
        PolicyKey("risk", .table(risk), required: true, "The two classes of risk. Unstated and unknown risk is high."),
        PolicyKey("budgets", .table(budgets), "What a run may spend."),
        PolicyKey("enforcement", .table(enforcement), "How far each part is rolled out."),
        PolicyKey("capture", .table(capture), "How much of prompts and outputs a capsule keeps."),
        PolicyKey(
            "gates",
            .named(.defines(.gate), .named(.free("metric"), .table(criterion))),
            "Measures that must have been reached. An absent or stale result has not passed."
        ),
        PolicyKey("redaction", .table(redaction), "What must not leave the machine."),
        PolicyKey("approvals", .table(approvals), "Who must agree to the policy."),
        PolicyKey("overrides", .table(overrides), "What a spec's own file may change."),
    ]

    static let policy: [PolicyKey] = [
        PolicyKey(
            "name",
            .scalar(.policyName),
            required: true,
            "The name; names that begin with `builtin-` are taken."
        ),
        PolicyKey(
            "version",
            .scalar(.semanticVersion),
            required: true,
            "A semantic version, raised whenever the meaning changes."
        ),
        PolicyKey("owner", .scalar(.text), required: true, "Who answers for it; shown wherever the policy is shown."),
        PolicyKey(
            "effective",
            .scalar(.time),
            "`start` refuses the policy before this day (from 00:00 UTC) or time."
        ),
    ]

    static let provider: [PolicyKey] = [
        PolicyKey("api", .scalar(.choice(["anthropic", "openai"])), required: true, "Which protocol is spoken."),
        PolicyKey(
            "base_url",
            .scalar(.url),
            required: true,
            "Where; `https`, or `http` on this machine. It is the endpoint of the decision."
        ),
        PolicyKey(
            "api_key_env",
            .scalar(.environmentVariable),
            "The name of the variable that holds the key; without it no key is sent. Never the key itself."
        ),
        PolicyKey(
            "timeout",
            .scalar(.duration),
            as: "timeout_ms",
            default: .text("120s"),
            "A call that takes longer has timed out."
        ),
        PolicyKey("cooldown", .table(cooldown), "When the provider is put aside."),
    ]

    static let cooldown: [PolicyKey] = [
        PolicyKey(
            "after_failures",
            .scalar(.integer(1...1000)),
            default: .integer(3),
            "So many failures in a row put the provider aside."
        ),
        PolicyKey(
            "for",
            .scalar(.duration),
            as: "for_ms",
            default: .text("60s"),
            "So long its models are passed over."
        ),
    ]

    static let model: [PolicyKey] = [
        PolicyKey("provider", .scalar(.name(.provider)), required: true, "Who serves it."),
        PolicyKey("id", .scalar(.text), required: true, "What the provider calls it."),
        PolicyKey("locality", .scalar(.choice(["cloud", "local"])), required: true, "Where it runs."),
        PolicyKey("tier", .scalar(.integer(1...100)), required: true, "Its strength; larger is stronger."),
        PolicyKey(
            "context_tokens",
            .scalar(.integer(1...PolicyLimits.tokens)),
            required: true,
            "Input and output of a call fit in it, or the model is passed over."
        ),
        PolicyKey(
            "max_output_tokens",
            .scalar(.integer(1...PolicyLimits.tokens)),
            "The most that one answer has, which bounds what a call reserves; without it the context does."
        ),
        PolicyKey(
            "price_per_mtok",
            .table(price),
            as: "price_picousd_per_token",
            derived: "all zero for a local model; none for a cloud model",
            "Dollars for a million tokens. Needed for a cloud model where `budgets.per_run_usd` is set."
        ),
    ]

    private static let dollars = PolicyKind.scalar(.dollars(most: PolicyLimits.priceDollars))

    static let price: [PolicyKey] = [
        PolicyKey("input", dollars, required: true, "Of input."),
        PolicyKey("output", dollars, required: true, "Of output."),
        PolicyKey("cache_read", dollars, derived: "the price of input", "Of input that the provider had cached."),
        PolicyKey("cache_write", dollars, derived: "the price of input", "Of input that the provider caches."),
    ]

    private static let models = PolicyKind.list(.name(.model), isSet: false, least: 1)

    static let role: [PolicyKey] = [
        PolicyKey(
            "models",
            models,
            required: true,
            stricter: .subsequence,
            "The first is the choice; the rest are its fallbacks, in order."
        ),
        PolicyKey(
            "start_mode",
            .scalar(.name(.mode)),
            default: .text("default"),
            stricter: .only("default"),
            "The mode that a task starts in, where stage, risk and gate permit it; else the default mode."
        ),
        PolicyKey(
            "require",
            .table(require),
            "What every model must have that serves the role: choice, fallback, escalation."
        ),
        PolicyKey(
            "modes",
            .named(.defines(.mode), .table(mode)),
            "Other ways to do the role's work, besides the default mode that the role itself describes."
        ),
    ]

    static let require: [PolicyKey] = [
        PolicyKey(
            "locality",
            .scalar(.choice(["cloud", "local"])),
            stricter: .present,
            "Where the model runs. The role `judge` must say `cloud`."
        ),
        PolicyKey("tier_at_least", .scalar(.integer(1...100)), stricter: .higher, "The least tier."),
        PolicyKey(
            "context_tokens_at_least",
            .scalar(.integer(1...PolicyLimits.tokens)),
            stricter: .higher,
            "The least context."
        ),
    ]

    static let mode: [PolicyKey] = [
        PolicyKey(
            "models",
            models,
            required: true,
            stricter: .subsequence,
            "The choice and its fallbacks in this mode."
        ),
        PolicyKey(
            "stages",
            .list(.name(.stage), isSet: true, least: 1),
            derived: "all stages",
            stricter: .subsequence,
            "The stages in which the mode is permitted."
        ),
        PolicyKey(
            "gate",
            .scalar(.name(.gate)),
            stricter: .present,
            "The gate that must have passed; without it, none."
        ),
    ]

    static let escalation: [PolicyKey] = [
        PolicyKey("id", .scalar(.newName(.escalation)), required: true, "Its name, by which layers change it."),
        PolicyKey("role", .scalar(.name(.role)), required: true, "The role to which it applies."),
        PolicyKey("when", .table(when), required: true, "All of these must hold; at least one must be a limit."),
        PolicyKey("to", .table(to), required: true, "What is done then."),
    ]

    static let when: [PolicyKey] = [
        PolicyKey("mode", .scalar(.name(.mode)), "The task is in this mode; without it, in any."),
        PolicyKey("failed_attempts", .scalar(.integer(1...100)), "So many attempts of the task have failed, or more."),
        PolicyKey(
            "confidence_below",
            .scalar(.ratio(1...1_000_000)),
            as: "confidence_below_ppm",
            "The confidence that was asserted is less; none asserted is less."
        ),
    ]

    static let to: [PolicyKey] = [
        PolicyKey("mode", .scalar(.name(.mode)), "The task goes on in this mode."),
        PolicyKey(
            "tier_at_least",
            .scalar(.integer(1...100)),
            "The task goes on with a model of this tier or above that was not tried: the lowest such tier, "
                + "and within it the role's own models first."
        ),
        PolicyKey("then", .scalar(.choice(["human"])), "A human is asked when no such model is left, or at once."),
    ]

    static let risk: [PolicyKey] = ["high", "low"].map { name in
        PolicyKey(name, .table(riskClass), required: true, "The rules of runs of \(name) risk.")
    }

    static let riskClass: [PolicyKey] = [
        PolicyKey(
            "deny_modes",
            .list(.name(.mode), isSet: true, least: 0),
            default: .texts([]),
            stricter: .superset,
            "Modes that are not permitted."
        ),
        PolicyKey(
            "evidence",
            .scalar(.choice(["written", "durable"])),
            required: true,
            stricter: .words(["written", "durable"]),
            "When the decision is kept: `durable` is on disk before the call, `written` is in the file."
        ),
    ]

    private static let share = PolicyScalar.ratio(1...1_000_000)

    static let budgets: [PolicyKey] = [
        PolicyKey(
            "per_run_usd",
            .scalar(.dollars(most: PolicyLimits.budgetDollars)),
            as: "per_run_microusd",
            stricter: .lower,
            "The most that a run spends. Zero serves nothing; without it money is not limited."
        ),
        PolicyKey(
            "warn_at",
            .scalar(share),
            as: "warn_at_ppm",
            default: .text("0.80"),
            stricter: .lower,
            "The share of a budget at which one alert is recorded; not after `stop_at`."
        ),
        PolicyKey(
            "stop_at",
            .scalar(share),
            as: "stop_at_ppm",
            default: .text("1.00"),
            stricter: .lower,
            "The share of a budget beyond which no call is reserved."
        ),
        PolicyKey(
            "tokens",
            .named(.refers(.stage), .scalar(.integer(0...PolicyLimits.tokens))),
            stricter: .lower,
            "The most tokens of a run in a stage, input and output together; a stage not named has no limit."
        ),
    ]

    private static let modes = PolicyScalar.choice(["observe", "warn", "enforce"])

    private static func part(_ name: String, default word: String, _ note: String) -> PolicyKey {
        PolicyKey(
            name,
            .scalar(modes),
            default: .text(word),
            stricter: .words(["observe", "warn", "enforce"]),
            note
        )
    }

    static let enforcement: [PolicyKey] = [
        part("routing", default: "enforce", "Whether a refusal of the router is noted, told, or done."),
        part("budgets", default: "enforce", "The same of a budget that is spent."),
        part("gates", default: "enforce", "The same of a gate that has not passed."),
        part("approvals", default: "observe", "The same of a policy that is not approved."),
    ]

    static let capture: [PolicyKey] = [
        PolicyKey(
            "mode",
            .scalar(.choice(["none", "hash", "summary", "prompts_only", "full_io"])),
            default: .text("summary"),
            stricter: .capture,
            "What is recorded of prompts and outputs."
        )
    ]

    static let criterion: [PolicyKey] = [
        PolicyKey(
            "at_most",
            .scalar(.decimal),
            as: "at_most_millionths",
            stricter: .lower,
            "The measure is this or less."
        ),
        PolicyKey(
            "at_least",
            .scalar(.decimal),
            as: "at_least_millionths",
            stricter: .higher,
            "The measure is this or more."
        ),
        PolicyKey(
            "samples",
            .scalar(.integer(1...1_000_000_000)),
            default: .integer(1),
            stricter: .higher,
            "A result that rests on fewer has not passed."
        ),
        PolicyKey(
            "newer_than",
            .scalar(.duration),
            as: "newer_than_ms",
            default: .text("30d"),
            stricter: .lower,
            "An older result has not passed."
        ),
    ]

    static let redaction: [PolicyKey] = [
        PolicyKey(
            "environment",
            .list(.glob, isSet: true, least: 0),
            default: .texts(["*_KEY", "*_PASSWORD", "*_SECRET", "*_TOKEN"]),
            stricter: .superset,
            "Values of environment variables with such names are taken out."
        ),
        PolicyKey(
            "files",
            .list(.glob, isSet: true, least: 0),
            default: .texts([".env", "credentials", "secrets"]),
            stricter: .superset,
            "Contents of files with such names are taken out."
        ),
        PolicyKey(
            "on_ingest",
            .scalar(.boolean),
            default: .boolean(false),
            stricter: .truth,
            "Whether this happens before content is recorded, and not only when it is exported."
        ),
    ]

    static let approvals: [PolicyKey] = [
        PolicyKey(
            "required",
            .scalar(.integer(1...100)),
            default: .integer(1),
            stricter: .higher,
            "So many different people must have signed."
        ),
        PolicyKey(
            "exclude_author",
            .scalar(.boolean),
            default: .boolean(true),
            stricter: .truth,
            "Whether the signature of an author of the change does not count."
        ),
        PolicyKey(
            "signers",
            .scalar(.path),
            "The `allowed_signers` file, from the root of the workspace. Needed where "
                + "`enforcement.approvals` is not `observe`."
        ),
    ]

    static let overrides: [PolicyKey] = [
        PolicyKey(
            "allow",
            .list(.keyPattern, isSet: true, least: 0),
            default: .texts([]),
            "Keys that a spec's file may change; `*` stands for one name, and a table for all in it."
        ),
        PolicyKey(
            "tighten_only",
            .list(.keyPattern, isSet: true, least: 0),
            default: .texts([]),
            "Keys that a spec's file may change in the stricter direction only, whatever `allow` says."
        ),
    ]

    /// Keys that no layer but the workspace's may set.
    public static let fixedKeys: Set<String> = ["policy", "overrides"]
}
