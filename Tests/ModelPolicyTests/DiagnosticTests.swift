import Foundation
import JSONText
import Testing

@testable import ModelPolicy

@Suite struct DiagnosticTests {
    @Test(arguments: DiagnosticCode.allCases.filter { !(DiagnosticCode.ofScenarios + DiagnosticCode.ofGate).contains($0) })
    func eachCodeHasAnExampleThatGivesItAndACure(_ code: DiagnosticCode) {
        let guide = code.guide
        #expect(!guide.title.isEmpty)
        let fault = guide.compile(cured: false)
        #expect(fault.diagnostics.map(\.code) == [code], "\(told(fault))")
        #expect(told(guide.compile(cured: true)) == [])
    }

    @Test func theDocumentOfCodesIsWrittenFromThem() throws {
        let url = root.appendingPathComponent("spec/policy-diagnostics.md")
        if rewrites { try Data(DiagnosticGuide.document.utf8).write(to: url) }
        #expect(
            try String(contentsOf: url, encoding: .utf8) == DiagnosticGuide.document,
            "'make vectors' writes it anew"
        )
    }

    @Test func aSecretIsShownNowhere() {
        let secret = "sk-test-4f9a8b7c6d5e4f3a2b1c"
        let result = compile(small.with("LAB_API_KEY", secret))
        for format in DiagnosticFormat.allCases { #expect(!format.text(result.diagnostics).contains(secret)) }
        #expect(result.snapshot == nil)
        let key = compile(small.with("owner = \"team\"", "owner = \"team\"\n\(secret) = 1"))
        for format in DiagnosticFormat.allCases { #expect(!format.text(key.diagnostics).contains(secret)) }
    }

    @Test func theCaretIsUnderTheValue() {
        let result = compile(small.with("provider = \"lab\"", "provider\t= \"lap\""))
        #expect(
            DiagnosticFormat.human.text(result.diagnostics) == """
                error[P201]: there is no provider `lap`
                  --> model_policy.toml:12:12
                   |
                12 | provider\t= "lap"
                   |         \t  ^^^^^
                   = help: did you mean `lab`?

                """
        )
    }

    @Test func githubAnnotationsAreEscaped() {
        let result = compile(small.with("version = \"1.0.0\"", "version = \"1%0\""))
        #expect(
            DiagnosticFormat.github.text(result.diagnostics).hasPrefix(
                "::error file=model_policy.toml,line=5,endLine=5,col=11,endColumn=15,title=P106::"
            )
        )
    }

    @Test func sarifNamesARuleForEachResult() throws {
        let result = compile(small.with("tier = 2", "tier = 0").with("provider = \"lab\"", "provider = \"lap\""))
        let document = try JSONValue.parse(Array(DiagnosticFormat.sarif.text(result.diagnostics).utf8))
        let run = document["runs"]?[0]
        let results = run?["results"]?.array ?? []
        #expect(results.count == 2)
        for result in results {
            let index = try #require(result["ruleIndex"]?.int)
            #expect(run?["tool"]?["driver"]?["rules"]?[index]?["id"] == result["ruleId"])
        }
    }

    @Test func allFaultsAreToldInOneRun() {
        let text = small.with("tier = 2", "tier = 0").with("provider = \"lab\"", "provider = \"lap\"")
            .with("owner = \"team\"", "ownr = \"team\"").with("models = [\"big\"]", "models = [\"bgi\"]")
            .with("[risk.low]\nevidence = \"written\"", "[risk.low]\nevidence = \"wirtten\"\nx = [1,")
        #expect(
            compile(text).diagnostics.map(\.code) == [
                .unknownKey, .undefinedName, .outOfRange, .undefinedName, .unknownWord, .syntax,
            ]
        )
    }

    /// The fault of a header, and of each table after it one: what is told besides the header is just that.
    @Test(arguments: [
        "[models.big", "models.big]", "[models big]", "[models.big]]", "[models.\"big]", "[models.big] x", "[[models.big]",
    ])
    func aHeaderThatCannotBeReadHidesNothing(_ header: String) {
        let text = small.with("[models.big]", header).with("tier = 2", "tier = 0")
            .with("locality = \"cloud\"", "loclity = \"cloud\"")
            .with("models = [\"big\"]", "models = [\"bgi\"]")
            .with("[risk.low]\nevidence = \"written\"", "[risk.low]\nevidence = \"wirtten\"")
        let result = compile(text)
        #expect(
            result.diagnostics.map(\.code) == [.syntax, .unknownKey, .outOfRange, .undefinedName, .unknownWord],
            "\(told(result))"
        )
        #expect(result.diagnostics.first?.span.start.line == 11)
    }

    @Test func aNameThatMayStandInALostHeaderIsNotMissed() {
        let two = small.with("[roles.writer]", "[models.small]\nprovider = \"lab\"\nid = \"s\"\nlocality = \"cloud\"\ntier = 1\ncontext_tokens = 9\n[roles.writer]")
            .with("models = [\"big\"]", "models = [\"big\", \"small\", \"zz\"]")
        for header in ["[models.sm", "[models.", "[models", "[models.small"] {
            let result = compile(two.with("[models.small]", header))
            let names = result.diagnostics.filter { $0.code == .undefinedName }.map(\.message)
            // Of a table whose name is lost nothing is said to be undefined.
            let isNameKnown = header.contains("models.s")
            #expect(names == (isNameKnown ? ["there is no model `zz`"] : []), "\(header): \(told(result))")
            #expect(result.diagnostics.count == 1 + names.count, "\(header): \(told(result))")
        }
    }

    @Test func aHeaderOfWhichNothingIsKnownHidesOnlyWhatMayBeDefinedInIt() {
        let text = small.with("[risk.high]", "[???").with("tier = 2", "tier = 0")
            .with("[roles.writer]", "[roles.writer]\nstart_mod = \"default\"")
            .with("[risk.low]\nevidence = \"written\"", "[risk.low]\nevidnce = \"written\"")
        let result = compile(text)
        #expect(
            result.diagnostics.map(\.code) == [.outOfRange, .unknownKey, .syntax, .unknownKey], "\(told(result))")
    }

    @Test func aKeyThatCannotBeReadHidesOnlyWhatItsOwnTableLacks() {
        let text = small.with("owner = \"team\"", "owner \"team").with("provider = \"lab\"\n", "")
        let result = compile(text)
        #expect(result.diagnostics.map(\.code) == [.syntax, .missingKey], "\(told(result))")
        let words = compile(small.with("owner = \"team\"", "owner team").with("provider = \"lab\"\n", ""))
        #expect(words.diagnostics.map(\.code) == [.syntax, .missingKey], "\(told(words))")
    }

    @Test func aGuessedHeaderThatIsAnothersIsTakenBack() {
        let text = small.with("[roles.writer]", "[models.big\nx = 1\n[roles.writer]").with("tier = 2", "tier = 0")
        let result = compile(text)
        #expect(result.diagnostics.map(\.code) == [.outOfRange, .syntax], "\(told(result))")
    }
}
