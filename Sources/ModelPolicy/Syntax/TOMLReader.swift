import CTOML

/// Reads TOML through toml++, and goes on after a fault by leaving its line out.
struct TOMLReader {
    let text: SourceText
    let layer: PolicyLayer
    let diagnostics: DiagnosticSink

    /// So many lines are left out before reading stops.
    private static let attempts = 20

    /// The root table; nil when too little could be read.
    func read() -> SyntaxNode? {
        if let place = deepKey() {
            diagnostics.add(
                .tooDeep,
                origin(SourceSpan(start: place, end: place)),
                "there are more than \(PolicyLimits.dottedKeys) dots in a row, and each nests a table more"
            )
            return nil
        }
        var lines: [[UInt8]]?
        var meant: Set<Int> = []
        for _ in 0..<Self.attempts {
            switch Self.parse(lines.map { Array($0.joined(separator: [0x0A])) } ?? text.bytes, build) {
            case .built(let root): return root.map(Self.withoutLostTables)
            case .failed(let message, let span):
                var kept = lines ?? (1...text.lineCount).map { Array(text.line($0)) }
                if message.contains("redefine"), !meant.isEmpty {
                    // A header that was guessed is another's, or another table's: what is below it is nobody's.
                    for number in meant { kept[number - 1] = Self.lostHeader(number) }
                    meant = []
                    diagnostics.lose(.table)
                } else {
                    guard report(message, span, &kept, &meant) else { return nil }
                }
                lines = kept
            case .outOfMemory:
                diagnostics.add(.beyondLimit, origin(.beginning), "there is no memory to read this file")
                return nil
            }
        }
        return nil
    }

    private static func withoutLostTables(_ root: SyntaxNode) -> SyntaxNode {
        guard case .table(let entries) = root.value else { return root }
        return SyntaxNode(value: .table(entries.filter { !$0.key.hasPrefix(lostName) }), span: root.span)
    }

    private enum Outcome {
        case built(SyntaxNode?)
        case failed(String, SourceSpan)
        case outOfMemory
    }

    private static func parse(
        _ bytes: [UInt8],
        _ build: (UnsafeBufferPointer<ctoml_event>) -> SyntaxNode?
    ) -> Outcome {
        let document = bytes.withUnsafeBytes { ctoml_parse($0.baseAddress, $0.count) }
        guard let document else { return .outOfMemory }
        defer { ctoml_free(document) }
        var begin = ctoml_place()
        var end = ctoml_place()
        if let message = ctoml_error(document, &begin, &end) {
            let start = SourcePlace(begin)
            return .failed(String(cString: message), SourceSpan(start: start, end: max(start, SourcePlace(end))))
        }
        var count = 0
        let events = ctoml_events(document, &count)
        return .built(build(UnsafeBufferPointer(start: events, count: count)))
    }

    /// Tells of a fault and leaves its line out of the text; answers false when there is nothing more to leave out.
    private func report(
        _ message: String,
        _ span: SourceSpan,
        _ lines: inout [[UInt8]],
        _ meant: inout Set<Int>
    ) -> Bool {
        if let open = unclosedList(before: span.start.line) {
            diagnostics.add(.syntax, origin(open), "this list is not closed", "close it with `]`")
            diagnostics.lose(.keys(table(around: open.start.line), layer))
            return Self.leaveOut(open.start.line..<max(span.start.line, open.start.line + 1), &lines)
        }
        var span = span
        // The end of a text is found to be wrong after it.
        let isPastEnd = span.start.line > text.lineCount || text.line(span.start.line).isEmpty
        if isPastEnd { span = endOfText(before: span.start.line) }
        let isRepetition = message.contains("redefine")
        diagnostics.add(
            isRepetition ? .duplicateKey : .syntax,
            origin(span),
            Self.readable(message),
            Self.help(message)
        )
        let number = span.start.line
        guard Self.leaveOut(number..<number + 1, &lines) else { return false }
        if Self.isHeader(text.line(number)) {
            // What follows a header that cannot be read belongs to the table that was meant, or to none that is known.
            let header = isRepetition ? nil : MeantHeader(text.line(number))
            lines[number - 1] = header?.line ?? Self.lostHeader(number)
            if header?.line != nil { meant.insert(number) }
            if !isRepetition { lose(header) }
        } else if !isRepetition {
            diagnostics.lose(Self.isKey(text.line(number)) ? .keys(table(around: number), layer) : .rest)
        }
        return true
    }

