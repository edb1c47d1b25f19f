import JSONText
import ModelPolicy

/// What a file of scenarios holds, for documents and editors. Both come from what the reader reads by.
public enum ScenarioLanguage {
    /// The tables of `spec/policy-tests.md`.
    public static var markdown: String {
        let tables: [(String, [ScenarioKey])] = [
            ("A file", ScenarioReader.fileKeys), ("`scenarios`", ScenarioReader.scenarioKeys),
            ("`grids`", ScenarioReader.gridKeys), ("`given`", GivenKey.allCases.map(\.key)),
            ("`expect`", ExpectKey.allCases.map(\.key)),
        ]
        return tables.map { title, keys in
            var lines = ["### \(title)", "", "| key | holds | what it says |", "|---|---|---|"]
            for key in keys {
                lines.append("| `\(key.name)` | \(holds(key))\(key.isRequired ? "; required" : "") | \(key.note) |")
            }
            return lines.joined(separator: "\n") + "\n"
        }.joined(separator: "\n")
    }

    private static func holds(_ key: ScenarioKey) -> String {
        switch key.name {
        case "given", "expect", "matrix", "expect_by", "fixtures": "a table"
        case "scenarios", "grids": "a list of tables"
        case "use": "a list of names"
        case "cause": "a cause"
        default: key.kind.words
        }
    }

    /// The published JSON Schema (2020-12). Names of a policy are not in it: those the tool checks.
    public static var jsonSchema: JSONValue {
        let definitions: JSONValue = [
            "given": .object(table(GivenKey.allCases.map(\.key))),
            "expect": .object(table(ExpectKey.allCases.map(\.key))),
            "matrix": .object(matrix),
        ]
        var document: JSONValue.Members = JSONValue.Members()
        document["$schema"] = "https://json-schema.org/draft/2020-12/schema"
        document["$id"] = "https://capsule.example/schemas/policy/1/policy-tests.schema.json"
        document["title"] = "Scenarios of a model policy"
        document["type"] = "object"
        document["properties"] = [
            "schema": ["type": "integer", "const": .number(JSONNumber(PolicyTests.schemaVersion))],
            "fixtures": ["type": "object", "additionalProperties": reference("given")],
            "scenarios": ["type": "array", "items": item(ScenarioReader.scenarioKeys)],
            "grids": ["type": "array", "items": item(ScenarioReader.gridKeys)],
        ]
        document["required"] = ["schema"]
        document["additionalProperties"] = false
        document["$defs"] = definitions
        return .object(document)
    }

    private static func reference(_ name: String) -> JSONValue { ["$ref": .string("#/$defs/\(name)")] }

    private static func item(_ keys: [ScenarioKey]) -> JSONValue {
        var properties = JSONValue.Members()
        for key in keys {
            var member: JSONValue.Members
            switch key.name {
            case "given", "expect", "matrix": member = reference(key.name).object ?? JSONValue.Members()
            case "expect_by":
                let values: JSONValue = ["type": "object", "additionalProperties": reference("expect")]
                member = JSONValue.Members()
                member["type"] = "object"
                member["additionalProperties"] = values
            default: member = schema(key.kind)
            }
            member["description"] = .string(key.note)
            properties[key.name] = .object(member)
        }
        return [
            "type": "object", "properties": .object(properties), "required": ["name"], "additionalProperties": false,
        ]
    }

    private static var matrix: JSONValue.Members {
        var properties = JSONValue.Members()
        properties["use"] = ["type": "array", "items": ["type": "string"], "minItems": 1]
        for key in GivenKey.allCases.map(\.key) {
            properties[key.name] = ["type": "array", "items": .object(schema(key.kind)), "minItems": 1]
        }
        var members = JSONValue.Members()
        members["type"] = "object"
        members["properties"] = .object(properties)
        members["additionalProperties"] = false
        members["maxProperties"] = .number(JSONNumber(PolicyTestLimits.axes))
        return members
    }

    private static func table(_ keys: [ScenarioKey]) -> JSONValue.Members {
        var properties = JSONValue.Members()
        for key in keys {
            var member = schema(key.kind)
            member["description"] = .string(key.note)
            properties[key.name] = .object(member)
        }
        var members = JSONValue.Members()
        members["type"] = "object"
        members["properties"] = .object(properties)
        let required = keys.filter(\.isRequired)
        if !required.isEmpty { members["required"] = .array(required.map { .string($0.name) }) }
        members["additionalProperties"] = false
        return members
    }

    private static func schema(_ kind: ScenarioKind) -> JSONValue.Members {
        var members = JSONValue.Members()
        switch kind {
        case .scalar(let scalar): members = schema(scalar)
        case .stated(let scalar): members["anyOf"] = [.object(schema(scalar)), ["const": "none"]]
        case .money:
            members["type"] = ["number", "string"]
            members["pattern"] = "^[0-9]{1,9}(\\.[0-9]{1,12})?$"
            members["minimum"] = 0
        case .age:
            members["type"] = "string"
            members["pattern"] = "^[0-9]+(ms|s|m|h|d)$"
        case .list(let scalar):
            members["type"] = "array"
            members["items"] = .object(schema(scalar))
        case .table(let keys): members = table(keys)
        case .named(_, let element):
            members["type"] = "object"
            members["additionalProperties"] = .object(schema(element))
        case .tables(let keys):
            members["type"] = "array"
            members["items"] = .object(table(keys))
        case .either(let first, .table(let keys)) where keys.isEmpty: members = schema(first)
        case .either(let first, let second):
            members["anyOf"] = [.object(schema(first)), .object(schema(second))]
        }
        return members
    }

    private static func schema(_ scalar: PolicyScalar) -> JSONValue.Members {
        switch scalar {
        // A scenario may be about a name that is none.
        case .name:
            var members = JSONValue.Members()
            members["type"] = "string"
            return members
        case .ratio(let range):
            var members = JSONValue.Members()
            members["type"] = "number"
            members["minimum"] = 0
            members["maximum"] = .number(JSONNumber(range.upperBound / 1_000_000))
            return members
        default: return scalar.jsonSchema
        }
    }
}
