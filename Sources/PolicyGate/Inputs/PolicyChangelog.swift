import ModelPolicy

/// The changelog of a policy: an entry for each version, under a heading `## VERSION` of Markdown.
public struct PolicyChangelog: Sendable {
    public struct Entry: Sendable, Equatable {
        public var version: String
        /// The line of its heading, from 1.
        public var line: Int
        /// What stands under the heading.
        public var text: String
    }

    /// In the order of the file.
    public let entries: [Entry]

    /// Headings in code and in comments are none.
    public init(_ bytes: [UInt8]) {
        var entries: [Entry] = []
        var (isCode, isComment) = (false, false)
        let lines = bytes.prefix(GateLimits.textBytes).split(separator: 0x0A, omittingEmptySubsequences: false)
        for (number, raw) in lines.enumerated() {
            let line = Substring(String(decoding: raw.last == 0x0D ? raw.dropLast() : raw, as: UTF8.self))
            let wasComment = isComment
            isComment = Self.endsInComment(line, isComment)
            if line.hasPrefix("```") || line.hasPrefix("~~~") { isCode.toggle() }
            if !isCode, !wasComment, line.hasPrefix("## ") {
                entries.append(Entry(version: Self.version(line.dropFirst(3)), line: number + 1, text: ""))
            } else if !entries.isEmpty, !wasComment, !isComment, !line.hasPrefix("<!--") {
                entries[entries.count - 1].text += line + "\n"
            }
        }
        self.entries = entries
    }

    public func entry(_ version: String) -> Entry? { entries.first { $0.version == version } }

    /// `1.5.0` of `1.5.0 (2026-11-01)`, `[1.5.0] - 2026-11-01` and `v1.5.0`.
    private static func version(_ heading: Substring) -> String {
        var word = heading.split(separator: " ").first ?? ""
        if word.hasPrefix("["), let end = word.firstIndex(of: "]") {
            word = word[word.index(after: word.startIndex)..<end]
        }
        if word.hasPrefix("v") { word = word.dropFirst() }
        return String(word)
    }

    private static func endsInComment(_ line: Substring, _ wasComment: Bool) -> Bool {
        var (rest, isComment) = (line, wasComment)
        while let found = rest.firstRange(of: isComment ? "-->" : "<!--") {
            rest = rest[found.upperBound...]
            isComment.toggle()
        }
        return isComment
    }
}

extension PolicyChangelog.Entry {
    /// Whether it says more than its heading.
    public var saysSomething: Bool {
        text.unicodeScalars.contains { $0.properties.isAlphabetic || $0.properties.numericType != nil }
    }

    /// Whether it names a scenario in backquotes; one of a matrix by the matrix's name too.
    public func names(_ scenario: String) -> Bool {
        if text.contains("`\(scenario)`") { return true }
        guard scenario.hasSuffix("]"), let end = scenario.range(of: " [")?.lowerBound else { return false }
        return text.contains("`\(scenario[..<end])`")
    }
}

extension String {
    fileprivate func range(of other: String) -> Range<String.Index>? { ranges(of: other).last }
}
