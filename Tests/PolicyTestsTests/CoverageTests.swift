import JSONText
import Testing

@testable import ModelPolicy
@testable import PolicyTests

@Suite struct CoverageTests {
    private func pasted(
        _ policy: CompiledPolicy
    ) throws -> (first: PolicyCoverage, second: PolicyCoverage, run: PolicyTestRun) {
        let decider = ScenarioDecider(policy)
        let first = PolicyCoverage([], under: decider)
        let text = "schema = 1\n\n" + first.gaps.map { ScenarioWriter.toml($0.draft) }.joined(separator: "\n")
        let suite = try read(text, for: policy)
        try #require(suite.diagnostics.isEmpty, "\(DiagnosticFormat.human.text(suite.diagnostics))")
        let run = PolicyTestRun(suite.scenarios, under: decider)
        return (first, PolicyCoverage(run.results, under: decider), run)
    }

    @Test func pastingEveryDraftCoversEverything() throws {
        for policy in [
            try Example().policy, try guidePolicy(), try compiled(PolicyStarter.policy(name: "a", owner: "b")),
        ] {
            let (first, second, run) = try pasted(policy)
            #expect(first.percent == 0 && first.gaps.count > 5)
            #expect(run.isPassed, "\(told(run))")
            #expect(second.percent == 100 && second.gaps.isEmpty, "\(second.gaps.map(\.item.text))")
            #expect(second.total == first.total)
            #expect(first.unreachable.isEmpty, "\(first.unreachable.map(\.text))")
        }
    }

    @Test func aScenarioThatFailsCoversNothing() throws {
        let suite = try read(
            "schema = 1\n[[scenarios]]\nname = \"a\"\ngiven = { role = \"writer\" }\nexpect = { model = \"tiny\" }\n"
        )
        let decider = ScenarioDecider(try guidePolicy())
        let run = PolicyTestRun(suite.scenarios, under: decider)
        #expect(!run.isPassed)
        #expect(PolicyCoverage(run.results, under: decider).covered.isEmpty)
    }

    @Test func whatNoInputsCanShowDoesNotCount() throws {
        let price = "context_tokens = 1000\nprice_per_mtok = { input = 1, output = 1 }"
        let policy = try compiled(
            DiagnosticGuide.base.replacing("context_tokens = 1000", with: price) + "\n[budgets]\nper_run_usd = 0\n"
        )
        let coverage = PolicyCoverage([], under: ScenarioDecider(policy))
        let unreachable = coverage.unreachable.map(\.text)
        #expect(unreachable.contains("roles.writer.models: first choice"), "a budget of nothing serves nothing")
        #expect(unreachable.contains("budgets.per_run_usd: warns"))
        #expect(coverage.gaps.map(\.item.text).contains("budgets.per_run_usd: stops"))
    }

    @Test func coverageDoesNotChangeWithTheLayoutOfTheFiles() throws {
        let example = try Example.read()
        let decider = ScenarioDecider(example.policy)
        let some = try Example.files("policy/tests").filter { $0.name.hasSuffix("implementer.toml") }
        let formatted = try some.map { file in
            SourceFile(name: file.name, bytes: try #require(PolicyFormatter.formatted(file)))
        }
        let asYAML = try some.map { file in
            guard case .text(let bytes) = PolicyConverter.convert(file, to: .yaml) else { throw Missing() }
            return SourceFile(name: "implementer.yaml", bytes: bytes)
        }
        let covered = [some, formatted, asYAML].map { files in
            let suite = ScenarioReader.read(files, for: example.policy)
            #expect(codes(suite) == [])
            let run = PolicyTestRun(suite.scenarios, under: decider)
            return PolicyCoverage(run.results, under: decider).covered
        }
        #expect(!covered[0].isEmpty)
        #expect(covered[0] == covered[1])
        #expect(covered[0] == covered[2])
    }

    struct Missing: Error {}
}
