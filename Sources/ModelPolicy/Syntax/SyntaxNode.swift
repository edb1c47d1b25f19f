/// A value of a source file, and where it stands. TOML and YAML both become this.
package struct SyntaxNode: Sendable {
    package var value: SyntaxValue
    package var span: SourceSpan

    package init(value: SyntaxValue, span: SourceSpan) {
        self.value = value
        self.span = span
    }
}

package indirect enum SyntaxValue: Sendable {
    case string(String)
    /// A number as it was written, so that money stays exact.
    case integer(String)
    case float(String)
    case boolean(Bool)
    case null
    /// A day or a time with an offset.
    case time(String)
    /// A time of which no one knows where.
    case localTime(String)
    case list([SyntaxNode])
    case table([SyntaxEntry])

    /// In words.
    package var kind: String {
        switch self {
        case .string: "text"
        case .integer: "an integer"
        case .float: "a number with a fraction"
        case .boolean: "true or false"
        case .null: "nothing"
        case .time: "a date"
        case .localTime: "a time without an offset"
        case .list: "a list"
        case .table: "a table"
        }
    }
}

package struct SyntaxEntry: Sendable {
    package var key: String
    package var keySpan: SourceSpan
    package var node: SyntaxNode

    package init(key: String, keySpan: SourceSpan, node: SyntaxNode) {
        self.key = key
        self.keySpan = keySpan
        self.node = node
    }
}

/// Builds a tree from events, within the limits, and tells of keys that come twice.
struct SyntaxBuilder {
    private struct Level {
        var isTable: Bool
        var span: SourceSpan
        var key: (text: String, span: SourceSpan)?
        var entries: [SyntaxEntry] = []
        var items: [SyntaxNode] = []
        /// Kept when there are many; hashing costs more than it saves for few.
        private var keys: [String: SourceSpan] = [:]
        private static let few = 16

        init(isTable: Bool, span: SourceSpan, key: (text: String, span: SourceSpan)?) {
            self.isTable = isTable
            self.span = span
            self.key = key
        }

        func place(of key: String) -> SourceSpan? {
            keys.isEmpty ? entries.first { $0.key == key }?.keySpan : keys[key]
        }

        mutating func note(_ key: (text: String, span: SourceSpan)) {
            guard entries.count >= Self.few else { return }
            if keys.isEmpty { for entry in entries { keys[entry.key] = entry.keySpan } }
            keys[key.text] = key.span
        }
    }

    private var levels: [Level] = []
    private var pendingKey: (text: String, span: SourceSpan)?
    private(set) var root: SyntaxNode?
    private var nodes = 0
    let diagnostics: DiagnosticSink
    let layer: PolicyLayer

    init(layer: PolicyLayer, diagnostics: DiagnosticSink) {
        self.layer = layer
        self.diagnostics = diagnostics
    }

    var isTable: Bool { levels.last?.isTable ?? false }
    var awaitsKey: Bool { isTable && pendingKey == nil }
    var isOpen: Bool { !levels.isEmpty }

    mutating func key(_ text: String, at span: SourceSpan) { pendingKey = (text, span) }

    mutating func scalar(_ value: SyntaxValue, at span: SourceSpan) throws(SyntaxStop) {
        try count(span)
        add(SyntaxNode(value: value, span: span))
    }

    mutating func open(isTable: Bool, at span: SourceSpan) throws(SyntaxStop) {
        try count(span)
        guard levels.count < PolicyLimits.depth else {
            throw stop(.tooDeep, span, "tables and lists nest more than \(PolicyLimits.depth) deep")
        }
        levels.append(Level(isTable: isTable, span: span, key: pendingKey))
        pendingKey = nil
    }

    mutating func close(at end: SourcePlace? = nil) {
        guard var level = levels.popLast() else { return }
        pendingKey = level.key
        if let end { level.span.end = end }
        add(SyntaxNode(value: level.isTable ? .table(level.entries) : .list(level.items), span: level.span))
    }

    /// Closes what is open, after a fault of syntax.
    mutating func closeAll() {
        pendingKey = nil
        while isOpen { close() }
    }

    private func stop(_ code: DiagnosticCode, _ span: SourceSpan, _ message: String) -> SyntaxStop {
        diagnostics.add(code, SourceOrigin(layer: layer, span: span), message)
        return SyntaxStop()
    }

    private mutating func count(_ span: SourceSpan) throws(SyntaxStop) {
        nodes += 1
        guard nodes <= PolicyLimits.nodes else {
            throw stop(.beyondLimit, span, "a policy has at most \(PolicyLimits.nodes) keys and values")
        }
        guard let level = levels.last, max(level.entries.count, level.items.count) >= PolicyLimits.entries
        else { return }
        throw stop(.beyondLimit, span, "a table or list has at most \(PolicyLimits.entries) entries")
    }

    private mutating func add(_ node: SyntaxNode) {
        guard let last = levels.indices.last else {
            root = node
            return
        }
        guard levels[last].isTable else { return levels[last].items.append(node) }
        guard let key = pendingKey else { return }
        pendingKey = nil
        if let first = levels[last].place(of: key.text) {
            diagnostics.add(
                .duplicateKey,
                SourceOrigin(layer: layer, span: key.span),
                "`\(key.text)` is in this table already, in line \(first.start.line)",
                "keep one of them"
            )
            return
        }
        levels[last].note(key)
        levels[last].entries.append(SyntaxEntry(key: key.text, keySpan: key.span, node: node))
    }
}

/// Reading cannot go on; a diagnostic has said why.
struct SyntaxStop: Error {}
