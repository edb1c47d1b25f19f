import ModelPolicy

extension GateCheck {
    /// Compiles each layer on both sides, and compares the meanings.
    mutating func compareLayers() {
        guard let result = head.workspace, let snapshot = result.snapshot else { return }
        let old = base?.workspace?.snapshot
        let diff = old.map { PolicyDiff(from: $0.policy, to: snapshot.policy) }
        report.layers.append(
            GateLayer(spec: nil, base: old, head: snapshot, result: result, diff: diff, own: diff?.changes ?? [])
        )
        let names = Set(head.specNames.keys).union(base?.specs.keys.map(\.self) ?? []).sorted()
        if names.count > GateLimits.specs {
            tell(
                .beyondLimit,
                path: PolicyGate.specsFolder,
                line: 1,
                "there are \(names.count) specs with a file, and at most \(GateLimits.specs) are looked at"
            )
        }
        for spec in names.prefix(GateLimits.specs) { compare(spec: spec, workspace: diff?.changes ?? []) }
    }

    private mutating func compare(spec: String, workspace: [PolicyDiff.Change]) {
        guard let result = head.compile(spec: spec) else { return }
        report.diagnostics += result.diagnostics.filter { $0.layer == .spec }
        guard let snapshot = result.snapshot else { return }
        let old = base?.compile(spec: spec)?.snapshot
        let diff = old.map { PolicyDiff(from: $0.policy, to: snapshot.policy) }
        let own = (diff?.changes ?? []).filter { change in
            !workspace.contains { $0.path == change.path && $0.old == change.old && $0.new == change.new }
        }
        report.layers.append(
            GateLayer(spec: spec, base: old, head: snapshot, result: result, diff: diff, own: own)
        )
    }

    /// A changed meaning has a higher version, and the changelog an entry for it.
    mutating func checkVersion() {
        guard let base, let old = ruling, let start = base.workspace?.snapshot?.policy,
            let new = head.workspace?.snapshot?.policy
        else { return }
        // Each layer's diff says how much changed; the most counts.
        let changed = report.layers.compactMap { layer in layer.diff?.level.map { (layer, $0) } }
        if let (layer, level) = changed.max(by: { $0.1 < $1.1 }) {
            report.level = level
            checkVersion(start, old, new, level, Self.reason(layer, level))
        } else if let before = SemanticVersion(start.version), let after = SemanticVersion(new.version), after < before
        {
            tellVersion(.versionLowered, "the version goes back from \(start.version) to \(new.version)", "raise it")
        }
        if start.version != new.version || !changed.isEmpty { checkChangelog(new.version) }
    }

    private mutating func checkVersion(
        _ start: CompiledPolicy,
        _ ruling: CompiledPolicy,
        _ new: CompiledPolicy,
        _ level: PolicyBump.Level,
        _ reason: String
    ) {
        // A branch that fell behind is held against what the other branch has meanwhile.
        let versions = [start.version, ruling.version].compactMap { text in SemanticVersion(text).map { (text, $0) } }
        guard let (text, old) = versions.max(by: { $0.1 < $1.1 }), let after = SemanticVersion(new.version) else {
            return
        }
        let least = PolicyBump.raised(text, level)
        let help =
            "'capsule-tool policy bump --base REV' writes \(least), an entry of the changelog, and drafts of scenarios"
        if after < old {
            tellVersion(.versionLowered, "the version goes back from \(text) to \(new.version); \(reason)", help)
        } else if !(old < after) {
            tellVersion(.versionNotRaised, "the version is still \(new.version), and \(reason)", help)
        } else if !level.isMet(from: old, to: after) {
            let words = "\(text) to \(new.version) is no \(level.rawValue) version, and \(reason)"
            tellVersion(.versionRaisedTooLittle, words, "raise it to \(least) or higher")
        }
    }

    private mutating func tellVersion(_ code: DiagnosticCode, _ message: String, _ help: String) {
        tell(code, rule: "policy.version", in: head.workspace, message, help)
    }

    private static func reason(_ layer: GateLayer, _ level: PolicyBump.Level) -> String {
        let changes = layer.diff?.changes.filter { $0.path != "policy.version" } ?? []
        let first = changes.first { PolicyDiff.level(of: $0) == level } ?? changes.first
        let what = first.map { "`\($0.path)` " + ($0.new == nil ? "went" : $0.old == nil ? "came" : "changed") } ?? ""
        let more = changes.count > 1 ? ", with \(changes.count - 1) more" : ""
        return layer.spec.map { "for spec \($0) \(what)\(more)" } ?? what + more
    }

    private mutating func checkChangelog(_ version: String) {
        guard let file = head.changelog else {
            return tell(
                .changelogEntryMissing,
                rule: "policy.version",
                in: head.workspace,
                "there is no \(PolicyGate.changelog), and so no entry for \(version)",
                "write one with a heading `## \(version)`; 'capsule-tool policy bump' drafts it"
            )
        }
        let changelog = PolicyChangelog(file.bytes)
        guard let entry = changelog.entry(version) else {
            let newest = changelog.entries.first.map { "; the newest is for \($0.version)" } ?? ""
            return tell(
                .changelogEntryMissing,
                path: file.name,
                line: changelog.entries.first?.line ?? 1,
                "there is no entry for \(version)\(newest)",
                "begin one with `## \(version)`"
            )
        }
        report.entry = entry
        guard !entry.saysSomething else { return }
        tell(
            .changelogEntryEmpty,
            path: file.name,
            line: entry.line,
            "the entry for \(version) says nothing",
            "say what changed, and why"
        )
    }
}
