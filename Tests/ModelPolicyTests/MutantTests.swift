import Foundation
import Testing

@testable import ModelPolicy

/// One change of one line of the example.
struct Mutant {
    var line: Int
    var text: String
    /// Where a diagnostic is right as well: the uses of a name whose definition was changed.
    var otherLines: Set<Int> = []
}

/// The example policy with one thing wrong at a time: each mutant is diagnosed in its line, by one message; or means the
/// same; or stands in `mutants.txt` with its reason.
@Suite struct MutantTests {
    private static let lines = (try? text(of: examplePath))?.components(separatedBy: "\n") ?? []

    /// The ways to misspell: neighbours exchanged, and a letter that does not belong.
    static func misspelt(_ word: Substring) -> String {
        var letters = Array(word)
        let middle = letters.count / 2
        if middle > 0, letters[middle] != letters[middle - 1] {
            letters.swapAt(middle, middle - 1)
        } else {
            letters.insert("q", at: middle)
        }
        return String(letters)
    }

    /// Every match of a pattern in every line, with its first group replaced.
    private static func mutants(
        _ pattern: Regex<(Substring, Substring)>,
        isAboutNames: Bool = false,
        _ replace: (Substring) -> String?
    ) -> [Mutant] {
        lines.enumerated().flatMap { index, line -> [Mutant] in
            guard !line.hasPrefix("#"), !(isAboutNames && line.hasPrefix("id ")) else { return [] }
            return line.matches(of: pattern).compactMap { match in
                guard let new = replace(match.1) else { return nil }
                let range = match.1.startIndex..<match.1.endIndex
                return Mutant(
                    line: index + 1,
                    text: line.replacingCharacters(in: range, with: new),
                    otherLines: uses(of: match.1)
                )
            }
        }
    }

    /// The lines that name something in quotation marks, or as a key.
    private static func uses(of name: Substring) -> Set<Int> {
        let bare = name.filter { $0 != "\"" }
        return Set(
            lines.indices.filter { lines[$0].contains("\"\(bare)\"") || lines[$0].contains("\(bare) =") }.map { $0 + 1 }
        )
    }

    /// What is wrong with how a mutant is told of; nil when all is right.
    private static func fault(_ mutant: Mutant, id: SnapshotID?, strict: Bool = true) -> String? {
        var changed = lines
        changed[mutant.line - 1] = mutant.text
        let result = compile(changed.joined(separator: "\n"))
        if result.snapshot?.id == id { return nil }
        let errors = result.errors
        guard !errors.isEmpty else { return "nothing is told, and the meaning changed" }
        let wrong = errors.filter {
            $0.span.start.line != mutant.line && !mutant.otherLines.contains($0.span.start.line)
        }
        if !wrong.isEmpty { return "told elsewhere: " + told(result).joined(separator: " ; ") }
        return errors.count == 1 || !strict
            ? nil : "told \(errors.count) times: " + told(result).joined(separator: " ; ")
    }

    private static func check(_ mutants: [Mutant], least: Int) throws {
        let id = compile(lines.joined(separator: "\n")).snapshot?.id
        #expect(id != nil)
        #expect(mutants.count >= least, "\(mutants.count)")
        let listed = Set(
            try text(of: "Tests/ModelPolicyTests/mutants.txt").split(separator: "\n").filter { $0.hasPrefix("    ") }
                .map { String($0.dropFirst(4)) }
        )
        for mutant in mutants where !listed.contains("\(mutant.text)") {
            if let fault = fault(mutant, id: id) {
                Issue.record("line \(mutant.line) as\n    \(mutant.text)\n \(fault)")
            }
        }
    }

    @Test func everyKeyMisspelt() throws {
        try Self.check(Self.mutants(/(?:^|[{,] )([a-z][a-z0-9_]*)\s*=/) { Self.misspelt($0) }, least: 120)
    }

    @Test func everyPartOfAHeaderMisspelt() throws {
        try Self.check(Self.mutants(/^\[+([a-z][a-z0-9_-]*)/) { Self.misspelt($0) }, least: 20)
        try Self.check(Self.mutants(/^\[+[a-z_]+\.([a-z][a-z0-9_-]*)/) { Self.misspelt($0) }, least: 10)
        try Self.check(Self.mutants(/^\[+roles\.[a-z_]+\.([a-z][a-z0-9_-]*)/) { Self.misspelt($0) }, least: 1)
    }

    @Test func everyValueOfTheWrongType() throws {
        let wrong: (Substring) -> String? = { value in
            switch value.first {
            case "\"": "17"
            case "[", "{": "true"
            case "t", "f": "\"maybe\""
            default: "[]"
            }
        }
        try Self.check(Self.mutants(/^[a-z_0-9]+\s*=\s*(.+)$/, wrong), least: 85)
        try Self.check(Self.mutants(/[{,] [a-z_0-9]+\s*=\s*("[^"]*"|[0-9._]+)/, wrong), least: 30)
    }

    @Test func everyNameMadeUndefined() throws {
        let names: Set = [
            "anthropic", "openai", "workstation", "opus", "sonnet", "gpt-high", "gpt-oss-20b", "qwen3-coder-30b",
            "reflex",
            "implementer", "architect", "reflex_promotion", "implement", "plan", "default",
        ]
        try Self.check(
            Self.mutants(/("[a-z][a-z0-9_-]*")/, isAboutNames: true) {
                names.contains(String($0.dropFirst().dropLast())) ? "\"zz-nothing\"" : nil
            },
            least: 25
        )
    }

    @Test func everyLineCutOff() throws {
        for share in [0.3, 0.5, 0.8, 0.99] {
            let mutants = Self.lines.enumerated().compactMap { index, line -> Mutant? in
                line.isEmpty || line.hasPrefix("#")
                    ? nil : Mutant(line: index + 1, text: String(line.prefix(Int(Double(line.count) * share))))
            }
            try Self.check(mutants, least: 110)
        }
    }

    @Test func aBlindCompilerWouldBeNoticed() {
        let mutant = Mutant(line: 3, text: "schema = 1\n# moved")
        #expect(Self.fault(mutant, id: nil) != nil)
    }
}
