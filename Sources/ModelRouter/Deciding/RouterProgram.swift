/// A compiled policy laid out for deciding: names looked up once, and not in each decision.
///
/// It and its parts are classes because a decision hands them about, and a copy of a policy counts the references of
/// all that is in it.
public final class RouterProgram: Sendable {
    public let policy: CompiledPolicy
    public let snapshot: SnapshotID
    /// `sha256:` and the hex of the snapshot, as it is written into each decision.
    let snapshotText: String
    let isBuiltin: Bool
    let roles: [String: RoleProgram]
    let models: [ModelProgram]
    let modelsByName: [String: Int]
    /// The rule paths of the stages' tokens, and of escalations: written out once.
    let tokenRules: [String: String]
    let escalationRules: [String: String]

    final class RoleProgram: Sendable {
        let name: String
        let role: Role
        /// Indices of the default list.
        let models: [Int]
        let modes: [String: ModeProgram]
        let escalations: [Escalation]
        let rule: String
        /// Gates that the role's modes name.
        let gates: [String]

        init(_ name: String, _ role: Role, _ policy: CompiledPolicy, _ models: [String: Int]) {
            self.name = name
            self.role = role
            self.models = role.models.compactMap { models[$0] }
            rule = "roles.\(name).models"
            var modes: [String: ModeProgram] = [:]
            for (mode, content) in role.modes {
                modes[mode] = ModeProgram(
                    name: mode,
                    mode: content,
                    models: content.models.compactMap { models[$0] },
                    rule: "roles.\(name).modes.\(mode).models"
                )
            }
            self.modes = modes
            escalations = policy.escalations.filter { $0.role == name }
            gates = Set(role.modes.elements.compactMap(\.gate)).sorted()
        }
    }

    struct ModeProgram: Sendable {
        let name: String
        let mode: Mode
        let models: [Int]
        let rule: String
    }

    final class ModelProgram: Sendable {
        let name: String
        let model: Model
        let provider: Provider

        init(name: String, model: Model, provider: Provider) {
            self.name = name
            self.model = model
            self.provider = provider
        }
    }

    public convenience init(_ snapshot: CompiledSnapshot) {
        self.init(snapshot.policy, id: snapshot.id)
    }

    public convenience init(_ policy: CompiledPolicy) {
        self.init(policy, id: SnapshotID(ofSnapshot: policy.canonicalJSON))
    }

    init(_ policy: CompiledPolicy, id: SnapshotID) {
        self.policy = policy
        snapshot = id
        snapshotText = "\(id)"
        isBuiltin = BuiltinPolicy(id: id) != nil
        // A snapshot's names were checked when it was read: every provider and model that is used is defined.
        models = policy.models.compactMap { name, model in
            policy.providers[model.provider].map { ModelProgram(name: name, model: model, provider: $0) }
        }
        let byName = Dictionary(
            models.enumerated().map { ($1.name, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        modelsByName = byName
        tokenRules = Dictionary(
            policy.budgets.tokens.names.map { ($0, "budgets.tokens.\($0)") },
            uniquingKeysWith: { first, _ in first }
        )
        escalationRules = Dictionary(
            policy.escalations.map { ($0.id, "escalations.\($0.id)") },
            uniquingKeysWith: { first, _ in first }
        )
        var roles: [String: RoleProgram] = [:]
        for (name, role) in policy.roles { roles[name] = RoleProgram(name, role, policy, byName) }
        self.roles = roles
    }
}

extension RouterProgram {
    /// Whether an override is of something that the policy has.
    func knows(_ effect: RoutingOverride.Effect) -> Bool {
        switch effect {
        case .money, .breakGlass: true
        case .tokens(let stage, _): policy.budgets.tokens.position(of: stage) != nil
        case .gate(let gate): policy.gates.position(of: gate) != nil
        }
    }

    func isTokenRule(_ path: String) -> Bool { tokenRules.values.contains(path) }
}
