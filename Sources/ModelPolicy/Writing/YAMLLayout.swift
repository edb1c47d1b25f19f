/// Lays out YAML: nothing at the ends of lines, one space after the `:` of a key and the `-` of an item, two before a
/// comment, an empty line between the parts of a policy. Indentation means something and is left as it is.
struct YAMLLayout {
    private(set) var lines: [LaidOutLine] = []
    /// The indentation of the key whose text spans lines, while in one.
    private var blockIndent: Int?
    /// The quotation mark of a text that spans lines, while in one.
    private var quote: UInt8?

    init(_ source: [[UInt8]]) { for line in source { take(line) } }

    private mutating func take(_ line: [UInt8]) {
        let text = Layout.trimmedEnd(line)
        let indent = text.prefix { $0 == 0x20 }.count
        if let block = blockIndent {
            guard text.isEmpty || indent > block else {
                blockIndent = nil
                return take(line)
            }
            return lines.append(LaidOutLine(bytes: line, isVerbatim: true))
        }
        if quote != nil {
            lines.append(LaidOutLine(bytes: line, isVerbatim: true))
            return follow(line[...])
        }
        guard let first = text.dropFirst(indent).first else { return lines.append(LaidOutLine(bytes: [])) }
        if first == UInt8(ascii: "#") {
            return lines.append(LaidOutLine(bytes: text))
        }
        let isKey = indent == 0 && text.last == UInt8(ascii: ":") && first != UInt8(ascii: "-")
        let laidOut = Array(text[..<indent]) + spaced(text[indent...])
        follow(laidOut[...])
        if Self.beginsBlock(laidOut) { blockIndent = indent }
        lines.append(
            LaidOutLine(bytes: quote == nil ? laidOut : line, isVerbatim: quote != nil, isHeader: isKey)
        )
    }

    /// `- ` and `key: ` with one space, and the comment two spaces behind.
    private func spaced(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var rest = text
        var out: [UInt8] = []
        if rest.first == UInt8(ascii: "-"), rest.dropFirst().first == 0x20 {
            // How far the content of an item is indented says what belongs to it.
            let item = rest.prefix(1) + rest.dropFirst().prefix { $0 == 0x20 }
            out = Array(item)
            rest = rest.dropFirst(item.count)
        }
        let name = rest.prefix { Self.isName($0) }
        let behind = rest.dropFirst(name.count)
        if !name.isEmpty, behind.first == UInt8(ascii: ":"), behind.dropFirst().first.map(Layout.isSpace) ?? true {
            let value = behind.dropFirst().drop(while: Layout.isSpace)
            out += name + [UInt8(ascii: ":")]
            if value.isEmpty { return out }
            out.append(0x20)
            rest = value
        }
        return out + Self.withComment(rest)
    }

    private static func isName(_ byte: UInt8) -> Bool {
        (97...122).contains(byte) || (65...90).contains(byte) || (48...57).contains(byte) || "_-".utf8.contains(byte)
    }

    private static func withComment(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var quote: UInt8?
        var last: UInt8 = 0x20
        for index in text.indices {
            let byte = text[index]
            if let open = quote {
                if byte == open, !(open == UInt8(ascii: "\"") && last == UInt8(ascii: "\\")) { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: "#"), Layout.isSpace(last) {
                let value = Layout.trimmedEnd(Array(text[..<index]))
                return value.isEmpty ? Array(text) : value + [0x20, 0x20] + text[index...]
            }
            last = byte
        }
        return Array(text)
    }

    private mutating func follow(_ line: ArraySlice<UInt8>) {
        var last: UInt8 = 0x20
        for byte in line {
            if let open = quote {
                if byte == open, !(open == UInt8(ascii: "\"") && last == UInt8(ascii: "\\")) { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                if " [{,:".utf8.contains(last) { quote = byte }
            } else if byte == UInt8(ascii: "#"), Layout.isSpace(last) {
                return
            }
            last = last == UInt8(ascii: "\\") && byte == last ? 0 : byte
        }
    }

    /// `key: |` or `key: >`, with or without its marks.
    private static func beginsBlock(_ line: [UInt8]) -> Bool {
        guard let mark = line.lastIndex(where: { $0 == UInt8(ascii: "|") || $0 == UInt8(ascii: ">") }) else {
            return false
        }
        let isBehindKey =
            mark >= 2 && line[mark - 1] == 0x20 && [UInt8(ascii: ":"), UInt8(ascii: "-")].contains(line[mark - 2])
        return isBehindKey && line[(mark + 1)...].allSatisfy { "+-0123456789".utf8.contains($0) }
    }
}
