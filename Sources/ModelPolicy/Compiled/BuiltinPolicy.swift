/// The two policies that need no file, for when a policy does not load. Their bytes are frozen in `spec/policy/`.
public enum BuiltinPolicy: String, Sendable, CaseIterable {
    /// What a refused run of high risk is bound to.
    case refuse = "builtin-refuse"
    /// What a run of low risk goes on with when there is nothing better: it routes nothing.
    case fallback = "builtin-fallback"

    /// The compiled policy: no role, no model, everything enforced, hashes only.
    public var policy: CompiledPolicy {
        CompiledPolicy(
            schema: 1,
            name: rawValue,
            version: "1.0.0",
            owner: "capsule",
            effective: nil,
            stages: [],
            providers: NamedList(),
            models: NamedList(),
            roles: NamedList(),
            escalations: [],
            high: RiskRules(denyModes: [], evidence: .durable),
            low: RiskRules(denyModes: [], evidence: .durable),
            budgets: Budgets(
                perRun: .zero,
                warnAt: Ratio(millionths: 800_000),
                stopAt: Ratio(millionths: 1_000_000),
                tokens: NamedList()
            ),
            enforcement: Enforcement(routing: .enforce, budgets: .enforce, gates: .enforce, approvals: .observe),
            capture: .hash,
            gates: NamedList(),
            redaction: Redaction(
                environment: ["*_KEY", "*_PASSWORD", "*_SECRET", "*_TOKEN"],
                files: [".env", "credentials", "secrets"],
                onIngest: true
            ),
            approvals: Approvals(required: 1, excludeAuthor: true, signers: nil),
            overrides: Overrides(allow: [], tightenOnly: [])
        )
    }

    /// The snapshot's bytes.
    public var canonicalJSON: [UInt8] { policy.canonicalJSON }

    public var id: SnapshotID { SnapshotID(ofSnapshot: canonicalJSON) }

    /// The built-in policy that has this ID; nil for every other policy, whatever its name.
    public init?(id: SnapshotID) {
        guard let found = Self.allCases.first(where: { $0.id == id }) else { return nil }
        self = found
    }
}
