/// What a caller asks: which model may do this piece of work now? All of it is the caller's word, and recorded as such.
public struct RoutingRequest: Sendable, Hashable {
    /// The kind of work: a role of the policy.
    public var role: String
    /// The caller's own name of the piece of work. Attempts and escalations are counted by role and task.
    public var task: String
    /// The mode that is wished for; nil for the role's `start_mode`. One that is not permitted gives the default mode.
    public var mode: String?
    /// The stage that the work belongs to; nil for the one that the run is in.
    public var stage: String?
    /// Raises the risk of this call to `high`; it never lowers the run's. Anything but `low` is high.
    public var risk: String?
    /// How sure the caller is of what the task gave so far; nil counts as not sure at all.
    public var confidence: Ratio?
    /// Tokens of the input, estimated; nil counts as all that the context holds beside the output.
    public var inputTokens: Int?
    /// The most tokens that the caller will let the model write; nil for what the model can.
    public var maxOutputTokens: Int?
    /// The model that the caller calls if the router does not bind it: where `enforcement.routing` is not `enforce`.
    public var model: String?
    /// Who asks.
    public var by: String?
    /// The caller's clock, in milliseconds since 1970. Within a run it counts as never going back.
    public var now: Int64

    public init(role: String, task: String = "", now: Int64) {
        self.role = role
        self.task = task
        self.now = now
    }

    /// What is out of bounds, as the name of the member; nil for a request that can be judged.
    public var invalidMember: String? {
        let isName: (String?) -> Bool = { ($0?.utf8.count ?? 0) <= RoutingLimits.nameBytes }
        let isCount: (Int?) -> Bool = { $0.map { (0...RoutingLimits.tokens).contains($0) } ?? true }
        if role.isEmpty || !isName(role) { return "role" }
        if !isName(task) { return "task" }
        if !isName(mode) { return "mode" }
        if !isName(stage) { return "stage" }
        if !isName(risk) { return "risk" }
        if !isName(model) { return "model" }
        if !isName(by) { return "by" }
        if let confidence, !(0...1_000_000).contains(confidence.millionths) { return "confidence_ppm" }
        if !isCount(inputTokens) { return "input_tokens" }
        if !isCount(maxOutputTokens) || maxOutputTokens == 0 { return "max_output_tokens" }
        if !Self.times.contains(now) { return "now_ms" }
        return nil
    }

    /// Times that canonical JSON holds exactly, far beyond any clock.
    static let times: ClosedRange<Int64> = 0...8_640_000_000_000_000
}
