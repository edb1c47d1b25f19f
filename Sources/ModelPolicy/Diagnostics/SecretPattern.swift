/// Finds what looks like a key, a token or a password.
///
/// A policy and its snapshot are read by many, and a snapshot is kept for good: better to refuse a value that only
/// looks like a secret than to keep one.
enum SecretPattern {
    private static let prefixes = [
        "sk-", "sk_", "rk_live_", "pk_live_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xoxb-",
        "xoxp-", "xoxa-", "xapp-", "AKIA", "ASIA", "AIza", "ya29.", "eyJ", "hf_", "gsk_", "npm_", "pypi-",
        "AGE-SECRET-KEY-",
        "SG.", "dop_v1_", "shpat_", "xai-",
    ]

    /// Whether a text looks like a secret, or holds one.
    static func matches(_ text: String) -> Bool {
        text.utf8.count >= 12 && words(of: text).contains { isSecret($0) } || hasUserInformation(text)
            || text.contains("-----BEGIN ")
    }

    /// The text with each secret as asterisks, as many as it had characters.
    static func blotted(_ text: String) -> String {
        guard text.utf8.count >= 12 else { return text }
        var result = ""
        var word = ""
        for scalar in text.unicodeScalars {
            if isWordScalar(scalar) {
                word.unicodeScalars.append(scalar)
            } else {
                result += shown(word)
                word = ""
                result.unicodeScalars.append(scalar)
            }
        }
        result += shown(word)
        return hasUserInformation(result) ? blottedUserInformation(result) : result
    }

    private static func shown(_ word: String) -> String {
        isSecret(word[...]) ? String(repeating: "*", count: word.unicodeScalars.count) : word
    }

    private static func isWordScalar(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "-", "_", "+", "=", ".": true
        default: false
        }
    }

    private static func words(of text: String) -> [Substring] {
        text.split { character in !character.unicodeScalars.allSatisfy(isWordScalar) }
    }

    private static func isSecret(_ word: Substring) -> Bool {
        guard word.utf8.count >= 12 else { return false }
        if word.utf8.count >= 16, prefixes.contains(where: { word.hasPrefix($0) }), hasDigitAndLetter(word) {
            return true
        }
        return isRandom(word)
    }

    private static func hasDigitAndLetter(_ word: Substring) -> Bool {
        word.utf8.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && word.utf8.contains { $0 >= UInt8(ascii: "A") }
    }

    /// Long, without the joints that words have, and with letters and digits mixed.
    private static func isRandom(_ word: Substring) -> Bool {
        let longest = word.split { "-_.".contains($0) }.max { $0.utf8.count < $1.utf8.count } ?? ""
        guard longest.utf8.count >= 32 else { return false }
        var changes = 0
        var last = -1
        for byte in longest.utf8 {
            let kind =
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"): 0
                case UInt8(ascii: "A")...UInt8(ascii: "Z"): 1
                default: 2
                }
            if last >= 0, kind != last { changes += 1 }
            last = kind
        }
        return changes >= 6
    }

    /// `https://name:password@host`.
    private static func hasUserInformation(_ text: String) -> Bool { userInformation(of: text) != nil }

    private static func userInformation(of text: String) -> Range<String.Index>? {
        guard let scheme = text.firstRange(of: "://") else { return nil }
        let authority = text[scheme.upperBound...].prefix { !"/?# \"'".contains($0) }
        guard let at = authority.lastIndex(of: "@") else { return nil }
        return authority.startIndex..<at
    }

    private static func blottedUserInformation(_ text: String) -> String {
        guard let range = userInformation(of: text) else { return text }
        let blot = String(repeating: "*", count: text[range].unicodeScalars.count)
        return text[..<range.lowerBound] + blot + text[range.upperBound...]
    }
}

extension String {
    /// Without Foundation or regular expressions.
    fileprivate func firstRange(of needle: String) -> Range<String.Index>? {
        var index = startIndex
        while index < endIndex {
            if self[index...].hasPrefix(needle) { return index..<self.index(index, offsetBy: needle.count) }
            index = self.index(after: index)
        }
        return nil
    }
}
