import JSONText

/// What one compiled policy says otherwise than another, value by value.
public struct PolicyDiff: Sendable, Equatable {
    public struct Change: Sendable, Equatable {
        /// The part of the policy: `roles`, `models`, `budgets` and so on.
        public var group: String
        /// The rule's path, such as `roles.architect.models`.
        public var path: String
        /// Nil where there was nothing; as it is compiled.
        public var old: JSONValue?
        /// Nil where there is nothing any more.
        public var new: JSONValue?
        /// As a source file would write them.
        public var oldText: String?
        public var newText: String?
        public var effect: Effect
    }

    /// What a change does to what a run may do.
    public enum Effect: String, Sendable, CaseIterable {
        /// Name, version and owner, which change nothing.
        case neutral
        /// By the order of strictness that `spec/policy.md` gives the key.
        case stricter
        /// Looser, or neither: a change that no order calls stricter.
        case looser
    }

    /// In the order of the language.
    public let changes: [Change]

    /// Compares two policies.
    public init(from old: CompiledPolicy, to new: CompiledPolicy) {
        let (before, after) = (Self.leaves(old), Self.leaves(new))
        var changes = Self.changed(before, after)
        changes += Self.reordered(old, new)
        let order = Dictionary(uniqueKeysWithValues: PolicyLanguage.keys.enumerated().map { ($1.name, $0) })
        self.changes = changes.sorted { left, right in
            let (first, second) = (order[left.group] ?? 0, order[right.group] ?? 0)
            return (first, left.path) < (second, right.path)
        }
    }

    public var isEmpty: Bool { changes.isEmpty }

    /// Whether the new policy permits nothing that the old one does not: the only kind that a run takes up in
    /// its middle without approval.
    public var onlyTightens: Bool { changes.allSatisfy { $0.effect != .looser } }

    /// The changes by part of the policy, in the order of the language.
    public var groups: [(group: String, changes: [Change])] {
        PolicyLanguage.keys.compactMap { key in
            let changes = changes.filter { $0.group == key.name }
            return changes.isEmpty ? nil : (key.name, changes)
        }
    }

    private static func leaves(_ policy: CompiledPolicy) -> [String: DraftLeaf] {
        let draft = Draft(policy.json, .table(PolicyLanguage.keys))
        return Dictionary(draft.leaves.map { ($0.path.joined(separator: "."), $0) }) { first, _ in first }
    }

    private static func changed(_ before: [String: DraftLeaf], _ after: [String: DraftLeaf]) -> [Change] {
        Set(before.keys).union(after.keys).compactMap { path in
            let (old, new) = (before[path], after[path])
            guard old?.value.leafJSON != new?.value.leafJSON, let leaf = new ?? old else { return nil }
            return Change(
                group: leaf.path[0],
                path: path,
                old: old?.value.leafJSON,
                new: new?.value.leafJSON,
                oldText: old.map { $0.scalar.shown($0.value.leafJSON) },
                newText: new.map { $0.scalar.shown($0.value.leafJSON) },
                effect: effect(leaf, old, new)
            )
        }
    }

    private static func effect(_ leaf: DraftLeaf, _ old: DraftLeaf?, _ new: DraftLeaf?) -> Effect {
        if leaf.path[0] == "policy", leaf.path[1] != "effective" { return .neutral }
        guard let new else { return .looser }
        return leaf.key.strictness.isMet(from: old?.value, to: new.value) ? .stricter : .looser
    }

    /// Escalations are tried in their order, so another order is another policy.
    private static func reordered(_ old: CompiledPolicy, _ new: CompiledPolicy) -> [Change] {
        let (before, after) = (old.escalations.map(\.id), new.escalations.map(\.id))
        let common = Set(before).intersection(after)
        guard before.filter(common.contains) != after.filter(common.contains) else { return [] }
        let json = { (ids: [String]) in JSONValue.array(ids.map(JSONValue.string)) }
        return [
            Change(
                group: "escalations",
                path: "escalations",
                old: json(before),
                new: json(after),
                oldText: json(before).description,
                newText: json(after).description,
                effect: .looser
            )
        ]
    }
}
