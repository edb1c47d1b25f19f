/// A list of patterns as OpenSSH matches it (`PATTERNS` of ssh_config(5)): `*` stands for any characters, `?` for one;
/// one that begins with `!` takes back what the others admit.
public struct SignerPattern: Sendable, Hashable {
    /// As they stand in the file.
    public let items: [String]
    private let admitting: [[UInt8]]
    private let refusing: [[UInt8]]

    init(items: [String]) {
        self.items = items
        admitting = items.filter { !$0.hasPrefix("!") }.map { Array($0.utf8) }
        refusing = items.filter { $0.hasPrefix("!") }.map { Array($0.utf8.dropFirst()) }
    }

    /// Names without a wildcard.
    var literals: [String] { items.filter { !$0.hasPrefix("!") && !Self.isWild($0) } }
    /// Patterns with one.
    var wildcards: [String] { items.filter { !$0.hasPrefix("!") && Self.isWild($0) } }

    static func isWild(_ item: String) -> Bool {
        item.utf8.contains { $0 == UInt8(ascii: "*") || $0 == UInt8(ascii: "?") }
    }

    func matches(_ text: String) -> Bool {
        let text = Array(text.utf8)
        return admitting.contains { Self.matches(text, $0) } && !refusing.contains { Self.matches(text, $0) }
    }

    var lowercased: SignerPattern { SignerPattern(items: items.map { $0.lowercased() }) }

    /// Byte by byte, as OpenSSH does.
    static func matches(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        Wildcards.match(pattern, text, any: UInt8(ascii: "*"), one: UInt8(ascii: "?"))
    }
}
