import ModelPolicy

/// How much of a model call's prompt and output a policy lets a capsule keep.
///
/// | mode | `prompt`, `output` (digests) | `summary` | `prompt_text` | `output_text` |
/// |---|---|---|---|---|
/// | `none` | | | | |
/// | `hash` | ✓ | | | |
/// | `summary` | ✓ | ✓ | | |
/// | `prompts_only` | ✓ | ✓ | ✓ | |
/// | `full_io` | ✓ | ✓ | ✓ | ✓ |
public struct CaptureRule: Sendable, Equatable {
    public let mode: CaptureMode

    public init(_ mode: CaptureMode) { self.mode = mode }

    /// Members of a `model.call` body that carry content, with the least mode that keeps them.
    static let content: [(member: String, least: CaptureMode)] = [
        ("prompt", .hash), ("output", .hash), ("summary", .summary), ("prompt_text", .promptsOnly),
        ("output_text", .fullIO),
    ]

    private static func rank(_ mode: CaptureMode) -> Int { CaptureMode.allCases.firstIndex(of: mode) ?? 0 }

    /// Whether the mode keeps a member.
    func keeps(_ least: CaptureMode) -> Bool { Self.rank(mode) >= Self.rank(least) }

    /// - Throws: `LedgerError.overCapture` for a body that says more than the mode keeps.
    func check(_ body: JSONValue) throws(LedgerError) {
        for (member, least) in Self.content where body[member] != nil && !keeps(least) {
            throw LedgerError(
                .overCapture,
                "the policy captures \(mode.rawValue), and '\(member)' of a model.call needs \(least.rawValue); leave "
                    + "it out, or record the call with 'capsule-tool call', which keeps what may be kept"
            )
        }
    }
}

/// A model call as a runner knows it; what of it is kept is the policy's to say.
public struct ModelCall: Sendable {
    /// The sequence of the decision that allowed it.
    public var decision: UInt32?
    public var model: String
    public var provider: String?
    public var role: String?
    public var prompt: [UInt8]?
    public var output: [UInt8]?
    public var summary: String?
    public var inputTokens: Int?
    public var outputTokens: Int?
    public var durationNanoseconds: Int64?
    public var finishReason: String?
    public var time = Timestamp.now

    public init(model: String) { self.model = model }

    /// The body, with no more of the content than the rule keeps.
    ///
    /// - Throws: `LedgerError.bodyInvalid` for content that is to be kept and is not UTF-8.
    func body(_ rule: CaptureRule) throws(LedgerError) -> JSONValue {
        var members = JSONValue.Members()
        members["model"] = .string(model)
        if let provider { members["provider"] = .string(provider) }
        if let role { members["role"] = .string(role) }
        if let inputTokens { members["input_tokens"] = .number(JSONNumber(inputTokens)) }
        if let outputTokens { members["output_tokens"] = .number(JSONNumber(outputTokens)) }
        if let durationNanoseconds { members["duration_ns"] = .number(JSONNumber(durationNanoseconds)) }
        if let finishReason { members["finish_reason"] = .string(finishReason) }
        if let prompt, rule.keeps(.hash) { members["prompt"] = .string("sha256:\(Hashing.sha256(prompt).hex)") }
        if let output, rule.keeps(.hash) { members["output"] = .string("sha256:\(Hashing.sha256(output).hex)") }
        if let summary, rule.keeps(.summary) { members["summary"] = .string(summary) }
        if let prompt, rule.keeps(.promptsOnly) { members["prompt_text"] = .string(try Self.text(prompt, "prompt")) }
        if let output, rule.keeps(.fullIO) { members["output_text"] = .string(try Self.text(output, "output")) }
        return .object(members)
    }

    private static func text(_ bytes: [UInt8], _ name: String) throws(LedgerError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw LedgerError(.bodyInvalid, "the \(name) is not UTF-8, and the policy keeps its text")
        }
        return text
    }
}
