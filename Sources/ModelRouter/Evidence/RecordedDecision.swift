import JSONText

/// A decision as it was recorded, whoever wrote it: what people are shown, and what reports count.
public struct RecordedDecision: Sendable {
    /// The body of the event.
    public let body: JSONValue

    /// Nil for a body that says neither a role nor a result.
    public init?(_ body: JSONValue) {
        guard body["role"]?.string != nil, body["result"]?.string != nil else { return nil }
        self.body = body
    }

    /// Takes what the router itself has written.
    package init(unchecked body: JSONValue) { self.body = body }

    /// The model, where to call it, and what is reserved; nil where there is none.
    public var choice: RoutingDecision.Choice? {
        guard let model, let modelID, let provider, let endpoint, let maxOutputTokens, let reserved else { return nil }
        return RoutingDecision.Choice(
            model: model,
            modelID: modelID,
            provider: provider,
            endpoint: endpoint,
            maxOutputTokens: maxOutputTokens,
            reserved: reserved
        )
    }

    public var role: String { body["role"]?.string ?? "" }
    public var task: String { body["asserted"]?["task"]?.string ?? "" }
    /// `model`, `refused` or `human`.
    public var result: String { body["result"]?.string ?? "" }
    public var model: String? { body["model"]?.string }
    public var modelID: String? { body["model_id"]?.string }
    public var provider: String? { body["provider"]?.string }
    public var endpoint: String? { body["endpoint"]?.string }
    public var maxOutputTokens: Int? { body["max_output_tokens"]?.int }
    public var mode: String? { body["mode"]?.string }
    public var stage: String? { body["asserted"]?["stage"]?.string ?? body["derived"]?["stage"]?.string }
    public var risk: String? { body["risk"]?.string }
    public var rule: String { body["rule"]?.string ?? "" }
    public var reason: String? { body["reason"]?.string }
    public var causes: [String] { body["causes"]?.array?.compactMap(\.string) ?? [] }
    public var escalation: String? { body["escalation"]?["id"]?.string }
    public var snapshot: String? { body["snapshot"]?.string }
    public var semantics: Int? { body["semantics"]?.int }
    public var time: Int64? { body["now_ms"]?.int64 }
    public var reserved: RoutingDecision.Amount? {
        guard let usd = body["reserved"]?["usd"]?.string.flatMap(USD.init(decimal:)) else { return nil }
        return RoutingDecision.Amount(usd: usd, tokens: body["reserved"]?["tokens"]?.int ?? 0)
    }

    /// `gates: gate-not-passed (warn)`, one for each part that is not enforced and let something pass.
    public var exceptions: [(part: String, mode: String, reason: String)] {
        (body["exceptions"]?.array ?? []).map { exception in
            (
                exception["part"]?.string ?? "", exception["mode"]?.string ?? "", exception["reason"]?.string ?? ""
            )
        }
    }

    public var candidates: [(model: String, verdict: String, usd: String?, tokens: Int?)] {
        (body["candidates"]?.array ?? []).map { candidate in
            let cost = candidate["cost"]
            return (
                candidate["model"]?.string ?? "", candidate["verdict"]?.string ?? "", cost?["usd"]?.string,
                cost?["tokens"]?.int
            )
        }
    }

    /// Whether the caller may call a model: one was chosen, or the refusal does not bind.
    public var permitsCall: Bool {
        result == "model" || result == "refused" && exceptions.contains { $0.part == "routing" }
    }
}
