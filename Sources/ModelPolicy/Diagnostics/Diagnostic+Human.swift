extension Diagnostic {
    /// `error P201: there is no model `opsu``, its place, the line with carets, and what to do.
    public var human: String {
        let number = String(span.start.line)
        let margin = String(repeating: " ", count: number.utf8.count)
        let padding = line.unicodeScalars.prefix(caret.lowerBound).map { $0 == "\t" ? "\t" : " " }.joined()
        var lines = [
            "\(severity.rawValue)[\(code.rawValue)]: \(message)",
            "\(margin)--> \(Self.plain(file)):\(span.start.line):\(span.start.column)", "\(margin) |",
            "\(number) | \(line)", "\(margin) | \(padding)\(String(repeating: "^", count: caret.count))",
        ]
        if let help { lines.append("\(margin) = help: \(help)") }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Without characters that would steer a terminal.
    private static func plain(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 })
        )
    }
}

/// Ways to write diagnostics.
public enum DiagnosticFormat: String, Sendable, CaseIterable {
    /// For a terminal.
    case human
    /// An array of objects, for programs.
    case json
    /// SARIF 2.1.0, for code scanning.
    case sarif
    /// Workflow commands that GitHub shows beside the lines of a change.
    case github

    /// All diagnostics of a compilation.
    public func text(_ diagnostics: [Diagnostic], toolVersion: String = "0") -> String {
        switch self {
        case .human: diagnostics.map(\.human).joined(separator: "\n")
        case .json: String(decoding: DiagnosticDocuments.json(diagnostics).encoded(.pretty), as: UTF8.self) + "\n"
        case .sarif:
            String(decoding: DiagnosticDocuments.sarif(diagnostics, toolVersion).encoded(.pretty), as: UTF8.self) + "\n"
        case .github: diagnostics.map(\.githubAnnotation).map { $0 + "\n" }.joined()
        }
    }
}
