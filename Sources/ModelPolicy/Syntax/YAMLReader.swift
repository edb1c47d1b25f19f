import CYAML

/// Reads YAML through libyaml's events, by the core schema of YAML 1.2.
///
/// What makes YAML surprising is refused, each by a diagnostic of its own: anchors and aliases, merge keys, tags, more
/// than one document. So no file grows when it is read.
struct YAMLReader {
    let text: SourceText
    let layer: PolicyLayer
    let diagnostics: DiagnosticSink

    /// The root, as far as it could be read.
    func read() -> SyntaxNode? {
        var builder = SyntaxBuilder(layer: layer, diagnostics: diagnostics)
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else {
            add(.beyondLimit, .beginning, "there is no memory to read this file")
            return nil
        }
        defer { yaml_parser_delete(&parser) }
        text.bytes.withUnsafeBufferPointer { bytes in
            yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
            yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            do throws(SyntaxStop) {
                try readEvents(&parser, &builder)
            } catch {
                diagnostics.lose(.rest)
                builder.closeAll()
            }
        }
        return builder.root
    }

    private func readEvents(_ parser: inout yaml_parser_t, _ builder: inout SyntaxBuilder) throws(SyntaxStop) {
        var documents = 0
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(&parser, &event) == 1 else { throw report(parser) }
            defer { yaml_event_delete(&event) }
            switch event.type {
            case YAML_STREAM_END_EVENT: return
            case YAML_DOCUMENT_START_EVENT:
                documents += 1
                guard documents == 1 else {
                    add(
                        .unsupportedYAML,
                        Self.span(event),
                        "a second document begins here",
                        "keep one document in a file"
                    )
                    throw SyntaxStop()
                }
            default: try take(event, &builder)
            }
        }
    }

    private func take(_ event: yaml_event_t, _ builder: inout SyntaxBuilder) throws(SyntaxStop) {
        let span = Self.span(event)
        if builder.awaitsKey, event.type != YAML_MAPPING_END_EVENT { return try takeKey(event, span, &builder) }
        switch event.type {
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            refuseAnchor(scalar.anchor, span)
            let text = Self.text(scalar.value, scalar.length)
            let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nil
            try builder.scalar(try value(text, isPlain: isPlain, tag: scalar.tag, span), at: span)
        case YAML_MAPPING_START_EVENT:
            refuseAnchor(event.data.mapping_start.anchor, span)
            try refuseTag(event.data.mapping_start.tag, span)
            try builder.open(isTable: true, at: span)
        case YAML_SEQUENCE_START_EVENT:
            refuseAnchor(event.data.sequence_start.anchor, span)
            try refuseTag(event.data.sequence_start.tag, span)
            try builder.open(isTable: false, at: span)
        case YAML_MAPPING_END_EVENT, YAML_SEQUENCE_END_EVENT: builder.close(at: span.start)
        case YAML_ALIAS_EVENT:
            add(.unsupportedYAML, span, "an alias is not allowed in a policy", "write the value out")
            throw SyntaxStop()
        default: return
        }
    }

    private func takeKey(_ event: yaml_event_t, _ span: SourceSpan, _ builder: inout SyntaxBuilder) throws(SyntaxStop) {
        guard event.type == YAML_SCALAR_EVENT else {
            add(.unsupportedYAML, span, "a key must be a word", "write the key as plain text")
            throw SyntaxStop()
        }
        let scalar = event.data.scalar
        refuseAnchor(scalar.anchor, span)
        try refuseTag(scalar.tag, span)
        let text = Self.text(scalar.value, scalar.length)
        if text == "<<", scalar.style == YAML_PLAIN_SCALAR_STYLE {
            add(.unsupportedYAML, span, "a merge key is not allowed in a policy", "write the keys out")
            throw SyntaxStop()
        }
        builder.key(text, at: span)
    }

    private func refuseAnchor(_ anchor: UnsafeMutablePointer<yaml_char_t>?, _ span: SourceSpan) {
        guard anchor != nil else { return }
        add(.unsupportedYAML, span, "an anchor is not allowed in a policy", "leave the `&` and its name out")
    }

    private func refuseTag(_ tag: UnsafeMutablePointer<yaml_char_t>?, _ span: SourceSpan) throws(SyntaxStop) {
        guard let tag else { return }
        add(
            .unsupportedYAML,
            span,
            "a tag is not allowed in a policy: \(String(cString: tag))",
            "leave the tag out; quotation marks make text"
        )
        throw SyntaxStop()
    }

    private func value(
        _ text: String,
        isPlain: Bool,
        tag: UnsafeMutablePointer<yaml_char_t>?,
        _ span: SourceSpan
    ) throws(SyntaxStop) -> SyntaxValue {
        try refuseTag(tag, span)
        return isPlain ? YAMLCoreSchema.value(of: text) : .string(text)
    }

    private func report(_ parser: yaml_parser_t) -> SyntaxStop {
        let problem = parser.problem.map { String(cString: $0) } ?? "it cannot be read"
        let context = parser.context.map { String(cString: $0) + ": " } ?? ""
        var place = SourcePlace(Self.isFoundTooLate(context) ? parser.context_mark : parser.problem_mark)
        var known = place
        if place.line > text.lineCount || text.line(place.line).isEmpty, place.line > 1 {
            known = SourcePlace(line: min(place.line, text.lineCount), column: 1)
            while known.line > 1, text.line(known.line).isEmpty { known.line -= 1 }
            known.column = max(1, text.line(known.line).count)
        }
        place = known
        let help = problem.contains("cannot start any token") ? "indent with spaces, and quote text that needs it" : nil
        add(.syntax, SourceSpan(start: place, end: place), "this is not YAML: \(context)\(problem)", help)
        return SyntaxStop()
    }

    /// Whether what is wrong is what began where the context says, and not where it was noticed: a key without its
    /// colon, a quotation or a list that is not closed.
    private static func isFoundTooLate(_ context: String) -> Bool {
        ["while scanning a simple key", "while scanning a quoted", "while parsing a flow"].contains {
            context.hasPrefix($0)
        }
    }

    private func add(_ code: DiagnosticCode, _ span: SourceSpan, _ message: String, _ help: String? = nil) {
        diagnostics.add(code, SourceOrigin(layer: layer, span: span), message, help)
    }

    private static func span(_ event: yaml_event_t) -> SourceSpan {
        SourceSpan(start: SourcePlace(event.start_mark), end: SourcePlace(event.end_mark))
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?, _ length: Int) -> String {
        String(decoding: UnsafeBufferPointer(start: pointer, count: pointer == nil ? 0 : length), as: UTF8.self)
    }
}

