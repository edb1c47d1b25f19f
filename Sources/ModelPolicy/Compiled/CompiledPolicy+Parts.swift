/// Where models are called.
public struct Provider: Sendable, Hashable {
    public var api: ProviderAPI
    public var baseURL: String
    /// The environment variable that holds the key; nil where none is needed.
    public var apiKeyVariable: String?
    /// How long a call may take.
    public var timeoutMilliseconds: Int64
    /// So many failures in a row put the provider aside.
    public var cooldownAfterFailures: Int
    /// For so long.
    public var cooldownMilliseconds: Int64
}

/// A model that may be called.
public struct Model: Sendable, Hashable {
    public var provider: String
    /// What the provider calls it.
    public var id: String
    public var locality: Locality
    /// Larger is stronger.
    public var tier: Int
    public var contextTokens: Int
    /// The most tokens of one answer; nil where only the context bounds it.
    public var maxOutputTokens: Int?
    /// Nil where no price is known, which a policy with a money budget does not allow.
    public var price: Price?
}

/// What one token costs.
public struct Price: Sendable, Hashable {
    public var input: USD
    public var output: USD
    public var cacheRead: USD
    public var cacheWrite: USD
}

/// What a role asks of any model that serves it: the first choice, a fallback or an escalation.
public struct Requirements: Sendable, Hashable {
    public var locality: Locality?
    public var tierAtLeast: Int?
    public var contextTokensAtLeast: Int?

    public init(locality: Locality? = nil, tierAtLeast: Int? = nil, contextTokensAtLeast: Int? = nil) {
        self.locality = locality
        self.tierAtLeast = tierAtLeast
        self.contextTokensAtLeast = contextTokensAtLeast
    }

    /// Whether a model may serve.
    public func admits(_ model: Model) -> Bool {
        (locality ?? model.locality) == model.locality && model.tier >= tierAtLeast ?? 0
            && model.contextTokens >= contextTokensAtLeast ?? 0
    }
}

/// A kind of work, and which models do it.
public struct Role: Sendable, Hashable {
    /// The name of the mode that every role has.
    public static let defaultMode = "default"

    /// The choice, and then its fallbacks in order.
    public var models: [String]
    /// Where stage, risk and gate permit it; else the default mode.
    public var startMode: String
    public var require: Requirements
    /// Besides the default mode.
    public var modes: NamedList<Mode>
}

/// Another way to do a role's work.
public struct Mode: Sendable, Hashable {
    public var models: [String]
    /// Where it is permitted, in the order of the policy's stages.
    public var stages: [String]
    /// What must have passed; nil for nothing.
    public var gate: String?
}

/// What is done when a role's models do not do.
public struct Escalation: Sendable, Hashable {
    public var id: String
    public var role: String
    /// The mode in which it applies; nil for every mode.
    public var mode: String?
    /// So many failed attempts or more; nil where attempts do not matter.
    public var failedAttempts: Int?
    /// A confidence below this; nil where confidence does not matter.
    public var confidenceBelow: Ratio?
    /// The mode to go on in.
    public var toMode: String?
    /// The least tier to go on with.
    public var toTierAtLeast: Int?
    /// Whether a human is asked when no model is left, or at once when nothing else is said.
    public var thenHuman: Bool
}

/// What a class of risk asks for.
public struct RiskRules: Sendable, Hashable {
    public var denyModes: [String]
    public var evidence: EvidenceRule
}

/// What a run may spend.
public struct Budgets: Sendable, Hashable {
    /// Nil for no limit in money.
    public var perRun: USD?
    public var warnAt: Ratio
    public var stopAt: Ratio
    /// The most tokens of a run in a stage; a stage that is not named has no limit.
    public var tokens: NamedList<Int>
}

/// How each part is enforced.
public struct Enforcement: Sendable, Hashable {
    public var routing: EnforcementMode
    public var budgets: EnforcementMode
    public var gates: EnforcementMode
    public var approvals: EnforcementMode

    public init(
        routing: EnforcementMode,
        budgets: EnforcementMode,
        gates: EnforcementMode,
        approvals: EnforcementMode
    ) {
        self.routing = routing
        self.budgets = budgets
        self.gates = gates
        self.approvals = approvals
    }
}

/// What a gate asks of one metric. At least one bound is there.
public struct Criterion: Sendable, Hashable {
    public var atMost: Ratio?
    public var atLeast: Ratio?
    /// The fewest samples that a result must rest on.
    public var samples: Int
    /// An older result is no result.
    public var newerThanMilliseconds: Int64
}

/// What must not leave the machine.
public struct Redaction: Sendable, Hashable {
    /// Patterns of names of environment variables.
    public var environment: [String]
    /// Patterns of names of files.
    public var files: [String]
    /// Whether content is redacted before it is recorded, and not only before it is exported.
    public var onIngest: Bool
}

/// Who must agree to a policy.
public struct Approvals: Sendable, Hashable {
    public var required: Int
    public var excludeAuthor: Bool
    /// The path of the `allowed_signers` file, from the root of the workspace.
    public var signers: String?
}

/// What a spec's layer may change.
public struct Overrides: Sendable, Hashable {
    public var allow: [String]
    public var tightenOnly: [String]
}
