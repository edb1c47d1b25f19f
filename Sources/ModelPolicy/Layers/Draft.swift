import JSONText

/// A value of a policy on its way to a snapshot: already in compiled form, still with its origin.
struct Draft: Sendable {
    indirect enum Content: Sendable {
        case scalar(JSONValue)
        case list([Draft])
        case table([DraftEntry])
        /// A diagnostic has said what is wrong here.
        case broken
    }

    var content: Content
    /// Nil for a default.
    var origin: SourceOrigin?

    static let emptyTable = Draft(content: .table([]))
    static let emptyList = Draft(content: .list([]))

    var entries: [DraftEntry] { if case .table(let entries) = content { entries } else { [] } }
    var items: [Draft] { if case .list(let items) = content { items } else { [] } }
    var scalar: JSONValue? { if case .scalar(let value) = content { value } else { nil } }
    var string: String? { scalar?.string }
    var int: Int? { scalar?.int }
    var isBroken: Bool { if case .broken = content { true } else { false } }

    /// The strings of a list that is not broken.
    var strings: [String] { items.compactMap(\.string) }

    subscript(key: String) -> Draft? { entry(key)?.value }

    func entry(_ key: String) -> DraftEntry? { entries.first { $0.name == key } }

    mutating func set(_ name: String, _ value: Draft, keyOrigin: SourceOrigin? = nil) {
        guard case .table(var entries) = content else { return }
        content = .broken
        if let index = entries.firstIndex(where: { $0.name == name }) {
            entries[index].value = value
        } else {
            entries.append(DraftEntry(name: name, keyOrigin: keyOrigin, value: value))
        }
        content = .table(entries)
    }
}

struct DraftEntry: Sendable {
    var name: String
    var keyOrigin: SourceOrigin?
    var value: Draft
}