extension SourcePlace {
    init(_ mark: yaml_mark_t) {
        self.init(line: Int(mark.line) + 1, column: Int(mark.column) + 1)
    }
}

/// What plain scalars mean in YAML 1.2.2, section 10.3.2: `off` and `yes` are text, `2:30` is text.
enum YAMLCoreSchema {
    static func value(of text: String) -> SyntaxValue {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .boolean(true)
        case "false", "False", "FALSE": return .boolean(false)
        default: break
        }
        guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first) else { return .string(text) }
        if isInteger(text) { return .integer(text) }
        return isFloat(text) ? .float(text) : .string(text)
    }

    private static func isDigits(_ text: Substring, _ digits: String = "0123456789") -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { digits.utf8.contains($0) }
    }

    private static func isInteger(_ text: String) -> Bool {
        if text.hasPrefix("0x") { return isDigits(text.dropFirst(2), "0123456789abcdefABCDEF") }
        if text.hasPrefix("0o") { return isDigits(text.dropFirst(2), "01234567") }
        return isDigits(unsigned(text))
    }

    private static func unsigned(_ text: String) -> Substring {
        text.hasPrefix("-") || text.hasPrefix("+") ? text.dropFirst() : text[...]
    }

    private static func isFloat(_ text: String) -> Bool {
        var rest = unsigned(text)
        if [".inf", ".Inf", ".INF"].contains(rest) || [".nan", ".NaN", ".NAN"].contains(text) { return true }
        if let exponent = rest.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            guard isDigits(unsigned(String(rest[rest.index(after: exponent)...]))) else { return false }
            rest = rest[..<exponent]
        }
        let parts = rest.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first else { return false }
        let fraction = parts.count > 1 ? parts[1] : ""
        guard parts.count > 1 else { return isDigits(whole) }
        return (whole.isEmpty ? isDigits(fraction) : isDigits(whole)) && (fraction.isEmpty || isDigits(fraction))
    }
}
