import JSONText
import ModelPolicy

/// A policy in which one leaf has another value that is next to its own.
public struct PolicyMutation: Sendable {
    public var leaf: PolicyLeaf
    /// What the leaf has become, as a source file would write it.
    public var text: String
    public var policy: CompiledPolicy

    /// The mutations of a leaf that leave a policy: a number a step up and down, doubled and halved, another word, a
    /// list that is shorter, longer or turned round, another name, and nothing at all.
    public static func all(of leaf: PolicyLeaf, in policy: CompiledPolicy) -> [PolicyMutation] {
        let values: [JSONValue?] = values(leaf, policy).filter { $0 != leaf.value } + [nil]
        return values.compactMap { value in
            guard let mutant = try? policy.replacing([(leaf.path, value)]), mutant != policy else { return nil }
            let text = value.map { leaf.scalar?.shown($0) ?? "\($0)" } ?? "nothing"
            return PolicyMutation(leaf: leaf, text: text, policy: mutant)
        }
    }

    private static func values(_ leaf: PolicyLeaf, _ policy: CompiledPolicy) -> [JSONValue] {
        if leaf.path == "escalations" { return [.array((leaf.value.array ?? []).reversed())] }
        if let items = leaf.value.array { return lists(items, leaf, policy) }
        guard let scalar = leaf.scalar else { return [] }
        if let truth = leaf.value.bool { return [.bool(!truth)] }
        if let number = leaf.value.int { return numbers(number, scalar).map { .number(JSONNumber($0)) } }
        let text = leaf.value.string ?? ""
        switch scalar {
        case .choice(let words): return words.filter { $0 != text }.map { .string($0) }
        case .name(let namespace):
            return names(namespace, leaf, policy).filter { $0 != text }.map { .string($0) }
        case .url: return [.string(text + "/elsewhere")]
        case .time: return ["2020-01-01T00:00:00Z"]
        case .semanticVersion: return ["0.0.1"]
        default: return [.string(text + "2")]
        }
    }

    private static func numbers(_ number: Int, _ scalar: PolicyScalar) -> [Int] {
        switch scalar {
        // A price that is not the dearest of its model's decides nothing, so the step is a large one.
        case .dollars(let most) where most == PolicyLimits.priceDollars: [number + 1_000_000_000]
        default: [number - 1, number + 1, number.multipliedReportingOverflow(by: 2).partialValue, number / 2]
        }
    }

    private static func lists(_ items: [JSONValue], _ leaf: PolicyLeaf, _ policy: CompiledPolicy) -> [JSONValue] {
        var lists = items.indices.map { place in
            var shorter = items
            shorter.remove(at: place)
            return JSONValue.array(shorter)
        }
        if items.count > 1 { lists.append(.array(items.reversed())) }
        if case .name(let namespace)? = leaf.scalar {
            let others = names(namespace, leaf, policy).filter { !items.contains(.string($0)) }
            lists += others.map { .array(items + [.string($0)]) }
        }
        return lists
    }

    private static func names(_ namespace: PolicyNamespace, _ leaf: PolicyLeaf, _ policy: CompiledPolicy) -> [String] {
        switch namespace {
        case .provider: return policy.providers.names
        case .model: return policy.models.names
        case .role: return policy.roles.names
        case .gate: return policy.gates.names
        case .stage: return policy.stages
        case .escalation: return policy.escalations.map(\.id)
        case .mode:
            let steps = leaf.path.split(separator: ".").map(String.init)
            let role = steps[0] == "escalations" ? policy.escalations.first { $0.id == steps[1] }?.role : steps[1]
            let own = role.flatMap { policy.roles[$0]?.modes.names }
            return [Role.defaultMode] + (own ?? policy.roles.elements.flatMap(\.modes.names))
        }
    }
}
