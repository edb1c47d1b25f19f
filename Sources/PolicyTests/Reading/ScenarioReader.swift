import JSONText
import ModelPolicy

/// Reads scenario files.
///
/// Cost: about a microsecond for each byte of text, and less for each scenario that a matrix expands to.
public struct ScenarioReader {
    private let names: ScenarioNames
    private let readers: [ValueReader]
    private var suite = ScenarioSuite()
    /// Fixtures of all files, by name.
    private var fixtures: [String: ScenarioGiven] = [:]
    private var scenarioNames: [String: (file: String, line: Int)] = [:]
    private var gridNames: Set<String> = []
    /// What a fixture lacks because it could not be read is not missing.
    private var brokenFixtures: Set<String> = []

    /// Reads files, and holds every name that they use to the policy.
    ///
    /// - Parameter files: in the order in which their scenarios are to be told.
    public static func read(_ files: [SourceFile], for policy: CompiledPolicy) -> ScenarioSuite {
        var reader = ScenarioReader(files, policy)
        return reader.run()
    }

    private init(_ files: [SourceFile], _ policy: CompiledPolicy) {
        let names = ScenarioNames(policy)
        self.names = names
        readers = files.prefix(PolicyTestLimits.files).map { ValueReader(file: SyntaxFile($0), names: names) }
        if files.count > PolicyTestLimits.files, let first = readers.first {
            first.add(
                .scenarioBeyondLimit,
                Self.beginning,
                "there are \(files.count) files of scenarios, and at most \(PolicyTestLimits.files) are read",
                "put scenarios together"
            )
        }
    }

    private static let beginning = SourceSpan(
        start: SourcePlace(line: 1, column: 1),
        end: SourcePlace(line: 1, column: 1)
    )

    private mutating func run() -> ScenarioSuite {
        for reader in readers { readFixtures(reader) }
        for reader in readers { read(reader) }
        suite.diagnostics = readers.flatMap(\.file.diagnostics)
        return suite
    }

    // MARK: Files

    static let fileKeys = [
        ScenarioKey("schema", .scalar(.integer(1...PolicyTests.schemaVersion)), required: true, "The version; 1."),
        ScenarioKey("fixtures", .table([]), "What several scenarios give, by name: tables like `given`."),
        ScenarioKey("scenarios", .tables([]), "The scenarios."),
        ScenarioKey("grids", .tables([]), "What a golden file decides: scenarios that expect nothing."),
    ]

    private func entries(_ reader: ValueReader) -> [SyntaxEntry] {
        guard let root = reader.file.root, case .table(let entries) = root.value else { return [] }
        return entries
    }

    private mutating func readFixtures(_ reader: ValueReader) {
        guard let node = entries(reader).first(where: { $0.key == "fixtures" })?.node else { return }
        guard case .table(let tables) = node.value else {
            return reader.add(.scenarioBadValue, node.span, "`fixtures` is a table, and here is \(node.value.kind)")
        }
        for table in tables {
            if fixtures[table.key] != nil {
                reader.add(
                    .scenarioRepeatedName,
                    table.keySpan,
                    "there is a fixture `\(table.key)` already",
                    "choose another name"
                )
                continue
            }
            let count = reader.file.count
            fixtures[table.key] = reader.given(table.node)
            if reader.file.count > count { brokenFixtures.insert(table.key) }
        }
    }

    private mutating func read(_ reader: ValueReader) {
        guard let root = reader.file.root else { return }
        guard case .table(let entries) = root.value else {
            return reader.add(
                .scenarioBadValue,
                root.span,
                "a file of scenarios is a table, and here is \(root.value.kind)"
            )
        }
        var hasSchema = false
        for entry in entries {
            switch reader.key(entry, Self.fileKeys, "")?.name {
            case "schema"?:
                hasSchema = true
                _ = reader.read(entry.node, Self.fileKeys[0].kind, "schema")
            case "scenarios"?: for item in items(entry, reader) { readScenario(item, reader) }
            case "grids"?: for item in items(entry, reader) { readGrid(item, reader) }
            default: break
            }
        }
        if !hasSchema {
            reader.add(.scenarioMissingKey, Self.beginning, "this file has no `schema`", "begin with `schema = 1`")
        }
    }

