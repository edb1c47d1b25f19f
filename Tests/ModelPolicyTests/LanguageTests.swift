import Foundation
import JSONText
import Testing

@testable import ModelPolicy

@Suite struct LanguageTests {
    /// Every value's key with `*` for names: `roles.*.modes.*.gate`.
    private static func patterns(_ kind: PolicyKind, _ path: String = "") -> [String] {
        switch kind {
        case .table(let keys): keys.flatMap { patterns($0.kind, path.isEmpty ? $0.name : "\(path).\($0.name)") }
        case .named(_, let element): patterns(element, "\(path).*")
        case .entries(let keys): patterns(.table(keys), "\(path).*")
        case .list, .scalar: [path]
        }
    }

    @Test func theExampleUsesEveryKeyOfTheLanguage() throws {
        let result = PolicyCompiler.compile(workspace: SourceFile(name: examplePath, bytes: try bytes(of: examplePath)))
        let used = result.layers.workspace.leaves.map(\.path)
        for pattern in Self.patterns(.table(PolicyLanguage.keys)) {
            #expect(
                used.contains { KeyPattern(pattern).covers($0) && $0.count == KeyPattern(pattern).parts.count },
                "\(pattern)"
            )
        }
    }

    /// Another value that a leaf can have, as it is compiled.
    private static func otherValues(_ leaf: DraftLeaf) -> [JSONValue] {
        switch leaf.scalar {
        case .integer(let range): [0, 1, 2, 3, 4, 9].filter { range.contains($0) }.map { .number(JSONNumber($0)) }
        case .boolean: [true, false]
        // A word without another one can only be taken out.
        case .choice(let words): words.count == 1 ? [.null] : words.map(JSONValue.string)
        case .dollars, .ratio, .decimal, .duration: [1000, 2000]
        case .time: ["2027-01-01T00:00:00Z"]
        case .semanticVersion: ["9.9.9"]
        case .url: ["https://other.example"]
        default: ["OTHER", "other"]
        }
    }

    @Test func everyValueOfACompiledPolicyIsReadIntoIt() throws {
        let result = PolicyCompiler.compile(workspace: SourceFile(name: examplePath, bytes: try bytes(of: examplePath)))
        let policy = try #require(result.snapshot?.policy)
        var tried = 0
        for leaf in result.layers.complete.leaves {
            guard case .scalar = leaf.value.content else { continue }
            if case .name = leaf.scalar { continue }
            if leaf.path == ["schema"] { continue }
            let json = policy.json
            let changed = Self.otherValues(leaf).lazy.filter { $0 != leaf.value.scalar }.compactMap { value in
                try? CompiledPolicy(json: Self.replacing(json, leaf, value))
            }.first
            let other = try #require(changed, "\(leaf.path)")
            #expect(other != policy, "\(leaf.path) is inert")
            #expect(PolicyDiff(from: policy, to: other).changes.isEmpty == false)
            tried += 1
        }
        #expect(tried > 100)
    }

    private static func replacing(_ json: JSONValue, _ leaf: DraftLeaf, _ value: JSONValue) -> JSONValue {
        func replaced(_ json: JSONValue, _ kind: PolicyKind, _ path: ArraySlice<String>) -> JSONValue {
            guard let name = path.first else { return value }
            switch kind {
            case .table(let keys):
                guard let key = keys.first(where: { $0.name == name }), var members = json.object else { return json }
                let new = replaced(members[key.compiledName] ?? .null, key.kind, path.dropFirst())
                members[key.compiledName] = new.isNull ? nil : new
                return .object(members)
            case .named(_, let element):
                guard var members = json.object else { return json }
                members[name] = replaced(members[name] ?? .null, element, path.dropFirst())
                return .object(members)
            case .entries(let keys):
                return .array(
                    (json.array ?? []).map { item in
                        item["id"]?.string == name ? replaced(item, .table(keys), path.dropFirst()) : item
                    }
                )
            case .list, .scalar: return value
            }
        }
        return replaced(json, .table(PolicyLanguage.keys), leaf.path[...])
    }

    @Test func thePublishedSchemaAgreesWithTheCompilerOnTheExampleAndOnMutantsOfIt() throws {
        let script = """
            import json, sys, tomllib, datetime, copy, jsonschema
            root = sys.argv[1]
            schema = json.load(open(root + "/spec/policy/policy.schema.json"))
            spec = json.load(open(root + "/spec/policy/policy-spec.schema.json"))
            def plain(v):
                if isinstance(v, dict): return {k: plain(x) for k, x in v.items()}
                if isinstance(v, list): return [plain(x) for x in v]
                return v.isoformat() if isinstance(v, (datetime.date, datetime.datetime)) else v
            check = jsonschema.Draft202012Validator(schema)
            check.check_schema(schema); check.check_schema(spec)
            example = plain(tomllib.load(open(root + "/Examples/policy/model_policy.toml", "rb")))
            assert not list(check.iter_errors(example)), list(check.iter_errors(example))
            payments = plain(tomllib.load(open(root + "/Examples/policy/policy/specs/payments.toml", "rb")))
            assert not list(jsonschema.Draft202012Validator(spec).iter_errors(payments))
            assert list(check.iter_errors(payments))
            wrong = 0
            def visit(node, path):
                global wrong
                for key in list(node) if isinstance(node, dict) else range(len(node)):
                    old = node[key]
                    for new in (None, {"zz": [[]]}):
                        node[key] = new
                        assert list(check.iter_errors(example)), (path, key, new)
                        wrong += 1
                    node[key] = old
                    if isinstance(node, dict) and path != ["gates"] and path[:1] != ["gates"]:
                        node.pop(key); node["q" + key + "Q"] = old
                        assert list(check.iter_errors(example)), (path, key)
                        node.pop("q" + key + "Q"); node[key] = old
                    if isinstance(old, (dict, list)): visit(old, path + [key])
            visit(example, [])
            assert wrong > 200, wrong
            print("agreed")
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, root.path]
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(text == "agreed\n", "\(text)")
    }
}
