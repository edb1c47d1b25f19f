import ModelPolicy

/// What changes the gate itself. Each holds from the next change on, so each is told; approvals decide.
extension GateCheck {
    mutating func checkGate(_ rules: GateRules) {
        for path in input.touched.sorted() where rules.checks.contains(where: { Self.matches(path, $0) }) {
            tell(
                .checksChanged,
                path: path,
                line: 1,
                "this may be what runs the gate, and the change touches it",
                "let the owners of the pipeline look at it"
            )
        }
        guard base != nil, let old = ruling, let new = head.workspace?.snapshot?.policy else { return }
        compare(old.enforcement, new.enforcement)
        compare(old.approvals, new.approvals)
        compareSigners(old, new)
        compareRules(rules)
    }

    private static func matches(_ path: String, _ pattern: String) -> Bool {
        pattern.hasSuffix("/") ? path.hasPrefix(pattern) : path == pattern
    }

    private mutating func compare(_ old: Enforcement, _ new: Enforcement) {
        let parts = [
            ("routing", old.routing, new.routing), ("budgets", old.budgets, new.budgets),
            ("gates", old.gates, new.gates),
            ("approvals", old.approvals, new.approvals),
        ]
        let order = EnforcementMode.allCases
        for (name, before, after) in parts where order.firstIndex(of: after) ?? 0 < order.firstIndex(of: before) ?? 0 {
            tell(
                .enforcementLowered,
                rule: "enforcement.\(name)",
                in: head.workspace,
                "\(name) goes from \(before.rawValue) to \(after.rawValue), from the next change on"
            )
        }
    }

    private mutating func compare(_ old: Approvals, _ new: Approvals) {
        if new.required < old.required {
            tellRule("required", "\(new.required) instead of \(old.required) persons must approve")
        }
        if old.excludeAuthor, !new.excludeAuthor { tellRule("exclude_author", "authors may approve their own change") }
        if old.signers != new.signers {
            tellRule("signers", "the list is \(new.signers ?? "none") instead of \(old.signers ?? "none")")
        }
    }

    private mutating func tellRule(_ key: String, _ words: String) {
        tell(.approvalRulesChanged, rule: "approvals.\(key)", in: head.workspace, "\(words), from the next change on")
    }

    private mutating func compareSigners(_ old: CompiledPolicy, _ new: CompiledPolicy) {
        guard let path = new.approvals.signers, let file = head.file(path) else { return }
        report.diagnostics += AllowedSigners.read(file).diagnostics
        let oldFile = (old.approvals.signers ?? path)
        let before = rulingSide.file(oldFile).map { Set(Self.lines($0.bytes)) } ?? []
        let after = Self.lines(file.bytes)
        guard !before.isEmpty || base?.file(oldFile) != nil else { return }
        for (number, line) in after.enumerated() where !before.contains(line) && !Self.isBlank(line) {
            tell(.signersChanged, path: path, line: number + 1, "this signer is not in the list of the base")
        }
        let kept = Set(after)
        let gone = before.count { !kept.contains($0) && !Self.isBlank($0) }
        if gone > 0 {
            let words = "\(gone) line\(gone == 1 ? "" : "s") of the base's list \(gone == 1 ? "is" : "are") not here"
            tell(.signersChanged, path: path, line: 1, words)
        }
    }

    private static func isBlank(_ line: ArraySlice<UInt8>) -> Bool {
        let first = line.first { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }
        return first == nil || first == UInt8(ascii: "#")
    }

    private mutating func compareRules(_ rules: GateRules) {
        let new = head.rulesFile.map { GateRules.read($0).rules } ?? GateRules()
        guard let new else { return }
        let text = head.rulesFile.map { Self.lines($0.bytes) } ?? []
        func line(_ key: String) -> Int { (text.firstIndex { $0.starts(with: key.utf8) } ?? 0) + 1 }
        func told(_ key: String, _ words: String) {
            tell(.testRulesLowered, path: PolicyGate.rules, line: line(key), "\(words), from the next change on")
        }
        if new.minCoverage < rules.minCoverage {
            told("min_coverage", "\(new.minCoverage) % coverage are asked for instead of \(rules.minCoverage) %")
        }
        if rules.golden != nil, new.golden != rules.golden {
            told("golden", "the golden file is \(new.golden ?? "none") instead of \(rules.golden ?? "none")")
        }
        if !Set(rules.checks).isSubset(of: new.checks) { told("checks", "fewer files are watched") }
    }
}