    private func items(_ entry: SyntaxEntry, _ reader: ValueReader) -> [SyntaxNode] {
        guard case .list(let items) = entry.node.value else {
            reader.add(
                .scenarioBadValue,
                entry.node.span,
                "`\(entry.key)` is a list of tables, and here is \(entry.node.value.kind)",
                "write `[[\(entry.key)]]`"
            )
            return []
        }
        return items
    }
}

// MARK: Scenarios and grids

extension ScenarioReader {
    static let scenarioKeys = [
        ScenarioKey("name", .scalar(.text), required: true, "The claim, in words; unlike every other."),
        ScenarioKey("use", .list(.text), "Fixtures, the later over the earlier."),
        ScenarioKey("given", .table([]), "The inputs, over those of the fixtures."),
        ScenarioKey(
            "matrix",
            .table([]),
            "Lists of values of keys of `given`, or of fixtures under `use`: one scenario for each combination."
        ),
        ScenarioKey("expect", .table([]), "What the decision must be."),
        ScenarioKey(
            "expect_by",
            .table([]),
            "By an axis of the matrix and its value: what is expected there, over `expect`."
        ),
    ]

    static let gridKeys = scenarioKeys.filter { !$0.name.hasPrefix("expect") }

    /// The parts of a scenario or a grid.
    private struct Parts {
        var name: String
        var span: SourceSpan
        var nodes: [String: SyntaxNode]
    }

    private func parts(_ item: SyntaxNode, _ keys: [ScenarioKey], _ what: String, _ reader: ValueReader) -> Parts? {
        guard case .table(let entries) = item.value else {
            reader.add(.scenarioBadValue, item.span, "a \(what) is a table, and here is \(item.value.kind)")
            return nil
        }
        var nodes: [String: SyntaxNode] = [:]
        for entry in entries { if reader.key(entry, keys, what) != nil { nodes[entry.key] = entry.node } }
        guard let node = nodes["name"] else {
            reader.add(
                .scenarioMissingKey,
                ValueReader.start(item.span),
                "this \(what) has no `name`",
                "say in words what it claims"
            )
            return nil
        }
        guard let name = reader.read(node, .scalar(.text), "name")?.string else { return nil }
        return Parts(name: name, span: node.span, nodes: nodes)
    }

    private func used(_ node: SyntaxNode?, _ reader: ValueReader) -> ScenarioGiven {
        guard let node else { return ScenarioGiven() }
        guard case .list(let items) = node.value else {
            reader.add(.scenarioBadValue, node.span, "`use` is a list of fixtures, and here is \(node.value.kind)")
            return ScenarioGiven()
        }
        return items.reduce(ScenarioGiven()) { $0.merging(fixture($1, reader)) }
    }

    private func fixture(_ node: SyntaxNode, _ reader: ValueReader) -> ScenarioGiven {
        guard case .string(let name) = node.value else {
            reader.add(.scenarioBadValue, node.span, "a fixture is named by text, and here is \(node.value.kind)")
            return ScenarioGiven()
        }
        if let fixture = fixtures[name] { return fixture }
        reader.add(
            .scenarioUndefinedName,
            node.span,
            "there is no fixture `\(name)`",
            reader.file.suggestion(for: name, among: fixtures.keys.sorted())
        )
        return ScenarioGiven()
    }

    private mutating func readScenario(_ item: SyntaxNode, _ reader: ValueReader) {
        var reader = reader
        let count = reader.file.count
        guard let parts = parts(item, Self.scenarioKeys, "scenario", reader) else { return }
        let expect = reader.expectation(parts.nodes["expect"])
        let byAxis = branches(parts.nodes["expect_by"], reader)
        let all = [expect] + byAxis.flatMap { $0.values.map(\.expect) }
        reader.unknownAllowed = Self.unknownAllowed(all)
        let used = used(parts.nodes["use"], reader)
        let own = reader.given(parts.nodes["given"])
        guard let matrix = matrix(parts.nodes["matrix"], reader) else { return }
        check(byAxis, matrix, reader)
        if let first = scenarioNames[parts.name] {
            reader.add(
                .scenarioRepeatedName,
                parts.span,
                "there is a scenario of this name already, in \(first.file):\(first.line)",
                "choose another name"
            )
        }
        scenarioNames[parts.name] = (reader.file.name, parts.span.start.line)
        // What is wrong with it has been told; what follows from that would be told twice.
        guard reader.file.count == count, !usesBrokenFixture(parts) else { return }
        guard hasRoom(suite.scenarios.count, matrix.count, PolicyTestLimits.scenarios, parts.span, reader) else {
            return
        }
        for combination in matrix.combinations {
            var expected = expect
            for (axis, value) in zip(matrix.axes, combination) {
                let branch = byAxis.first { $0.axis == axis.name }?.values.first { value.isCalled($0.value) }
                if let branch { expected = expected.merging(branch.expect) }
            }
            let given = matrix.given(used, own, combination)
            guard check(given, expected, parts, reader) else { return }
            suite.scenarios.append(
                Scenario(
                    name: parts.name + matrix.suffix(combination),
                    file: reader.file.name,
                    line: parts.span.start.line,
                    given: given,
                    expect: expected
                )
            )
        }
    }

