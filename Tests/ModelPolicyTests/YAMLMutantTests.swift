import Foundation
import Testing

@testable import ModelPolicy

/// The example in YAML with one thing wrong at a time: each mutant is diagnosed in its line, by one message; or means
/// the same; or stands in `mutants.txt` with its reason.
@Suite struct YAMLMutantTests {
    private static let lines =
        (try? text(of: "Tests/ModelPolicyTests/model_policy.yaml"))?.components(separatedBy: "\n") ?? []

    /// The file with one line, or a block that begins there, replaced.
    private struct Change {
        var line: Int
        var text: String
        /// So many lines after it are taken out.
        var without = 0
        /// Where a diagnostic is right as well: the uses of a name whose definition was changed.
        var otherLines: Set<Int> = []

        var changed: String {
            var changed = lines
            changed.replaceSubrange(line - 1...line - 1 + without, with: [text])
            return changed.joined(separator: "\n")
        }
    }

    private static func indent(_ line: String) -> Int { line.prefix { $0 == " " || $0 == "-" }.count }

    /// The lines in which a name stands as a word.
    private static func uses(of name: Substring) -> Set<Int> {
        let bare = name.filter { $0 != "\"" }
        return Set(
            lines.indices.filter { index in
                lines[index].split { !($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }.contains { $0 == bare }
            }.map { $0 + 1 }
        )
    }

    private static func changes(
        _ pattern: Regex<(Substring, Substring)>,
        _ replace: (Substring) -> String?
    ) -> [Change] {
        lines.enumerated().flatMap { index, line -> [Change] in
            guard !line.hasPrefix("#") else { return [] }
            return line.matches(of: pattern).compactMap { match in
                guard let new = replace(match.1) else { return nil }
                let range = match.1.startIndex..<match.1.endIndex
                let text = line.replacingCharacters(in: range, with: new)
                return Change(line: index + 1, text: text, otherLines: uses(of: match.1))
            }
        }
    }

    /// - Parameter isCut: a line without its end takes in what follows, or is noticed there: YAML has no marks.
    private static func fault(_ change: Change, id: SnapshotID?, isCut: Bool = false) -> String? {
        let result = compile(change.changed, .yaml)
        if result.snapshot?.id == id { return nil }
        guard !result.errors.isEmpty else { return "nothing is told, and the meaning changed" }
        let places = result.errors.map { $0.span.start.line }
            .map { $0 > change.line ? $0 + change.without : $0 }
        let right = change.otherLines.union(isCut ? [change.line, change.line + 1] : [change.line])
        if !places.allSatisfy(right.contains) {
            return "told elsewhere: " + told(result).joined(separator: " ; ")
        }
        return places.count == 1 || isCut
            ? nil : "told \(result.errors.count) times: " + told(result).joined(separator: " ; ")
    }

    private static func check(_ changes: [Change], isCut: Bool = false, least: Int) throws {
        let id = compile(lines.joined(separator: "\n"), .yaml).snapshot?.id
        #expect(id != nil)
        #expect(changes.count >= least, "\(changes.count)")
        let listed = Set(
            try text(of: "Tests/ModelPolicyTests/mutants.txt").split(separator: "\n").filter { $0.hasPrefix("    ") }
                .map { String($0.dropFirst(4)) }
        )
        for change in changes where !listed.contains(change.text) {
            if let fault = fault(change, id: id, isCut: isCut) {
                Issue.record("line \(change.line) as\n    \(change.text)\n \(fault)")
            }
        }
    }

    @Test func everyKeyMisspelt() throws {
        try Self.check(Self.changes(/^ *(?:- )?([a-z][a-z0-9_-]*):/) { MutantTests.misspelt($0) }, least: 140)
    }

    @Test func everyValueOfTheWrongType() throws {
        try Self.check(
            Self.changes(/: (.+)$/) { value in
                switch value.first {
                case "\"": "17"
                case "[": "true"
                case let first? where first.isNumber: "[]"
                default: value == "true" || value == "false" ? "maybe" : "17"
                }
            },
            least: 100
        )
    }

    @Test func everyTableOfTheWrongType() throws {
        let tables = Self.lines.indices.compactMap { index -> Change? in
            let line = Self.lines[index]
            guard line.hasSuffix(":") else { return nil }
            let own = Self.indent(line)
            let below = Self.lines[(index + 1)...].prefix { !$0.isEmpty && Self.indent($0) > own }.count
            return Change(line: index + 1, text: line + " 17", without: below)
        }
        try Self.check(tables, least: 40)
    }

    @Test func everyNameMadeUndefined() throws {
        let names: Set = [
            "anthropic", "openai", "workstation", "opus", "sonnet", "gpt-high", "gpt-oss-20b", "qwen3-coder-30b",
            "reflex", "implementer", "architect", "reflex_promotion", "implement", "plan", "default",
        ]
        func undefined(_ word: Substring) -> String? {
            names.contains(word.filter { $0 != "\"" }) ? "zz-nothing" : nil
        }
        let plain = Self.changes(/(?:provider|role|mode|start_mode|gate): ([a-z][a-z0-9_-]*)$/, undefined)
        try Self.check(plain + Self.changes(/[\[ ]("[a-z][a-z0-9_-]*")[,\]]/, undefined), least: 20)
    }

    @Test func everyLineCutOff() throws {
        for share in [0.3, 0.5, 0.8, 0.99] {
            let changes = Self.lines.enumerated().compactMap { index, line -> Change? in
                guard !line.isEmpty, !line.hasPrefix("#") else { return nil }
                let text = String(line.prefix(Int(Double(line.count) * share)))
                // A line of which nothing is left was taken out, not cut.
                guard text.contains(where: { $0 != " " && $0 != "-" }) else { return nil }
                return Change(line: index + 1, text: text, otherLines: Self.uses(of: line[...].firstKey))
            }
            try Self.check(changes, isCut: true, least: 70)
        }
    }

    @Test func aBlindCompilerWouldBeNoticed() {
        #expect(Self.fault(Change(line: 3, text: "  required: 1 # the same"), id: nil) != nil)
        let id = compile(Self.lines.joined(separator: "\n"), .yaml).snapshot?.id
        #expect(Self.fault(Change(line: 3, text: "  required: 2"), id: id) == "nothing is told, and the meaning changed")
    }
}

extension Substring {
    /// The key that a line of YAML begins with.
    fileprivate var firstKey: Substring {
        drop { $0 == " " || $0 == "-" }.prefix { $0 != ":" }
    }
}
