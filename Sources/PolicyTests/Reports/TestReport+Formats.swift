import ModelPolicy

/// Reports for other programs.
extension TestReport {
    /// What is judged besides scenarios, as tests of their own: coverage and the golden file.
    private var others: [(name: String, isPassed: Bool, detail: String)] {
        var others: [(String, Bool, String)] = []
        if run.results.isEmpty { others.append(("there is a scenario", false, "no scenario at all is a failure")) }
        if let coverage, let leastCoverage {
            let gaps = coverage.gaps.map(\.item.text).joined(separator: "\n")
            let text = "\(coverage.percent) % (\(coverage.covered.count) of \(coverage.total))\n\(gaps)"
            others.append(("coverage is at least \(leastCoverage) %", hasEnoughCoverage, text))
        }
        if let golden {
            let changes = golden.changes.map { "\($0.name)\n  - \($0.old ?? "nothing")\n  + \($0.new ?? "nothing")" }
            let text = ([golden.fault].compactMap(\.self) + changes).joined(separator: "\n")
            others.append(("the golden file \(golden.file) holds", golden.isPassed, text))
        }
        return others
    }

    private static func detail(_ result: ScenarioResult) -> String {
        let parts = result.parts.map { part in
            let expected = part.expected.map { "expected \($0), " } ?? ""
            return "\(part.isMet ? " " : "✗") \(part.key): \(expected)decided \(part.actual ?? "nothing")"
        }
        return (["given \(result.scenario.given.text)"] + parts).joined(separator: "\n")
    }

    /// JUnit's XML, a suite for each file.
    public var junit: String {
        let files = run.results.reduce(into: [String]()) { files, result in
            if files.last != result.scenario.file, !files.contains(result.scenario.file) {
                files.append(result.scenario.file)
            }
        }
        let others = others
        let failures = run.failures.count + others.count { !$0.isPassed }
        var lines = [
            #"<?xml version="1.0" encoding="UTF-8"?>"#,
            "<testsuites name=\"\(Self.xml(policy.policy.name)) \(Self.xml(policy.policy.version))\" "
                + "tests=\"\(run.results.count + others.count)\" failures=\"\(failures)\">",
        ]
        let byFile = Dictionary(grouping: run.results, by: \.scenario.file)
        for file in files {
            let cases = (byFile[file] ?? []).map { result in
                (
                    result.scenario.name, result.scenario.line as Int?, result.isPassed,
                    result.isPassed ? "" : Self.detail(result)
                )
            }
            lines += Self.suite(file, cases)
        }
        if !others.isEmpty { lines += Self.suite("policy", others.map { ($0.name, nil, $0.isPassed, $0.detail) }) }
        return (lines + ["</testsuites>"]).joined(separator: "\n") + "\n"
    }

    private static func suite(
        _ name: String,
        _ cases: [(name: String, line: Int?, isPassed: Bool, detail: String)]
    ) -> [String] {
        let file = xml(name)
        var lines = [
            "  <testsuite name=\"\(file)\" tests=\"\(cases.count)\" failures=\"\(cases.count { !$0.isPassed })\">"
        ]
        for test in cases {
            let place = test.line.map { " file=\"\(file)\" line=\"\($0)\"" } ?? ""
            let start = "    <testcase name=\"\(xml(test.name))\" classname=\"\(file)\"\(place)"
            guard !test.isPassed else {
                lines.append(start + "/>")
                continue
            }
            lines.append(start + ">")
            lines.append("      <failure message=\"\(xml(test.name))\">\(xml(test.detail))</failure>")
            lines.append("    </testcase>")
        }
        return lines + ["  </testsuite>"]
    }

    private static func xml(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            default: result.unicodeScalars.append(scalar.value < 0x20 || scalar.value == 0x7F ? "\u{FFFD}" : scalar)
            }
        }
        return result
    }

    /// The Test Anything Protocol, version 14.
    public var tap: String {
        let others = others
        var lines = ["TAP version 14", "1..\(run.results.count + others.count)"]
        var number = 0
        func add(_ name: String, _ isPassed: Bool, _ detail: [String]) {
            number += 1
            lines.append("\(isPassed ? "ok" : "not ok") \(number) - \(Self.tapName(name))")
            guard !isPassed else { return }
            lines += ["  ---"] + detail.map { "  \($0)" } + ["  ..."]
        }
        for result in run.results {
            let place = "at: \(Self.yaml("\(result.scenario.file):\(result.scenario.line)"))"
            let rest = result.isPassed ? [] : Self.block(Self.detail(result))
            add(result.scenario.name, result.isPassed, [place] + rest)
        }
        for other in others { add(other.name, other.isPassed, Self.block(other.detail)) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func block(_ text: String) -> [String] {
        ["detail: |"] + text.split(separator: "\n").map { "  \($0)" }
    }

    private static func tapName(_ name: String) -> String {
        name.replacing("\\", with: "\\\\").replacing("#", with: "\\#")
    }

    private static func yaml(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
