/// Lays out TOML: keys from the margin, one space round `=` and after `,`, `=` in a column within a block, lists that
/// span lines indented by four.
struct TOMLLayout {
    private(set) var lines: [LaidOutLine] = []
    /// Brackets that are open, for values that span lines.
    private var depth = 0
    /// The quotation marks of a text that spans lines, while in one.
    private var openQuote: [UInt8]?
    /// Lines of key and value that follow each other.
    private var block: [(index: Int, key: [UInt8], rest: [UInt8])] = []

    init(_ source: [[UInt8]]) {
        for line in source { take(line) }
        align()
    }

    private mutating func take(_ line: [UInt8]) {
        if openQuote != nil {
            lines.append(LaidOutLine(bytes: line, isVerbatim: true))
            _ = scan(line[...])
            return
        }
        let text = Layout.trimmed(line)
        guard let first = text.first else {
            if depth == 0 { align() }
            lines.append(LaidOutLine(bytes: []))
            return
        }
        if depth > 0 { return takeContinuation(text) }
        if first == UInt8(ascii: "[") {
            align()
            let scanned = scan(text[...])
            // A header's brackets close on its line; what does not is left as it is.
            depth = 0
            lines.append(
                LaidOutLine(bytes: openQuote == nil ? scanned : line, isVerbatim: openQuote != nil, isHeader: true)
            )
        } else if first == UInt8(ascii: "#") {
            lines.append(LaidOutLine(bytes: text))
        } else if let equals = Self.equals(in: text) {
            takeValue(line, key: Layout.trimmed(text[..<equals]), value: Layout.trimmed(text[(equals + 1)...]))
        } else {
            align()
            lines.append(LaidOutLine(bytes: text))
        }
    }

    private mutating func takeValue(_ line: [UInt8], key: [UInt8], value: [UInt8]) {
        let scanned = scan(value[...])
        if openQuote != nil || depth > 0 { align() }
        if openQuote != nil {
            lines.append(LaidOutLine(bytes: line, isVerbatim: true))
        } else {
            lines.append(LaidOutLine(bytes: key + Array(" = ".utf8) + scanned))
            if depth == 0 { block.append((lines.count - 1, key, scanned)) }
        }
    }

    private mutating func takeContinuation(_ text: [UInt8]) {
        let closing = text.prefix { $0 == UInt8(ascii: "]") || $0 == UInt8(ascii: "}") }.count
        let indent = max(0, depth - closing)
        let scanned = scan(text[...])
        guard openQuote == nil else { return lines.append(LaidOutLine(bytes: text, isVerbatim: true)) }
        lines.append(LaidOutLine(bytes: [UInt8](repeating: 0x20, count: 4 * indent) + scanned))
    }

    /// Puts the `=` of a block in one column.
    private mutating func align() {
        let width = block.map { Self.width($0.key) }.max() ?? 0
        for (index, key, rest) in block {
            let padding = [UInt8](repeating: 0x20, count: width - Self.width(key))
            lines[index].bytes = key + padding + Array(" = ".utf8) + rest
        }
        block = []
    }

    private static func width(_ key: [UInt8]) -> Int { key.reduce(0) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) } }

    /// The `=` after the key.
    private static func equals(in text: [UInt8]) -> Int? {
        var quote: UInt8?
        for (index, byte) in text.enumerated() {
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else if byte == UInt8(ascii: "=") {
                return index
            } else if byte == UInt8(ascii: "#") {
                return nil
            }
        }
        return nil
    }

    /// Lays out what is outside quotation marks, and follows brackets and texts that span lines.
    private mutating func scan(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var out = TokenSpacing()
        var rest = text
        if let quote = openQuote {
            guard let end = Self.end(of: quote, in: rest) else { return Array(text) }
            openQuote = nil
            rest = rest[end...]
        }
        while let byte = rest.first {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                let quote = rest.starts(with: [byte, byte, byte]) ? [byte, byte, byte] : [byte]
                let content = rest.dropFirst(quote.count)
                guard let end = Self.end(of: quote, in: content) else {
                    if quote.count == 3 { openQuote = quote }
                    out.word(rest)
                    return out.bytes
                }
                out.word(rest[rest.startIndex..<end])
                rest = rest[end...]
            case UInt8(ascii: "#"):
                out.comment(Layout.trimmed(rest))
                return out.bytes
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                out.open(byte)
                rest = rest.dropFirst()
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                out.close(byte)
                rest = rest.dropFirst()
            case UInt8(ascii: ","), UInt8(ascii: "="):
                out.mark(byte)
                rest = rest.dropFirst()
            case 0x20, 0x09:
                out.gap()
                rest = rest.dropFirst()
            default:
                let word = rest.prefix { !Self.ends($0) }
                out.word(word)
                rest = rest.dropFirst(word.count)
            }
        }
        depth = max(0, depth)
        return out.bytes
    }

    private static func ends(_ byte: UInt8) -> Bool { Layout.isSpace(byte) || "\"'#[]{},=".utf8.contains(byte) }

    /// Where a text ends, behind its quotation marks.
    private static func end(of quote: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
        var index = text.startIndex
        while index < text.endIndex {
            if text[index] == UInt8(ascii: "\\"), quote[0] == UInt8(ascii: "\"") {
                index += 2
                continue
            }
            if text[index...].starts(with: quote) { return index + quote.count }
            index += 1
        }
        return nil
    }
}

/// Puts spaces where they belong between the parts of a value.
private struct TokenSpacing {
    private(set) var bytes: [UInt8] = []
    private var hasGap = false

    mutating func gap() { hasGap = true }

    mutating func word(_ word: some Collection<UInt8>) {
        if let last = bytes.last, last == UInt8(ascii: ",") || last == UInt8(ascii: "=") || last == UInt8(ascii: "{") {
            space()
        } else if hasGap, let last = bytes.last, last != UInt8(ascii: "[") {
            space()
        }
        add(word)
    }

    mutating func open(_ byte: UInt8) { word([byte]) }

    mutating func close(_ byte: UInt8) {
        if bytes.last == UInt8(ascii: ",") { space() }
        if byte == UInt8(ascii: "}"), bytes.last != UInt8(ascii: "{") { space() }
        add([byte])
    }

    mutating func mark(_ byte: UInt8) {
        if byte == UInt8(ascii: "=") { space() }
        add([byte])
    }

    mutating func comment(_ comment: [UInt8]) {
        if !bytes.isEmpty {
            space()
            if bytes.count > 1 { bytes.append(0x20) }
        }
        add(comment)
    }

    private mutating func space() { if let last = bytes.last, last != 0x20 { bytes.append(0x20) } }

    private mutating func add(_ more: some Collection<UInt8>) {
        bytes.append(contentsOf: more)
        hasGap = false
    }
}
