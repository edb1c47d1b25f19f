/// One entry of a `model_list`.
struct LiteLLMModel {
    struct Provider: Equatable {
        var name: String
        var api: String
        var base: String
    }

    var span: SourceSpan
    private(set) var alias = ""
    private(set) var aliasSpan: SourceSpan
    private(set) var route = ""
    private(set) var routeSpan: SourceSpan
    var base: String?
    /// The environment variable of the key.
    var variable: String?
    var timeout: String?
    var context: String?
    var outputLimit: String?
    /// Dollars for a million tokens.
    private(set) var input: String?
    private(set) var output: String?

    init(span: SourceSpan) {
        self.span = span
        aliasSpan = span
        routeSpan = span
    }

    mutating func setAlias(_ entry: SyntaxEntry, _ text: String?) {
        alias = text ?? ""
        aliasSpan = entry.node.span
    }

    mutating func setRoute(_ entry: SyntaxEntry, _ text: String?) {
        route = text ?? ""
        routeSpan = entry.node.span
    }

    mutating func setPrice(_ key: String, _ price: String?) {
        if key.hasPrefix("input") { input = price } else { output = price }
    }

    /// The alias as a policy can name it: without capitals, dots and the like.
    var name: String { Self.name(alias) }

    static func name(_ alias: String) -> String {
        let letters = alias.lowercased().unicodeScalars.map { PolicyName.isGood("a\($0)") ? String($0) : "-" }.joined()
        let name = String(letters.drop { $0 == "-" || $0 == "_" }.prefix(PolicyLimits.nameBytes))
        return name.isEmpty ? "model" : name
    }

    private var vendor: String { route.contains("/") ? String(route.prefix { $0 != "/" }) : "" }

    private static let addresses = [
        "anthropic": ("anthropic", "https://api.anthropic.com"), "openai": ("openai", "https://api.openai.com/v1"),
        "ollama": ("openai", "http://localhost:11434/v1"), "ollama_chat": ("openai", "http://localhost:11434/v1"),
        "groq": ("openai", "https://api.groq.com/openai/v1"), "mistral": ("openai", "https://api.mistral.ai/v1"),
        "deepseek": ("openai", "https://api.deepseek.com"), "xai": ("openai", "https://api.x.ai/v1"),
        "openrouter": ("openai", "https://openrouter.ai/api/v1"),
    ]

    /// Models of one provider share address and key.
    var provider: Provider? {
        let known = Self.addresses[vendor]
        guard let base = base ?? known?.1 else { return nil }
        var name = Self.name(vendor.isEmpty ? "endpoint" : vendor)
        if self.base != nil, self.base != known?.1 {
            let host = base.drop { $0 != ":" }.drop { $0 == ":" || $0 == "/" }.prefix { $0 != "/" }
            name = Self.name(String("\(name)-\(host)".prefix(PolicyLimits.nameBytes)))
        }
        return Provider(name: name, api: known?.0 ?? "openai", base: base)
    }

    var isCloud: Bool {
        guard let base = provider?.base else { return true }
        return !["http://localhost", "http://127.0.0.1", "http://[::1]"].contains { base.hasPrefix($0) }
    }

    var toml: String {
        var lines = [
            "[models.\(name)]", "provider = \"\(provider?.name ?? "")\"",
            "id = \(TOMLWriter.quoted(vendor.isEmpty ? route : String(route.dropFirst(vendor.count + 1))))",
            "locality = \"\(isCloud ? "cloud" : "local")\"", "tier = 1", "context_tokens = \(context ?? "0")",
        ]
        if let outputLimit { lines.append("max_output_tokens = \(outputLimit)") }
        if let input, let output { lines.append("price_per_mtok = { input = \(input), output = \(output) }") }
        return lines.joined(separator: "\n") + "\n"
    }

    static let droppedParameters = [
        "api_version", "rpm", "tpm", "weight", "order", "tags", "max_retries", "max_budget", "budget_duration",
        "cooldown_time", "temperature", "max_tokens", "top_p", "stream_timeout", "organization", "region_name",
        "aws_region_name", "aws_access_key_id", "aws_secret_access_key", "vertex_project", "vertex_location",
        "drop_params", "extra_headers", "use_in_pass_through", "mock_response", "custom_llm_provider",
    ]

    static let droppedSettings = [
        "num_retries", "routing_strategy", "routing_strategy_args", "timeout", "retry_after", "retry_policy",
        "model_group_alias", "redis_host", "redis_port", "redis_password", "redis_url", "enable_pre_call_checks",
        "provider_budget_config", "allowed_fails_policy", "cache", "cache_params", "drop_params", "callbacks",
        "success_callback", "failure_callback", "set_verbose", "request_timeout", "max_budget", "budget_duration",
        "content_policy_fallbacks", "default_max_parallel_requests", "disable_cooldowns", "json_logs", "num_workers",
        "telemetry", "enable_tag_filtering", "default_litellm_params",
    ]
}
