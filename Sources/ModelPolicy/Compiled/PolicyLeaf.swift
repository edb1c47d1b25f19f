import JSONText

/// One value of a compiled policy and the path of its rule: the smallest thing that a change can change.
public struct PolicyLeaf: Sendable, Equatable {
    /// The rule's path, such as `roles.architect.models`, or `escalations` for the order of the escalations.
    public var path: String
    /// As it is compiled.
    public var value: JSONValue
    /// As a source file would write it.
    public var text: String
    /// What the value is; nil for the order of the escalations.
    package var scalar: PolicyScalar?

    public static func == (left: PolicyLeaf, right: PolicyLeaf) -> Bool {
        (left.path, left.value) == (right.path, right.value)
    }
}

extension CompiledPolicy {
    /// Every value, in the order of the language; last the order of the escalations, where there is one.
    public var leaves: [PolicyLeaf] {
        let draft = Draft(json, .table(PolicyLanguage.keys))
        var leaves = draft.leaves.map { leaf in
            PolicyLeaf(
                path: leaf.path.joined(separator: "."),
                value: leaf.value.leafJSON,
                text: leaf.scalar.shown(leaf.value.leafJSON),
                scalar: leaf.scalar
            )
        }
        if escalations.count > 1 {
            let order = JSONValue.array(escalations.map { .string($0.id) })
            leaves.append(PolicyLeaf(path: "escalations", value: order, text: "\(order)", scalar: nil))
        }
        return leaves
    }

    /// The policy with values at paths put in, or taken out where the value is nil.
    ///
    /// A path is that of a leaf, or of a table of a name (`models.opus`), of which the value is the compiled table.
    ///
    /// - Throws: ``SnapshotError`` when what comes out is no policy: a name that is not defined, a member that is
    ///   missing.
    public func replacing(_ values: [(path: String, value: JSONValue?)]) throws(SnapshotError) -> CompiledPolicy {
        var tree = json
        // An order of escalations is put in when all of them are there.
        for (path, value) in values where path != "escalations" {
            let steps = path.split(separator: ".").map(String.init)
            tree = Self.replaced(tree, .table(PolicyLanguage.keys), steps[...], value)
        }
        for (path, value) in values where path == "escalations" {
            guard let ids = value?.array?.compactMap(\.string) else { continue }
            tree = Self.reordered(tree, ids)
        }
        return try CompiledPolicy(json: tree)
    }

    /// What stands at a path, compiled; nil where there is nothing.
    public func value(at path: String) -> JSONValue? {
        Self.found(json, .table(PolicyLanguage.keys), path.split(separator: ".").map(String.init)[...])
    }

    private static func found(_ tree: JSONValue, _ kind: PolicyKind, _ path: ArraySlice<String>) -> JSONValue? {
        guard let step = path.first else { return tree }
        switch kind {
        case .table(let keys):
            guard let key = keys.first(where: { $0.name == step }) else { return nil }
            return tree[key.compiledName].flatMap { found($0, key.kind, path.dropFirst()) }
        case .named(_, let element): return tree[step].flatMap { found($0, element, path.dropFirst()) }
        case .entries(let keys):
            return tree.array?.first { $0["id"]?.string == step }
                .flatMap { found($0, .table(keys), path.dropFirst()) }
        case .list, .scalar: return nil
        }
    }

    private static func replaced(
        _ tree: JSONValue,
        _ kind: PolicyKind,
        _ path: ArraySlice<String>,
        _ value: JSONValue?
    ) -> JSONValue {
        guard let step = path.first else { return value ?? tree }
        let rest = path.dropFirst()
        switch kind {
        case .table(let keys):
            guard let key = keys.first(where: { $0.name == step }) else { return tree }
            return replaced(tree, member: key.compiledName, key.kind, rest, value)
        case .named(_, let element): return replaced(tree, member: step, element, rest, value)
        case .entries(let keys):
            var items = tree.array ?? []
            guard let place = items.firstIndex(where: { $0["id"]?.string == step }) else {
                if rest.isEmpty, let value { items.append(value) }
                return .array(items)
            }
            if rest.isEmpty, value == nil {
                items.remove(at: place)
            } else {
                items[place] = replaced(items[place], .table(keys), rest, value)
            }
            return .array(items)
        case .list, .scalar: return tree
        }
    }

    private static func replaced(
        _ tree: JSONValue,
        member: String,
        _ kind: PolicyKind,
        _ rest: ArraySlice<String>,
        _ value: JSONValue?
    ) -> JSONValue {
        var members = tree.object ?? JSONValue.Members()
        if rest.isEmpty {
            members[member] = value
        } else {
            members[member] = replaced(members[member] ?? .object(JSONValue.Members()), kind, rest, value)
        }
        return .object(members)
    }

    private static func reordered(_ tree: JSONValue, _ ids: [String]) -> JSONValue {
        guard var members = tree.object, let items = tree["escalations"]?.array else { return tree }
        let place = { (item: JSONValue) in ids.firstIndex(of: item["id"]?.string ?? "") ?? ids.count }
        let sorted = items.enumerated().sorted { left, right in
            (place(left.element), left.offset) < (place(right.element), right.offset)
        }
        members["escalations"] = .array(sorted.map(\.element))
        return .object(members)
    }
}
