import ModelPolicy

/// A layer of the policy on both sides.
public struct GateLayer: Sendable {
    /// Nil for the workspace.
    public var spec: String?
    /// What held before; nil where there is nothing to compare with.
    public var base: CompiledSnapshot?
    public var head: CompiledSnapshot
    public var result: CompileResult
    /// What the meaning changed; for a spec with what the workspace changed under it.
    public var diff: PolicyDiff?
    /// The changes that are the layer's own.
    public var own: [PolicyDiff.Change]
}

/// What needed approval, and whether it is there.
public struct GateApproval: Sendable {
    public var subject: GateSubject
    public var required: Int
    /// Nil where it could not be judged.
    public var verdict: LayerVerdict?
}

/// What came of holding a change against its base.
public struct GateReport: Sendable {
    /// In the order of files and lines.
    public internal(set) var diagnostics: [Diagnostic] = []
    /// Faults beyond ``GateLimits/faultsOfKind``.
    public internal(set) var untold = 0
    /// The workspace's first.
    public internal(set) var layers: [GateLayer] = []
    /// How far the version must be raised; nil where nothing changed.
    public internal(set) var level: PolicyBump.Level?
    /// The changelog's entry for the version.
    public internal(set) var entry: PolicyChangelog.Entry?
    /// Scenarios of the head that were run.
    public internal(set) var scenarios = 0
    /// Scenarios of the base that were run.
    public internal(set) var promised = 0
    /// Scenarios of the base that are not kept.
    public internal(set) var promises: [GatePromise] = []
    public internal(set) var coverage: PolicyCoverage?
    /// What scenarios say of each changed value, with its spec.
    public internal(set) var exercises: [(spec: String?, leaf: LeafExercise)] = []
    public internal(set) var approvals: [GateApproval] = []
    /// The base's; nil where there is none.
    public internal(set) var approvalMode: EnforcementMode?
    public internal(set) var rules = GateRules()

    public var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
    public var warnings: [Diagnostic] { diagnostics.filter { $0.severity == .warning } }
    public var isPassed: Bool { errors.isEmpty && untold == 0 }

    /// Whether any layer means something else.
    public var isChanged: Bool { layers.contains { $0.diff?.isEmpty == false } }

    mutating func sort() {
        diagnostics = diagnostics.enumerated().sorted { left, right in
            let (first, second) = (left.element, right.element)
            if first.severity != second.severity { return first.severity == .error }
            if first.file != second.file { return first.file < second.file }
            if first.span.start != second.span.start { return first.span.start < second.span.start }
            return left.offset < right.offset
        }.map(\.element)
    }
}

/// Whom a change reaches.
public struct BlastRadius: Sendable, Equatable {
    public let roles: [String]
    public let models: [String]
    public let specs: [String]

    /// What the changes of all layers touch, and what uses it. A part that all roles share, such as budgets, reaches
    /// all of them.
    public init(_ layers: [GateLayer]) {
        var (roles, models): (Set<String>, Set<String>) = ([], [])
        for layer in layers {
            let changes = layer.diff?.changes.filter { $0.group != "policy" } ?? []
            for change in changes {
                for policy in [layer.base?.policy, layer.head.policy].compactMap(\.self) {
                    let reached = Self.reached(change.path.split(separator: ".").map(String.init), policy)
                    roles.formUnion(reached.roles)
                    models.formUnion(reached.models)
                }
            }
        }
        self.roles = roles.sorted()
        self.models = models.sorted()
        specs = layers.filter { $0.diff?.isEmpty == false }.compactMap(\.spec)
    }

    private static func reached(_ path: [String], _ policy: CompiledPolicy) -> (roles: Set<String>, models: Set<String>)
    {
        let all = Set(policy.roles.names)
        guard path.count > 1 else { return (all, []) }
        switch path[0] {
        case "roles": return ([path[1]], [])
        case "models": return (users(of: [path[1]], policy), [path[1]])
        case "providers":
            let models = Set(policy.models.filter { $0.value.provider == path[1] }.map(\.name))
            return (users(of: models, policy), models)
        case "escalations": return (Set(policy.escalations.filter { $0.id == path[1] }.map(\.role)), [])
        case "gates":
            let roles = policy.roles.filter { $0.value.modes.contains { $0.value.gate == path[1] } }
            return (Set(roles.map(\.name)), [])
        case "capture", "redaction", "approvals", "overrides": return ([], [])
        default: return (all, [])
        }
    }

    private static func users(of models: Set<String>, _ policy: CompiledPolicy) -> Set<String> {
        let roles = policy.roles.filter { role in
            let lists = [role.value.models] + role.value.modes.map(\.value.models)
            return lists.contains { !models.isDisjoint(with: $0) }
        }
        return Set(roles.map(\.name))
    }
}
