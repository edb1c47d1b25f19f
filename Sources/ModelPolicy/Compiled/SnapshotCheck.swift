import JSONText

/// Holds a snapshot to the language before anything of it is read: members, types, bounds and names.
struct SnapshotCheck {
    private var names: [PolicyNamespace: Set<String>] = [:]
    private var modesByRole: [String: Set<String>] = [:]

    static func check(_ root: JSONValue) throws(SnapshotError) {
        guard let schema = root["schema"]?.int else {
            throw SnapshotError(root["schema"] == nil ? .missing : .invalid, "/schema", "a snapshot says its schema")
        }
        guard schema == ModelPolicy.schemaVersion else {
            throw SnapshotError(
                .unknownSchema,
                "/schema",
                "this is schema \(schema), and this reader knows \(ModelPolicy.schemaVersion); take a newer version"
            )
        }
        var check = SnapshotCheck()
        check.collect(root)
        try check.check(root, .table(PolicyLanguage.keys), path: "", role: nil)
    }

    private mutating func collect(_ root: JSONValue) {
        func keys(_ value: JSONValue?) -> Set<String> { Set(value?.object?.map(\.key) ?? []) }
        names[.stage] = Set(root["stages"]?.array?.compactMap(\.string) ?? [])
        names[.provider] = keys(root["providers"])
        names[.model] = keys(root["models"])
        names[.role] = keys(root["roles"])
        names[.gate] = keys(root["gates"])
        for member in root["roles"]?.object ?? JSONValue.Members() {
            modesByRole[member.key] = keys(member.value["modes"]).union([Role.defaultMode])
        }
        names[.mode] = modesByRole.values.reduce(into: []) { $0.formUnion($1) }
    }

    private func check(_ value: JSONValue, _ kind: PolicyKind, path: String, role: String?) throws(SnapshotError) {
        switch kind {
        case .table(let keys): try checkTable(value, keys, path: path, role: role)
        case .named(let names, let element): try checkNamed(value, names, element, path: path, role: role)
        case .entries(let keys):
            for (index, item) in try elements(value, path).enumerated() {
                try checkTable(item, keys, path: "\(path)/\(index)", role: item["role"]?.string)
            }
        case .list(let scalar, let isSet, _): try checkList(value, scalar, isSet: isSet, path: path, role: role)
        case .scalar(let scalar): try checkScalar(value, scalar, path: path, role: role)
        }
    }

    private func elements(_ value: JSONValue, _ path: String) throws(SnapshotError) -> [JSONValue] {
        guard let array = value.array else { throw SnapshotError(.invalid, path, "this is to be an array") }
        guard array.count <= PolicyLimits.entries else {
            throw SnapshotError(.beyondLimit, path, "there are at most \(PolicyLimits.entries) entries")
        }
        return array
    }

    private func members(_ value: JSONValue, _ path: String) throws(SnapshotError) -> JSONValue.Members {
        guard let members = value.object else { throw SnapshotError(.invalid, path, "this is to be an object") }
        guard members.count <= PolicyLimits.entries else {
            throw SnapshotError(.beyondLimit, path, "there are at most \(PolicyLimits.entries) members")
        }
        return members
    }

    private func checkTable(
        _ value: JSONValue,
        _ keys: [PolicyKey],
        path: String,
        role: String?
    ) throws(SnapshotError) {
        let members = try members(value, path)
        for member in members {
            guard let key = keys.first(where: { $0.compiledName == member.key }) else {
                throw SnapshotError(.unknown, "\(path)/\(member.key)", "this is no member of a snapshot")
            }
            try check(member.value, key.kind, path: "\(path)/\(member.key)", role: role)
        }
        for key in keys where key.isAlwaysCompiled && members[key.compiledName] == nil {
            throw SnapshotError(.missing, "\(path)/\(key.compiledName)", "this is not there")
        }
    }

