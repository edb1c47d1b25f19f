/// Writes a tree as YAML, with what the core schema reads as it was meant.
struct YAMLWriter {
    private let comments: SourceComments

    init(_ comments: SourceComments) { self.comments = comments }

    func lines(_ root: SyntaxNode) -> [String] {
        guard case .table(let entries) = root.value else { return [] }
        return table(entries, depth: 0, indent: 0) + comments.atEnd
    }

    private func table(_ entries: [SyntaxEntry], depth: Int, indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        for entry in entries {
            let above = comments.above(entry.keySpan.start.line)
            let isBlock = isBlock(entry.node, depth)
            if depth == 0, isBlock, !lines.isEmpty, lines.last?.isEmpty == false { lines.append("") }
            lines += above.map { $0.isEmpty ? "" : margin + $0 }
            let name = "\(margin)\(Self.key(entry.key)):"
            if let items = entry.node.tables {
                lines.append(name)
                lines += list(items, indent: indent + 2)
            } else if isBlock, case .table(let children) = entry.node.value {
                lines.append(name)
                lines += table(children, depth: depth + 1, indent: indent + 2)
            } else {
                let behind = comments.behind(entry.node.span.end).map { "  \($0)" } ?? ""
                lines.append("\(name) \(Self.value(entry.node))\(behind)")
            }
        }
        return lines
    }

    private func list(_ items: [SyntaxNode], indent: Int) -> [String] {
        let margin = String(repeating: " ", count: indent)
        return items.flatMap { item -> [String] in
            guard case .table(let entries) = item.value, !entries.isEmpty else { return [margin + "- {}"] }
            let above = comments.above(item.span.start.line).map { $0.isEmpty ? "" : margin + $0 }
            var lines = table(entries, depth: 2, indent: indent + 2)
            guard let first = lines.firstIndex(where: { !$0.isEmpty && $0.dropFirst(indent + 2).first != "#" })
            else { return above + lines }
            lines[first] = margin + "- " + lines[first].dropFirst(indent + 2)
            return above + lines
        }
    }

    private func isBlock(_ node: SyntaxNode, _ depth: Int) -> Bool {
        if node.tables != nil { return true }
        guard case .table(let entries) = node.value, !entries.isEmpty else { return false }
        return !node.isInline(depth: depth, writtenLength: Self.value(node).utf8.count)
    }

    private static func key(_ key: String) -> String { isPlain(key) ? key : TOMLWriter.quoted(key) }

    static func value(_ node: SyntaxNode) -> String {
        switch node.value {
        case .string(let text): return isPlain(text) ? text : TOMLWriter.quoted(text)
        case .integer(let digits): return integer(digits)
        case .float(let digits):
            let plain = digits.filter { $0 != "_" }
            let bare = plain.drop { $0 == "+" || $0 == "-" }
            return ["inf", "nan"].contains(bare) ? (plain.hasPrefix("-") ? "-." : ".") + bare : plain
        case .boolean(let truth): return truth ? "true" : "false"
        case .null: return "null"
        case .time(let text), .localTime(let text): return text
        case .list(let items): return "[\(items.map(value).joined(separator: ", "))]"
        case .table(let entries):
            if entries.isEmpty { return "{}" }
            return "{ \(entries.map { "\(key($0.key)): \(value($0.node))" }.joined(separator: ", ")) }"
        }
    }

    /// The core schema has no binary numbers.
    private static func integer(_ digits: String) -> String {
        let plain = digits.filter { $0 != "_" }
        guard plain.hasPrefix("0b"), let number = UInt64(plain.dropFirst(2), radix: 2) else { return plain }
        return "\(number)"
    }

    /// Text that no reader takes for anything else, older versions of YAML among them.
    private static func isPlain(_ text: String) -> Bool {
        guard let first = text.utf8.first, (97...122).contains(first) || (65...90).contains(first) || first == 95,
            text.utf8.allSatisfy({
                (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || "_-./".utf8.contains($0)
            })
        else { return false }
        return !["true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan"].contains(text.lowercased())
    }
}