    private func lose(_ header: MeantHeader?) {
        diagnostics.lose(header == nil ? .table : .header)
        for name in header?.names ?? [] { diagnostics.lose(.definition(name.namespace, beginning: name.beginning)) }
    }

    /// Whether a line is a header, or was one before its first bracket was lost.
    private static func isHeader(_ line: ArraySlice<UInt8>) -> Bool {
        let marks = line.prefix { $0 != UInt8(ascii: "#") }.filter { $0 != 0x20 && $0 != 0x09 }
        guard marks.first != UInt8(ascii: "[") else { return true }
        return marks.last == UInt8(ascii: "]") && MeantHeader(line) != nil
            && !marks.contains { "=\",{}'".utf8.contains($0) }
    }

    /// Whether a line is of one key at most: with an equals sign, or beginning with a word.
    private static func isKey(_ line: ArraySlice<UInt8>) -> Bool {
        if line.contains(UInt8(ascii: "=")) { return true }
        let first = line.first { $0 != 0x20 && $0 != 0x09 }
        return first != UInt8(ascii: "\"") && first != UInt8(ascii: "'") && !line.contains { "[]{},".utf8.contains($0) }
    }

    /// The lines of the table that a line is of, its header among them.
    private func table(around line: Int) -> ClosedRange<Int> {
        let line = min(max(line, 1), text.lineCount)
        let isHeader = { [text] (number: Int) in Self.isHeader(text.line(number)) }
        let first = (1...line).last(where: isHeader) ?? 1
        let next = (line..<text.lineCount).first { isHeader($0 + 1) } ?? text.lineCount
        return first...max(first, next)
    }

    private static let lostName = "the table of line "
    private static func lostHeader(_ number: Int) -> [UInt8] { Array("[\"\(lostName)\(number)\"]".utf8) }

    private static func leaveOut(_ range: Range<Int>, _ lines: inout [[UInt8]]) -> Bool {
        let range = range.clamped(to: 1..<lines.count + 1)
        guard range.contains(where: { !lines[$0 - 1].isEmpty }) else { return false }
        for number in range { lines[number - 1] = [] }
        return true
    }

