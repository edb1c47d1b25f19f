import JSONText

extension Provider {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        api = try reader.word("api")
        baseURL = try reader.string("base_url")
        apiKeyVariable = reader.optionalString("api_key_env")
        timeoutMilliseconds = Int64(try reader.integer("timeout_ms"))
        let cooldown = try reader.object("cooldown")
        cooldownAfterFailures = try cooldown.integer("after_failures")
        cooldownMilliseconds = Int64(try cooldown.integer("for_ms"))
    }
}

extension Model {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        provider = try reader.string("provider")
        id = try reader.string("id")
        locality = try reader.word("locality")
        tier = try reader.integer("tier")
        contextTokens = try reader.integer("context_tokens")
        maxOutputTokens = reader.optionalInteger("max_output_tokens")
        let key = "price_picousd_per_token"
        price = reader.value[key] == nil ? nil : try Price(reader.object(key))
    }
}

extension Price {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        func dollars(_ key: String) throws(SnapshotError) -> USD { USD(picodollars: Int64(try reader.integer(key))) }
        input = try dollars("input")
        output = try dollars("output")
        cacheRead = try dollars("cache_read")
        cacheWrite = try dollars("cache_write")
    }
}

extension Role {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        models = try reader.strings("models")
        startMode = try reader.string("start_mode")
        let require = try reader.object("require")
        self.require = Requirements(
            locality: require.optionalString("locality").flatMap(Locality.init(rawValue:)),
            tierAtLeast: require.optionalInteger("tier_at_least"),
            contextTokensAtLeast: require.optionalInteger("context_tokens_at_least")
        )
        modes = try reader.named("modes") { mode throws(SnapshotError) in
            Mode(
                models: try mode.strings("models"),
                stages: try mode.strings("stages"),
                gate: mode.optionalString("gate")
            )
        }
    }
}

extension Escalation {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        id = try reader.string("id")
        role = try reader.string("role")
        let when = try reader.object("when")
        mode = when.optionalString("mode")
        failedAttempts = when.optionalInteger("failed_attempts")
        confidenceBelow = when.optionalInteger("confidence_below_ppm").map { Ratio(millionths: Int64($0)) }
        let to = try reader.object("to")
        toMode = to.optionalString("mode")
        toTierAtLeast = to.optionalInteger("tier_at_least")
        thenHuman = to.optionalString("then") == "human"
    }
}

extension RiskRules {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        denyModes = try reader.strings("deny_modes")
        evidence = try reader.word("evidence")
    }
}

extension Budgets {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        perRun = reader.optionalInteger("per_run_microusd").flatMap { USD(microdollars: Int64($0)) }
        warnAt = try reader.ratio("warn_at_ppm")
        stopAt = try reader.ratio("stop_at_ppm")
        var tokens: [String: Int] = [:]
        let table = try reader.object("tokens")
        for member in table.value.object ?? JSONValue.Members() { tokens[member.key] = try table.integer(member.key) }
        self.tokens = NamedList(tokens)
    }
}

extension Enforcement {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        routing = try reader.word("routing")
        budgets = try reader.word("budgets")
        gates = try reader.word("gates")
        approvals = try reader.word("approvals")
    }
}

extension Criterion {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        atMost = reader.optionalInteger("at_most_millionths").map { Ratio(millionths: Int64($0)) }
        atLeast = reader.optionalInteger("at_least_millionths").map { Ratio(millionths: Int64($0)) }
        samples = try reader.integer("samples")
        newerThanMilliseconds = Int64(try reader.integer("newer_than_ms"))
    }
}

extension Redaction {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        environment = try reader.strings("environment")
        files = try reader.strings("files")
        onIngest = try reader.boolean("on_ingest")
    }
}

extension Approvals {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        required = try reader.integer("required")
        excludeAuthor = try reader.boolean("exclude_author")
        signers = reader.optionalString("signers")
    }
}

extension Overrides {
    init(_ reader: SnapshotReader) throws(SnapshotError) {
        allow = try reader.strings("allow")
        tightenOnly = try reader.strings("tighten_only")
    }
}
