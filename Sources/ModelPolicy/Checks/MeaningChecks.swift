import JSONText

/// What the parts of a policy must mean together. Works on a draft with its defaults in place; what a diagnostic has
/// already said to be broken is passed over.
struct MeaningChecks {
    let policy: Draft
    let diagnostics: DiagnosticSink
    let names: DefinedNames
    let models: [String: ModelFacts]

    /// What is known of a model; nil where it is broken.
    struct ModelFacts {
        var locality: String?
        var tier: Int?
        var contextTokens: Int?
        var hasPrice: Bool
        var keyOrigin: SourceOrigin?
    }

    init(_ policy: Draft, diagnostics: DiagnosticSink) {
        self.policy = policy
        self.diagnostics = diagnostics
        names = DefinedNames(policy)
        models = (policy["models"]?.entries ?? []).reduce(into: [:]) { models, entry in
            let model = entry.value
            models[entry.name] = ModelFacts(
                locality: model["locality"]?.string,
                tier: model["tier"]?.int,
                contextTokens: model["context_tokens"]?.int,
                hasPrice: model["price_per_mtok"] != nil || model.isBroken,
                keyOrigin: entry.keyOrigin
            )
        }
    }

    func run() {
        var references = ReferenceCheck(names: names, diagnostics: diagnostics)
        references.check(policy)
        checkNotEmpty()
        checkRoles()
        checkModes()
        checkEscalations()
        checkBudgets()
        checkGates()
        checkApprovals()
        checkPatterns()
        checkUnused(undefined: references.undefinedNamespaces)
    }

    private func checkNotEmpty() {
        for key in ["providers", "models", "roles"] {
            guard let table = policy[key], !table.isBroken, table.entries.isEmpty, let origin = table.origin else {
                continue
            }
            diagnostics.add(.emptyList, origin, "`\(key)` is empty", "define at least one")
        }
        for gate in policy["gates"]?.entries ?? [] where !gate.value.isBroken && gate.value.entries.isEmpty {
            guard let origin = gate.keyOrigin else { continue }
            diagnostics.add(.emptyList, origin, "the gate `\(gate.name)` compares nothing", "add a metric with a bound")
        }
    }

    private func checkBudgets() {
        guard let budgets = policy["budgets"] else { return }
        if let warn = budgets["warn_at"], let stop = budgets["stop_at"], let warnAt = warn.int, let stopAt = stop.int,
            warnAt > stopAt, let origin = warn.origin ?? stop.origin
        {
            diagnostics.add(
                .warnAfterStop,
                origin,
                "the budget warns at \(Ratio(millionths: Int64(warnAt))), after it stops at "
                    + "\(Ratio(millionths: Int64(stopAt)))",
                "let `warn_at` be at most `stop_at`"
            )
        }
        guard let budget = budgets["per_run_usd"], !budget.isBroken else { return }
        for (name, model) in models.sorted(by: { $0.key < $1.key }) where !model.hasPrice && model.locality != nil {
            guard let origin = model.keyOrigin else { continue }
            diagnostics.add(
                .missingPrice,
                origin,
                "the model `\(name)` has no price, and `budgets.per_run_usd` needs one",
                "add `price_per_mtok = { input = …, output = … }`"
            )
        }
    }

    private func checkGates() {
        for gate in policy["gates"]?.entries ?? [] {
            for metric in gate.value.entries where !metric.value.isBroken {
                let (most, least) = (metric.value["at_most"], metric.value["at_least"])
                if most == nil, least == nil, let origin = metric.keyOrigin {
                    diagnostics.add(
                        .missingBound,
                        origin,
                        "`gates.\(gate.name).\(metric.name)` has no bound",
                        "add `at_most` or `at_least`"
                    )
                }
                if let most, let least, let high = most.int, let low = least.int, low > high, let origin = least.origin
                {
                    diagnostics.add(
                        .contradictoryBounds,
                        origin,
                        "`at_least` is above `at_most`, so this gate never passes",
                        "let `at_least` be at most `at_most`"
                    )
                }
            }
        }
    }

    private func checkApprovals() {
        guard let mode = policy["enforcement"]?["approvals"], let word = mode.string, word != "observe",
            let approvals = policy["approvals"], !approvals.isBroken, approvals["signers"] == nil,
            let origin = mode.origin
        else { return }
        diagnostics.add(
            .missingSigners,
            origin,
            "`enforcement.approvals` is `\(word)`, and `approvals.signers` names no file",
            "add `signers = \"policy/allowed_signers\"` to `[approvals]`"
        )
    }

    private func checkPatterns() {
        for key in ["allow", "tighten_only"] {
            for item in policy["overrides"]?[key]?.items ?? [] {
                guard let text = item.string, let origin = item.origin else { continue }
                checkPattern(text, key, origin)
            }
        }
    }

    private func checkPattern(_ text: String, _ key: String, _ origin: SourceOrigin) {
        let pattern = KeyPattern(text)
        let first = pattern.parts.first.map(String.init) ?? ""
        guard let leaves = pattern.leaves, !PolicyLanguage.fixedKeys.contains(first), first != "schema", first != "*"
        else {
            let paths = Self.patternWords
            diagnostics.add(
                .patternMatchesNothing,
                origin,
                "`\(text)` is no key that a spec may change",
                diagnostics.suggestion(for: text, among: paths)
                    ?? "write a key of the language, such as `roles.*.models`"
            )
            return
        }
        if key == "tighten_only", !leaves.contains(where: { $0.strictness != .none }) {
            diagnostics.add(
                .noStrictness,
                origin,
                "`\(text)` has no order of strictness, so no change to it would be stricter",
                "take it out; a key that is not named cannot be changed at all"
            )
        }
    }

    private static let patternWords: [String] = {
        func paths(_ kind: PolicyKind, _ path: String) -> [String] {
            switch kind {
            case .table(let keys):
                keys.flatMap { key in
                    let name = path.isEmpty ? key.name : "\(path).\(key.name)"
                    return [name] + paths(key.kind, name)
                }
            case .named(_, let element): ["\(path).*"] + paths(element, "\(path).*")
            case .entries(let keys): ["\(path).*"] + paths(.table(keys), "\(path).*")
            case .list, .scalar: []
            }
        }
        return paths(.table(PolicyLanguage.keys.filter { !PolicyLanguage.fixedKeys.contains($0.name) }), "")
    }()
}
