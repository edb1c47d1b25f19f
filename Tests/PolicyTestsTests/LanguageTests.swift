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

    @Test func everyKeyHasANote() {
        for key in GivenKey.allCases { #expect(!key.note.isEmpty && !key.words.isEmpty, "\(key)") }
        for key in ExpectKey.allCases { #expect(!key.note.isEmpty && !key.words.isEmpty, "\(key)") }
    }
}
