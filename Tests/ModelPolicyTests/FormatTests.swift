import Foundation
import JSONText
import Testing

@testable import ModelPolicy

@Suite struct FormatTests {
    @Test func yamlAndTOMLOfOneMeaningHaveOneID() throws {
        let toml = PolicyCompiler.compile(workspace: SourceFile(name: examplePath, bytes: try bytes(of: examplePath)))
        let yaml = PolicyCompiler.compile(
            workspace: SourceFile(name: "p.yaml", bytes: try bytes(of: "Tests/ModelPolicyTests/model_policy.yaml"))
        )
        #expect(told(yaml) == [])
        #expect(yaml.snapshot?.canonicalJSON == toml.snapshot?.canonicalJSON)
    }

    /// The same policy with its tables turned round.
    private static let turnedRound: String = {
        let parts = small.components(separatedBy: "\n[")
        return parts[0] + parts.dropFirst().reversed().map { "\n[" + $0 }.joined() + "\n"
    }()

    @Test(arguments: [
        "\u{FEFF}" + small, small.replacingOccurrences(of: "\n", with: "\r\n"),
        small.replacingOccurrences(of: " = ", with: "\t=\t"), "# a remark\n" + small + "\n\n", turnedRound,
        small.replacingOccurrences(of: "\"big\"", with: "'big'").replacingOccurrences(of: "1000", with: "0x3E8"),
    ])
    func layoutChangesNoID(_ text: String) throws {
        let result = compile(text)
        #expect(told(result) == [])
        #expect(result.snapshot?.id == compile(small).snapshot?.id)
        #expect(result.snapshot != nil)
    }

    @Test func setsHaveNoOrderAndListsHave() {
        let base = small + "[redaction]\nfiles = [\"a\", \"b\"]\n"
        #expect(compile(base).snapshot?.id == compile(base.with("[\"a\", \"b\"]", "[\"b\", \"a\"]")).snapshot?.id)
        let stages = base.with("[\"plan\", \"implement\"]", "[\"implement\", \"plan\"]")
        #expect(compile(stages).snapshot?.id != compile(base).snapshot?.id)
        #expect(compile(stages).snapshot != nil)
    }

