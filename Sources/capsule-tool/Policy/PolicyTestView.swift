import Ledger
import PolicyTests

/// The results of a policy's tests for people: one line when all is well, and the whole decision beside what was
/// expected where it is not.
struct PolicyTestView {
    let report: TestReport

    var lines: [String] {
        var lines = report.run.failures.flatMap { failure($0) + [""] }
        lines += golden
        lines += coverage
        lines.append(verdict)
        return lines
    }

    private func failure(_ result: ScenarioResult) -> [String] {
        let scenario = result.scenario
        let title = Printable.escape(scenario.name)
        var lines = [
            Terminal.styled("✗ \(title)", .red) + "  " + Printable.escape("\(scenario.file):\(scenario.line)"),
            "  given  \(Printable.escape(scenario.given.text))",
        ]
        var table = Columns([("", .left), ("", .left), ("expected", .left), ("decided", .left)])
        for part in result.parts {
            table.add([part.isMet ? " " : "✗", part.key, part.expected ?? "", part.actual ?? "—"])
        }
        lines += table.lines(width: Terminal.width.map { $0 - 2 }).map { "  \($0)" }
        return lines
    }

    private var golden: [String] {
        guard let golden = report.golden, !golden.isPassed else { return [] }
        var lines = [Terminal.styled("✗ \(Printable.escape(golden.file))", .red)]
        if let fault = golden.fault { lines.append("  " + Printable.escape(fault)) }
        for change in golden.changes.prefix(Self.shownChanges) {
            lines.append("  \(Printable.escape(change.name))")
            lines.append(Terminal.styled("    - \(Printable.escape(change.old ?? "no such case"))", .red))
            lines.append(Terminal.styled("    + \(Printable.escape(change.new ?? "no such case"))", .green))
        }
        let more = golden.changes.count - Self.shownChanges
        if more > 0 { lines.append("  and \(more) more; --format json has them all") }
        return lines + [""]
    }

    private static let shownChanges = 50

    private var coverage: [String] {
        guard let coverage = report.coverage else { return [] }
        var table = Columns([("covered", .left), ("", .right), ("", .left)])
        for (kind, covered, total) in coverage.byKind {
            table.add([kind.rawValue, "\(covered)/\(total)", covered < total ? "←" : ""])
        }
        table.add(["all", "\(coverage.covered.count)/\(coverage.total)", "\(coverage.percent) %"])
        var lines = table.lines(width: Terminal.width) + [""]
        if !coverage.gaps.isEmpty {
            lines.append("\(coverage.gaps.count) not covered. Each scenario below says what is decided today: see that")
            lines.append("it is what should be, and paste it into a file of \(PolicyTests.folder).")
            lines.append("")
            for gap in coverage.gaps {
                for line in ScenarioWriter.toml(gap.draft).split(separator: "\n", omittingEmptySubsequences: false) {
                    lines.append(Printable.escape(String(line)))
                }
            }
        }
        if !coverage.unreachable.isEmpty {
            lines.append("Nothing can show these; they do not count:")
            lines += coverage.unreachable.map { "  \(Printable.escape($0.text))" } + [""]
        }
        return lines
    }

    private var verdict: String {
        let (count, failed) = (report.run.results.count, report.run.failures.count)
        if count == 0 {
            let text = "no scenario: a policy that nothing tests has not passed; 'capsule-tool policy test --coverage' "
            return Terminal.styled("✗ \(text)drafts some", .red)
        }
        let scenarios = "\(Human.count(count)) scenario\(count == 1 ? "" : "s")"
        if failed > 0 { return Terminal.styled("✗ \(Human.count(failed)) of \(scenarios) failed", .red) }
        if !report.hasEnoughCoverage, let coverage = report.coverage {
            let text = "coverage is \(coverage.percent) %, and \(report.leastCoverage ?? 0) % is asked for"
            return Terminal.styled("✗ \(text)", .red)
        }
        if let golden = report.golden, !golden.isPassed {
            return Terminal.styled("✗ \(scenarios) passed, and \(Printable.escape(golden.file)) says otherwise", .red)
        }
        return Terminal.styled("✓ \(scenarios) passed", .green)
    }
}
