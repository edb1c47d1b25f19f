/// Text of others in Markdown.
enum Markdown {
    static func plain(_ text: String) -> String {
        Printable.escape(text).map { "\\`*_{}[]<>#|".contains($0) ? "\\\($0)" : String($0) }.joined()
    }

    /// A message, in which backquotes are meant.
    static func cell(_ text: String) -> String {
        let parts = Printable.escape(text).split(separator: "`", omittingEmptySubsequences: false)
        // Without its partner a backquote is none.
        guard parts.count % 2 == 1 else { return plain(text) }
        return parts.enumerated().map { $0.isMultiple(of: 2) ? plain(String($1)) : code(String($1)) }.joined()
    }

    static func row(_ cells: [String]) -> String { "| \(cells.joined(separator: " | ")) |" }

    static func code(_ text: String) -> String {
        let plain = Printable.escape(text).replacing("`", with: "'").replacing("|", with: "\\|")
        return "`\(plain)`"
    }
}
