import ArgumentParser
import Ledger
import ModelPolicy

extension PolicyCommand {
    struct Explain: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain",
            abstract: "Say what holds for a key and where it came from, or what a code like P201 means.",
            discussion: """
                A key is one like roles.architect.models, or a table like budgets for all in it. Told are its value, the
                line that gave it, what the layers under it said, and what the key does.
                Exit status: 0 · 1 no such key or code.
                """
        )

        @Argument(help: "A key, or a code of a diagnostic.")
        var key: String

        @OptionGroup var subject: PolicySubject

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            if let code = DiagnosticCode(rawValue: key.uppercased()) { return explain(code) }
            let result = try subject.compile()
            let found = result.explain(key)
            guard !found.isEmpty else {
                let hint = result.nearestPath(to: key).map { "; did you mean '\($0)'?" } ?? ""
                throw Failure(.no, "there is no key '\(key)' in this policy\(hint)")
            }
            if json { return Output.json(.array(found.map(\.json))) }
            for (number, explanation) in found.enumerated() {
                if number > 0 { Output.line() }
                for line in explanation.lines { Output.line(Printable.escape(line)) }
            }
            if result.snapshot == nil { complain("warning: this policy has errors; 'capsule-tool policy validate'") }
        }

        private func explain(_ code: DiagnosticCode) {
            let guide = code.guide
            if json {
                return Output.json([
                    "code": .string(code.rawValue), "severity": .string(code.severity.rawValue),
                    "title": .string(guide.title), "explanation": .string(guide.explanation),
                    "fault": .string(guide.fault), "cure": .string(guide.cure),
                ])
            }
            Output.line("\(code.rawValue)  \(guide.title)\(code.severity == .warning ? "  (a warning)" : "")")
            Output.line()
            Output.line(guide.explanation)
            for (heading, text) in [("Fault", guide.fault), ("Cure", guide.cure)] {
                Output.line()
                Output.line("\(heading):")
                for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                    let shown = Printable.escape(String(line))
                    Output.line("    \(shown.count > 200 ? shown.prefix(200) + "…" : shown)")
                }
            }
        }
    }
}

extension Explanation {
    fileprivate var lines: [String] {
        var lines = ["\(path) = \(effective.text)", "    \(effective.source)"]
        for voice in overridden { lines.append("    instead of \(voice.text), \(voice.source)") }
        lines.append("    \(note)")
        return lines
    }

    fileprivate var json: JSONValue {
        [
            "path": .string(path), "note": .string(note), "effective": effective.json,
            "overridden": .array(overridden.map(\.json)),
        ]
    }
}

extension Explanation.Voice {
    fileprivate var source: String {
        place.map { "\($0.file):\($0.line):\($0.column), the \($0.layer.rawValue)'s file" } ?? "the default"
    }

    fileprivate var json: JSONValue {
        let from: JSONValue =
            place.map { place in
                [
                    "layer": .string(place.layer.rawValue), "file": .string(place.file),
                    "line": .number(JSONNumber(place.line)), "column": .number(JSONNumber(place.column)),
                ]
            } ?? .null
        return ["value": value, "text": .string(text), "from": from]
    }
}
