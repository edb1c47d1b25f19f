import ModelPolicy

/// A scenario of the base that the change does not keep.
public struct GatePromise: Sendable {
    public enum Fate: String, Sendable, CaseIterable {
        /// It no longer holds or is another one, and the changelog's entry names it.
        case changed
        /// It no longer holds, and the changelog says nothing of it.
        case broken
        /// It holds, and is not tested any more.
        case deleted
        /// It holds, and under its name is another one, or one that expects less.
        case weakened
        /// What it is about went.
        case gone
    }

    public var scenario: Scenario
    public var fate: Fate
}

extension GateCheck {
    /// Runs the base's scenarios against the change.
    ///
    /// One is kept when the head has a scenario that gives the same and expects no less, whatever its name. One that is
    /// not kept must have a reason: what it is about went; or it no longer holds, or has become another under its name,
    /// and the changelog's entry names it. *Why: whoever reads the entry then knows which promises were taken back.*
    mutating func checkPromises(_ layer: GateLayer, _ suite: ScenarioSuite, _ decider: ScenarioDecider) {
        guard let base, let policy = layer.base?.policy else { return }
        let files = layer.spec.map { base.specScenarios[$0] ?? [] } ?? base.scenarios
        let promised = ScenarioReader.read(files, for: policy).scenarios
        report.promised += promised.count
        let byGiven = Dictionary(grouping: suite.scenarios) { $0.given.text }
        let byName = Dictionary(suite.scenarios.map { ($0.name, $0) }) { first, _ in first }
        for scenario in promised {
            let kept = byGiven[scenario.given.text]?.contains { found in
                found.given == scenario.given && found.expect.merging(scenario.expect) == found.expect
            }
            if kept == true { continue }
            judge(scenario, byName[scenario.name], layer, decider)
        }
    }

    private mutating func judge(
        _ scenario: Scenario,
        _ successor: Scenario?,
        _ layer: GateLayer,
        _ decider: ScenarioDecider
    ) {
        let holds = scenario.expect.unmet(by: decider.decide(scenario.given).decision).isEmpty
        let fate: GatePromise.Fate
        if Self.isGone(scenario, layer.head.policy) {
            fate = .gone
        } else if holds, successor == nil {
            fate = .deleted
        } else if report.entry?.names(scenario.name) == true {
            fate = .changed
        } else {
            fate = holds ? .weakened : .broken
        }
        report.promises.append(GatePromise(scenario: scenario, fate: fate))
        let (name, place) = (scenario.name, "\(scenario.file):\(scenario.line)")
        switch fate {
        case .changed, .gone: break
        case .broken:
            let words = "`\(name)` of the base (\(place)) no longer holds, and the changelog does not say so"
            let help = "keep the promise, or name `\(name)` in the changelog's entry of this version"
            tellPromise(.promiseBroken, successor, scenario, words, help)
        case .deleted:
            let words = "`\(name)` of the base is gone, though it still holds"
            tellPromise(.promiseDeleted, successor, scenario, words, "put it back")
        case .weakened:
            let words = "`\(name)` of the base (\(place)) still holds, and here it is changed or expects less"
            let help =
                "keep what it gives and expects, and say other things in other scenarios; or name `\(name)` in the "
                + "changelog's entry of this version"
            tellPromise(.promiseWeakened, successor, scenario, words, help)
        }
    }

    /// At what the scenario has become; where it is gone, at its place in the base.
    private mutating func tellPromise(
        _ code: DiagnosticCode,
        _ successor: Scenario?,
        _ scenario: Scenario,
        _ message: String,
        _ help: String
    ) {
        guard let successor else {
            return tell(code, side: base, path: scenario.file, line: scenario.line, message, help)
        }
        tell(code, path: successor.file, line: successor.line, message, help)
    }

    /// Whether it speaks of names that the policy no longer has.
    private static func isGone(_ scenario: Scenario, _ policy: CompiledPolicy) -> Bool {
        let text = "schema = 1\n\n" + ScenarioWriter.toml(scenario)
        let suite = ScenarioReader.read([SourceFile(name: "base.toml", bytes: Array(text.utf8))], for: policy)
        return suite.errors.contains { $0.code == .scenarioUndefinedName }
    }
}