    private func checkNamed(
        _ value: JSONValue,
        _ names: PolicyNames,
        _ element: PolicyKind,
        path: String,
        role: String?
    ) throws(SnapshotError) {
        let members = try members(value, path)
        if case .defines(.mode) = names, members.count > PolicyLimits.modes {
            throw SnapshotError(.beyondLimit, path, "a role has at most \(PolicyLimits.modes) modes")
        }
        for member in members {
            let place = "\(path)/\(member.key)"
            switch names {
            case .refers(let namespace): try checkName(member.key, namespace, path: place, role: role)
            case .defines, .free:
                guard PolicyName.isGood(member.key) else { throw SnapshotError(.invalid, place, "this is no name") }
            }
            if case .defines(.mode) = names, member.key == Role.defaultMode {
                throw SnapshotError(.invalid, place, "`default` is no name for a mode")
            }
            let isRole = if case .defines(.role) = names { true } else { false }
            try check(member.value, element, path: place, role: isRole ? member.key : role)
        }
    }

    private func checkList(
        _ value: JSONValue,
        _ scalar: PolicyScalar,
        isSet: Bool,
        path: String,
        role: String?
    ) throws(SnapshotError) {
        var last: String?
        var seen = FewStrings()
        for (index, item) in try elements(value, path).enumerated() {
            let place = "\(path)/\(index)"
            try checkScalar(item, scalar, path: place, role: role)
            let text = item.string ?? ""
            guard seen.insert(text) else { throw SnapshotError(.invalid, place, "this is there twice") }
            if isSet, let last, text.utf8.lexicographicallyPrecedes(last.utf8) {
                throw SnapshotError(.invalid, place, "this is out of order")
            }
            last = text
        }
    }

    private func checkName(
        _ name: String,
        _ namespace: PolicyNamespace,
        path: String,
        role: String?
    ) throws(SnapshotError) {
        let known = namespace == .mode ? role.flatMap { modesByRole[$0] } ?? names[.mode] : names[namespace]
        guard known?.contains(name) == true else {
            throw SnapshotError(.undefined, path, "there is no \(namespace.rawValue) of this name")
        }
    }

    private func checkScalar(
        _ value: JSONValue,
        _ scalar: PolicyScalar,
        path: String,
        role: String?
    ) throws(SnapshotError) {
        if case .name(let namespace) = scalar {
            guard let name = value.string else { throw SnapshotError(.invalid, path, "this is to be a name") }
            return try checkName(name, namespace, path: path, role: role)
        }
        guard scalar.admitsCompiled(value) else {
            throw SnapshotError(.invalid, path, "this is not \(scalar.words), as it is compiled")
        }
    }
}

extension PolicyKey {
    /// Whether every snapshot has it.
    var isAlwaysCompiled: Bool {
        switch (fallback, kind) {
        case (.value, _): true
        case (.derived, .list): true
        case (.derived, .scalar): true
        case (.none, .table), (.none, .named), (.none, .entries): true
        default: isRequired
        }
    }
}

extension PolicyScalar {
    /// Whether a value is in compiled form and within its bounds.
    func admitsCompiled(_ value: JSONValue) -> Bool {
        switch self {
        case .integer(let range): return value.int.map(range.contains) ?? false
        case .boolean: return value.bool != nil
        case .dollars(let most): return value.int.map { (0...(most * 1_000_000)).contains(Int64($0)) } ?? false
        case .ratio(let range): return value.int.map { range.contains(Int64($0)) } ?? false
        case .decimal: return value.int.map { $0.magnitude <= PolicyLimits.gateValue.magnitude * 1_000_000 } ?? false
        case .duration:
            return value.int.map { (1...(PolicyLimits.durationDays * 86_400_000)).contains(Int64($0)) } ?? false
        case .time: return value.string.flatMap { PolicyTime($0)?.description == $0 } ?? false
        case .newName, .policyName: return value.string.map(PolicyName.isGood) ?? false
        default:
            guard let text = value.string else { return false }
            return (try? read(.string(text))) != nil
        }
    }
}
