import ModelPolicy

/// What the gate asks of tests: `policy/gate.toml` of the base.
public struct GateRules: Sendable, Equatable {
    /// The least coverage by scenarios, in percent.
    public var minCoverage = PolicyGate.minCoverage
    /// A golden file that must say what is decided, from the root of the workspace.
    public var golden: String?
    /// Files that run the gate, from the root of the repository; a folder ends in a slash.
    public var checks = PolicyGate.checks

    public init() {}

    /// Reads the file; nil with diagnostics where it is not what it should be.
    public static func read(_ file: SourceFile) -> (rules: GateRules?, diagnostics: [Diagnostic]) {
        let syntax = SyntaxFile(file)
        guard let root = syntax.root else { return (nil, syntax.diagnostics) }
        var reader = GateRulesReader(file: syntax)
        reader.read(root)
        let found = syntax.diagnostics
        return (found.contains { $0.severity == .error } ? nil : reader.rules, found)
    }
}

private struct GateRulesReader {
    let file: SyntaxFile
    var rules = GateRules()

    static let keys = ["schema", "min_coverage", "golden", "checks"]

    mutating func read(_ root: SyntaxNode) {
        guard case .table(let entries) = root.value else {
            return file.add(.gateRules, root.span, "this is a table of rules, and here is \(root.value.kind)")
        }
        // Where a line cannot be read, it may be that one.
        if file.count == 0, !entries.contains(where: { $0.key == "schema" }) {
            file.add(.gateRules, root.span, "this file has no `schema`", "begin with `schema = 1`")
        }
        for entry in entries { read(entry) }
    }

    private mutating func read(_ entry: SyntaxEntry) {
        switch (entry.key, entry.node.value) {
        case ("schema", .integer("1")): break
        case ("schema", _): wrong(entry, "the integer 1")
        case ("min_coverage", .integer(let text)):
            guard let percent = Int(text.filter { $0 != "_" }), (0...100).contains(percent) else {
                return wrong(entry, "a percentage, from 0 to 100")
            }
            rules.minCoverage = percent
        case ("min_coverage", _): wrong(entry, "a percentage, from 0 to 100")
        case ("golden", .string(let path)) where Self.isInside(path): rules.golden = path
        case ("golden", _): wrong(entry, "the path of a file below the workspace")
        case ("checks", .list(let items)):
            let paths = items.compactMap { if case .string(let path) = $0.value { path } else { nil } }
            guard paths.count == items.count, paths.allSatisfy(Self.isInside) else {
                return wrong(entry, "a list of paths from the root of the repository")
            }
            rules.checks = PolicyGate.checks + paths
        case ("checks", _): wrong(entry, "a list of paths from the root of the repository")
        default:
            let help =
                file.suggestion(for: entry.key, among: Self.keys) ?? "keys are \(Self.keys.joined(separator: ", "))"
            file.add(.gateRules, entry.keySpan, "`\(entry.key)` is no rule of the gate", help)
        }
    }

    private func wrong(_ entry: SyntaxEntry, _ words: String) {
        file.add(.gateRules, entry.node.span, "`\(entry.key)` is \(words)")
    }

    private static func isInside(_ path: String) -> Bool {
        !path.isEmpty && !path.hasPrefix("/") && path.utf8.count <= PolicyLimits.textBytes
            && !path.split(separator: "/").contains("..")
    }
}
