import ModelPolicy

/// The names that a policy defines, for scenarios that use them.
struct ScenarioNames {
    private let names: [PolicyNamespace: [String]]
    private let metrics: [String: [String]]
    private let policy: CompiledPolicy

    init(_ policy: CompiledPolicy) {
        self.policy = policy
        let modes = Set(policy.roles.elements.flatMap(\.modes.names))
        names = [
            .provider: policy.providers.names, .model: policy.models.names, .role: policy.roles.names,
            .mode: [Role.defaultMode] + modes.sorted(), .gate: policy.gates.names, .stage: policy.stages,
            .escalation: policy.escalations.map(\.id),
        ]
        metrics = Dictionary(uniqueKeysWithValues: policy.gates.map { ($0.name, $0.value.names) })
    }

    subscript(namespace: PolicyNamespace) -> [String] { names[namespace] ?? [] }

    /// The metrics of a gate.
    func metrics(of gate: String) -> [String] { metrics[gate] ?? [] }

    /// Whether a rule's path is one of this policy, or one that the router gives for what no key says.
    func hasRule(_ path: String) -> Bool {
        if ["human.answer", "roles", "stages", "budgets.tokens"].contains(path) || path.hasPrefix("asserted.") {
            return true
        }
        return policy.value(at: path) != nil
    }

    /// Paths that a decision can name.
    var rules: [String] {
        let roles = policy.roles.flatMap { name, role in
            ["roles.\(name).models", "roles.\(name).require", "roles.\(name).modes"]
                + role.modes.names.map { "roles.\(name).modes.\($0).models" }
        }
        let budgets = ["budgets.per_run_usd"] + policy.budgets.tokens.names.map { "budgets.tokens.\($0)" }
        return roles + budgets + policy.escalations.map { "escalations.\($0.id)" } + ["human.answer"]
    }
}
