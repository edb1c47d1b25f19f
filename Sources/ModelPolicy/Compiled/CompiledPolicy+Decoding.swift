import JSONText

extension CompiledPolicy {
    /// Reads a snapshot, whoever wrote it.
    ///
    /// - Throws: ``SnapshotError`` for the first thing that is not as a compiler writes it.
    public init(canonicalJSON bytes: [UInt8]) throws(SnapshotError) {
        guard bytes.count <= PolicyLimits.snapshotBytes else {
            throw SnapshotError(.beyondLimit, "", "a snapshot has at most \(PolicyLimits.snapshotBytes) bytes")
        }
        let value: JSONValue
        do throws(JSONError) {
            try CanonicalJSON.check(bytes)
            value = try JSONValue.parse(bytes)
        } catch {
            throw SnapshotError(.notCanonical, "", "this is not canonical JSON (RFC 8785): \(error)")
        }
        try self.init(json: value)
    }

    /// Reads the tree of a snapshot.
    public init(json value: JSONValue) throws(SnapshotError) {
        try SnapshotCheck.check(value)
        let reader = SnapshotReader(value: value, path: "")
        schema = try reader.integer("schema")
        let policy = try reader.object("policy")
        name = try policy.string("name")
        version = try policy.string("version")
        owner = try policy.string("owner")
        effective = policy.optionalString("effective").flatMap { PolicyTime($0) }
        stages = try reader.strings("stages")
        providers = try reader.named("providers") { reader throws(SnapshotError) in try Provider(reader) }
        models = try reader.named("models") { reader throws(SnapshotError) in try Model(reader) }
        roles = try reader.named("roles") { reader throws(SnapshotError) in try Role(reader) }
        escalations = try reader.array("escalations") { reader throws(SnapshotError) in try Escalation(reader) }
        high = try RiskRules(reader.object("risk").object("high"))
        low = try RiskRules(reader.object("risk").object("low"))
        budgets = try Budgets(reader.object("budgets"))
        enforcement = try Enforcement(reader.object("enforcement"))
        capture = try reader.object("capture").word("mode")
        gates = try reader.named("gates") { gate throws(SnapshotError) in
            try gate.named(nil) { reader throws(SnapshotError) in try Criterion(reader) }
        }
        redaction = try Redaction(reader.object("redaction"))
        approvals = try Approvals(reader.object("approvals"))
        overrides = try Overrides(reader.object("overrides"))
    }
}

/// Reads members by name. What `SnapshotCheck` has let pass never fails here; if it does, that is an error like others.
struct SnapshotReader {
    let value: JSONValue
    let path: String

    private func fault(_ key: String) -> SnapshotError {
        SnapshotError(value[key] == nil ? .missing : .invalid, "\(path)/\(key)", "this cannot be read")
    }

    func object(_ key: String) throws(SnapshotError) -> SnapshotReader {
        guard let member = value[key], member.object != nil else { throw fault(key) }
        return SnapshotReader(value: member, path: "\(path)/\(key)")
    }

    func optionalString(_ key: String) -> String? { value[key]?.string }
    func optionalInteger(_ key: String) -> Int? { value[key]?.int }

    func string(_ key: String) throws(SnapshotError) -> String {
        guard let text = value[key]?.string else { throw fault(key) }
        return text
    }

    func integer(_ key: String) throws(SnapshotError) -> Int {
        guard let number = value[key]?.int else { throw fault(key) }
        return number
    }

    func boolean(_ key: String) throws(SnapshotError) -> Bool {
        guard let truth = value[key]?.bool else { throw fault(key) }
        return truth
    }

    func ratio(_ key: String) throws(SnapshotError) -> Ratio { Ratio(millionths: Int64(try integer(key))) }

    func word<Word: RawRepresentable<String>>(_ key: String) throws(SnapshotError) -> Word {
        guard let word = Word(rawValue: try string(key)) else { throw fault(key) }
        return word
    }

    func strings(_ key: String) throws(SnapshotError) -> [String] {
        guard let items = value[key]?.array else { throw fault(key) }
        return items.compactMap(\.string)
    }

    func array<Element>(
        _ key: String,
        _ read: (SnapshotReader) throws(SnapshotError) -> Element
    ) throws(SnapshotError) -> [Element] {
        guard let items = value[key]?.array else { throw fault(key) }
        var elements: [Element] = []
        for (index, item) in items.enumerated() {
            elements.append(try read(SnapshotReader(value: item, path: "\(path)/\(key)/\(index)")))
        }
        return elements
    }

    func named<Element>(
        _ key: String?,
        _ read: (SnapshotReader) throws(SnapshotError) -> Element
    ) throws(SnapshotError) -> NamedList<Element> {
        let table = try key.map { key throws(SnapshotError) in try object(key) } ?? self
        var elements: [(name: String, value: Element)] = []
        for member in table.value.object ?? JSONValue.Members() {
            let path = "\(table.path)/\(member.key)"
            elements.append((member.key, try read(SnapshotReader(value: member.value, path: path))))
        }
        return NamedList(pairs: elements)
    }
}
