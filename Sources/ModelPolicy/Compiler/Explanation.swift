import JSONText

/// What holds for one key, where it came from, and what other layers said.
public struct Explanation: Sendable, Equatable {
    /// What one layer says, or the default.
    public struct Voice: Sendable, Equatable {
        /// Nil for a default.
        public var place: SourceMap.Place?
        /// As it is compiled.
        public var value: JSONValue
        /// As a source file would write it.
        public var text: String
    }

    /// The rule's path, such as `roles.architect.models`.
    public var path: String
    /// What the key does.
    public var note: String
    /// What holds.
    public var effective: Voice
    /// What holds no longer because a later layer says otherwise: the layers before it, and the default.
    public var overridden: [Voice]
}

extension CompileResult {
    /// Explains a key, or every key of a table; empty when there is none of this path.
    ///
    /// Works on a policy with faults as well, as far as it could be read.
    public func explain(_ path: String) -> [Explanation] {
        let wanted = KeyPattern(path)
        let workspace = layers.spec == nil ? nil : layers.workspace
        let before = workspace.map { leaves(of: $0) } ?? [:]
        let defaults = leaves(of: Completion.complete(layers.withoutScalars))
        return layers.complete.leaves.filter { wanted.covers($0.path) }.map { leaf in
            let name = leaf.path.joined(separator: ".")
            let effective = voice(leaf)
            var overridden: [Explanation.Voice] = []
            if effective.place?.layer == .spec, let old = before[name] { overridden.append(voice(old)) }
            if effective.place != nil, let value = defaults[name] { overridden.append(voice(value)) }
            return Explanation(path: name, note: leaf.key.note, effective: effective, overridden: overridden)
        }
    }

    /// The path that was probably meant.
    public func nearestPath(to path: String) -> String? {
        var comparisons = PolicyLimits.comparisons
        let paths = layers.complete.leaves.map { $0.path.joined(separator: ".") }
        return Suggestion.nearest(to: path, among: paths, comparisonsLeft: &comparisons)
    }

    private func leaves(of draft: Draft) -> [String: DraftLeaf] {
        Dictionary(draft.leaves.map { ($0.path.joined(separator: "."), $0) }) { first, _ in first }
    }

    private func voice(_ leaf: DraftLeaf) -> Explanation.Voice {
        let place = leaf.keyOrigin.flatMap { origin in
            layers.files[origin.layer].map { file in
                let start = origin.span.start
                return SourceMap.Place(layer: origin.layer, file: file, line: start.line, column: start.column)
            }
        }
        let json = leaf.value.leafJSON
        return Explanation.Voice(place: place, value: json, text: leaf.scalar.shown(json))
    }
}

extension PolicyLayers {
    /// The tables of the policy without their values: completed, it shows what the defaults are.
    fileprivate var withoutScalars: Draft { complete.skeleton(.table(PolicyLanguage.keys)) }
}

extension Draft {
    fileprivate func skeleton(_ kind: PolicyKind) -> Draft {
        switch kind {
        case .table(let keys):
            let kept = entries.compactMap { entry -> DraftEntry? in
                guard let key = keys.first(where: { $0.name == entry.name }) else { return nil }
                if case .scalar(.name) = key.kind { return nil }
                switch key.kind {
                case .scalar(.newName), .list(.newName, _, _): return entry
                case .scalar, .list: return nil
                default: return DraftEntry(name: entry.name, keyOrigin: nil, value: entry.value.skeleton(key.kind))
                }
            }
            return Draft(content: .table(kept))
        case .named(_, .scalar): return Draft.emptyTable
        case .named(_, let element):
            return Draft(
                content: .table(
                    entries.map { DraftEntry(name: $0.name, keyOrigin: nil, value: $0.value.skeleton(element)) }
                )
            )
        case .entries(let keys): return Draft(content: .list(items.map { $0.skeleton(.table(keys)) }))
        case .list, .scalar: return self
        }
    }
}
