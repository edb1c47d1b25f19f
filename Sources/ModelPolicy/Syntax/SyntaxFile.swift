/// A file of the policy's syntax that is no policy, such as one of scenarios: its tree, and what is wrong with it.
///
/// Limits are those of policies. Whatever the bytes are, the answer is a tree or a diagnostic.
package struct SyntaxFile {
    /// Nil when too little could be read; a diagnostic says why.
    package let root: SyntaxNode?
    package let name: String
    private let sink = DiagnosticSink()
    private let texts: [PolicyLayer: SourceText]

    package init(_ file: SourceFile) {
        var texts: [PolicyLayer: SourceText] = [:]
        root = PolicyCompiler.syntax(of: file, .workspace, sink, &texts)
        name = file.name
        self.texts = texts
    }

    /// Notes what is wrong at a place.
    package func add(_ code: DiagnosticCode, _ span: SourceSpan, _ message: String, _ help: String? = nil) {
        sink.add(code, SourceOrigin(layer: .workspace, span: span), message, help)
    }

    /// "did you mean `anthropic`?", when one of the words is near enough.
    package func suggestion(for word: String, among words: some Sequence<String>) -> String? {
        sink.suggestion(for: word, among: words)
    }

    /// How much was noted.
    package var count: Int { sink.entries.count }

    /// All that was noted, in the order of the places.
    package var diagnostics: [Diagnostic] { sink.diagnostics(in: texts) }
}
