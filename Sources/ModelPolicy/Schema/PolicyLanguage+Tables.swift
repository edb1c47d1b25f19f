extension PolicyLanguage {
    /// The tables of `spec/policy.md`: a heading and rows for each table of the language.
    public static var markdown: String {
        var sections: [String] = []
        collect(keys, path: "", into: &sections)
        return sections.joined(separator: "\n")
    }

    private static func collect(_ keys: [PolicyKey], path: String, into sections: inout [String]) {
        var lines = [
            path.isEmpty ? "### The file" : "### `\(path)`", "",
            "| key | holds | default | compiled as | stricter is | what it does |", "|---|---|---|---|---|---|",
        ]
        for key in keys {
            let fallback = key.isRequired ? "required" : key.fallbackWords
            let compiled = key.compiledName == key.name ? "" : "`\(key.compiledName)`"
            lines.append(
                "| `\(key.name)` | \(key.kind.words) | \(fallback) | \(compiled) |"
                    + " \(key.strictnessWords) | \(key.note) |"
            )
        }
        sections.append(lines.joined(separator: "\n") + "\n")
        for key in keys { descend(key.kind, path.isEmpty ? key.name : "\(path).\(key.name)", into: &sections) }
    }

    private static func descend(_ kind: PolicyKind, _ path: String, into sections: inout [String]) {
        switch kind {
        case .table(let keys): collect(keys, path: path, into: &sections)
        case .named(_, let element): descend(element, "\(path).*", into: &sections)
        case .entries(let keys): collect(keys, path: "\(path).*", into: &sections)
        case .list, .scalar: return
        }
    }
}

extension PolicyKey {
    fileprivate var fallbackWords: String {
        switch fallback {
        case .none: "none"
        case .derived(let sentence): sentence
        case .value(.text(let text)): if case .scalar(.ratio) = kind { "`\(text)`" } else { "`\"\(text)\"`" }
        case .value(.integer(let number)): "`\(number)`"
        case .value(.boolean(let truth)): "`\(truth)`"
        case .value(.texts(let texts)): "`[" + texts.map { "\"\($0)\"" }.joined(separator: ", ") + "]`"
        }
    }

    fileprivate var strictnessWords: String {
        switch kind {
        case .table, .entries, .named(_, .table), .named(_, .named): ""
        default: strictness.note
        }
    }
}

extension PolicyKind {
    fileprivate var words: String {
        switch self {
        case .table: "a table"
        case .named(.defines(let namespace), _): "a table for each \(namespace.rawValue), by its name"
        case .named(.refers(let namespace), .scalar(let scalar)): "by \(namespace.rawValue): \(scalar.words)"
        case .named(.free(let word), _): "a table for each \(word)"
        case .named: "a table by name"
        case .entries: "a list of tables, each with an `id`"
        case .list(let scalar, let isSet, let least):
            (isSet ? "a set" : "a list") + (least > 0 ? ", not empty" : "") + ", each \(scalar.words)"
        case .scalar(let scalar): scalar.words
        }
    }
}
