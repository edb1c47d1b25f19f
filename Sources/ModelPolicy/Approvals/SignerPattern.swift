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

    /// Costs at most the product of the lengths: only the last `*` is gone back to.
    static func matches(_ text: [UInt8], _ pattern: [UInt8]) -> Bool {
        var (at, place) = (0, 0)
        var retry: (pattern: Int, text: Int)?
        while at < text.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                retry = (place, at)
                place += 1
            } else if place < pattern.count, pattern[place] == UInt8(ascii: "?") || pattern[place] == text[at] {
                (at, place) = (at + 1, place + 1)
            } else if let last = retry {
                retry = (last.pattern, last.text + 1)
                (at, place) = (last.text + 1, last.pattern + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }
}