    private func usesBrokenFixture(_ parts: Parts) -> Bool {
        guard !brokenFixtures.isEmpty else { return false }
        var names: [SyntaxNode] = []
        if case .list(let items)? = parts.nodes["use"]?.value { names += items }
        if case .table(let axes)? = parts.nodes["matrix"]?.value,
            case .list(let items)? = axes.first(where: { $0.key == "use" })?.node.value
        {
            names += items
        }
        return names.contains { if case .string(let name) = $0.value { brokenFixtures.contains(name) } else { false } }
    }

    private static func unknownAllowed(_ expectations: [ScenarioExpectation]) -> Set<PolicyNamespace> {
        var allowed: Set<PolicyNamespace> = []
        for expectation in expectations {
            switch expectation[.reason]?.string {
            case "unknown-role"?: allowed.insert(.role)
            case "unknown-mode"?: allowed.insert(.mode)
            case "unknown-stage"?: allowed.insert(.stage)
            default: break
            }
        }
        return allowed
    }

    private func check(
        _ given: ScenarioGiven,
        _ expect: ScenarioExpectation,
        _ parts: Parts,
        _ reader: ValueReader
    ) -> Bool {
        if given[.role] == nil {
            reader.add(
                .scenarioMissingKey,
                parts.span,
                "`\(parts.name)` gives no `role`",
                "add `role` to `given`, or use a fixture that has one"
            )
            return false
        }
        if expect.isEmpty {
            reader.add(
                .scenarioExpectsNothing,
                parts.span,
                "`\(parts.name)` expects nothing, so that it cannot fail",
                "add `expect`, with `model` or `reason`, and `rule`"
            )
            return false
        }
        return true
    }

    private func hasRoom(
        _ count: Int,
        _ more: Int,
        _ limit: Int,
        _ span: SourceSpan,
        _ reader: ValueReader
    ) -> Bool {
        if more <= limit - count { return true }
        reader.add(
            .scenarioBeyondLimit,
            span,
            "with this there are more than \(limit) in all, matrices expanded",
            "take values out of the matrix"
        )
        return false
    }

    private mutating func readGrid(_ item: SyntaxNode, _ reader: ValueReader) {
        let count = reader.file.count
        guard let parts = parts(item, Self.gridKeys, "grid", reader) else { return }
        let used = used(parts.nodes["use"], reader)
        let own = reader.given(parts.nodes["given"])
        guard let matrix = matrix(parts.nodes["matrix"], reader) else { return }
        guard gridNames.insert(parts.name).inserted else {
            return reader.add(
                .scenarioRepeatedName,
                parts.span,
                "there is a grid of this name already",
                "choose another name"
            )
        }
        guard reader.file.count == count, !usesBrokenFixture(parts) else { return }
        guard hasRoom(suite.cases.count, matrix.count, PolicyTestLimits.cases, parts.span, reader) else { return }
        for combination in matrix.combinations {
            let given = matrix.given(used, own, combination)
            guard given[.role] != nil else {
                return reader.add(.scenarioMissingKey, parts.span, "this grid gives no `role`", "add it to the matrix")
            }
            suite.cases.append(GridCase(name: parts.name + matrix.suffix(combination), given: given))
        }
    }
}

// MARK: Matrices

extension ScenarioReader {
    /// What is expected by the values of an axis.
    private struct Branch {
        var axis: String
        var span: SourceSpan
        var values: [(value: String, span: SourceSpan, expect: ScenarioExpectation)]
    }

