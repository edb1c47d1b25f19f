/// The names that a policy defines; nil where the table that defines them could not be read.
struct DefinedNames {
    private var names: [PolicyNamespace: Set<String>] = [:]
    /// The modes of each role, the default mode among them.
    private(set) var modesByRole: [String: Set<String>] = [:]

    init(_ policy: Draft) {
        func keys(_ table: Draft?) -> Set<String>? {
            guard let table, !table.isBroken else { return nil }
            return Set(table.entries.map(\.name))
        }
        names[.provider] = keys(policy["providers"])
        names[.model] = keys(policy["models"])
        names[.role] = keys(policy["roles"])
        names[.gate] = keys(policy["gates"])
        if let stages = policy["stages"], !stages.isBroken { names[.stage] = Set(stages.strings) }
        var areModesKnown = names[.role] != nil
        for role in policy["roles"]?.entries ?? [] {
            guard let modes = keys(role.value["modes"]) else {
                areModesKnown = false
                continue
            }
            modesByRole[role.name] = modes.union([Role.defaultMode])
        }
        if areModesKnown { names[.mode] = modesByRole.values.reduce(into: []) { $0.formUnion($1) } }
    }

    /// What is defined; nil when that is not known.
    func known(_ namespace: PolicyNamespace, role: String?) -> Set<String>? {
        guard namespace == .mode, let role else { return names[namespace] }
        return modesByRole[role]
    }
}

/// Tells of each name that is used and not defined, once, at its first place.
struct ReferenceCheck {
    private struct Key: Hashable {
        var namespace: PolicyNamespace
        var role: String?
        var name: String
    }

    private let names: DefinedNames
    private let diagnostics: DiagnosticSink
    private var places: [Key: [SourceOrigin]] = [:]

    init(names: DefinedNames, diagnostics: DiagnosticSink) {
        self.names = names
        self.diagnostics = diagnostics
    }

    var undefinedNamespaces: Set<PolicyNamespace> { Set(places.keys.map(\.namespace)) }

    mutating func check(_ policy: Draft) {
        visit(policy, .table(PolicyLanguage.keys), role: nil, isRisk: false)
        for (key, origins) in places.sorted(by: { $0.key.name < $1.key.name }) { report(key, origins) }
    }

    private mutating func visit(_ draft: Draft, _ kind: PolicyKind, role: String?, isRisk: Bool) {
        switch kind {
        case .table(let keys):
            for entry in draft.entries {
                guard let key = keys.first(where: { $0.name == entry.name }) else { continue }
                visit(entry.value, key.kind, role: role, isRisk: isRisk || entry.name == "risk")
            }
        case .named(let definition, let element):
            for entry in draft.entries {
                if case .refers(let namespace) = definition { note(entry.name, namespace, role, entry.keyOrigin) }
                let isRole = if case .defines(.role) = definition { true } else { false }
                visit(entry.value, element, role: isRole ? entry.name : role, isRisk: isRisk)
            }
        case .entries(let keys):
            for item in draft.items { visit(item, .table(keys), role: item["role"]?.string ?? "", isRisk: false) }
        case .list(.name(let namespace), _, _):
            for item in draft.items {
                if isRisk, namespace == .mode, item.string == Role.defaultMode {
                    reportDenied(item)
                } else {
                    note(item.string, namespace, role, item.origin)
                }
            }
        case .scalar(.name(let namespace)): note(draft.string, namespace, role, draft.origin)
        case .list, .scalar: return
        }
    }

    private func reportDenied(_ item: Draft) {
        guard let origin = item.origin else { return }
        diagnostics.add(
            .reservedName,
            origin,
            "the default mode cannot be denied: nothing would be left",
            "take it out"
        )
    }

    private mutating func note(_ name: String?, _ namespace: PolicyNamespace, _ role: String?, _ origin: SourceOrigin?)
    {
        let role = namespace == .mode ? role : nil
        guard let name, let origin, let known = names.known(namespace, role: role), !known.contains(name),
            !diagnostics.mayBeLost(name, namespace)
        else { return }
        places[Key(namespace: namespace, role: role, name: name), default: []].append(origin)
    }

    private func report(_ key: Key, _ origins: [SourceOrigin]) {
        let sorted = origins.sorted { $0.span.start < $1.span.start }
        guard let first = sorted.first else { return }
        let owner = key.role.map { " of the role `\($0)`" } ?? ""
        var message = "there is no \(key.namespace.rawValue) `\(key.name)`\(owner)"
        let others = Set(sorted.dropFirst().filter { $0.layer == first.layer }.map(\.span.start.line)).sorted()
        if !others.isEmpty {
            message += " (also in line \(others.prefix(20).map(String.init).joined(separator: ", ")))"
        }
        let known = (names.known(key.namespace, role: key.role) ?? []).sorted()
        let list = known.prefix(20).map { "`\($0)`" }.joined(separator: ", ")
        let help = known.isEmpty ? "define one" : "known are \(list)"
        diagnostics.add(.undefinedName, first, message, diagnostics.suggestion(for: key.name, among: known) ?? help)
    }
}
