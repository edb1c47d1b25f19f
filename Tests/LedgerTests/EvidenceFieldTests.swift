import Testing

@testable import Ledger
@testable import ModelRouter

@Suite struct EvidenceFieldTests {
    /// Paths of the leaves of a published schema, `*` for elements and names.
    private func leaves(_ schema: JSONValue, _ path: String) -> [String] {
        if let items = schema["items"] { return leaves(items, "\(path).*") }
        if let table = schema["additionalProperties"], table.object != nil, schema["properties"]?.object?.isEmpty ?? true {
            return leaves(table, "\(path).*")
        }
        guard let properties = schema["properties"]?.object, !properties.isEmpty else { return [path] }
        return properties.flatMap { leaves($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)") }
    }

    @Test func everyFieldOfADecisionIsClassified() throws {
        let document = EventSchemas.schema(of: .routingDecision).document(id: "x")
        #expect(leaves(document, "").sorted() == EvidenceField.all.map(\.path).sorted())
    }

    @Test func whatACallerWroteIsNotGivenAway() throws {
        let body: JSONValue = [
            "asserted": ["by": "ada", "task": "t", "now_ms": 5], "endpoint": "https://inner.example", "model": "opus",
            "causes": ["primary"], "derived": ["failing": ["lab": ["failures": 1]], "task": ["answer": ["model": "m"]]],
            "unheard": "of",
        ]
        let expected: JSONValue = [
            "asserted": ["by": "[redacted]", "task": "[redacted]", "now_ms": 5], "endpoint": "[redacted]",
            "model": "opus", "causes": ["primary"],
            "derived": ["failing": ["lab": ["failures": 1]], "task": ["answer": ["model": "m"]]],
            "unheard": "[redacted]",
        ]
        #expect(RoutingEvidence.redacted(body) == expected)
    }
}
