/// Writes a policy in the other of the two forms. Comments go along: those above a key stay above it, those behind a
/// value stay behind it.
public enum PolicyConverter {
    /// What came of it.
    public enum Outcome: Sendable {
        case text([UInt8])
        /// The policy cannot be read whole; these say why.
        case faults([Diagnostic])
    }

    /// - Parameter file: a workspace's or a spec's file. Nothing but its syntax must be right.
    public static func convert(_ file: SourceFile, to format: SourceFile.Format) -> Outcome {
        let before = PolicyCompiler.compile(workspace: file)
        let unreadable = before.errors.filter { DiagnosticCode.ofText.contains($0.code) }
        guard unreadable.isEmpty, let root = syntax(of: file) else {
            return .faults(unreadable.isEmpty ? before.errors : unreadable)
        }
        let comments = SourceComments(SourceText(file), root)
        let lines =
            switch format {
            case .toml: TOMLWriter(comments).lines(root)
            case .yaml: YAMLWriter(comments).lines(root)
            }
        let bytes = Array((lines.joined(separator: "\n") + "\n").utf8)
        let after = PolicyCompiler.compile(workspace: SourceFile(name: file.name, bytes: bytes, format: format))
        guard before.snapshot?.id == after.snapshot?.id else { return .faults(after.errors) }
        return .text(bytes)
    }

    /// The tree of a text that the compiler has read without faults of syntax.
    static func syntax(of file: SourceFile) -> SyntaxNode? {
        let (text, sink) = (SourceText(file), DiagnosticSink())
        return switch file.format {
        case .toml: TOMLReader(text: text, layer: .workspace, diagnostics: sink).read()
        case .yaml: YAMLReader(text: text, layer: .workspace, diagnostics: sink).read()
        }
    }
}

extension DiagnosticCode {
    /// Codes of a text that cannot be read.
    static let ofText: Set<DiagnosticCode> = [
        .syntax, .invalidUTF8, .beyondLimit, .duplicateKey, .tooDeep, .unsupportedYAML, .notATable,
    ]
}

/// The comments of a text, by the lines that they belong to.
final class SourceComments {
    private let text: SourceText
    /// Lines of which something is written elsewhere, or was.
    private var used: Set<Int> = []

    init(_ text: SourceText, _ root: SyntaxNode) { self.text = text }

    /// The comments above a line that were not asked for before, an empty line as an empty text.
    func above(_ line: Int) -> [String] {
        var found: [String] = []
        var number = line - 1
        while number >= 1, !used.contains(number) {
            let content = Layout.trimmed(text.line(number))
            guard content.isEmpty || content.first == UInt8(ascii: "#") else { break }
            used.insert(number)
            found.append(String(decoding: content, as: UTF8.self))
            number -= 1
        }
        found.reverse()
        return Array(found.drop(while: \.isEmpty))
    }

    /// The comment behind a value that ends at a place.
    func behind(_ end: SourcePlace) -> String? {
        let start = text.offset(of: end)
        let rest = text.bytes[min(start, text.bytes.count)...].prefix { $0 != Layout.newline }
        let content = Layout.trimmed(rest)
        guard content.first == UInt8(ascii: "#") else { return nil }
        return String(decoding: content.last == UInt8(ascii: "\r") ? content.dropLast() : content[...], as: UTF8.self)
    }

    /// What stands below everything.
    var atEnd: [String] { above(text.lineCount + 1) }
}

extension SyntaxNode {
    /// Whether it fits on a line.
    var isFlat: Bool {
        switch value {
        case .table(let entries): entries.allSatisfy { !$0.node.isTable && $0.node.isFlat }
        case .list(let items): items.allSatisfy { !$0.isTable && $0.isFlat }
        default: true
        }
    }

    var isTable: Bool { if case .table = value { true } else { false } }

    /// A list whose items are tables.
    var tables: [SyntaxNode]? {
        guard case .list(let items) = value, !items.isEmpty, items.allSatisfy(\.isTable) else { return nil }
        return items
    }

    /// Whether the table stands on a line of its own keys, at this depth.
    func isInline(depth: Int, writtenLength: Int) -> Bool {
        isTable && isFlat && depth >= 2 && writtenLength <= 90
    }
}
