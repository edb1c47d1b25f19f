/// One fault of a policy: where it is, what is wrong, and what to do.
public struct Diagnostic: Sendable, Hashable {
    public enum Severity: String, Sendable, CaseIterable {
        case error
        case warning
    }

    public var code: DiagnosticCode
    public var severity: Severity
    /// The file as it was named to the compiler.
    public var file: String
    public var layer: PolicyLayer
    public var span: SourceSpan
    /// What is wrong, in a sentence without a full stop.
    public var message: String
    /// What to do, likewise.
    public var help: String?
    /// The line that the span begins in, without control characters and with anything like a secret blotted out.
    public var line: String
    /// So many characters of `line` stand before the caret, and so many carets are put.
    public var caret: Range<Int>
}

/// Collects the faults of one compilation.
final class DiagnosticSink {
    struct Entry: Hashable {
        var code: DiagnosticCode
        var origin: SourceOrigin
        var message: String
        var help: String?
    }

    private(set) var entries: [Entry] = []
    private var seen: Set<Entry> = []
    private var comparisonsLeft = PolicyLimits.comparisons
    /// What could not be read of the texts: what seems missing or undefined may stand there.
    private var lost = LostParts()

    func lose(_ part: LostParts.Part) { lost.parts.append(part) }

    /// Whether something may have this name that stands where nothing could be read.
    func mayBeLost(_ name: String, _ namespace: PolicyNamespace) -> Bool { lost.mayDefine(name, namespace) }

    var hasErrors: Bool { entries.contains { $0.code.severity == .error } }

    func add(_ code: DiagnosticCode, _ origin: SourceOrigin, _ message: String, _ help: String? = nil) {
        if lost.mayExplain(code, at: origin) { return }
        let entry = Entry(code: code, origin: origin, message: message, help: help)
        guard entries.count <= PolicyLimits.diagnostics, seen.insert(entry).inserted else { return }
        entries.append(entry)
    }

    /// "did you mean `anthropic`?", when one of the words is near enough.
    func suggestion(for word: String, among words: some Sequence<String>) -> String? {
        Suggestion.nearest(to: word, among: words, comparisonsLeft: &comparisonsLeft)
            .map { "did you mean `\($0)`?" }
    }

    /// The faults in the order of their places, with the lines that they are about.
    func diagnostics(in texts: [PolicyLayer: SourceText]) -> [Diagnostic] {
        let sorted = entries.enumerated().sorted { left, right in
            let (first, second) = (left.element.origin, right.element.origin)
            if first.layer != second.layer { return first.layer == .workspace }
            if first.span.start != second.span.start { return first.span.start < second.span.start }
            return left.offset < right.offset
        }
        var lines = ShownLines()
        var found = sorted.prefix(PolicyLimits.diagnostics).compactMap { _, entry in
            texts[entry.origin.layer].map { Diagnostic(entry, in: $0, &lines) }
        }
        if entries.count > PolicyLimits.diagnostics, var last = found.last {
            last.code = .beyondLimit
            last.message = "there is more than \(PolicyLimits.diagnostics) things wrong; the rest is not told"
            last.help = nil
            found.append(last)
        }
        return found
    }
}

extension Diagnostic {
    fileprivate init(_ entry: DiagnosticSink.Entry, in text: SourceText, _ lines: inout ShownLines) {
        code = entry.code
        severity = entry.code.severity
        file = text.file.name
        layer = entry.origin.layer
        span = entry.origin.span
        message = SecretPattern.blotted(entry.message)
        help = entry.help.map(SecretPattern.blotted)
        let excerpt = Excerpt(of: span, in: lines.scalars(ofLine: span.start.line, text, layer))
        line = excerpt.line
        caret = excerpt.caret
    }
}

extension Diagnostic {
    /// What is wrong at a place of a text, told outside a compilation.
    ///
    /// - Parameters:
    ///   - text: the file, for the line that is shown; nil where there is none to show.
    ///   - severity: nil for that of the code.
    package init(
        _ code: DiagnosticCode,
        file: String,
        text: [UInt8]?,
        span: SourceSpan,
        layer: PolicyLayer = .workspace,
        severity: Severity? = nil,
        _ message: String,
        _ help: String? = nil
    ) {
        self.code = code
        self.severity = severity ?? code.severity
        self.file = file
        self.layer = layer
        self.span = span
        self.message = SecretPattern.blotted(message)
        self.help = help.map(SecretPattern.blotted)
        let source = SourceText(SourceFile(name: file, bytes: text ?? []))
        let shown = SecretPattern.blotted(String(decoding: source.line(span.start.line), as: UTF8.self))
        let excerpt = Excerpt(of: span, in: Array(shown.unicodeScalars))
        line = excerpt.line
        caret = excerpt.caret
    }
}

/// The last line that was looked at, without secrets: a thousand faults of one long line read it once.
private struct ShownLines {
    private var last: (line: Int, layer: PolicyLayer, scalars: [Unicode.Scalar])?

    mutating func scalars(ofLine line: Int, _ text: SourceText, _ layer: PolicyLayer) -> [Unicode.Scalar] {
        if let last, last.line == line, last.layer == layer { return last.scalars }
        let scalars = Array(SecretPattern.blotted(String(decoding: text.line(line), as: UTF8.self)).unicodeScalars)
        last = (line, layer, scalars)
        return scalars
    }
}

/// The line of a span as it can be shown.
private struct Excerpt {
    var line: String
    var caret: Range<Int>

    init(of span: SourceSpan, in scalars: [Unicode.Scalar]) {
        var start = min(max(span.start.column - 1, 0), scalars.count)
        var end = span.end.line == span.start.line ? span.end.column - 1 : scalars.count
        end = min(max(end, start), scalars.count)
        var shown = scalars[...]
        if scalars.count > PolicyLimits.shownLine {
            let first = max(0, min(start - 40, scalars.count - PolicyLimits.shownLine))
            shown = scalars[first..<(first + PolicyLimits.shownLine)]
            start = min(start - first, PolicyLimits.shownLine)
            end = min(end - first, PolicyLimits.shownLine)
        }
        line = String(String.UnicodeScalarView(shown.map(Excerpt.visible)))
        caret = start..<max(end, start + 1)
    }

    private static func visible(_ scalar: Unicode.Scalar) -> Unicode.Scalar {
        if scalar == "\t" { return scalar }
        return HiddenCharacter.isHidden(scalar) || scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar
    }
}

/// Characters that cannot be seen, or that change the order in which others are seen.
enum HiddenCharacter {
    static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x09, 0x0B..<0x0D, 0x0E..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
            0xAD, 0xE0000...0xE007F:
            true
        default: false
        }
    }

    /// `U+202E`.
    static func name(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