    @Test(arguments: ["0.70", "\"0.7\"", "7e-1", "\"0.700000000\"", "+0.7"])
    func moneyIsExactHoweverItIsWritten(_ text: String) throws {
        let price = "[models.big.price_per_mtok]\ninput = 0.07\noutput = 0.07\n"
        let policy = try #require(compile(small + "[budgets]\nper_run_usd = \(text)\n" + price).snapshot?.policy)
        var spent = USD.zero
        for _ in 0..<10 { spent = try #require(spent.adding(USD(microdollars: 70_000)!)) }
        #expect(policy.budgets.perRun == spent)
        #expect(policy.models["big"]?.price?.input.picodollars == 70_000)
    }

    @Test(arguments: [
        ("warn_at = 2:30", "P103"), ("warn_at = inf", "P113"), ("warn_at = 0.12345678", "P108"),
        ("per_run_usd = -1", "P105"), ("per_run_usd = 9007199254740993", "P105"), ("per_run_usd = 1e400", "P001"),
        ("per_run_usd = 1e39", "P105"),
        ("per_run_usd = \"1,5\"", "P106"), ("per_run_usd = 99999999999999999999", "P001"),
        ("warn_at = 07:32:00", "P112"),
    ])
    func oddNumbersAreToldInTheirLine(_ line: String, _ code: String) {
        let result = compile(small + "[budgets]\n\(line)\n")
        let place = small.components(separatedBy: "\n").count + 1
        let expected = line.contains("2:30") ? "P001" : code
        #expect(result.errors.first.map { $0.code.rawValue } == expected, "\(told(result))")
        #expect(result.errors.first?.span.start.line == place)
    }

    @Test(arguments: [
        ("off", "P103"), ("2:30", "P103"), ("yes", "P103"), (".nan", "P113"), (".inf", "P113"), ("0o17", "P105"),
        ("!!float 1", "P006"), ("*a", "P001"), ("~", "P103"), ("1_0", "P103"),
    ])
    func yamlFollowsItsCoreSchema(_ value: String, _ code: String) {
        let result = compile(DiagnosticGuide.yamlBase + "budgets:\n  warn_at: \(value)\n", .yaml)
        let codes = value == "*a" ? ["P001", "P006"] : [code]
        #expect(result.errors.first.map { codes.contains($0.code.rawValue) } == true, "\(told(result))")
        #expect(result.errors.count == 1)
        #expect(result.errors.first?.span.start.line == 14)
    }

    @Test func aBombOfAliasesIsRefusedAtItsFirstAnchor() {
        var bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n"
        for level in 1..<30 { bomb += "a\(level): &a\(level) [*a\(level == 1 ? "" : String(level - 1)),*a]\n" }
        let result = compile(bomb, .yaml)
        #expect(result.snapshot == nil)
        #expect(result.errors.contains { $0.code == .unsupportedYAML && $0.span.start.line == 1 })
        #expect(result.errors.count <= PolicyLimits.diagnostics)
    }

    @Test func aFileOfTenMegabytesIsRefused() {
        let result = PolicyCompiler.compile(
            workspace: SourceFile(name: "big.toml", bytes: [UInt8](repeating: 0x23, count: 10 << 20))
        )
        #expect(result.errors.map(\.code) == [.beyondLimit])
        #expect(result.errors.first?.file == "big.toml")
    }

    @Test(arguments: SourceFile.Format.allCases)
    func deepNestingIsRefused(_ format: SourceFile.Format) {
        for text in [
            "a = " + String(repeating: "[", count: 200_000), "a: " + String(repeating: "[", count: 100_000),
            String(repeating: "a.", count: 200_000) + "a = 1", "[" + String(repeating: "a.", count: 200_000) + "a]",
            "a = " + String(repeating: "{ " + String(repeating: "a.", count: 60) + "a = ", count: 2000),
            "x = " + String(repeating: "{ " + String(repeating: "a.", count: 60) + "a = ", count: 31) + "1"
                + String(repeating: "}", count: 31),
            String(repeating: "? ", count: 100_000), String(repeating: "- ", count: 100_000),
        ] {
            let result = compile(text, format)
            #expect(!result.errors.isEmpty)
            #expect(result.snapshot == nil)
        }
    }

    @Test func aDuplicateKeyIsToldAtTheSecondPlaceInBothFormats() {
        let toml = compile(small.with("tier = 2", "tier = 2\ntier = 3"))
        #expect(toml.errors.map(\.code) == [.duplicateKey])
        #expect(toml.errors.first?.span.start.line == 16)
        let yaml = compile(DiagnosticGuide.yamlBase + "capture:\n  mode: hash\ncapture:\n  mode: none\n", .yaml)
        #expect(told(yaml).map { String($0.prefix(9)) } == ["P004 15:1"])
    }

    @Test func tooLongALineAndTooManyModesAreRefused() {
        let line = compile(small + "# " + String(repeating: "x", count: PolicyLimits.lineBytes))
        #expect(line.errors.map(\.code) == [.beyondLimit])
        let modes = (0...PolicyLimits.modes).map { "[roles.writer.modes.m\($0)]\nmodels = [\"big\"]\n" }.joined()
        #expect(compile(small + modes).errors.map(\.code) == [.beyondLimit])
    }

    @Test func theLimitsAreKeptAndNamed() {
        let many = (0...PolicyLimits.entries).map { "k\($0) = 1" }.joined(separator: "\n")
        #expect(compile(small + "[gates]\n" + many).errors.first?.code == .beyondLimit)
        let wrong = (0..<900).map { "k\($0) = 1" }.joined(separator: "\n")
        let two = compile("[a]\n\(wrong)\n[b]\n\(wrong)\n[gates.x]\n\(wrong)\n[models]\n\(wrong)\n")
        #expect(two.diagnostics.count <= PolicyLimits.diagnostics + 1)
        #expect(two.diagnostics.last?.code == .beyondLimit)
    }

    @Test func everyPrefixOfTheExampleIsAnsweredWithoutATrap() throws {
        for (path, format) in [
            (examplePath, SourceFile.Format.toml), ("Tests/ModelPolicyTests/model_policy.yaml", .yaml),
        ] {
            let bytes = try bytes(of: path)
            for length in stride(from: 0, to: bytes.count, by: 23) {
                let file = SourceFile(name: "p", bytes: Array(bytes.prefix(length)), format: format)
                let result = PolicyCompiler.compile(workspace: file)
                #expect(result.snapshot == nil || length > bytes.count * 9 / 10)
            }
        }
    }

    @Test func aFlippedByteIsAnsweredWithoutATrap() throws {
        let bytes = try bytes(of: examplePath)
        for index in stride(from: 0, to: bytes.count, by: 19) {
            for flip: UInt8 in [0x80, 0x20, 0xFF] {
                var changed = bytes
                changed[index] ^= flip
                _ = PolicyCompiler.compile(workspace: SourceFile(name: "p", bytes: changed, format: .toml))
                _ = PolicyCompiler.compile(workspace: SourceFile(name: "p", bytes: changed, format: .yaml))
            }
        }
    }

    @Test func aLetterOfAnotherAlphabetIsNamed() {
        let key = compile(small.with("tier = 2", "\"ti\u{0435}r\" = 2"))
        #expect(
            told(key) == [
                "P101 15:1 `ti\u{0435}r` is no key of `models.big`: it holds the character U+0435 / did you mean `tier`?"
            ]
        )
        let name = compile(small.with("[roles.writer]", "[roles.\"writ\u{0435}r\"]"))
        #expect(name.errors.map(\.code) == [.badName])
    }
}