    private func branches(_ node: SyntaxNode?, _ reader: ValueReader) -> [Branch] {
        guard let node else { return [] }
        guard case .table(let axes) = node.value else {
            reader.add(.scenarioBadValue, node.span, "`expect_by` is a table, and here is \(node.value.kind)")
            return []
        }
        return axes.compactMap { axis in
            guard case .table(let values) = axis.node.value else {
                reader.add(
                    .scenarioBadValue,
                    axis.node.span,
                    "`expect_by.\(axis.key)` is a table by value, and here is \(axis.node.value.kind)"
                )
                return nil
            }
            return Branch(
                axis: axis.key,
                span: axis.keySpan,
                values: values.map { ($0.key, $0.keySpan, reader.expectation($0.node)) }
            )
        }
    }

    private func check(_ branches: [Branch], _ matrix: ScenarioMatrix, _ reader: ValueReader) {
        for branch in branches {
            guard let axis = matrix.axes.first(where: { $0.name == branch.axis }) else {
                reader.add(
                    .scenarioBadMatrix,
                    branch.span,
                    "the matrix has no axis `\(branch.axis)`",
                    reader.file.suggestion(for: branch.axis, among: matrix.axes.map(\.name))
                )
                continue
            }
            let known = axis.values.map(\.text)
            for value in branch.values where !axis.values.contains(where: { $0.isCalled(value.value) }) {
                reader.add(
                    .scenarioBadMatrix,
                    value.span,
                    "the axis `\(axis.name)` has no value `\(value.value)`",
                    reader.file.suggestion(for: value.value, among: known)
                        ?? "it has " + known.prefix(12).map { "`\($0)`" }.joined(separator: ", ")
                )
            }
        }
    }

    /// Nil when it cannot be expanded, which has been told.
    private func matrix(_ node: SyntaxNode?, _ reader: ValueReader) -> ScenarioMatrix? {
        guard let node else { return ScenarioMatrix(axes: []) }
        guard case .table(let entries) = node.value else {
            reader.add(.scenarioBadValue, node.span, "`matrix` is a table of lists, and here is \(node.value.kind)")
            return nil
        }
        guard entries.count <= PolicyTestLimits.axes else {
            reader.add(
                .scenarioBeyondLimit,
                node.span,
                "a matrix has at most \(PolicyTestLimits.axes) axes",
                "write two scenarios"
            )
            return nil
        }
        var axes: [ScenarioMatrix.Axis] = []
        for entry in entries { if let axis = axis(entry, reader) { axes.append(axis) } }
        guard axes.count == entries.count else { return nil }
        return ScenarioMatrix(axes: axes)
    }

    private func axis(_ entry: SyntaxEntry, _ reader: ValueReader) -> ScenarioMatrix.Axis? {
        let useKey = ScenarioKey("use", .list(.text), "")
        guard let key = reader.key(entry, [useKey] + GivenKey.allCases.map(\.key), "matrix") else { return nil }
        guard case .list(let items) = entry.node.value, !items.isEmpty else {
            reader.add(
                .scenarioBadMatrix,
                entry.node.span,
                "the axis `\(key.name)` is a list of at least one value",
                "put its values in square brackets"
            )
            return nil
        }
        var values: [ScenarioMatrix.Value] = []
        for (number, item) in items.enumerated() {
            let given: ScenarioGiven
            if key.name == "use" {
                given = fixture(item, reader)
            } else {
                let entry = SyntaxEntry(key: key.name, keySpan: entry.keySpan, node: item)
                given = reader.given(SyntaxNode(value: .table([entry]), span: item.span))
            }
            let text = item.value.axisText ?? "#\(number + 1)"
            guard !values.contains(where: { $0.text == text }) else {
                reader.add(.scenarioBadMatrix, item.span, "the axis `\(key.name)` has this value already")
                return nil
            }
            values.append(ScenarioMatrix.Value(text: text, given: given))
        }
        return ScenarioMatrix.Axis(name: key.name, values: values)
    }
}

extension SyntaxValue {
    /// A value of an axis as it is named; nil for one that is named by its place.
    fileprivate var axisText: String? {
        switch self {
        case .string(let text), .time(let text), .localTime(let text): text
        // TOML lets digits be grouped and YAML does not; a name is the same in both.
        case .integer(let text), .float(let text): text.replacing("_", with: "")
        case .boolean(let truth): truth ? "true" : "false"
        case .null: "null"
        case .list(let items) where items.isEmpty: "[]"
        case .list(let items):
            items.allSatisfy { $0.value.isText } ? items.compactMap(\.value.axisText).joined(separator: "+") : nil
        case .table: nil
        }
    }

    private var isText: Bool { if case .string = self { true } else { false } }
}
