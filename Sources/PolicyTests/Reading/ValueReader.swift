import JSONText
import ModelPolicy

/// Reads values of one scenario file into their compiled form, and tells what is wrong with each at its place.
struct ValueReader {
    let file: SyntaxFile
    let names: ScenarioNames
    /// Kinds of which an unknown name is what the scenario is about: it expects to be refused for it.
    var unknownAllowed: Set<PolicyNamespace> = []

    func add(_ code: DiagnosticCode, _ span: SourceSpan, _ message: String, _ help: String? = nil) {
        file.add(code, span, message, help)
    }

    /// The value of a key; nil when it cannot be read, which has been told.
    func read(_ node: SyntaxNode, _ kind: ScenarioKind, _ path: String) -> JSONValue? {
        switch (kind, node.value) {
        case (.scalar(let scalar), let value): return scalarValue(value, scalar, node.span, path)
        case (.stated, .string("none")): return .null
        case (.stated(let scalar), let value): return scalarValue(value, scalar, node.span, path)
        case (.money, let value): return money(value, node.span, path)
        case (.age, .string("0s")): return 0
        case (.age, let value): return scalarValue(value, .duration, node.span, path)
        case (.list(let scalar), .list(let items)):
            let values = items.compactMap { scalarValue($0.value, scalar, $0.span, path) }
            return values.count == items.count ? .array(values) : nil
        case (.table(let keys), .table(let entries)): return table(entries, keys, node.span, path)
        case (.named(let namespace, let element), .table(let entries)):
            return named(entries, namespace, element, path)
        case (.tables(let keys), .list(let items)):
            let values = items.compactMap { read($0, .table(keys), path) }
            return values.count == items.count ? .array(values) : nil
        case (.either(_, let second), .table): return read(node, second, path)
        case (.either(let first, _), _): return read(node, first, path)
        default:
            add(.scenarioBadValue, node.span, "`\(path)` is \(kind.words), and here is \(node.value.kind)")
            return nil
        }
    }

    private func scalarValue(
        _ value: SyntaxValue,
        _ scalar: PolicyScalar,
        _ span: SourceSpan,
        _ path: String
    ) -> JSONValue? {
        let read: JSONValue
        do throws(ValueFault) {
            read = try scalar.read(value)
        } catch {
            let prefix = "this is to be "
            let message =
                error.message.hasPrefix(prefix)
                ? "`\(path)` is to be " + error.message.dropFirst(prefix.count) : error.message
            var help = error.help
            if case .choice(let words) = scalar, case .string(let text) = value {
                help = file.suggestion(for: text, among: words) ?? help
            }
            add(.scenarioBadValue, span, message, help)
            return nil
        }
        guard case .name(let namespace) = scalar, let name = read.string else { return read }
        return check(name, namespace, span, path) ? read : nil
    }

    /// Whether the policy defines a name; tells if it does not.
    private func check(_ name: String, _ namespace: PolicyNamespace, _ span: SourceSpan, _ path: String) -> Bool {
        if names[namespace].contains(name) || unknownAllowed.contains(namespace) { return true }
        if namespace == .escalation, name == "none", path == ExpectKey.escalation.rawValue { return true }
        add(
            .scenarioUndefinedName,
            span,
            "the policy has no \(namespace.rawValue) `\(name)`",
            file.suggestion(for: name, among: names[namespace]) ?? Self.list(names[namespace])
        )
        return false
    }

    private static func list(_ names: [String]) -> String? {
        guard !names.isEmpty else { return nil }
        let shown = names.prefix(12).map { "`\($0)`" }.joined(separator: ", ")
        return "it has \(shown)\(names.count > 12 ? " and others" : "")"
    }

    private func money(_ value: SyntaxValue, _ span: SourceSpan, _ path: String) -> JSONValue? {
        var text: String?
        switch value {
        case .string(let digits), .float(let digits), .integer(let digits): text = digits.replacing("_", with: "")
        default: break
        }
        guard let amount = text.flatMap(USD.init(decimal:)) else {
            add(.scenarioBadValue, span, "`\(path)` is to be \(ScenarioKind.money.words)", "write at most 12 places")
            return nil
        }
        return .string("\(amount)")
    }

    func table(_ entries: [SyntaxEntry], _ keys: [ScenarioKey], _ span: SourceSpan, _ path: String) -> JSONValue? {
        var members = JSONValue.Members()
        var isWhole = true
        for entry in entries {
            guard let key = key(entry, keys, path), let value = read(entry.node, key.kind, "\(path).\(key.name)") else {
                isWhole = false
                continue
            }
            members.append(key.name, value)
        }
        for key in keys where key.isRequired && !entries.contains(where: { $0.key == key.name }) {
            add(.scenarioMissingKey, Self.start(span), "`\(path)` has no `\(key.name)`", "add it: \(key.kind.words)")
            isWhole = false
        }
        return isWhole ? .object(members) : nil
    }

    static func start(_ span: SourceSpan) -> SourceSpan { SourceSpan(start: span.start, end: span.start) }

