extension MeaningChecks {
    /// What a role requires of models; a broken part requires nothing.
    struct Requirement {
        var locality: String?
        var tier: Int?
        var contextTokens: Int?

        init(_ draft: Draft?) {
            locality = draft?["locality"]?.string
            tier = draft?["tier_at_least"]?.int
            contextTokens = draft?["context_tokens_at_least"]?.int
        }

        /// Which key of the requirement a model breaks.
        func broken(by model: ModelFacts) -> String? {
            if let locality, let other = model.locality, locality != other { return "locality = \"\(locality)\"" }
            if let tier, let other = model.tier, other < tier { return "tier_at_least = \(tier)" }
            if let contextTokens, let other = model.contextTokens, other < contextTokens {
                return "context_tokens_at_least = \(contextTokens)"
            }
            return nil
        }
    }

    func checkRoles() {
        for role in policy["roles"]?.entries ?? [] where !role.value.isBroken {
            let require = Requirement(role.value["require"])
            checkJudge(role)
            if checkAnyModelMeets(require, role) { checkListedModels(require, role) }
        }
    }

    private func checkJudge(_ role: DraftEntry) {
        guard role.name == "judge", let require = role.value["require"], !require.isBroken else { return }
        let locality = require["locality"]
        guard locality?.isBroken != true, locality?.string != "cloud" else { return }
        guard let origin = locality?.origin ?? role.keyOrigin else { return }
        diagnostics.add(
            .judgeAdmitsLocal,
            origin,
            "the role `judge` admits a local model, and a judge never is one",
            "say `require = { locality = \"cloud\" }`"
        )
    }

    private func checkAnyModelMeets(_ require: Requirement, _ role: DraftEntry) -> Bool {
        guard !models.isEmpty, models.values.allSatisfy({ require.broken(by: $0) != nil }) else { return true }
        guard let origin = role.value.entry("require")?.keyOrigin ?? role.keyOrigin else { return true }
        diagnostics.add(
            .requirementUnmet,
            origin,
            "no model of this policy meets what the role `\(role.name)` requires",
            "require less, or add a model that meets it"
        )
        return false
    }

    private func checkListedModels(_ require: Requirement, _ role: DraftEntry) {
        var lists = [role.value["models"]]
        lists += role.value["modes"]?.entries.map { $0.value["models"] } ?? []
        for item in lists.flatMap({ $0?.items ?? [] }) {
            guard let name = item.string, let model = models[name], let broken = require.broken(by: model),
                let origin = item.origin
            else { continue }
            if role.name == "judge", broken.hasPrefix("locality") {
                diagnostics.add(
                    .requirementBroken,
                    origin,
                    "the model `\(name)` runs on this machine, and a judge never does",
                    "take it out of the list"
                )
                continue
            }
            diagnostics.add(
                .requirementBroken,
                origin,
                "the model `\(name)` does not meet what the role `\(role.name)` requires: \(broken)",
                "take it out of the list, or require less"
            )
        }
    }

    /// Modes that no class of risk permits.
    func deniedModes() -> Set<String> {
        guard let high = policy["risk"]?["high"]?["deny_modes"], let low = policy["risk"]?["low"]?["deny_modes"]
        else { return [] }
        return Set(high.strings).intersection(low.strings)
    }

    func checkModes() {
        for name in deniedModes().sorted() {
            let item = policy["risk"]?["low"]?["deny_modes"]?.items.first { $0.string == name }
            guard let origin = item?.origin else { continue }
            diagnostics.add(
                .modeNeverPermitted,
                origin,
                "the mode `\(name)` is denied in both classes of risk, so it is never used",
                "permit it in one, or take the mode out"
            )
        }
    }

    func checkUnused(undefined: Set<PolicyNamespace>) {
        if !undefined.contains(.provider) {
            let used = Set((policy["models"]?.entries ?? []).compactMap { $0.value["provider"]?.string })
            let isWhole = (policy["models"]?.entries ?? []).allSatisfy { $0.value["provider"]?.string != nil }
            for provider in policy["providers"]?.entries ?? [] where isWhole && !used.contains(provider.name) {
                warnUnused("provider", provider, "no model is served by it")
            }
        }
        guard !undefined.contains(.model), let used = usedModels() else { return }
        for model in policy["models"]?.entries ?? [] where !used.contains(model.name) {
            warnUnused("model", model, "no role lists it and no escalation leads to it")
        }
    }

    private func warnUnused(_ what: String, _ entry: DraftEntry, _ why: String) {
        guard let origin = entry.keyOrigin else { return }
        diagnostics.add(.unused, origin, "the \(what) `\(entry.name)` is never used: \(why)", "use it, or take it out")
    }

    /// The models that a role lists or an escalation can lead to; nil when that is not known.
    private func usedModels() -> Set<String>? {
        var used: Set<String> = []
        for role in policy["roles"]?.entries ?? [] {
            guard let list = role.value["models"], !list.isBroken else { return nil }
            used.formUnion(list.strings)
            for mode in role.value["modes"]?.entries ?? [] { used.formUnion(mode.value["models"]?.strings ?? []) }
        }
        for escalation in policy["escalations"]?.items ?? [] {
            guard let tier = escalation["to"]?["tier_at_least"]?.int, let name = escalation["role"]?.string else {
                continue
            }
            let require = Requirement(policy["roles"]?[name]?["require"])
            for (name, model) in models where model.tier ?? 0 >= tier && require.broken(by: model) == nil {
                used.insert(name)
            }
        }
        return used
    }
}
