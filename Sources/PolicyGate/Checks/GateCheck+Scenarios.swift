import ModelPolicy

extension GateCheck {
    /// Runs the head's scenarios and the base's, and looks whether each changed value is exercised.
    mutating func checkScenarios(_ rules: GateRules) {
        for layer in report.layers {
            let files = layer.spec.map { head.specScenarios[$0] ?? [] } ?? head.scenarios
            // A spec without scenarios of its own needs none while nothing of it changes.
            if layer.spec != nil, files.isEmpty, layer.own.isEmpty, baseFiles(layer).isEmpty { continue }
            let suite = ScenarioReader.read(files, for: layer.head.policy)
            report.diagnostics += suite.diagnostics
            if suite.errors.isEmpty { check(layer, suite, rules) }
        }
    }

    private func baseFiles(_ layer: GateLayer) -> [SourceFile] {
        layer.spec.map { base?.specScenarios[$0] ?? [] } ?? base?.scenarios ?? []
    }

    private mutating func check(_ layer: GateLayer, _ suite: ScenarioSuite, _ rules: GateRules) {
        let decider = ScenarioDecider(layer.head)
        let run = PolicyTestRun(suite.scenarios, under: decider)
        report.scenarios += run.results.count
        for failure in run.failures { tell(failure) }
        if layer.spec == nil {
            if run.results.isEmpty { tellNone() } else { checkCoverage(run, decider, rules) }
            checkGolden(suite, decider, rules)
        }
        checkPromises(layer, suite, decider)
        checkExercise(layer, suite)
    }

    private mutating func tellNone() {
        tell(
            .noScenario,
            rule: "policy.version",
            in: head.workspace,
            "no scenario in \(PolicyTests.folder) tests this policy",
            "'capsule-tool policy test --coverage' drafts some"
        )
    }

    private mutating func tell(_ failure: ScenarioResult) {
        let parts = failure.parts.filter { !$0.isMet }
        let words = parts.prefix(3).map { part in
            "`\(part.key)` is to be \(part.expected ?? "nothing") and is \(part.actual ?? "nothing")"
        }
        tell(
            .scenarioFails,
            path: failure.scenario.file,
            line: failure.scenario.line,
            "`\(failure.scenario.name)` fails: \(words.joined(separator: ", "))",
            "'capsule-tool policy test' shows the whole decision"
        )
    }

    private mutating func checkCoverage(_ run: PolicyTestRun, _ decider: ScenarioDecider, _ rules: GateRules) {
        let coverage = PolicyCoverage(run.results, under: decider)
        report.coverage = coverage
        guard coverage.covered.count * 100 < rules.minCoverage * coverage.total, let gap = coverage.gaps.first
        else { return }
        let count = coverage.gaps.count
        tell(
            .coverageTooLow,
            rule: gap.item.rule,
            in: head.workspace,
            "the scenarios show \(coverage.percent) % of the policy, and the base asks for \(rules.minCoverage) %; "
                + "the first of \(count) gap\(count == 1 ? "" : "s") is `\(gap.item.text)`",
            "'capsule-tool policy test --coverage' has a scenario to paste for each"
        )
    }

    private mutating func checkGolden(_ suite: ScenarioSuite, _ decider: ScenarioDecider, _ rules: GateRules) {
        guard let path = rules.golden else { return }
        let help = "'capsule-tool policy test --golden \(path) --update' writes it; read what changed"
        guard let file = head.file(path) else {
            return tell(.goldenDiffers, path: path, line: 1, "there is no golden file, and the base names it", help)
        }
        let text = GoldenFile(suite.cases, under: decider).text
        guard file.bytes != Array(text.utf8) else { return }
        let new = text.split(separator: "\n", omittingEmptySubsequences: false)
        let old = String(decoding: file.bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let line = zip(old, new).enumerated().first { $0.element.0 != $0.element.1 }?.offset
        tell(
            .goldenDiffers,
            path: path,
            line: (line ?? min(old.count, new.count) - 1) + 1,
            "the golden file is not what the policy decides",
            help
        )
    }

    /// Each changed value that decides something, put back alone, makes a scenario fail.
    private mutating func checkExercise(_ layer: GateLayer, _ suite: ScenarioSuite) {
        guard let base = layer.base, !layer.own.isEmpty else { return }
        let paths = Set(layer.own.map(\.path))
        let judged = ExercisedLeaves.judge(
            base: base.policy,
            changed: layer.head.policy,
            scenarios: suite.scenarios
        )
        var told: Set<[String]> = []
        for leaf in judged where paths.contains(leaf.change.path) {
            report.exercises.append((layer.spec, leaf))
            // Values that come together are put back together, and told once.
            guard leaf.verdict == .unexercised, told.insert(leaf.putBack).inserted else { continue }
            let change = leaf.change
            let what =
                leaf.putBack == [change.path]
                ? "`\(change.path)` (\(change.oldText ?? "nothing") → \(change.newText ?? "nothing"))"
                : "`\(leaf.putBack.first ?? change.path)`"
            tell(
                .changeNotExercised,
                rule: change.path,
                in: layer.result,
                "no scenario exercises the change of \(what): with the old value put back all pass",
                "add a scenario to \(PolicyTests.folder)\(layer.spec.map { "/specs/\($0).toml" } ?? "") "
                    + "that fails with the old value; a golden file does not count"
            )
        }
    }
}
