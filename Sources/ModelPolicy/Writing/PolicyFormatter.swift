/// Lays out the text of a policy in one way: comments stay, the meaning stays.
///
/// What is not understood is left as it is, so that a text with faults can be laid out too. Whoever writes the result
/// down compares the IDs; see ``formatted(_:)``.
public enum PolicyFormatter {
    /// The text laid out; the same when it is laid out already.
    ///
    /// - Returns: nil when the text is not UTF-8 or beyond a limit, or when laying it out would change what it means.
    public static func formatted(_ file: SourceFile) -> [UInt8]? {
        guard file.bytes.count <= PolicyLimits.sourceBytes else { return nil }
        let text = SourceText(file)
        guard String(validating: text.bytes, as: UTF8.self) != nil else { return nil }
        let lines = (1...text.lineCount).map { Array(text.line($0)) }
        let laidOut =
            switch file.format {
            case .toml: TOMLLayout(lines).lines
            case .yaml: YAMLLayout(lines).lines
            }
        var bytes = Array(Layout.spaced(laidOut).joined(separator: [Layout.newline]))
        if !bytes.isEmpty { bytes.append(Layout.newline) }
        let before = PolicyCompiler.compile(workspace: file)
        let after = PolicyCompiler.compile(workspace: SourceFile(name: file.name, bytes: bytes, format: file.format))
        // A text with faults has no ID: then every fault must be there as before.
        guard before.snapshot?.id == after.snapshot?.id,
            before.diagnostics.map(\.code).sorted() == after.diagnostics.map(\.code).sorted()
        else { return nil }
        return bytes
    }
}

extension DiagnosticCode: Comparable {
    public static func < (left: DiagnosticCode, right: DiagnosticCode) -> Bool { left.rawValue < right.rawValue }
}

/// A line on its way out: empty lines between are few, and text that spans lines is not touched.
struct LaidOutLine {
    var bytes: [UInt8]
    /// Part of a text that spans lines.
    var isVerbatim = false
    /// Wants an empty line before it, unless comments that belong to it do.
    var isHeader = false

    var isBlank: Bool { !isVerbatim && bytes.isEmpty }
    var isComment: Bool { !isVerbatim && bytes.first == UInt8(ascii: "#") }
}

enum Layout {
    static let newline = UInt8(ascii: "\n")

    static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    static func trimmed(_ line: some Collection<UInt8>) -> [UInt8] {
        var line = Array(line.drop(while: isSpace))
        while let last = line.last, isSpace(last) { line.removeLast() }
        return line
    }

    static func trimmedEnd(_ line: [UInt8]) -> [UInt8] {
        var line = line
        while let last = line.last, isSpace(last) { line.removeLast() }
        return line
    }

    /// One empty line at most in a row, none at the ends, one before a header and the comments right above it.
    static func spaced(_ lines: [LaidOutLine]) -> [[UInt8]] {
        var spaced: [LaidOutLine] = []
        for line in lines {
            if line.isBlank, spaced.last?.isBlank ?? true { continue }
            if line.isHeader {
                var index = spaced.count
                while index > 0, spaced[index - 1].isComment { index -= 1 }
                let isFirst = index == 0
                if !isFirst, !spaced[index - 1].isBlank { spaced.insert(LaidOutLine(bytes: []), at: index) }
            }
            spaced.append(line)
        }
        while spaced.last?.isBlank == true { spaced.removeLast() }
        return spaced.map(\.bytes)
    }
}
