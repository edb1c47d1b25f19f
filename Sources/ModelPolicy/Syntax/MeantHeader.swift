/// The header that a line of TOML was probably meant as, when it cannot be read: `[models.opus`, `models.opus]`,
/// `[models opus]`. So a broken header costs no more than itself, and what stands below it is checked as well.
struct MeantHeader {
    /// What to read instead; nil when the table is known and its own name is not, as for `[models.`.
    private(set) var line: [UInt8]?
    /// What the table defines, and how each name begins at least: the rest of it may be what was lost.
    private(set) var names: [(namespace: PolicyNamespace, beginning: String)] = []

    /// Nil when no table of the language is recognised.
    init?(_ bytes: ArraySlice<UInt8>) {
        let text = bytes.prefix { $0 != UInt8(ascii: "#") && $0 != UInt8(ascii: "]") }
        let words = text.split { !Self.isNameByte($0) }.map { String(decoding: $0, as: UTF8.self) }
        guard !words.isEmpty, words.count <= PolicyLimits.dottedKeys else { return nil }
        var kind = PolicyKind.table(PolicyLanguage.keys)
        var path: [String] = []
        for (index, word) in words.enumerated() {
            if case .entries(let keys) = kind { kind = .table(keys) }
            switch kind {
            case .table(let keys):
                guard let key = Self.table(word, in: keys, isLast: index == words.count - 1) else { return nil }
                path.append(key.name)
                kind = key.kind
            case .named(let names, let element):
                path.append(word)
                if case .defines(let namespace) = names { self.names.append((namespace, word)) }
                kind = element
            default: return nil
            }
        }
        finish(path, kind)
    }

    private mutating func finish(_ path: [String], _ kind: PolicyKind) {
        let header = path.joined(separator: ".")
        switch kind {
        case .entries: line = Array("[[\(header)]]".utf8)
        case .named(let names, .table), .named(let names, .named):
            if case .defines(let namespace) = names { self.names.append((namespace, "")) }
            if case .defines(.role) = names { self.names.append((.mode, "")) }
        case .table(let keys) where keys.allSatisfy(\.isOfTables): return
        default:
            // Modes may be those of the role whose name was cut.
            if names.last?.namespace == .role { names.append((.mode, "")) }
            line = Array("[\(header)]".utf8)
        }
    }

    /// The table with this name, or, of a header that was cut off, the only one whose name begins so.
    private static func table(_ word: String, in keys: [PolicyKey], isLast: Bool) -> PolicyKey? {
        let tables = keys.filter(\.isOfTables)
        if let key = tables.first(where: { $0.name == word }) { return key }
        let possible = isLast ? tables.filter { $0.name.hasPrefix(word) } : []
        return possible.count == 1 ? possible[0] : nil
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

extension PolicyKey {
    fileprivate var isOfTables: Bool {
        switch kind {
        case .table, .named, .entries: true
        case .list, .scalar: false
        }
    }
}
