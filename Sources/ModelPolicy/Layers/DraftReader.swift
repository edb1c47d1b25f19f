import JSONText

/// Reads the tree of one file by the language: keys known, values of the right type, form and size.
struct DraftReader {
    let layer: PolicyLayer
    let diagnostics: DiagnosticSink

    func read(_ root: SyntaxNode) -> Draft {
        guard case .table = root.value else {
            add(.notATable, root.span, "a policy is a table of keys, and here is \(root.value.kind)")
            return Draft(content: .broken, origin: origin(root.span))
        }
        return read(root, .table(PolicyLanguage.keys), path: "")
    }

    private func origin(_ span: SourceSpan) -> SourceOrigin { SourceOrigin(layer: layer, span: span) }

    private func add(_ code: DiagnosticCode, _ span: SourceSpan, _ message: String, _ help: String? = nil) {
        diagnostics.add(code, origin(span), message, help)
    }

    private func read(_ node: SyntaxNode, _ kind: PolicyKind, path: String) -> Draft {
        let content: Draft.Content? =
            switch (kind, node.value) {
            case (.table(let keys), .table(let entries)): .table(readTable(entries, keys, node.span, path))
            case (.named(let names, let element), .table(let entries)):
                .table(readNamed(entries, names, element, path))
            case (.entries(let keys), .list(let items)): .list(readEntries(items, keys, path))
            case (.list(let scalar, _, let least), .list(let items)):
                readList(items, scalar, least, node.span, path)
            case (.scalar(let scalar), let value): readScalar(value, scalar, node.span, path).map(Draft.Content.scalar)
            default: nil
            }
        if content == nil { reportType(node, kind, path) }
        return Draft(content: content ?? .broken, origin: origin(node.span))
    }

    private func reportType(_ node: SyntaxNode, _ kind: PolicyKind, _ path: String) {
        let expected: (String, String?)
        switch kind {
        case .table, .named: expected = ("a table", nil)
        case .entries: expected = ("a list of tables", "write `[[\(path)]]`")
        case .list(let scalar, _, _): expected = ("a list, each item \(scalar.words)", "put it in square brackets")
        case .scalar: return
        }
        add(.wrongType, node.span, "`\(path)` is \(expected.0), and here is \(node.value.kind)", expected.1)
    }

    private func join(_ path: String, _ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
}

extension DraftReader {
    private func readTable(
        _ entries: [SyntaxEntry],
        _ keys: [PolicyKey],
        _ span: SourceSpan,
        _ path: String
    ) -> [DraftEntry] {
        var read: [DraftEntry] = []
        read.reserveCapacity(keys.count)
        for entry in withMeantKeys(entries, keys, path) {
            guard let key = keys.first(where: { $0.name == entry.key }) else { continue }
            let draft = self.read(entry.node, key.kind, path: join(path, key.name))
            read.append(DraftEntry(name: key.name, keyOrigin: origin(entry.keySpan), value: draft))
        }
        // A later layer names only what it changes, but which language it is in.
        let required = layer == .workspace ? keys : path.isEmpty ? keys.filter { $0.name == "schema" } : []
        for key in required where key.isRequired && !read.contains(where: { $0.name == key.name }) {
            reportMissing(key, span, path)
            read.append(DraftEntry(name: key.name, keyOrigin: nil, value: Draft(content: .broken)))
        }
        return read
    }

    /// Tells of unknown keys, and puts each in the place of the key that was probably meant, so that what it holds is
    /// read as well.
    private func withMeantKeys(_ entries: [SyntaxEntry], _ keys: [PolicyKey], _ path: String) -> [SyntaxEntry] {
        guard entries.contains(where: { entry in !keys.contains { $0.name == entry.key } }) else { return entries }
        var known = entries.filter { entry in keys.contains { $0.name == entry.key } }
        for entry in entries where !keys.contains(where: { $0.name == entry.key }) {
            guard let key = meant(by: entry, known, keys, path) else { continue }
            if let index = known.firstIndex(where: { $0.key == key.name }) {
                known[index].node = Self.merged(known[index].node, entry.node)
            } else {
                known.append(SyntaxEntry(key: key.name, keySpan: entry.keySpan, node: entry.node))
            }
        }
        return known
    }

    private static func merged(_ left: SyntaxNode, _ right: SyntaxNode) -> SyntaxNode {
        switch (left.value, right.value) {
        case (.table(var entries), .table(let others)):
            for other in others {
                if let index = entries.firstIndex(where: { $0.key == other.key }) {
                    entries[index].node = merged(entries[index].node, other.node)
                } else {
                    entries.append(other)
                }
            }
            return SyntaxNode(value: .table(entries), span: left.span)
        case (.list(let items), .list(let others)): return SyntaxNode(value: .list(items + others), span: left.span)
        default: return left
        }
    }

    private func reportMissing(_ key: PolicyKey, _ span: SourceSpan, _ path: String) {
        let place = path.isEmpty ? "the policy" : "`\(path)`"
        let start = path.isEmpty ? SourceSpan.beginning : SourceSpan(start: span.start, end: span.start)
        add(.missingKey, start, "\(place) has no `\(key.name)`", Self.example(key, in: path))
    }

