import Foundation
import ModelPolicy
import Testing

@testable import PolicyGate

/// The gate on trees in memory.
@Suite struct CheckTests {
    static let policy = """
        schema = 1
        stages = ["plan"]

        [policy]
        name = "team"
        version = "1.0.0"
        owner = "platform"

        [providers.lab]
        api = "openai"
        base_url = "https://lab.example"

        [models.big]
        provider = "lab"
        id = "big-1"
        locality = "cloud"
        tier = 2
        context_tokens = 1000

        [roles.writer]
        models = ["big"]

        [risk.high]
        evidence = "durable"

        [risk.low]
        evidence = "written"

        """

    static let scenario = """
        schema = 1

        [[scenarios]]
        name = "a writer has a model"
        matrix = { risk = ["high", "low"] }
        given = { role = "writer", stage = "plan" }
        expect = { model = "big" }

        """

    static let files: [String: String] = [
        "model_policy.toml": policy, "policy/tests/a.toml": scenario,
        "policy/gate.toml": "schema = 1\nmin_coverage = 0\n",
        "policy/CHANGELOG.md": "## 1.0.0\n\n- The first.\n",
    ]

    static let names = ["model_policy.toml", "model_policy.yaml"]

    static func side(_ files: [String: String]) -> GateSide {
        GateSide(GateTree(files.mapValues { Array($0.utf8) }), names: names)
    }

    static func check(_ head: [String: String], base: [String: String]? = files) -> GateReport {
        let old = base.map(side)
        return GateCheck.run(GateInput(base: old, rules: old, head: side(head)))
    }

    @Test func nothingChangedNeedsNothing() {
        let report = Self.check(Self.files)
        #expect(report.isPassed && report.diagnostics.isEmpty && !report.isChanged, "\(report.diagnostics)")
        #expect(report.scenarios == 2 && report.promised == 2)
    }

    @Test func theRulesAreThoseOfTheBranchAndNotOfTheChange() {
        var base = Self.files
        base["policy/gate.toml"] = "schema = 1\nmin_coverage = 100\n"
        let report = Self.check(Self.files, base: base)
        #expect(report.errors.map(\.code) == [.coverageTooLow])
        #expect(report.warnings.map(\.code) == [.testRulesLowered])
    }

    @Test func aBaseWithErrorsIsToldAndComparedWithNothing() {
        var base = Self.files
        base["model_policy.toml"] = "schema = 1\n["
        let report = Self.check(Self.files, base: base)
        #expect(report.isPassed && report.diagnostics.map(\.code) == [.gateBaseUnread])
        #expect(Self.check(Self.files, base: nil).diagnostics.isEmpty)
        #expect(Self.check(Self.files, base: [:]).diagnostics.isEmpty)
    }

    @Test func oneChangeOfEachKindAsksForItsLevel() {
        func level(_ old: String, _ new: String) -> PolicyBump.Level? {
            var head = Self.files
            head["model_policy.toml"] = Self.policy.replacing(old, with: new)
            return Self.check(head).level
        }
        #expect(level("owner = \"platform\"", "owner = \"security\"") == .patch)
        #expect(level("name = \"team\"", "name = \"other\"") == .major)
        #expect(level("context_tokens = 1000", "context_tokens = 999") == .minor)
        #expect(level("[roles.writer]\n", "[roles.reader]\nmodels = [\"big\"]\n[roles.writer]\n") == .minor)
        #expect(level("[roles.writer]\n", "[roles.reader]\n") == .major)
        #expect(level("\"1.0.0\"", "\"1.0.1\"") == nil)
        #expect(level("owner", "# a comment\nowner") == nil)
    }

    @Test func faultsOfOneKindAreToldToALimitAndStillFail() {
        let count = GateLimits.faultsOfKind + 1
        var head = Self.files
        head["policy/tests/b.toml"] =
            "schema = 1\n"
            + (0..<count).map {
                "[[scenarios]]\nname = \"n\($0)\"\ngiven = { role = \"writer\" }\nexpect = { result = \"human\" }\n"
            }
            .joined()
        let report = Self.check(head)
        #expect(report.errors.count == GateLimits.faultsOfKind && report.untold == 1 && !report.isPassed)
    }

    @Test func otherEndsOfLinesAreNoChange() {
        let head = Self.files.mapValues { $0.replacing("\n", with: "\r\n") }
        let report = Self.check(head)
        #expect(report.isPassed && report.diagnostics.isEmpty && !report.isChanged, "\(report.diagnostics)")
    }

    @Test func theLimitsOfTheSpecificationAreThoseOfTheCode() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appendingPathComponent("spec/policy-gate.md"), encoding: .utf8)
        for (name, value) in [
            ("files", GateLimits.files), ("specs", GateLimits.specs), ("textBytes", GateLimits.textBytes),
            ("faultsOfKind", GateLimits.faultsOfKind), ("entries", GateLimits.entries),
        ] {
            #expect(text.contains("| `\(name)` | \(value) |"), "\(name)")
        }
    }

    @Test func moreSpecsThanAreLookedAtIsAFault() {
        var head = Self.files
        for number in 0...GateLimits.specs { head["policy/specs/S\(number).toml"] = "schema = 1\n" }
        #expect(Self.check(head).errors.map(\.code) == [.beyondLimit])
        head["policy/specs/S0.toml"] = nil
        #expect(Self.check(head).isPassed)
    }

    @Test func whatCannotBeReadIsAFault() {
        let bytes = Self.files.mapValues { Array($0.utf8) }
        let tree = GateTree(kinds: bytes.mapValues { _ in .file }) { paths in
            paths.map { $0.hasSuffix("a.toml") ? nil : bytes[$0] }
        }
        let report = GateCheck.run(
            GateInput(base: nil, rules: nil, head: GateSide(tree, names: Self.names))
        )
        #expect(Set(report.errors.map(\.code)) == [.gateLink, .noScenario])
    }

    @Test func aChangeReachesWhoUsesWhatChanged() {
        var head = Self.files
        head["model_policy.toml"] = Self.policy.replacing("https://lab.example", with: "https://other.example")
        let radius = BlastRadius(Self.check(head).layers)
        #expect(radius.models == ["big"] && radius.roles == ["writer"] && radius.specs == [])
    }

    @Test func everyCodeOfTheGateIsExplained() {
        for code in DiagnosticCode.ofGate {
            #expect(!code.guide.title.isEmpty && !code.guide.explanation.isEmpty, "\(code)")
            #expect(!code.guide.fault.isEmpty && !code.guide.cure.isEmpty && code.guide.fault != code.guide.cure)
        }
    }
}
