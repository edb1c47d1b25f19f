import Testing

@testable import JSONText

/// Makes documents that follow a schema, and then breaks about half of them somewhere.
private struct DocumentGenerator {
    var random: SplitMix

    mutating func chance(_ percent: Int) -> Bool {
        Int.random(in: 0..<100, using: &random) < percent
    }

    /// A value for a schema; with a chance of `damage` in a hundred at each node, one that may not follow it.
    mutating func value(_ schema: JSONSchema, damage: Int) -> JSONValue {
        if chance(damage) { return wrong(schema) }
        switch schema.shape {
        case .any: return JSONValue.random(&random, depth: 2)
        case .null: return .null
        case .boolean: return .bool(chance(50))
        case .number: return .number(JSONNumber(checked: pick(["0", "-1.5", "1e3", "0.1E-2", "123456789"])))
        case .integer(let range): return .number(integer(range))
        case .string(let least, let most): return .string(string(Int.random(in: least...(most ?? 20), using: &random)))
        case .choice(let choices): return .string(pick(choices))
        case .format(let format): return .string(formatted(format))
        case .array(let element, let least, let most):
            let count = Int.random(in: least...(most ?? 4), using: &random)
            return .array((0..<count).map { _ in value(element, damage: damage) })
        case .object(let properties, let additional):
            return .object(object(properties, additional, damage: damage))
        }
    }

    private mutating func object(
        _ properties: [JSONSchema.Property], _ additional: JSONSchema.Additional, damage: Int
    ) -> JSONValue.Members {
        var members = JSONValue.Members()
        for property in properties.shuffled(using: &random) {
            if property.isRequired ? !chance(damage) : chance(40) {
                members.append(property.name, value(property.schema, damage: damage))
            }
        }
        switch additional {
        case .refused:
            if chance(damage) { members.append(string(3), 1) }
        case .allowed:
            if chance(50) { members.append(string(3), JSONValue.random(&random, depth: 1)) }
        case .matching(let schema):
            for _ in 0..<Int.random(in: 0..<4, using: &random) {
                members.append(string(3), value(schema, damage: damage))
            }
        }
        return members
    }

    private mutating func wrong(_ schema: JSONSchema) -> JSONValue {
        switch schema.shape {
        case .integer(let range) where chance(60):
            let near = [range.lowerBound - 1, range.upperBound + 1].map { JSONNumber($0).text }
            return .number(JSONNumber(checked: pick(near + ["1.5", "1e400", "-1e400", "25e-1", "2.0", "30e-1"])))
        case .string(let least, let most) where chance(60):
            return .string(string(pick([max(least - 1, 0), (most ?? 10) + 1])))
        case .format(let format) where chance(60):
            var scalars = Array(formatted(format).unicodeScalars)
            scalars[Int.random(in: 0..<scalars.count, using: &random)] = pick(["0", "9", "A", "g", "é", "-", "a", " "])
            return .string(scalars.reduce(into: "") { $0.unicodeScalars.append($1) })
        case .array(let element, let least, let most) where chance(60):
            let count = pick([max(least - 1, 0), (most ?? 5) + 1])
            return .array(Array(repeating: value(element, damage: 0), count: count))
        default:
            return JSONValue.random(&random, depth: 2)
        }
    }

    private mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int.random(in: 0..<elements.count, using: &random)]
    }

    private mutating func integer(_ range: ClosedRange<Int>) -> JSONNumber {
        let value = pick([range.lowerBound, range.upperBound, Int.random(in: range, using: &random)])
        return JSONNumber(checked: pick(["\(value)", "\(value).0", "\(value)e0"]))
    }

    private mutating func string(_ count: Int) -> String {
        let scalars: [Unicode.Scalar] = ["a", "Z", "0", " ", "é", "€", "😀", "\n", "\"", "\\", "/", "\u{301}"]
        return (0..<count).reduce(into: "") { text, _ in text.unicodeScalars.append(pick(scalars)) }
    }

    private mutating func formatted(_ format: JSONSchema.Format) -> String {
        switch format {
        case .hex(let digits, let prefix):
            prefix + (0..<digits).map { _ in pick(Array("0123456789abcdef").map(String.init)) }.joined()
        case .name(let maxLength):
            "n" + (1..<Int.random(in: 1...maxLength, using: &random)).map { _ in pick(["a", "z", "0", ".", "_", "-"]) }
                .joined()
        case .timestamp:
            pick(["2026-01-31T23:59:59Z", "1999-12-01T00:00:00Z", "0000-10-19T10:20:30Z"])
        }
    }
}

@Suite("Schemas and Python's jsonschema")
struct SchemaPythonTests {
    private static let script = """
        import json
        from jsonschema import Draft202012Validator
        schema = json.load(open("schema.json", encoding="utf-8"))
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema)
        for line in open("documents.txt", encoding="utf-8", newline="\\n"):
            print("y" if validator.is_valid(json.loads(line)) else "n", end="")
        """

    @Test("agree on a thousand random documents", .enabled(if: !Python.isForbidden, Python.whySkipped))
    func agreement() throws {
        var generator = DocumentGenerator(random: SplitMix(state: 7))
        let values = (0..<1000).map { index in generator.value(eventSchema, damage: index % 2 == 0 ? 0 : 4) }
        let documents = values.map { $0.encoded() }
        let verdicts = try Python.run(Self.script, files: [
            "schema.json": eventSchema.document(id: "https://example.org/event").encoded(.pretty),
            "documents.txt": Array(documents.map { $0 + [0x0A] }.joined()),
        ])
        #expect(verdicts.count == documents.count)
        #expect(verdicts.count { $0 == "y" } > 400)
        #expect(verdicts.count { $0 == "n" } > 200)
        for (document, verdict) in zip(documents, verdicts) {
            let isValid = isAccepted { try eventSchema.validate(document) }
            #expect(isValid == (verdict == "y"), "\(String(decoding: document, as: UTF8.self))")
        }
    }
}
