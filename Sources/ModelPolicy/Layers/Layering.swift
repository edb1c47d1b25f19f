import JSONText

/// Lays a spec's file over the workspace's, and holds it to what the workspace allows.
struct Layering {
    private let allow: [KeyPattern]
    private let tightenOnly: [KeyPattern]
    private let diagnostics: DiagnosticSink

    /// - Parameter workspace: with its defaults in place.
    init(workspace: Draft, diagnostics: DiagnosticSink) {
        let overrides = workspace["overrides"]
        allow = (overrides?["allow"]?.strings ?? []).map(KeyPattern.init)
        tightenOnly = (overrides?["tighten_only"]?.strings ?? []).map(KeyPattern.init)
        self.diagnostics = diagnostics
    }

    /// Tables merge, lists replace, escalations merge by their `id`.
    static func merge(_ base: Draft, _ layer: Draft, _ kind: PolicyKind) -> Draft {
        guard !layer.isBroken, !base.isBroken else { return Draft(content: .broken, origin: layer.origin) }
        switch kind {
        case .table(let keys):
            return mergeTables(base, layer) { name in keys.first { $0.name == name }?.kind }
        case .named(_, let element): return mergeTables(base, layer) { _ in element }
        case .entries(let keys):
            var items = base.items
            for item in layer.items {
                let id = item["id"]?.string
                if let index = items.firstIndex(where: { $0["id"]?.string == id && id != nil }) {
                    items[index] = merge(items[index], item, .table(keys))
                } else {
                    items.append(item)
                }
            }
            return Draft(content: .list(items), origin: base.origin)
        case .list, .scalar: return layer
        }
    }

    private static func mergeTables(_ base: Draft, _ layer: Draft, _ kind: (String) -> PolicyKind?) -> Draft {
        var merged = base
        for entry in layer.entries {
            let old = base[entry.name]
            let value = old.flatMap { old in kind(entry.name).map { merge(old, entry.value, $0) } } ?? entry.value
            merged.set(entry.name, value, keyOrigin: entry.keyOrigin)
        }
        return merged
    }

    /// Tells of each thing that a layer may not change.
    ///
    /// - Parameter base: the workspace with its defaults in place.
    func check(_ layer: Draft, against base: Draft) {
        for key in PolicyLanguage.keys where key.name != "schema" {
            guard let entry = layer.entry(key.name) else { continue }
            if PolicyLanguage.fixedKeys.contains(key.name) {
                if let origin = entry.keyOrigin {
                    diagnostics.add(
                        .changeNotAllowed,
                        origin,
                        "`\(key.name)` is the workspace's alone; no other layer may set it",
                        "take it out"
                    )
                }
                continue
            }
            check(entry, base[key.name], key.kind, key, [key.name])
        }
    }

    private func check(_ entry: DraftEntry, _ base: Draft?, _ kind: PolicyKind, _ key: PolicyKey, _ path: [String]) {
        switch kind {
        case .table(let keys):
            for child in entry.value.entries {
                guard let key = keys.first(where: { $0.name == child.name }) else { continue }
                check(child, base?[child.name], key.kind, key, path + [child.name])
            }
        case .named(_, let element):
            for child in entry.value.entries {
                check(child, base?[child.name], element, key, path + [child.name])
            }
        case .entries(let keys):
            for item in entry.value.items {
                guard let id = item["id"]?.string else { continue }
                let old = base?.items.first { $0["id"]?.string == id }
                for child in item.entries where child.name != "id" || old == nil {
                    guard let key = keys.first(where: { $0.name == child.name }) else { continue }
                    check(child, old?[child.name], key.kind, key, path + [id, child.name])
                }
            }
        case .list, .scalar: checkLeaf(entry, base, key, path)
        }
    }

    private func checkLeaf(_ entry: DraftEntry, _ base: Draft?, _ key: PolicyKey, _ path: [String]) {
        guard !entry.value.isBroken, let origin = entry.keyOrigin else { return }
        let name = path.joined(separator: ".")
        if tightenOnly.contains(where: { $0.covers(path) }) {
            guard !key.strictness.isMet(from: base, to: entry.value) else { return }
            let order =
                key.strictness == .none ? "it has no order of strictness" : "stricter is: \(key.strictness.note)"
            diagnostics.add(
                .changeLoosens,
                entry.value.origin ?? origin,
                "`\(name)` may only become stricter than the workspace's \(Self.shown(base))",
                order
            )
        } else if !allow.contains(where: { $0.covers(path) }) {
            diagnostics.add(
                .changeNotAllowed,
                origin,
                "the workspace does not allow a spec to change `\(name)`",
                "take it out, or add the key to `overrides.allow` of the workspace"
            )
        }
    }

    private static func shown(_ base: Draft?) -> String {
        guard let base else { return "value, of which there is none" }
        if let scalar = base.scalar { return scalar.string.map { "`\($0)`" } ?? scalar.description }
        return "[" + base.strings.joined(separator: ", ") + "]"
    }
}

extension Strictness {
    /// Whether a value is as strict as another, or stricter.
    func isMet(from old: Draft?, to new: Draft) -> Bool {
        guard let old else { return isMetWhereNothingWas }
        if old.isBroken || old.scalar == new.scalar && new.scalar != nil { return true }
        switch self {
        case .none: return false
        case .lower: return compare(old, new, <=)
        case .higher: return compare(old, new, >=)
        case .words(let words): return rank(new, words) >= rank(old, words)
        case .capture:
            guard new.string != CaptureMode.none.rawValue else { return false }
            let words = CaptureMode.allCases.map(\.rawValue)
            return rank(new, words) <= rank(old, words)
        case .superset: return Set(new.strings).isSuperset(of: old.strings)
        case .subsequence:
            var rest = old.strings[...]
            for name in new.strings {
                guard let index = rest.firstIndex(of: name) else { return false }
                rest = rest[(index + 1)...]
            }
            return true
        case .truth: return new.scalar?.bool == true
        case .present: return false
        case .only(let value): return new.string == value
        }
    }

    private var isMetWhereNothingWas: Bool {
        switch self {
        case .lower, .higher, .present, .superset, .words, .truth: true
        case .none, .capture, .subsequence, .only: false
        }
    }

    private func compare(_ old: Draft, _ new: Draft, _ holds: (Int, Int) -> Bool) -> Bool {
        guard let old = old.int, let new = new.int else { return false }
        return holds(new, old)
    }

    private func rank(_ value: Draft, _ words: [String]) -> Int { words.firstIndex(of: value.string ?? "") ?? -1 }
}
