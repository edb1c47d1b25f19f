extension JSONSchema {
    /// The published form of the schema: a JSON Schema document of the 2020-12 dialect.
    ///
    /// - Parameter id: the `$id` of the document, an absolute URI.
    public func document(id: String) -> JSONValue {
        var members = JSONValue.Members()
        members.append("$schema", "https://json-schema.org/draft/2020-12/schema")
        members.append("$id", .string(id))
        append(to: &members)
        return .object(members)
    }

    private var subschema: JSONValue {
        var members = JSONValue.Members()
        append(to: &members)
        return .object(members)
    }

    private func append(to members: inout JSONValue.Members) {
        if let title { members.append("title", .string(title)) }
        if let note { members.append("description", .string(note)) }
        if let type { members.append("type", .string(type)) }
        switch shape {
        case .any, .null, .boolean, .number:
            break
        case .integer(let range):
            members.append("minimum", .number(JSONNumber(range.lowerBound)))
            members.append("maximum", .number(JSONNumber(range.upperBound)))
        case .string(let minLength, let maxLength):
            Self.append("Length", minLength, maxLength, to: &members)
        case .choice(let choices):
            members.append("enum", .array(choices.map(JSONValue.string)))
        case .format(let format):
            members.append("pattern", .string(format.pattern))
        case .array(let element, let minItems, let maxItems):
            members.append("items", element.subschema)
            Self.append("Items", minItems, maxItems, to: &members)
        case .object(let properties, let additional):
            Self.append(properties, additional, to: &members)
        }
    }

    private var type: String? {
        switch shape {
        case .any: nil
        case .null: "null"
        case .boolean: "boolean"
        case .number: "number"
        case .integer: "integer"
        case .string, .choice, .format: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    private static func append(_ what: String, _ least: Int, _ most: Int?, to members: inout JSONValue.Members) {
        if least > 0 { members.append("min" + what, .number(JSONNumber(least))) }
        if let most { members.append("max" + what, .number(JSONNumber(most))) }
    }

    private static func append(
        _ properties: [Property],
        _ additional: Additional,
        to members: inout JSONValue.Members
    ) {
        var declared = JSONValue.Members()
        for property in properties {
            declared.append(property.name, property.schema.subschema)
        }
        let required = properties.filter(\.isRequired).map { JSONValue.string($0.name) }
        if !declared.isEmpty { members.append("properties", .object(declared)) }
        if !required.isEmpty { members.append("required", .array(required)) }
        switch additional {
        case .refused: members.append("additionalProperties", false)
        case .allowed: members.append("additionalProperties", true)
        case .matching(let schema): members.append("additionalProperties", schema.subschema)
        }
    }
}

extension JSONSchema.Format {
    /// The form as an ECMA-262 regular expression, in which `$` is the end of the string and nothing else.
    var pattern: String {
        switch self {
        case .hex(let digits, let prefix): "^\(prefix)[0-9a-f]{\(digits)}$"
        case .name(let maxLength): "^[a-z][a-z0-9._-]{0,\(maxLength - 1)}$"
        case .timestamp:
            "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
                + "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$"
        }
    }
}
