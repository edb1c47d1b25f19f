import JSONText

extension CompiledPolicy {
    /// The tree that is written as the snapshot.
    public var json: JSONValue {
        let document: [(String, JSONValue?)] = [
            ("schema", .number(JSONNumber(schema))), ("stages", Self.list(stages)),
            (
                "policy",
                Self.object([
                    ("name", .string(name)), ("version", .string(version)), ("owner", .string(owner)),
                    ("effective", effective.map { .string($0.description) }),
                ])
            ),
            ("providers", Self.table(providers, Self.json)), ("models", Self.table(models, Self.json)),
            ("roles", Self.table(roles, Self.json)), ("escalations", .array(escalations.map(Self.json))),
            ("risk", Self.object([("high", Self.json(high)), ("low", Self.json(low))])),
            ("budgets", Self.json(budgets)), ("enforcement", Self.json(enforcement)),
            ("capture", Self.object([("mode", .string(capture.rawValue))])),
            ("gates", Self.table(gates) { Self.table($0, Self.json) }),
            (
                "redaction",
                Self.object([
                    ("environment", Self.list(redaction.environment)), ("files", Self.list(redaction.files)),
                    ("on_ingest", .bool(redaction.onIngest)),
                ])
            ),
            (
                "approvals",
                Self.object([
                    ("required", Self.number(approvals.required)), ("exclude_author", .bool(approvals.excludeAuthor)),
                    ("signers", approvals.signers.map(JSONValue.string)),
                ])
            ),
            (
                "overrides",
                Self.object([
                    ("allow", Self.list(overrides.allow)), ("tighten_only", Self.list(overrides.tightenOnly)),
                ])
            ),
        ]
        return Self.object(document)
    }

    /// The snapshot: canonical JSON.
    public var canonicalJSON: [UInt8] {
        // A policy has no number but integers and nests a few levels, so nothing here can fail.
        (try? CanonicalJSON.encode(json)) ?? []
    }

    private static func object(_ members: [(String, JSONValue?)]) -> JSONValue {
        var object = JSONValue.Members()
        for (key, value) in members { if let value { object.append(key, value) } }
        return .object(object)
    }

    private static func list(_ texts: [String]) -> JSONValue { .array(texts.map(JSONValue.string)) }
    private static func number(_ number: some BinaryInteger) -> JSONValue { .number(JSONNumber(number)) }
    private static func text(_ word: some RawRepresentable<String>) -> JSONValue { .string(word.rawValue) }

    private static func table<Element>(_ list: NamedList<Element>, _ json: (Element) -> JSONValue) -> JSONValue {
        object(list.map { ($0.name, json($0.value)) })
    }

    private static func json(_ provider: Provider) -> JSONValue {
        object([
            ("api", text(provider.api)), ("base_url", .string(provider.baseURL)),
            ("api_key_env", provider.apiKeyVariable.map(JSONValue.string)),
            ("timeout_ms", number(provider.timeoutMilliseconds)),
            (
                "cooldown",
                object([
                    ("after_failures", number(provider.cooldownAfterFailures)),
                    ("for_ms", number(provider.cooldownMilliseconds)),
                ])
            ),
        ])
    }

    private static func json(_ model: Model) -> JSONValue {
        object([
            ("provider", .string(model.provider)), ("id", .string(model.id)), ("locality", text(model.locality)),
            ("tier", number(model.tier)), ("context_tokens", number(model.contextTokens)),
            ("max_output_tokens", model.maxOutputTokens.map(number)),
            ("price_picousd_per_token", model.price.map(json)),
        ])
    }

    private static func json(_ price: Price) -> JSONValue {
        object([
            ("input", number(price.input.picodollars)), ("output", number(price.output.picodollars)),
            ("cache_read", number(price.cacheRead.picodollars)), ("cache_write", number(price.cacheWrite.picodollars)),
        ])
    }

    private static func json(_ role: Role) -> JSONValue {
        let require = object([
            ("locality", role.require.locality.map(text)), ("tier_at_least", role.require.tierAtLeast.map(number)),
            ("context_tokens_at_least", role.require.contextTokensAtLeast.map(number)),
        ])
        let modes = table(role.modes) { mode in
            object([
                ("models", list(mode.models)), ("stages", list(mode.stages)), ("gate", mode.gate.map(JSONValue.string)),
            ])
        }
        return object([
            ("models", list(role.models)), ("start_mode", .string(role.startMode)), ("require", require),
            ("modes", modes),
        ])
    }

    private static func json(_ escalation: Escalation) -> JSONValue {
        let when = object([
            ("mode", escalation.mode.map(JSONValue.string)), ("failed_attempts", escalation.failedAttempts.map(number)),
            ("confidence_below_ppm", escalation.confidenceBelow.map { number($0.millionths) }),
        ])
        let to = object([
            ("mode", escalation.toMode.map(JSONValue.string)),
            ("tier_at_least", escalation.toTierAtLeast.map(number)),
            ("then", escalation.thenHuman ? "human" : nil),
        ])
        return object([("id", .string(escalation.id)), ("role", .string(escalation.role)), ("when", when), ("to", to)])
    }

    private static func json(_ rules: RiskRules) -> JSONValue {
        object([("deny_modes", list(rules.denyModes)), ("evidence", text(rules.evidence))])
    }

    private static func json(_ budgets: Budgets) -> JSONValue {
        object([
            ("per_run_microusd", budgets.perRun.map { number($0.picodollars / 1_000_000) }),
            ("warn_at_ppm", number(budgets.warnAt.millionths)), ("stop_at_ppm", number(budgets.stopAt.millionths)),
            ("tokens", table(budgets.tokens) { number($0) }),
        ])
    }

    private static func json(_ enforcement: Enforcement) -> JSONValue {
        object([
            ("routing", text(enforcement.routing)), ("budgets", text(enforcement.budgets)),
            ("gates", text(enforcement.gates)), ("approvals", text(enforcement.approvals)),
        ])
    }

    private static func json(_ criterion: Criterion) -> JSONValue {
        object([
            ("at_most_millionths", criterion.atMost.map { number($0.millionths) }),
            ("at_least_millionths", criterion.atLeast.map { number($0.millionths) }),
            ("samples", number(criterion.samples)), ("newer_than_ms", number(criterion.newerThanMilliseconds)),
        ])
    }
}
