import JSONText

/// A value of a policy on its way to a snapshot: already in compiled form, still with its origin.
struct Draft: Sendable {
    indirect enum Content: Sendable {
        case scalar(JSONValue)
        case list([Draft])
        case table([DraftEntry])
        /// A diagnostic has said what is wrong here.
        case broken
    }

    var content: Content
    /// Nil for a default.
    var origin: SourceOrigin?

    static let emptyTable = Draft(content: .table([]))
    static let emptyList = Draft(content: .list([]))

    var entries: [DraftEntry] { if case .table(let entries) = content { entries } else { [] } }
    var items: [Draft] { if case .list(let items) = content { items } else { [] } }
    var scalar: JSONValue? { if case .scalar(let value) = content { value } else { nil } }
    var string: String? { scalar?.string }
    var int: Int? { scalar?.int }
    var isBroken: Bool { if case .broken = content { true } else { false } }

    /// The strings of a list that is not broken.
    var strings: [String] { items.compactMap(\.string) }

    subscript(key: String) -> Draft? { entry(key)?.value }

    func entry(_ key: String) -> DraftEntry? { entries.first { $0.name == key } }

    mutating func set(_ name: String, _ value: Draft, keyOrigin: SourceOrigin? = nil) {
        guard case .table(var entries) = content else { return }
        content = .broken
        if let index = entries.firstIndex(where: { $0.name == name }) {
            entries[index].value = value
            // A table is where it was first named; a value is where it was last given.
            if case .table = value.content {} else if let keyOrigin { entries[index].keyOrigin = keyOrigin }
        } else {
            entries.append(DraftEntry(name: name, keyOrigin: keyOrigin, value: value))
        }
        content = .table(entries)
    }
}

struct DraftEntry: Sendable {
    var name: String
    var keyOrigin: SourceOrigin?
    var value: Draft
}

/// A value that is not a table, and the key that it belongs to.
struct DraftLeaf {
    var path: [String]
    var key: PolicyKey
    var scalar: PolicyScalar
    var value: Draft
    var keyOrigin: SourceOrigin?
}

extension Draft {
    /// Every value, in the order of the language.
    var leaves: [DraftLeaf] {
        var leaves: [DraftLeaf] = []
        visit(.table(PolicyLanguage.keys), [], nil, nil) { leaf in
            leaves.append(leaf)
        } table: { _, _ in
        }
        return leaves
    }

    /// Calls `leaf` for every value and `table` for every named table and escalation.
    func visit(
        _ kind: PolicyKind,
        _ path: [String],
        _ key: PolicyKey?,
        _ keyOrigin: SourceOrigin?,
        leaf: (DraftLeaf) -> Void,
        table: ([String], SourceOrigin?) -> Void
    ) {
        switch kind {
        case .table(let keys):
            for key in keys {
                guard let entry = entry(key.name) else { continue }
                entry.value.visit(key.kind, path + [key.name], key, entry.keyOrigin, leaf: leaf, table: table)
            }
        case .named(_, let element):
            for entry in entries {
                let path = path + [entry.name]
                if case .table = entry.value.content { table(path, entry.keyOrigin) }
                entry.value.visit(element, path, key, entry.keyOrigin, leaf: leaf, table: table)
            }
        case .entries(let keys):
            for item in items {
                let path = path + [item["id"]?.string ?? "?"]
                table(path, item.entry("id")?.keyOrigin ?? item.origin)
                item.visit(.table(keys), path, key, item.origin, leaf: leaf, table: table)
            }
        case .list(let scalar, _, _), .scalar(let scalar):
            guard let key, !isBroken else { return }
            leaf(DraftLeaf(path: path, key: key, scalar: scalar, value: self, keyOrigin: keyOrigin))
        }
    }

    /// Reads the compiled form back; what has been checked as a snapshot fits.
    init(_ json: JSONValue, _ kind: PolicyKind) {
        switch kind {
        case .table(let keys):
            content = .table(
                keys.compactMap { key in
                    json[key.compiledName].map {
                        DraftEntry(name: key.name, keyOrigin: nil, value: Draft($0, key.kind))
                    }
                }
            )
        case .named(_, let element):
            content = .table(
                (json.object ?? JSONValue.Members()).map {
                    DraftEntry(name: $0.key, keyOrigin: nil, value: Draft($0.value, element))
                }
            )
        case .entries(let keys): content = .list((json.array ?? []).map { Draft($0, .table(keys)) })
        case .list: content = .list((json.array ?? []).map { Draft(content: .scalar($0)) })
        case .scalar: content = .scalar(json)
        }
    }

    /// The value of a leaf, as it is compiled.
    var leafJSON: JSONValue { scalar ?? .array(items.map { $0.scalar ?? .null }) }
}
