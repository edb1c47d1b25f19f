import Foundation
import JSONText
import Testing

@testable import ModelPolicy
@testable import PolicyTests

@Suite struct LanguageTests {
    private let rewrites = ProcessInfo.processInfo.environment["CAPSULE_WRITE_VECTORS"] != nil

    @Test func theTablesOfTheSpecificationAreThoseOfTheReader() throws {
        let url = root.appendingPathComponent("spec/policy-tests.md")
        let text = try String(contentsOf: url, encoding: .utf8)
        let parts = text.components(separatedBy: "<!-- tables -->\n")
        let rest = try #require(parts.last?.components(separatedBy: "<!-- end of tables -->").last)
        let written = "\(parts[0])<!-- tables -->\n\(ScenarioLanguage.markdown)\n<!-- end of tables -->\(rest)"
        if rewrites { try Data(written.utf8).write(to: url) }
        #expect(try String(contentsOf: url, encoding: .utf8) == written, "'make vectors' writes it anew")
    }

    @Test func theLimitsOfTheSpecificationAreThoseOfTheCode() throws {
        let text = try String(contentsOf: root.appendingPathComponent("spec/policy-tests.md"), encoding: .utf8)
        let limits = [
            ("files", PolicyTestLimits.files), ("scenarios", PolicyTestLimits.scenarios),
            ("cases", PolicyTestLimits.cases), ("goldenBytes", PolicyTestLimits.goldenBytes),
            ("axes", PolicyTestLimits.axes), ("count", PolicyTestLimits.count),
        ]
        for (name, value) in limits { #expect(text.contains("| `\(name)` | \(value) |"), "\(name)") }
    }

    @Test func theSchemaForEditorsIsPublished() throws {
        let url = root.appendingPathComponent("spec/policy/policy-tests.schema.json")
        let text = String(decoding: ScenarioLanguage.jsonSchema.encoded(.pretty), as: UTF8.self) + "\n"
        if rewrites { try Data(text.utf8).write(to: url) }
        #expect(try String(contentsOf: url, encoding: .utf8) == text, "'make vectors' writes it anew")
    }

    /// Editors are told by the schema what the tool tells: files that it reads fit, and keys that it refuses do not.
    @Test func thePublishedSchemaAgreesWithTheReader() throws {
        let starter = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).toml")
        try Data(PolicyStarter.scenarios.utf8).write(to: starter)
        defer { try? FileManager.default.removeItem(at: starter) }
        let cures = DiagnosticCode.ofScenarios.map { $0.guide.cure }
        let script = """
            import datetime, glob, json, jsonschema, sys, tomllib, yaml
            root, starter = sys.argv[1:3]
            def plain(v):
                if isinstance(v, dict): return {str(k): plain(x) for k, x in v.items()}
                if isinstance(v, list): return [plain(x) for x in v]
                return v.isoformat() if isinstance(v, (datetime.date, datetime.datetime)) else v
            schema = json.load(open(root + "/spec/policy/policy-tests.schema.json"))
            check = jsonschema.Draft202012Validator(schema)
            check.check_schema(schema)
            tests = root + "/Examples/policy/policy/tests/"
            files = [plain(tomllib.load(open(f, "rb")))
                     for f in glob.glob(tests + "**/*.toml", recursive=True) + [starter]]
            files += [plain(yaml.safe_load(open(f))) for f in glob.glob(tests + "**/*.yaml", recursive=True)]
            files += [plain(tomllib.loads(t)) for t in json.load(sys.stdin)]
            assert len(files) > 10, len(files)
            wrong = 0
            # Below these, keys are names.
            named = {"fixtures", "failed", "fired", "tokens", "failing", "gates", "candidates", "expect_by", "overrides"}
            for file in files:
                assert not list(check.iter_errors(file)), list(check.iter_errors(file))[:1]
                def visit(node, path):
                    global wrong
                    for key in list(node) if isinstance(node, dict) else range(len(node)):
                        old = node[key]
                        node[key] = {"zz": [[]]}
                        assert list(check.iter_errors(file)), (path, key)
                        node[key] = old
                        wrong += 1
                        if isinstance(node, dict) and not named & set(map(str, path)):
                            node["q" + key + "Q"] = node.pop(key)
                            assert list(check.iter_errors(file)), (path, key)
                            node[key] = node.pop("q" + key + "Q")
                        if isinstance(old, (dict, list)): visit(old, path + [key])
                visit(file, [])
            assert wrong > 500, wrong
            print("agreed")
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-c", script, root.path, starter.path]
        let (input, output) = (Pipe(), Pipe())
        (process.standardInput, process.standardOutput, process.standardError) = (input, output, output)
        try process.run()
        input.fileHandleForWriting.write(Data(JSONValue.array(cures.map { .string($0) }).encoded(.compact)))
        try input.fileHandleForWriting.close()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(text == "agreed\n", "\(text)")
    }

    @Test func everyKeyHasANote() {
        for key in GivenKey.allCases { #expect(!key.note.isEmpty && !key.words.isEmpty, "\(key)") }
        for key in ExpectKey.allCases { #expect(!key.note.isEmpty && !key.words.isEmpty, "\(key)") }
    }
}
