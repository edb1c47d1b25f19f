/// Writes a tree as TOML.
struct TOMLWriter {
    private let comments: SourceComments

    init(_ comments: SourceComments) { self.comments = comments }

    func lines(_ root: SyntaxNode) -> [String] {
        guard case .table(let entries) = root.value else { return [] }
        var lines = table(entries, [])
        while lines.first?.isEmpty == true { lines.removeFirst() }
        return lines + comments.atEnd
    }

    private func table(_ entries: [SyntaxEntry], _ path: [String]) -> [String] {
        var lines: [String] = []
        var tables: [SyntaxEntry] = []
        for entry in entries {
            if entry.node.tables != nil || entry.node.isTable && !isInline(entry.node, path) {
                tables.append(entry)
                continue
            }
            lines += comments.above(entry.keySpan.start.line)
            let behind = comments.behind(entry.node.span.end).map { "  \($0)" } ?? ""
            lines.append("\(Self.key(entry.key)) = \(Self.value(entry.node))\(behind)")
        }
        for entry in tables {
            let path = path + [Self.key(entry.key)]
            if let items = entry.node.tables {
                let above = comments.above(entry.keySpan.start.line)
                for (number, item) in items.enumerated() {
                    guard case .table(let entries) = item.value else { continue }
                    lines += [""] + (number == 0 ? above : []) + comments.above(item.span.start.line)
                    lines.append("[[\(path.joined(separator: "."))]]")
                    lines += table(entries, path)
                }
            } else if case .table(let entries) = entry.node.value {
                let hasValues = entries.contains {
                    $0.node.tables == nil && !($0.node.isTable && !isInline($0.node, path))
                }
                lines += [""] + comments.above(entry.keySpan.start.line)
                if hasValues || entries.isEmpty { lines.append("[\(path.joined(separator: "."))]") }
                lines += table(entries, path)
            }
        }
        return lines
    }

    private func isInline(_ node: SyntaxNode, _ path: [String]) -> Bool {
        node.isInline(depth: path.count, writtenLength: Self.value(node).utf8.count)
    }

    static func key(_ key: String) -> String {
        let isBare =
            !key.isEmpty
            && key.utf8.allSatisfy {
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 45 || $0 == 95
            }
        return isBare ? key : quoted(key)
    }

    static func value(_ node: SyntaxNode) -> String {
        switch node.value {
        case .string(let text): return quoted(text)
        case .integer(let digits): return integer(digits)
        case .float(let digits): return float(digits)
        case .boolean(let truth): return truth ? "true" : "false"
        case .null: return "\"\""
        case .time(let text), .localTime(let text): return text
        case .list(let items): return "[\(items.map(value).joined(separator: ", "))]"
        case .table(let entries):
            if entries.isEmpty { return "{}" }
            return "{ \(entries.map { "\(key($0.key)) = \(value($0.node))" }.joined(separator: ", ")) }"
        }
    }

    /// YAML takes zeros in front, which TOML does not.
    private static func integer(_ digits: String) -> String {
        guard !digits.hasPrefix("0x"), !digits.hasPrefix("0o"), !digits.hasPrefix("0b") else { return digits }
        let sign = digits.hasPrefix("-") ? "-" : ""
        let rest = digits.drop { $0 == "-" || $0 == "+" }
        let plain = rest.drop { $0 == "0" || $0 == "_" }
        return sign + (plain.isEmpty ? "0" : plain)
    }

    /// YAML takes `.5` and `5.`, which TOML does not.
    private static func float(_ digits: String) -> String {
        let lower = digits.lowercased()
        if lower.hasSuffix(".inf") || lower.hasSuffix(".nan") { return lower.replacing(".", with: "") }
        let sign = digits.hasPrefix("-") ? "-" : ""
        let rest = digits.drop { $0 == "-" || $0 == "+" }
        let mantissa = rest.prefix { $0 != "e" && $0 != "E" }
        let parts = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        let whole = parts[0].drop { $0 == "0" || $0 == "_" }
        var text = sign + (whole.isEmpty ? "0" : whole)
        if parts.count > 1 { text += "." + (parts[1].isEmpty ? "0" : parts[1]) }
        return text + rest.dropFirst(mantissa.count)
    }

    /// A basic string; JSON's escapes are TOML's too.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F || HiddenCharacter.isHidden(scalar) {
                    let digits = String(scalar.value, radix: 16, uppercase: true)
                    result +=
                        scalar.value <= 0xFFFF
                        ? "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
                        : "\\U" + String(repeating: "0", count: 8 - digits.utf8.count) + digits
                } else {
                    result.unicodeScalars.append(scalar)
                }
            }
        }
        return result + "\""
    }
}