    /// A list that begins in a line before the fault, or in its line, and is still open there.
    private func unclosedList(before line: Int) -> SourceSpan? {
        var number = min(line, text.lineCount + 1) - 1
        while number >= 1, line - number <= PolicyLimits.entries {
            let bytes = text.line(number)
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")) {
                guard let start = bytes[equals...].firstIndex(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x3D }),
                    bytes[start] == UInt8(ascii: "["), depth(from: start, toLine: line) > 0
                else { return nil }
                let place = text.place(of: start)
                return SourceSpan(start: place, end: SourcePlace(line: place.line, column: place.column + 1))
            }
            if bytes.first == UInt8(ascii: "[") { return nil }
            number -= 1
        }
        return nil
    }

    /// How many brackets are open at the beginning of a line.
    private func depth(from start: Int, toLine line: Int) -> Int {
        var depth = 0
        var quote: UInt8?
        let end = text.offset(of: SourcePlace(line: line, column: 1))
        for byte in text.bytes[start..<max(start, end)] {
            if let open = quote {
                if byte == open || byte == UInt8(ascii: "\n") { quote = nil }
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
                quote = byte
            } else {
                depth += byte == UInt8(ascii: "[") ? 1 : byte == UInt8(ascii: "]") ? -1 : 0
            }
        }
        return depth
    }

    private func endOfText(before line: Int) -> SourceSpan {
        var number = min(line, text.lineCount)
        while number > 1, text.line(number).allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { number -= 1 }
        let columns = text.line(number).reduce(1) { $0 + ($1 & 0xC0 != 0x80 ? 1 : 0) }
        let place = SourcePlace(line: number, column: max(1, columns - 1))
        return SourceSpan(start: place, end: place)
    }

    private static func readable(_ message: String) -> String {
        let prefix = "Error while parsing "
        let text = message.hasPrefix(prefix) ? String(message.dropFirst(prefix.count)) : message
        if text.contains("redefine") { return "this is here already: \(text)" }
        return "this is not TOML: \(text)"
    }

    private static func help(_ message: String) -> String? {
        if message.contains("redefine") { return "keep one of them" }
        if message.contains("not representable in 64 bits") { return "write a smaller number" }
        if message.contains("control characters other than TAB") { return "close the quotation mark on the same line" }
        return nil
    }

    private func origin(_ span: SourceSpan) -> SourceOrigin { SourceOrigin(layer: layer, span: span) }

    /// Where a key has so many dots that its tables would nest too deep for the stack.
    private func deepKey() -> SourcePlace? {
        var dots = 0
        for (offset, byte) in text.bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "."):
                dots += 1
                if dots > PolicyLimits.dottedKeys { return text.place(of: offset) }
            case UInt8(ascii: "="), UInt8(ascii: ","), UInt8(ascii: "{"), UInt8(ascii: "}"), UInt8(ascii: "["),
                UInt8(ascii: "]"), UInt8(ascii: "#"), UInt8(ascii: "\n"):
                dots = 0
            default: continue
            }
        }
        return nil
    }
}

extension TOMLReader {
    private func build(_ events: UnsafeBufferPointer<ctoml_event>) -> SyntaxNode? {
        var builder = SyntaxBuilder(layer: layer, diagnostics: diagnostics)
        do throws(SyntaxStop) {
            for event in events { try take(event, &builder) }
        } catch {
            return nil
        }
        return builder.root
    }

    private func take(_ event: ctoml_event, _ builder: inout SyntaxBuilder) throws(SyntaxStop) {
        let span = SourceSpan(start: SourcePlace(event.begin), end: SourcePlace(event.end))
        if let key = event.key {
            let keySpan = SourceSpan(start: SourcePlace(event.key_begin), end: SourcePlace(event.key_end))
            builder.key(Self.text(key, event.key_length), at: keySpan)
        }
        switch ctoml_kind(UInt32(event.kind)) {
        case CTOML_TABLE_BEGIN: try builder.open(isTable: true, at: span)
        case CTOML_ARRAY_BEGIN: try builder.open(isTable: false, at: span)
        case CTOML_TABLE_END, CTOML_ARRAY_END: builder.close()
        default: try builder.scalar(value(event, span), at: span)
        }
    }

    private func value(_ event: ctoml_event, _ span: SourceSpan) -> SyntaxValue {
        switch ctoml_kind(UInt32(event.kind)) {
        case CTOML_STRING: .string(event.text.map { Self.text($0, event.text_length) } ?? "")
        case CTOML_INTEGER: .integer(text.text(of: span))
        case CTOML_FLOAT: .float(text.text(of: span))
        case CTOML_BOOLEAN: .boolean(event.boolean != 0)
        case CTOML_DATE, CTOML_DATE_TIME: .time(text.text(of: span))
        default: .localTime(text.text(of: span))
        }
    }

    private static func text(_ pointer: UnsafePointer<CChar>, _ length: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: pointer, count: length), as: UTF8.self)
    }
}

extension SourcePlace {
    init(_ place: ctoml_place) {
        self.init(line: max(1, Int(place.line)), column: max(1, Int(place.column)))
    }
}
