import JSONText

/// What a decision changes for the decisions after it: read from its recorded body, or taken from the decision itself
/// by whoever has just made it. Both are the same.
public struct DecisionEffect: Sendable, Hashable {
    enum Result: Sendable, Hashable {
        case model
        case human
        case refused(isBinding: Bool)
    }

    package var role: String
    var task: String
    /// The stage that was asserted.
    var stage: String?
    var now: Int64
    var result: Result
    package var model: String?
    package var provider: String?
    var reserved = RoutingDecision.Amount()
    var snapshot: String
    var escalation: RoutingDecision.FiredEscalation?

    /// Reads the body of a `routing.decision`; nil if it does not say for which role.
    public init?(_ body: JSONValue) {
        guard let asserted = body["asserted"], let role = asserted["role"]?.string else { return nil }
        self.role = role
        task = asserted["task"]?.string ?? ""
        stage = asserted["stage"]?.string
        now = body["now_ms"]?.int64 ?? 0
        model = body["model"]?.string
        provider = body["provider"]?.string
        snapshot = body["snapshot"]?.string ?? ""
        switch body["result"]?.string {
        case "model": result = .model
        case "human": result = .human
        default:
            let unbound = body["exceptions"]?.array?.contains { $0["part"]?.string == "routing" } ?? false
            result = .refused(isBinding: !unbound)
        }
        if let amount = body["reserved"] {
            reserved.usd = amount["usd"]?.string.flatMap(USD.init(decimal:)) ?? .zero
            reserved.tokens = min(max(amount["tokens"]?.int ?? 0, 0), 2 * RoutingLimits.tokens)
        }
        if let fired = body["escalation"], let id = fired["id"]?.string {
            escalation = RoutingDecision.FiredEscalation(
                id: id,
                mode: fired["mode"]?.string,
                tierAtLeast: fired["tier_at_least"]?.int
            )
        }
    }

    /// The effect of a decision that was made for this request.
    public init(_ decision: RoutingDecision, for request: RoutingRequest, under program: RouterProgram) {
        let request = request.recorded
        (role, task, stage, now) = (request.role, request.task, request.stage, decision.now)
        (model, provider) = (decision.choice?.model, decision.choice?.provider)
        reserved = decision.choice?.reserved ?? RoutingDecision.Amount()
        snapshot = program.snapshotText
        escalation = decision.escalation
        result =
            switch decision.result {
            case .model: .model
            case .human: .human
            case .refused(_, let isBinding): .refused(isBinding: isBinding)
            }
    }
}