    /// The key of an entry; nil when there is none, which has been told.
    func key(_ entry: SyntaxEntry, _ keys: [ScenarioKey], _ path: String) -> ScenarioKey? {
        if let key = keys.first(where: { $0.name == entry.key }) { return key }
        let words = keys.map { "`\($0.name)`" }.joined(separator: ", ")
        add(
            .scenarioUnknownKey,
            entry.keySpan,
            "`\(entry.key)` is no key of \(path.isEmpty ? "a file of scenarios" : "`\(path)`")",
            file.suggestion(for: entry.key, among: keys.map(\.name)) ?? "its keys are \(words)"
        )
        return nil
    }

    private func named(
        _ entries: [SyntaxEntry],
        _ namespace: PolicyNamespace?,
        _ element: ScenarioKind,
        _ path: String
    ) -> JSONValue? {
        var members = JSONValue.Members()
        var isWhole = true
        for entry in entries {
            let isUnstaged = namespace == .stage && entry.key.isEmpty
            let isKnown =
                namespace.map { isUnstaged || check(entry.key, $0, entry.keySpan, path) }
                ?? checkMetric(entry, path)
            guard isKnown, let value = read(entry.node, element, "\(path).\(entry.key)") else {
                isWhole = false
                continue
            }
            members.append(entry.key, value)
        }
        return isWhole ? .object(members) : nil
    }

    /// A metric that the gate does not compare would be given for nothing.
    private func checkMetric(_ entry: SyntaxEntry, _ path: String) -> Bool {
        let gate = String(path.dropFirst("gates.".count))
        let known = names.metrics(of: gate)
        if known.contains(entry.key) { return true }
        add(
            .scenarioUndefinedName,
            entry.keySpan,
            "the gate `\(gate)` compares no `\(entry.key)`",
            file.suggestion(for: entry.key, among: known) ?? Self.list(known)
        )
        return false
    }
}

extension ValueReader {
    /// The table of what is given.
    func given(_ node: SyntaxNode?) -> ScenarioGiven {
        var given = ScenarioGiven()
        for (key, value) in values(node, "given", GivenKey.allCases.map { ($0, $0.key) }) {
            guard isMeaningful(value.json, of: key, value.span) else { continue }
            given[key] = value.json
        }
        return given
    }

    /// The table of what is expected.
    func expectation(_ node: SyntaxNode?) -> ScenarioExpectation {
        var expectation = ScenarioExpectation()
        for (key, value) in values(node, "expect", ExpectKey.allCases.map { ($0, $0.key) }) {
            switch key {
            case .rule:
                guard let path = value.json.string, !names.hasRule(path) else { break }
                add(
                    .scenarioUndefinedName,
                    value.span,
                    "the policy has no rule `\(path)`",
                    file.suggestion(for: path, among: names.rules)
                )
                continue
            case .alerts:
                guard isAlerts(value.json, value.span) else { continue }
            case .cause where value.json.string == nil:
                add(.scenarioBadValue, value.span, "`cause` is one cause, as text", "`causes` lists all of them")
                continue
            default: break
            }
            expectation[key] = value.json
        }
        return expectation
    }

    private typealias Found = (json: JSONValue, span: SourceSpan)

    private func values<Key>(_ node: SyntaxNode?, _ path: String, _ keys: [(Key, ScenarioKey)]) -> [(Key, Found)] {
        guard let node else { return [] }
        guard case .table(let entries) = node.value else {
            add(.scenarioBadValue, node.span, "`\(path)` is a table, and here is \(node.value.kind)")
            return []
        }
        let known = keys.map(\.1)
        return entries.compactMap { entry in
            guard let key = key(entry, known, path),
                let index = known.firstIndex(where: { $0.name == key.name }),
                let value = read(entry.node, key.kind, key.name)
            else { return nil }
            return (keys[index].0, (value, entry.node.span))
        }
    }

    /// Whether a value that is well formed says something; tells if it does not.
    private func isMeaningful(_ value: JSONValue, of key: GivenKey, _ span: SourceSpan) -> Bool {
        switch key {
        case .alerted: return isAlerts(value, span)
        case .overrides:
            return (value.array ?? []).allSatisfy { body in
                let rule = body["rule"]?.string ?? ""
                let stage = rule.hasPrefix("budgets.tokens.") ? String(rule.dropFirst(15)) : nil
                let gate = rule.hasPrefix("gates.") ? String(rule.dropFirst(6)) : nil
                if let stage, !check(stage, .stage, span, "overrides") { return false }
                if let gate, !check(gate, .gate, span, "overrides") { return false }
                if RoutingOverride.Effect(body) != nil { return true }
                add(
                    .scenarioBadValue,
                    span,
                    "this override sets nothing aside",
                    "give a `rule` and the `amount` of a budget, or `break_glass = true`"
                )
                return false
            }
        default: return true
        }
    }

    private func isAlerts(_ value: JSONValue, _ span: SourceSpan) -> Bool {
        (value.array ?? []).allSatisfy { item in
            let text = item.string ?? ""
            let kind = BudgetAlert.Kind(text: text)
            if let kind, names.hasRule(kind.budget) { return true }
            let rules = names.rules.filter { $0.hasPrefix("budgets.") }.flatMap { ["warn \($0)", "stop \($0)"] }
            add(
                .scenarioBadValue,
                span,
                "`\(text)` is no alert of this policy",
                file.suggestion(for: text, among: rules) ?? "write `warn` or `stop`, and the rule of a budget"
            )
            return false
        }
    }
}
