import JSONText

/// Puts every default in its place.
enum Completion {
    static func complete(_ root: Draft) -> Draft {
        var draft = fill(root, .table(PolicyLanguage.keys))
        fillPrices(&draft)
        fillStages(&draft)
        return draft
    }

    private static func fill(_ draft: Draft, _ kind: PolicyKind) -> Draft {
        guard !draft.isBroken else { return draft }
        switch kind {
        case .table(let keys):
            var entries: [DraftEntry] = []
            entries.reserveCapacity(keys.count)
            for key in keys {
                if let entry = draft.entry(key.name) {
                    let value = fill(entry.value, key.kind)
                    entries.append(DraftEntry(name: key.name, keyOrigin: entry.keyOrigin, value: value))
                } else if let value = value(ofMissing: key) {
                    entries.append(DraftEntry(name: key.name, keyOrigin: nil, value: value))
                }
            }
            return Draft(content: .table(entries), origin: draft.origin)
        case .named(_, let element):
            let entries = draft.entries.map { entry in
                DraftEntry(name: entry.name, keyOrigin: entry.keyOrigin, value: fill(entry.value, element))
            }
            return Draft(content: .table(entries), origin: draft.origin)
        case .entries(let keys):
            return Draft(content: .list(draft.items.map { fill($0, .table(keys)) }), origin: draft.origin)
        case .list(_, isSet: true, _):
            let sorted = draft.items.sorted { ($0.string ?? "").utf8.lexicographicallyPrecedes(($1.string ?? "").utf8) }
            return Draft(content: .list(sorted), origin: draft.origin)
        case .list, .scalar: return draft
        }
    }

    private static func value(ofMissing key: PolicyKey) -> Draft? {
        switch (key.fallback, key.kind) {
        case (.value, _): return key.fallbackDraft
        case (.none, .table(let keys)) where !key.isRequired: return fill(.emptyTable, .table(keys))
        case (.none, .named) where !key.isRequired: return .emptyTable
        case (.none, .entries) where !key.isRequired: return .emptyList
        default: return nil
        }
    }

    static func draft(_ value: PolicyDefault, _ scalar: PolicyScalar) -> Draft? {
        func read(_ value: SyntaxValue) -> Draft? {
            (try? scalar.read(value)).map { Draft(content: .scalar($0)) }
        }
        switch value {
        case .integer(let number): return read(.integer(String(number)))
        case .boolean(let truth): return read(.boolean(truth))
        case .texts(let texts): return Draft(content: .list(texts.compactMap { read(.string($0)) }))
        case .text(let text):
            if case .ratio = scalar { return read(.float(text)) }
            return read(.string(text))
        }
    }

    private static func fillPrices(_ draft: inout Draft) {
        guard var models = draft["models"] else { return }
        for entry in models.entries {
            var model = entry.value
            if model["locality"]?.string == "local", model["price_per_mtok"] == nil {
                let zero = Draft(content: .scalar(0))
                let names = PolicyLanguage.price.map { DraftEntry(name: $0.name, keyOrigin: nil, value: zero) }
                model.set("price_per_mtok", Draft(content: .table(names)))
            } else if var price = model["price_per_mtok"], let input = price["input"] {
                for name in ["cache_read", "cache_write"] where price[name] == nil {
                    price.set(name, Draft(content: input.content))
                }
                model.set("price_per_mtok", price)
            }
            models.set(entry.name, model)
        }
        draft.set("models", models)
    }

    private static func fillStages(_ draft: inout Draft) {
        guard let stages = draft["stages"], !stages.isBroken, var roles = draft["roles"] else { return }
        let all = Draft(content: .list(stages.items.map { Draft(content: $0.content) }))
        let sorted = fill(all, .list(.name(.stage), isSet: true, least: 1))
        for role in roles.entries {
            guard var modes = role.value["modes"], !modes.entries.isEmpty else { continue }
            for mode in modes.entries where mode.value["stages"] == nil && !mode.value.isBroken {
                var value = mode.value
                value.set("stages", sorted)
                modes.set(mode.name, value)
            }
            var value = role.value
            value.set("modes", modes)
            roles.set(role.name, value)
        }
        draft.set("roles", roles)
    }
}

extension Draft {
    /// The compiled form.
    func compiled(_ kind: PolicyKind) -> JSONValue {
        switch (kind, content) {
        case (_, .scalar(let value)): return value
        case (.table(let keys), .table(let entries)):
            var members = JSONValue.Members()
            for entry in entries {
                guard let key = keys.first(where: { $0.name == entry.name }) else { continue }
                members.append(key.compiledName, entry.value.compiled(key.kind))
            }
            return .object(members)
        case (.named(_, let element), .table(let entries)):
            var members = JSONValue.Members()
            for entry in entries { members.append(entry.name, entry.value.compiled(element)) }
            return .object(members)
        case (.entries(let keys), .list(let items)): return .array(items.map { $0.compiled(.table(keys)) })
        case (.list(_, isSet: true, _), .list(let items)):
            let sorted = items.sorted { ($0.string ?? "").utf8.lexicographicallyPrecedes(($1.string ?? "").utf8) }
            return .array(sorted.map { $0.scalar ?? .null })
        case (_, .list(let items)): return .array(items.map { $0.scalar ?? .null })
        default: return .null
        }
    }
}
