import JSONText

extension PolicyLanguage {
    /// The published JSON Schema (2020-12) of a source file, for editors.
    ///
    /// - Parameter layer: a spec's file need not have what the workspace's must.
    public static func jsonSchema(of layer: PolicyLayer) -> JSONValue {
        let name = layer == .workspace ? "policy" : "policy-spec"
        var members = JSONValue.Members()
        members.append("$schema", "https://json-schema.org/draft/2020-12/schema")
        members.append("$id", .string("https://capsule.example/schemas/policy/1/\(name).schema.json"))
        members.append("title", layer == .workspace ? "Model policy of a workspace" : "Model policy of a spec")
        let kept = layer == .workspace ? keys : keys.filter { !fixedKeys.contains($0.name) }
        for member in schema(of: .table(kept), layer, isRoot: true) { members.append(member.key, member.value) }
        return .object(members)
    }

    private static func schema(of kind: PolicyKind, _ layer: PolicyLayer, isRoot: Bool = false) -> JSONValue.Members {
        var members = JSONValue.Members()
        switch kind {
        case .table(let keys):
            members.append("type", "object")
            var properties = JSONValue.Members()
            for key in keys { properties.append(key.name, .object(property(key, layer))) }
            members.append("properties", .object(properties))
            let required = keys.filter { $0.isRequired && (layer == .workspace || isRoot && $0.name == "schema") }
            if !required.isEmpty { members.append("required", .array(required.map { .string($0.name) })) }
            members.append("additionalProperties", false)
        case .named(let names, let element):
            members.append("type", "object")
            members.append("propertyNames", ["pattern": .string(Self.namePattern)])
            if case .refers(let namespace) = names {
                members.append("description", .string("By \(namespace.rawValue)."))
            }
            members.append("additionalProperties", .object(schema(of: element, layer)))
        case .entries(let keys):
            members.append("type", "array")
            var item = schema(of: .table(keys), layer)
            if layer == .spec { item["required"] = ["id"] }
            members.append("items", .object(item))
        case .list(let scalar, _, let least):
            members.append("type", "array")
            members.append("items", .object(scalar.jsonSchema))
            if least > 0 { members.append("minItems", .number(JSONNumber(least))) }
            members.append("uniqueItems", true)
        case .scalar(let scalar): members = scalar.jsonSchema
        }
        return members
    }

    private static func property(_ key: PolicyKey, _ layer: PolicyLayer) -> JSONValue.Members {
        var members = JSONValue.Members()
        members.append("description", .string(key.note))
        for member in schema(of: key.kind, layer) { members.append(member.key, member.value) }
        switch key.fallback {
        case .value(.text(let text)):
            let isNumber = if case .scalar(.ratio) = key.kind { true } else { false }
            members.append(
                "default",
                isNumber ? JSONNumber(text).map(JSONValue.number) ?? .string(text) : .string(text)
            )
        case .value(.integer(let number)): members.append("default", .number(JSONNumber(number)))
        case .value(.boolean(let truth)): members.append("default", .bool(truth))
        case .value(.texts(let texts)): members.append("default", .array(texts.map(JSONValue.string)))
        case .derived, .none: break
        }
        return members
    }

    static let namePattern = "^[a-z0-9][a-z0-9_-]{0,\(PolicyLimits.nameBytes - 1)}$"
}

extension PolicyScalar {
    package var jsonSchema: JSONValue.Members {
        var members = JSONValue.Members()
        func bounds(_ least: Int64, _ most: Int64) {
            members.append("minimum", .number(JSONNumber(least)))
            members.append("maximum", .number(JSONNumber(most)))
        }
        func text(_ pattern: String) {
            members.append("type", "string")
            members.append("pattern", .string(pattern))
        }
        switch self {
        case .integer(let range):
            members.append("type", "integer")
            bounds(Int64(range.lowerBound), Int64(range.upperBound))
        case .boolean: members.append("type", "boolean")
        case .choice(let words): members.append("enum", .array(words.map(JSONValue.string)))
        case .name, .newName, .policyName: text(PolicyLanguage.namePattern)
        case .semanticVersion: text(#"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$"#)
        case .time: text(#"^\d{4}-\d{2}-\d{2}([Tt ]\d{2}:\d{2}:\d{2}(\.0+)?([Zz]|[+-]\d{2}:\d{2}))?$"#)
        case .environmentVariable: text("^[A-Z_][A-Z0-9_]{0,127}$")
        case .url: text("^https?://[^\\s?#]+$")
        case .path: text("^[^/~].*$")
        case .glob: text("^[^\\s/]+$")
        case .keyPattern: text("^[a-z0-9_*-]+(\\.[a-z0-9_*-]+)*$")
        case .duration: text("^[0-9]+(ms|s|m|h|d)$")
        case .text:
            members.append("type", "string")
            members.append("minLength", 1)
            members.append("maxLength", .number(JSONNumber(PolicyLimits.textBytes)))
        case .dollars(let most):
            members.append("type", ["number", "string"])
            members.append("pattern", "^[0-9]+(\\.[0-9]{1,6}0*)?$")
            bounds(0, most)
        case .ratio(let range):
            members.append("type", "number")
            members.append("exclusiveMinimum", 0)
            members.append("maximum", .number(JSONNumber(range.upperBound / 1_000_000)))
        case .decimal:
            members.append("type", "number")
            bounds(-PolicyLimits.gateValue, PolicyLimits.gateValue)
        }
        return members
    }
}
