extension PolicyScalar {
    /// The text, if it has the form that the key asks for.
    func checkForm(_ text: String) throws(ValueFault) -> String {
        switch self {
        case .choice(let words):
            guard words.contains(text) else { throw unknownWord(text, words) }
        case .text:
            guard !text.allSatisfy(\.isWhitespace) else { throw ValueFault(.badForm, "this text is empty") }
        case .newName, .policyName:
            if let fault = PolicyName.fault(of: text) { throw fault }
            if text.hasPrefix("builtin-") {
                throw ValueFault(.reservedName, "names that begin with `builtin-` are taken", "choose another name")
            }
        case .semanticVersion: try require(Self.isSemanticVersion(text))
        case .environmentVariable: try require(Self.isVariable(text))
        case .url: try checkURL(text)
        case .path: try require(Self.isPath(text))
        case .glob: try require(Self.isGlob(text))
        case .keyPattern: try require(!text.isEmpty && !text.hasPrefix(".") && !text.hasSuffix("."))
        default: break
        }
        return text
    }

    private func require(_ condition: Bool) throws(ValueFault) {
        guard condition else { throw ValueFault(.badForm, "this is to be \(words)") }
    }

    private func unknownWord(_ text: String, _ words: [String]) -> ValueFault {
        var comparisons = words.count
        let nearest = Suggestion.nearest(to: text, among: words, comparisonsLeft: &comparisons)
        return ValueFault(
            .unknownWord,
            "`\(text)` is not \(self.words)",
            nearest.map { "did you mean `\($0)`?" }
        )
    }

    /// MAJOR.MINOR.PATCH with pre-release and build as semver.org writes them.
    static func isSemanticVersion(_ text: String) -> Bool {
        func isNumber(_ part: Substring) -> Bool {
            !part.isEmpty && part.utf8.count <= 9 && part.utf8.allSatisfy { (48...57).contains($0) }
                && (part == "0" || part.first != "0")
        }
        func isIdentifier(_ part: Substring) -> Bool {
            !part.isEmpty
                && part.utf8.allSatisfy { byte in
                    (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                }
        }
        let withBuild = text.split(separator: "+", maxSplits: 1, omittingEmptySubsequences: false)
        let withRelease = withBuild[0].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        let core = withRelease[0].split(separator: ".", omittingEmptySubsequences: false)
        guard core.count == 3, core.allSatisfy(isNumber), text.utf8.count <= PolicyLimits.nameBytes else {
            return false
        }
        if withRelease.count > 1 {
            let parts = withRelease[1].split(separator: ".", omittingEmptySubsequences: false)
            let isGood = parts.allSatisfy { part in
                isIdentifier(part) && (!part.utf8.allSatisfy { (48...57).contains($0) } || isNumber(part))
            }
            guard isGood else { return false }
        }
        guard withBuild.count > 1 else { return true }
        return withBuild[1].split(separator: ".", omittingEmptySubsequences: false).allSatisfy(isIdentifier)
    }

    private static func isVariable(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(48...57).contains(first), text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
    }

    private static func isPath(_ text: String) -> Bool {
        !text.isEmpty && !text.hasPrefix("/") && !text.hasPrefix("~") && !text.contains("\\")
            && !text.split(separator: "/", omittingEmptySubsequences: false).contains {
                $0.isEmpty || $0 == "." || $0 == ".."
            }
    }

    private static func isGlob(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }
            && !text.allSatisfy { $0 == "*" }
    }

    private func checkURL(_ text: String) throws(ValueFault) {
        let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"<>\\^`{|}?#".utf8.contains($0) }
        let scheme = text.hasPrefix("https://") ? "https://" : text.hasPrefix("http://") ? "http://" : ""
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" }
        guard isPlain, !scheme.isEmpty, let host = Self.host(of: authority) else {
            throw ValueFault(.badForm, "this is to be \(words), without a query")
        }
        guard scheme == "https://" || ["localhost", "127.0.0.1", "[::1]"].contains(host) else {
            throw ValueFault(.insecureURL, "`http` to another machine can be read on the way", "write `https`")
        }
    }

    /// The host of an authority; nil when it or its port is malformed.
    private static func host(of authority: Substring) -> Substring? {
        var host = authority
        if let colon = authority.lastIndex(of: ":"), !authority.hasSuffix("]") {
            guard let port = Int(authority[authority.index(after: colon)...]), (1...65_535).contains(port) else {
                return nil
            }
            host = authority[..<colon]
        }
        if host.hasPrefix("["), host.hasSuffix("]"), host.count > 3 { return host }
        let isGood = host.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                || byte == 46
        }
        return isGood && !host.isEmpty && host.first != "." && host.first != "-" ? host : nil
    }
}

/// Names that a policy chooses: small ASCII letters, digits, `-` and `_`, so that a rule's path can be read one way
/// only and no two names look alike.
enum PolicyName {
    static func isGood(_ text: String) -> Bool {
        guard let first = text.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "_"),
            text.utf8.count <= PolicyLimits.nameBytes
        else { return false }
        return text.utf8.allSatisfy {
            (97...122).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
    }

    static func fault(of text: String) -> ValueFault? {
        guard !isGood(text) else { return nil }
        if text.utf8.count > PolicyLimits.nameBytes {
            return ValueFault(.badName, "a name has at most \(PolicyLimits.nameBytes) characters")
        }
        if let odd = text.unicodeScalars.first(where: { !$0.isASCII }) {
            let name = odd.properties.name.map { " (\($0))" } ?? ""
            return ValueFault(
                .badName,
                "this name holds the character \(HiddenCharacter.name(odd))\(name), which may look like another",
                "write the name with a-z, 0-9, `-` and `_`"
            )
        }
        return ValueFault(
            .badName,
            "`\(text)` is not a name: names have a-z, 0-9, `-` and `_`, and begin with a letter or a digit",
            "choose another name"
        )
    }
}
