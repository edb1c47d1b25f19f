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
}
