import JSONText
import ModelPolicy

/// Writes scenarios as TOML that reads back as the same.
public enum ScenarioWriter {
    private static let width = 110

    /// A `[[scenarios]]` table.
    public static func toml(_ scenario: Scenario) -> String {
        let given = GivenKey.allCases.compactMap { key in
            scenario.given[key].map { (key.rawValue, text($0, key.key.kind)) }
        }
        let expect = ExpectKey.allCases.compactMap { key in
            scenario.expect[key].map { (key.rawValue, text($0, key.key.kind)) }
        }
        var tables: [String] = []
        var lines = ["[[scenarios]]", "name   = \(quoted(scenario.name))"]
        for (title, pairs) in [("given", given), ("expect", expect)] {
            let inline = "{ " + pairs.map { "\($0.0) = \($0.1)" }.joined(separator: ", ") + " }"
            // A table of its own ends the scenario's own keys, so those that need one come last.
            if inline.count <= width - 9, tables.isEmpty {
                lines.append("\(title.padded(6)) = \(inline)")
            } else {
                let widest = pairs.map(\.0.count).max() ?? 0
                tables.append("\n[scenarios.\(title)]")
                tables += pairs.map { "\($0.0.padded(widest)) = \($0.1)" }
            }
        }
        return (lines + tables).joined(separator: "\n") + "\n"
    }

    static func text(_ value: JSONValue, _ kind: ScenarioKind) -> String {
        switch kind {
        case .scalar(let scalar): return text(value, scalar)
        case .stated(let scalar): return value.isNull ? "\"none\"" : text(value, scalar)
        case .money: return quoted(value.string ?? "0")
        case .age: return value.int == 0 ? "\"0s\"" : PolicyScalar.duration.shown(value)
        case .list(let scalar):
            return "[" + (value.array ?? []).map { text($0, scalar) }.joined(separator: ", ") + "]"
        case .table(let keys):
            return inline(value) { name in keys.first { $0.name == name }?.kind ?? .scalar(.text) }
        case .named(_, let element): return inline(value) { _ in element }
        case .tables(let keys):
            return "[" + (value.array ?? []).map { text($0, .table(keys)) }.joined(separator: ", ") + "]"
        case .either(let first, let second): return text(value, value.object == nil ? first : second)
        }
    }

    private static func text(_ value: JSONValue, _ scalar: PolicyScalar) -> String {
        if let text = value.string, case .time = scalar { return text }
        return value.string.map(quoted) ?? scalar.shown(value)
    }

    private static func inline(_ value: JSONValue, _ kind: (String) -> ScenarioKind) -> String {
        let pairs = (value.object ?? JSONValue.Members()).map { "\(key($0.key)) = \(text($0.value, kind($0.key)))" }
        return pairs.isEmpty ? "{}" : "{ " + pairs.joined(separator: ", ") + " }"
    }

    private static func key(_ name: String) -> String {
        let isBare =
            !name.isEmpty
            && name.utf8.allSatisfy {
                $0 == 45 || $0 == 95 || (48...57).contains($0) || (65...90).contains($0) || (97...122).contains($0)
            }
        return isBare ? name : quoted(name)
    }

    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}

extension String {
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
