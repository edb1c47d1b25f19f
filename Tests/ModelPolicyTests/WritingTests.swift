import Foundation
import Testing

@testable import ModelPolicy

@Suite struct WritingTests {
    private static let yamlPath = "Tests/ModelPolicyTests/model_policy.yaml"

    private func formatted(_ text: String, _ format: SourceFile.Format) -> String? {
        PolicyFormatter.formatted(source(text, format)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The comments of a text, whatever their order; none of the examples has a `#` in a value.
    private func comments(_ text: String) -> [String] {
        text.replacingOccurrences(of: "\r\n", with: "\n").components(separatedBy: "\n").compactMap { line in
            line.firstIndex(of: "#").map { line[$0...].trimmingCharacters(in: .whitespaces) }
        }.sorted()
    }

    @Test func theExampleIsLaidOutAlready() throws {
        let example = try text(of: examplePath)
        #expect(formatted(example, .toml) == example)
        let layer = try text(of: specPath)
        #expect(formatted(layer, .toml) == layer)
    }

    /// White space put where it means nothing.
    private func disturbed(
        _ text: String,
        _ format: SourceFile.Format,
        _ random: inout SystemRandomNumberGenerator
    ) -> String {
        var lines: [String] = []
        for line in text.components(separatedBy: "\n") {
            var line = line
            if format == .toml, !line.hasPrefix("#"), !line.hasPrefix("[") {
                for mark in ["= ", ", ", " = ", "{ ", " }", "["] where Bool.random(using: &random) {
                    line = line.replacingOccurrences(
                        of: mark,
                        with: mark + String(repeating: " ", count: .random(in: 0...2, using: &random))
                    )
                }
                line = String(repeating: " ", count: .random(in: 0...3, using: &random)) + line
            } else if format == .yaml, Bool.random(using: &random), let colon = line.range(of: ": "),
                !line.contains("#")
            {
                line.replaceSubrange(colon, with: ":  ")
            }
            if Bool.random(using: &random) { line += "  " }
            if Int.random(in: 0..<8, using: &random) == 0, format == .toml || !line.hasPrefix(" ") { lines.append("") }
            lines.append(line)
            if Int.random(in: 0..<10, using: &random) == 0 {
                lines.append(format == .toml || line.isEmpty ? "# said" : "")
            }
        }
        return lines.joined(separator: Bool.random(using: &random) ? "\n" : "\r\n")
    }

    @Test(arguments: [(examplePath, SourceFile.Format.toml), (yamlPath, .yaml)])
    func layingOutKeepsTheIDAndTheCommentsAndIsDoneOnce(_ path: String, _ format: SourceFile.Format) throws {
        let original = try text(of: path)
        let id = try #require(compile(original, format).snapshot?.id)
        var random = SystemRandomNumberGenerator()
        for _ in 0..<150 {
            let disturbed = disturbed(original, format, &random)
            #expect(compile(disturbed, format).snapshot?.id == id, "a test that changes the meaning tests nothing")
            let laidOut = try #require(formatted(disturbed, format), "\(disturbed)")
            #expect(compile(laidOut, format).snapshot?.id == id)
            #expect(comments(laidOut) == comments(disturbed))
            #expect(formatted(laidOut, format) == laidOut)
            #expect(!laidOut.contains("\r") && !laidOut.contains(" \n") && !laidOut.contains("\n\n\n"))
        }
    }

    @Test func textThatSpansLinesIsNotTouched() throws {
        let toml = small.with("owner = \"team\"", "owner = \"\"\"\\\n   te\\\n   am\"\"\"")
        let laidOut = try #require(formatted(toml, .toml))
        #expect(laidOut.contains("owner = \"\"\"\\\n   te\\\n   am\"\"\""))
        #expect(compile(laidOut).snapshot?.id == compile(small).snapshot?.id)
    }

    @Test func aListThatSpansLinesIsIndented() throws {
        let laidOut = formatted(small.with("models = [\"big\"]", "models = [ # these\n\"big\" ,\n  ]"), .toml)
        #expect(laidOut?.contains("models = [  # these\n    \"big\",\n]\n") == true, "\(laidOut ?? "nil")")
    }

    @Test(arguments: [(examplePath, SourceFile.Format.toml), (yamlPath, .yaml)])
    func convertingKeepsTheIDAndTheCommentsThereAndBack(_ path: String, _ format: SourceFile.Format) throws {
        let original = try text(of: path)
        let id = try #require(compile(original, format).snapshot?.id)
        var (text, format) = (original, format)
        for _ in 0..<3 {
            let other: SourceFile.Format = format == .toml ? .yaml : .toml
            guard case .text(let bytes) = PolicyConverter.convert(source(text, format), to: other) else {
                Issue.record("\(format) cannot be converted")
                return
            }
            let converted = String(decoding: bytes, as: UTF8.self)
            #expect(compile(converted, other).snapshot?.id == id, "\(converted)")
            #expect(comments(converted) == comments(text))
            (text, format) = (converted, other)
        }
    }

    @Test(arguments: [
        "off", "2:30", "0o7", "null", "~", "1.0.0", "a: b", "# no", "\\\"", "-x", "[", "{", "é", "yes", "1e3", "|", ">",
        "&a", "*a", "!t", "%", "@", "`",
    ])
    func textStaysTextInTheOtherForm(_ owner: String) throws {
        let toml = small.with("owner = \"team\"", "owner = \(TOMLWriter.quoted(owner))")
        let id = try #require(compile(toml).snapshot?.id)
        guard case .text(let yaml) = PolicyConverter.convert(source(toml), to: .yaml),
            case .text(let back) = PolicyConverter.convert(SourceFile(name: "p.yaml", bytes: yaml), to: .toml)
        else {
            Issue.record("\(owner)")
            return
        }
        #expect(compile(String(decoding: back, as: UTF8.self)).snapshot?.id == id)
    }

    @Test func numbersThatOnlyYAMLWritesSo() throws {
        let yaml = try text(of: Self.yamlPath).replacingOccurrences(of: "tier: 3", with: "tier: 0o3")
        guard case .text(let toml) = PolicyConverter.convert(source(yaml, .yaml), to: .toml) else {
            Issue.record("cannot be converted")
            return
        }
        #expect(compile(String(decoding: toml, as: UTF8.self)).snapshot?.id == compile(yaml, .yaml).snapshot?.id)
    }

    @Test func theStarterIsValidAndLaidOut() throws {
        let text = PolicyStarter.policy(name: "acme", owner: "the \"team\"")
        #expect(told(compile(text)) == [])
        #expect(formatted(text, .toml) == text)
        #expect(formatted(PolicyStarter.scenarios, .toml) == PolicyStarter.scenarios)
        let list = AllowedSigners.read(SourceFile(name: "allowed_signers", bytes: Array(PolicyStarter.signers.utf8)))
        #expect(list.signers?.signers.isEmpty == true && list.diagnostics.isEmpty)
    }

    @Test func theVersionFollowsFromTheChange() throws {
        let old = try #require(compile(small).snapshot?.policy)
        func bump(_ text: String) -> PolicyBump? {
            compile(text).snapshot.flatMap { PolicyBump(from: old, to: $0.policy) }
        }
        #expect(bump(small) == nil)
        #expect(bump(small.with("owner = \"team\"", "owner = \"other\""))?.version == "1.0.1")
        let changed = small.with("tier = 2", "tier = 3")
        let minor = try #require(bump(changed))
        #expect(
            minor.version == "1.1.0"
                && minor.changelogEntry(day: "2026-01-02").contains("- `models.big.tier`: 2 → 3 (looser)")
        )
        let source = try #require(minor.source(source(changed)))
        #expect(String(decoding: source, as: UTF8.self) == changed.with("version = \"1.0.0\"", "version = \"1.1.0\""))
        #expect(bump(small.with("api_key_env = \"LAB_API_KEY\"\n", ""))?.version == "2.0.0")
        #expect(PolicyBump.raised("0.3.1", .major) == "0.4.0")
        #expect(PolicyBump.raised("1.2.3-rc.1", .patch) == "1.2.3")
        #expect(bump(changed.with("version = \"1.0.0\"", "version = \"3.0.0\""))?.version == "3.0.0")
        #expect(bump(changed.with("version = \"1.0.0\"", "version = \"1.0.1\""))?.version == "1.1.0")
        for heading in ["## 1.1.0", "## [1.1.0] - 2026-01-02", "## v1.1.0 (then)"] {
            let old = "# C\r\n\r\n\(heading)\n\n- `models.big.tier`: 2 → 4\n- Words.\n\n## 1.0.0\n"
            let new = "# C\n\n\(heading)\n\n- `models.big.tier`: 2 → 3 (looser)\n- Words.\n\n## 1.0.0\n"
            #expect(minor.changelog(old, day: "2026-01-02") == new)
            #expect(minor.changelog("\(heading)\n", day: "2026-01-02").hasPrefix("\(heading)\n\n- `models.big"))
        }
        let log = minor.changelog("# C\n\n## 1.0.0\n\n- x\n", day: "2026-01-02")
        #expect(
            log.hasPrefix("# C\n\n## 1.1.0 (2026-01-02)\n\n- `models.big.tier`")
                && log.hasSuffix("\n\n## 1.0.0\n\n- x\n")
        )
    }
}
