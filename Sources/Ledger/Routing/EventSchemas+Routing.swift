import ModelRouter

/// What the router writes: strict, because every member of a decision is derived again in a replay.
extension EventSchemas {
    private static let word = JSONSchema.string(minLength: 1, maxLength: 64)
    private static let rule = JSONSchema.string(minLength: 1, maxLength: 400)
    /// Names that a caller gives: one that is too long is recorded as too long, and the request refused.
    private static let given = JSONSchema.string(maxLength: RoutingLimits.nameBytes + 4)
    private static let millis = JSONSchema.integer(in: 0...JSONSchema.safeIntegers.upperBound)
    private static let amount = strict([.required("tokens", count), .required("usd", money)])

    private static func strict(_ properties: [JSONSchema.Property]) -> JSONSchema {
        JSONSchema.object(properties, additional: .refused)
    }

    private static func words<Word: RawRepresentable<String> & CaseIterable>(_: Word.Type) -> JSONSchema {
        .string(oneOf: Word.allCases.map(\.rawValue))
    }

    static let routingDecision = strict([
        .required("asserted", asserted.described("what the caller said")),
        .required("budget", budget.described("the budgets that count, with overrides, before and after")),
        .required("candidates", .array(of: candidate, maxItems: 1000)),
        .required("causes", .array(of: words(RoutingDecision.Cause.self), maxItems: 64)),
        .required("derived", derived.described("what the run's earlier events say")),
        .optional("endpoint", text.described("where the model is called")),
        .optional("escalation", escalation.described("the escalation that fires")),
        .required("evidence", words(EvidenceRule.self)),
        .optional("exceptions", .array(of: exception, maxItems: 16)),
        .required("inputs", digest.described("SHA-256 of the canonical JSON of asserted and derived")),
        .optional("max_output_tokens", count.described("what the reservation covers")),
        .optional("mode", name), .optional("model", name), .optional("model_id", text),
        .required("now_ms", millis), .optional("provider", name),
        .optional("reason", words(RoutingDecision.Refusal.self)), .optional("reserved", amount),
        .required("result", .string(oneOf: ["model", "refused", "human"])),
        .required("risk", words(RiskClass.self)), .required("role", .string(maxLength: 10_000)),
        .required("rule", rule), .required("semantics", count), .required("snapshot", digest),
    ]).titled("Which model was chosen, and why")

    private static let asserted = strict([
        .optional("by", given), .optional("confidence_ppm", .integer()), .optional("input_tokens", .integer()),
        .optional("max_output_tokens", .integer()), .optional("mode", given), .optional("model", given),
        .required("now_ms", .integer()), .optional("risk", given), .required("role", given),
        .optional("stage", given), .required("task", given),
    ])

    private static let budget = strict([
        .required("after", amount), .required("before", amount), .optional("limit_tokens", count),
        .optional("limit_usd", money), .optional("stage", name),
    ])

    private static let candidate = strict([
        .optional("cost", amount), .required("model", name),
        .required("verdict", words(RoutingDecision.Candidate.Verdict.self)),
    ])

    private static let escalation = strict([
        .required("id", name), .optional("mode", name), .optional("tier_at_least", count),
    ])

    private static let exception = strict([
        .required("mode", words(EnforcementMode.self)), .required("part", words(RoutingDecision.Exception.Part.self)),
        .required("reason", word),
    ])

    private static let derived = strict([
        .optional("alerts", .array(of: alert, maxItems: 10_000)),
        .required(
            "enforcement",
            strict([.required("budgets", word), .required("gates", word), .required("routing", word)])
        ),
        .optional("failing", .map(of: strict([.required("failures", count), .required("latest_ms", millis)]))),
        .optional("gates", .map(of: .map(of: measure))), .required("latest_ms", millis),
        .optional("overrides", .array(of: overrideView)), .required("reserved_usd", money),
        .required("risk", words(RiskClass.self)), .required("spent_usd", money), .optional("stage", name),
        .required("task", task), .required("tokens", .map(of: count)),
    ])

    private static let alert = strict([
        .required("budget", rule), .required("level", words(BudgetAlert.Level.self)), .required("limit", .any),
    ])

    private static let measure = strict([
        .required("millionths", .integer()), .required("samples", count), .required("time_ms", .integer()),
    ])

    private static let overrideView = strict([
        .optional("break_glass", .boolean), .required("event", count), .optional("expires_ms", .integer()),
        .optional("gate", text), .optional("stage", text), .optional("tokens", count), .optional("usd", money),
    ])

    private static let fired = strict([.required("attempts", count), .required("settled", count)])

    private static let task = strict([
        .optional("answer", .any), .optional("asked", count), .required("attempts", count),
        .optional("excluded", .array(of: name)), .optional("failures_ms", .map(of: .integer())),
        .optional("fired", .map(of: fired)), .optional("mode", name), .required("settled", count),
        .optional("tier_at_least", count), .optional("tried", .array(of: name)),
    ])

    static let routingSchemas: [RegisteredType: JSONSchema] = [
        .routingDecision: routingDecision,
        .routingSettlement: object(
            "What a decided call was served by, used and cost",
            [
                .required("outcome", words(CallOutcome.self)),
                .optional("decision", count.described("the sequence of the decision; also the event's cause")),
                .optional("served_model", text.described("what the provider says it served")),
                .optional("input_tokens", count), .optional("output_tokens", count),
                .optional("cache_read_tokens", count), .optional("cache_write_tokens", count),
                .optional("cost_usd", money),
                .optional("cost_basis", .string(oneOf: ["stated", "prices", "reserved"])),
                .optional("duration_ns", count), .optional("finish_reason", text),
                .optional("by", name),
            ]
        ),
        .gateDecision: object(
            "A gate let something pass, or not",
            [
                .required("gate", name),
                .required("result", .string(oneOf: ["passed", "observed", "warned", "blocked"])),
                .optional("reason", text), .optional("criteria", .array(of: anyObject, maxItems: 1000)),
                .optional("enforcement", words(EnforcementMode.self)), .optional("override", .boolean),
                .optional("now_ms", millis), .optional("by", name),
            ]
        ),
        .gateResult: object(
            "A measurement that gates are compared with",
            [
                .required("gate", name), .required("measure", name), .required("value", .number),
                .optional("samples", count), .optional("window", text), .optional("source", text),
            ]
        ),
        .humanAnswer: object(
            "A human decided",
            [
                .required(
                    "answer",
                    text.described("proceed, model or stop; or text, of a question of the caller's own")
                ),
                .optional("decision", count.described("the sequence of the decision that asks")),
                .optional("model", name.described("with the answer model: which")), .optional("question", text),
                .optional("by", name), .optional("reason", text),
            ]
        ),
        .budgetAlert: object(
            "A budget crossed a threshold",
            [
                .required("budget", name.described("the path of the rule")),
                .required("level", .string(oneOf: ["warn", "stop", "overrun"])),
                .optional("used", text.described("settled and reserved: dollars, or tokens")),
                .optional("limit", text), .optional("decision", count),
            ]
        ),
        .override: object(
            "A rule was set aside",
            [
                .required("rule", text.described("budgets.per_run_usd, budgets.tokens.STAGE or gates.GATE")),
                .required("by", name), .required("reason", .string(minLength: 1)),
                .optional("amount", text.described("dollars or tokens more")),
                .optional("expires", .string(format: .timestamp)), .optional("break_glass", .boolean),
                .optional("run", name.described("the run that it is for")),
                .optional("nonce", name.described("tells two that say the same apart")),
                .optional("signature", text.described("SSHSIG over the canonical JSON of the rest")),
            ]
        ),
    ]
}