    private static func example(_ key: PolicyKey, in path: String) -> String {
        switch key.kind {
        case .scalar(let scalar): "add `\(key.name)`, \(scalar.words)"
        case .list(let scalar, _, _): "add `\(key.name)`, a list, each item \(scalar.words)"
        default: "add `\(path.isEmpty ? key.name : path + "." + key.name)`"
        }
    }

    /// Tells of an unknown key, and answers the key that it is a misspelling of.
    private func meant(
        by entry: SyntaxEntry,
        _ known: [SyntaxEntry],
        _ keys: [PolicyKey],
        _ path: String
    ) -> PolicyKey? {
        let possible = keys.filter { key in
            guard let there = known.first(where: { $0.key == key.name }) else { return true }
            switch (there.node.value, entry.node.value) {
            case (.table, .table), (.list, .list): return path.isEmpty
            default: return false
            }
        }
        let suggestion = diagnostics.suggestion(for: entry.key, among: possible.map(\.name))
        let place = path.isEmpty ? "a policy" : "`\(path)`"
        var message = "`\(entry.key)` is no key of \(place)"
        if let odd = entry.key.unicodeScalars.first(where: { !$0.isASCII }) {
            message += ": it holds the character \(HiddenCharacter.name(odd))"
        }
        let words = keys.map { "`\($0.name)`" }.joined(separator: ", ")
        add(.unknownKey, entry.keySpan, message, suggestion ?? "its keys are \(words)")
        return suggestion == nil ? nil : possible.first { suggestion == "did you mean `\($0.name)`?" }
    }

    private func readNamed(
        _ entries: [SyntaxEntry],
        _ names: PolicyNames,
        _ element: PolicyKind,
        _ path: String
    ) -> [DraftEntry] {
        if case .defines(.mode) = names, entries.count > PolicyLimits.modes {
            add(.beyondLimit, entries[PolicyLimits.modes].keySpan, "a role has at most \(PolicyLimits.modes) modes")
        }
        return entries.map { entry in
            switch names {
            case .refers: break
            case .defines, .free:
                if let fault = PolicyName.fault(of: entry.key) {
                    add(fault.code, entry.keySpan, fault.message, fault.help)
                } else if case .defines(.mode) = names, entry.key == Role.defaultMode {
                    add(
                        .reservedName,
                        entry.keySpan,
                        "`default` is the mode that the role itself describes",
                        "put these keys into the role, or choose another name"
                    )
                }
            }
            let draft = read(entry.node, element, path: join(path, entry.key))
            return DraftEntry(name: entry.key, keyOrigin: origin(entry.keySpan), value: draft)
        }
    }

    private func readEntries(_ items: [SyntaxNode], _ keys: [PolicyKey], _ path: String) -> [Draft] {
        var known: [String: SourceSpan] = [:]
        return items.map { item in
            var name = path
            if case .table(let entries) = item.value, let id = entries.first(where: { $0.key == "id" }),
                case .string(let text) = id.node.value
            {
                name = join(path, text)
                if let first = known[text] {
                    add(
                        .repeatedIdentifier,
                        id.node.span,
                        "`\(text)` is the id of another, in line \(first.start.line)",
                        "choose another id"
                    )
                } else {
                    known[text] = id.node.span
                }
            } else if case .table = item.value, layer == .spec {
                add(
                    .missingKey,
                    SourceSpan(start: item.span.start, end: item.span.start),
                    "this escalation has no `id`",
                    nil
                )
            }
            return read(item, .table(keys), path: name)
        }
    }

    private func readList(
        _ items: [SyntaxNode],
        _ scalar: PolicyScalar,
        _ least: Int,
        _ span: SourceSpan,
        _ path: String
    ) -> Draft.Content {
        if items.count < least {
            add(.emptyList, span, "`\(path)` is empty", "name at least one")
            return .broken
        }
        var seen = FewStrings()
        var isWhole = true
        let drafts = items.compactMap { item -> Draft? in
            guard let value = readScalar(item.value, scalar, item.span, path) else {
                isWhole = false
                return nil
            }
            guard seen.insert(value.string ?? "") else {
                add(.repeatedItem, item.span, "`\(value.string ?? "")` is in this list already", "keep one of them")
                return nil
            }
            return Draft(content: .scalar(value), origin: origin(item.span))
        }
        // What could be read of a list is still checked; a list of which nothing could be is broken.
        return isWhole || !drafts.isEmpty ? .list(drafts) : .broken
    }

    private func readScalar(
        _ value: SyntaxValue,
        _ scalar: PolicyScalar,
        _ span: SourceSpan,
        _ path: String
    ) -> JSONValue? {
        do throws(ValueFault) {
            return try scalar.read(value)
        } catch {
            if path == "schema", error.code == .outOfRange {
                add(
                    .unknownSchema,
                    span,
                    "this compiler knows schema \(ModelPolicy.schemaVersion) and no other",
                    "write `schema = \(ModelPolicy.schemaVersion)`, or take a newer version of the tool"
                )
                return nil
            }
            let message =
                error.message.hasPrefix("this is to be ")
                ? "`\(path)` is to be " + error.message.dropFirst("this is to be ".count) : error.message
            add(error.code, span, message, error.help)
            return nil
        }
    }
}
