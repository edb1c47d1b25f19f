/// A key of the language with `*` for any one name: `roles.*.models`. It stands for all that is in it.
struct KeyPattern: Hashable {
    let parts: [Substring]

    init(_ text: String) { parts = text.split(separator: ".", omittingEmptySubsequences: false) }

    func covers(_ path: [String]) -> Bool {
        parts.count <= path.count && zip(parts, path).allSatisfy { $0 == "*" || $0 == $1 }
    }

    /// The leaves of the language that the pattern can stand for, whatever the names; nil when it stands for none.
    var leaves: [PolicyKey]? { Self.leaves(of: .table(PolicyLanguage.keys), parts[...], nil) }

    private static func leaves(of kind: PolicyKind, _ parts: ArraySlice<Substring>, _ key: PolicyKey?) -> [PolicyKey]? {
        guard let part = parts.first else { return all(kind, key) }
        switch kind {
        case .table(let keys):
            let matching = keys.filter { part == "*" || $0.name == part }
            let found = matching.compactMap { leaves(of: $0.kind, parts.dropFirst(), $0) }
            return found.isEmpty ? nil : found.flatMap(\.self)
        case .named(_, let element): return leaves(of: element, parts.dropFirst(), key)
        case .entries(let keys): return leaves(of: .table(keys), parts.dropFirst(), key)
        case .list, .scalar: return nil
        }
    }

    private static func all(_ kind: PolicyKind, _ key: PolicyKey?) -> [PolicyKey] {
        switch kind {
        case .table(let keys), .entries(let keys): keys.flatMap { all($0.kind, $0) }
        case .named(_, let element): all(element, key)
        case .list, .scalar: key.map { [$0] } ?? []
        }
    }
}
