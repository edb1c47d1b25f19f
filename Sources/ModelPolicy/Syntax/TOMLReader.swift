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
                .tooDeep, origin(SourceSpan(start: place, end: place)),
                "a key has more than \(PolicyLimits.dottedKeys) dots")
            return nil
        }
        var bytes = text.bytes
        for _ in 0..<Self.attempts {
            let outcome = Self.parse(bytes) { build($0) }
            switch outcome {
            case .built(let root): return root
            case .failed(let message, let span):
                if let root = report(message, span, &bytes) { return root }
                if diagnostics.lostTables, bytes.isEmpty { return nil }
            case .outOfMemory:
                diagnostics.add(.beyondLimit, origin(.beginning), "there is no memory to read this file")
                return nil
            }
        }
        return nil
    }

    private enum Outcome {
        case built(SyntaxNode?)
        case failed(String, SourceSpan)
        case outOfMemory
    }

    private static func parse(
        _ bytes: [UInt8], _ build: (UnsafeBufferPointer<ctoml_event>) -> SyntaxNode?
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

    /// Tells of a fault and leaves its line out of the text.
    private func report(_ message: String, _ span: SourceSpan, _ bytes: inout [UInt8]) -> SyntaxNode? {
        let code: DiagnosticCode = message.contains("redefine") ? .duplicateKey : .syntax
        var span = span
        // A line's end is found to be wrong in the line after it.
        let isPastEnd = span.start.line > text.lineCount || text.line(span.start.line).isEmpty
        if isPastEnd { span = endOfText(before: span.start.line) }
        diagnostics.add(code, origin(span), Self.readable(message), Self.help(message))
        let line = text.line(span.start.line)
        guard !line.isEmpty, bytes[line.startIndex..<line.endIndex].contains(where: { $0 != 0x20 }) else {
            diagnostics.lostTables = true
            bytes = []
            return nil
        }
        let isHeader = line.first { $0 != 0x20 && $0 != 0x09 } == UInt8(ascii: "[")
        if code == .syntax {
            diagnostics.lostKeys = true
            if isHeader || !line.contains(UInt8(ascii: "=")) { diagnostics.lostTables = true }
        }
        for index in line.indices { bytes[index] = 0x20 }
        return nil
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
