/// A policy as the compiler wrote it, with every default in place: what routing reads.
///
/// Whoever wrote the snapshot, its reading has been checked: every name that a part uses is defined, and every number
/// is within `PolicyLimits`.
public struct CompiledPolicy: Sendable, Equatable {
    /// The version of the compiled form.
    public var schema: Int
    public var name: String
    /// A semantic version.
    public var version: String
    /// Who answers for the policy.
    public var owner: String
    /// The policy binds no run before this time.
    public var effective: PolicyTime?
    /// The stages of a run, in their order.
    public var stages: [String]
    public var providers: NamedList<Provider>
    public var models: NamedList<Model>
    public var roles: NamedList<Role>
    /// In the order in which they are tried.
    public var escalations: [Escalation]
    public var high: RiskRules
    public var low: RiskRules
    public var budgets: Budgets
    public var enforcement: Enforcement
    public var capture: CaptureMode
    /// The criteria of each gate, by the metric that they compare.
    public var gates: NamedList<NamedList<Criterion>>
    public var redaction: Redaction
    public var approvals: Approvals
    public var overrides: Overrides

    /// The rules of a class of risk.
    public subscript(risk: RiskClass) -> RiskRules { risk == .low ? low : high }
}

/// How much can go wrong with a run: unstated and unknown risk is high.
public enum RiskClass: String, Sendable, CaseIterable {
    case high
    case low
}

/// Where a model runs.
public enum Locality: String, Sendable, CaseIterable {
    case cloud
    case local
}

/// Which protocol a provider speaks.
public enum ProviderAPI: String, Sendable, CaseIterable {
    case anthropic
    case openai
}

/// When the evidence of a decision must be kept: on disk before the call, or written before it.
public enum EvidenceRule: String, Sendable, CaseIterable {
    case written
    case durable
}

/// What becomes of what a rule says: noted, told, or done. In order of strictness.
public enum EnforcementMode: String, Sendable, CaseIterable {
    case observe
    case warn
    case enforce
}

/// How much of prompts and outputs a capsule keeps. From the least content to the most.
public enum CaptureMode: String, Sendable, CaseIterable {
    case none
    case hash
    case summary
    case promptsOnly = "prompts_only"
    case fullIO = "full_io"
}
