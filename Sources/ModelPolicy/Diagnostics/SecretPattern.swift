/// Finds what looks like a key, a token or a password.
///
/// A policy and its snapshot are read by many, and a snapshot is kept for good: better to refuse a value that only
/// looks like a secret than to keep one.
enum SecretPattern {
    private static let prefixes: [[UInt8]] = [
        "sk-", "sk_", "rk_live_", "pk_live_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xoxb-",
        "xoxp-", "xoxa-", "xapp-", "AKIA", "ASIA", "AIza", "ya29.", "eyJ", "hf_", "gsk_", "npm_", "pypi-",
        "AGE-SECRET-KEY-",
        "SG.", "dop_v1_", "shpat_", "xai-",
    ].map { Array($0.utf8) }

    private typealias Bytes = UnsafeBufferPointer<UInt8>

    /// Whether a text looks like a secret, or holds one. Runs over the bytes, since every value is asked.
    static func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count >= 12 else { return false }
            return holdsSecretWord(bytes) || userInformation(of: bytes) != nil || holds("-----BEGIN ", bytes)
        }
    }

    /// The text with each secret as asterisks, as many as it had characters.
    static func blotted(_ text: String) -> String {
        guard text.utf8.count >= 12 else { return text }
        var result = ""
        var word = ""
        for scalar in text.unicodeScalars {
            if scalar.isASCII, isWordByte(UInt8(scalar.value)) {
                word.unicodeScalars.append(scalar)
            } else {
                result += shown(word)
                word = ""
                result.unicodeScalars.append(scalar)
            }
        }
        result += shown(word)
        guard let range = result.withUTF8(userInformation) else { return result }
        let hidden = String(decoding: Array(result.utf8)[range], as: UTF8.self).unicodeScalars.count
        let bytes = Array(result.utf8)
        let blot = [UInt8](repeating: UInt8(ascii: "*"), count: hidden)
        return String(decoding: bytes[..<range.lowerBound] + blot + bytes[range.upperBound...], as: UTF8.self)
    }

    private static func shown(_ word: String) -> String {
        var word = word
        guard word.withUTF8(isSecret) else { return word }
        return String(repeating: "*", count: word.utf8.count)
    }

    private static func holdsSecretWord(_ bytes: Bytes) -> Bool {
        var start = 0
        for index in 0...bytes.count where index == bytes.count || !isWordByte(bytes[index]) {
            if index - start >= 12, isSecret(Bytes(rebasing: bytes[start..<index])) { return true }
            start = index + 1
        }
        return false
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "+"),
            UInt8(ascii: "="), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private static func isSecret(_ word: Bytes) -> Bool {
        guard word.count >= 12 else { return false }
        if word.count >= 16, hasDigitAndLetter(word), prefixes.contains(where: { word.starts(with: $0) }) {
            return true
        }
        return isRandom(word)
    }

    private static func hasDigitAndLetter(_ word: Bytes) -> Bool {
        word.contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            && word.contains { $0 >= UInt8(ascii: "A") && $0 != UInt8(ascii: "_") }
    }

    /// Long, without the joints that words have, and with letters and digits mixed.
    private static func isRandom(_ word: Bytes) -> Bool {
        guard word.count >= 32 else { return false }
        var length = 0
        var changes = 0
        var last: UInt8 = 0
        for byte in word {
            let kind: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): kind = 1
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): kind = 2
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): kind = 0
            default: kind = 3
            }
            guard kind != 0 else {
                (length, changes, last) = (0, 0, 0)
                continue
            }
            length += 1
            if last != 0, kind != last { changes += 1 }
            last = kind
            if length >= 32, changes >= 6 { return true }
        }
        return false
    }

    /// The `name:password` of `https://name:password@host`.
    private static func userInformation(of bytes: Bytes) -> Range<Int>? {
        guard let scheme = position(of: "://", bytes) else { return nil }
        var index = scheme + 3
        var at: Int?
        while index < bytes.count, !"/?# \"'".utf8.contains(bytes[index]) {
            if bytes[index] == UInt8(ascii: "@") { at = index }
            index += 1
        }
        return at.map { scheme + 3..<$0 }
    }

    private static func holds(_ needle: StaticString, _ bytes: Bytes) -> Bool { position(of: needle, bytes) != nil }

    private static func position(of needle: StaticString, _ bytes: Bytes) -> Int? {
        let needle = Bytes(start: needle.utf8Start, count: needle.utf8CodeUnitCount)
        guard bytes.count >= needle.count else { return nil }
        return (0...(bytes.count - needle.count)).first { start in
            bytes[start] == needle[0] && bytes[start..<start + needle.count].elementsEqual(needle)
        }
    }
}
