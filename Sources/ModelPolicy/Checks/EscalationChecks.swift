extension MeaningChecks {
    func checkEscalations() {
        let escalations = policy["escalations"]?.items ?? []
        for escalation in escalations where !escalation.isBroken {
            checkLimits(escalation)
            checkTarget(escalation)
            checkCanFire(escalation)
        }
        for role in policy["roles"]?.entries ?? [] {
            checkCircles(escalations.filter { $0["role"]?.string == role.name }, role.name)
        }
    }

    private func id(_ escalation: Draft) -> String { escalation["id"]?.string ?? "?" }

    private func place(_ escalation: Draft, _ key: String) -> SourceOrigin? {
        escalation.entry(key)?.keyOrigin ?? escalation.origin
    }

    private func checkLimits(_ escalation: Draft) {
        guard let when = escalation["when"], !when.isBroken else { return }
        guard when["failed_attempts"] == nil, when["confidence_below"] == nil else { return }
        guard let origin = place(escalation, "when") else { return }
        diagnostics.add(
            .escalationWithoutLimit,
            origin,
            "`\(id(escalation))` has no limit that would make it fire",
            "add `failed_attempts` or `confidence_below` to `when`"
        )
    }

    private func checkTarget(_ escalation: Draft) {
        guard let to = escalation["to"], !to.isBroken, let origin = place(escalation, "to") else { return }
        let tier = to["tier_at_least"]
        if to["mode"] == nil, tier == nil, to["then"] == nil {
            diagnostics.add(
                .escalationWithoutTarget,
                origin,
                "`\(id(escalation))` leads nowhere",
                "add `mode`, `tier_at_least` or `then` to `to`"
            )
        }
        guard let tier, let least = tier.int, let role = escalation["role"]?.string, !models.isEmpty,
            let origin = tier.origin
        else { return }
        let require = Requirement(policy["roles"]?[role]?["require"])
        let isMet = models.values.contains { require.broken(by: $0) == nil && $0.tier ?? .max >= least }
        guard !isMet else { return }
        diagnostics.add(
            .escalationWithoutTarget,
            origin,
            "no model of tier \(least) or above may serve the role `\(role)`, so `\(id(escalation))` leads to none",
            "lower the tier, or add such a model"
        )
    }

    private func checkCanFire(_ escalation: Draft) {
        let denied = deniedModes()
        if let mode = escalation["when"]?["mode"], let name = mode.string, denied.contains(name),
            let origin = mode.origin
        {
            diagnostics.add(
                .escalationNeverFires,
                origin,
                "`\(id(escalation))` never fires: no class of risk permits the mode `\(name)`",
                "permit the mode in one class, or take the escalation out"
            )
        }
        if let mode = escalation["to"]?["mode"], let name = mode.string, denied.contains(name), let origin = mode.origin
        {
            diagnostics.add(
                .escalationNeverFires,
                origin,
                "`\(id(escalation))` leads to the mode `\(name)`, which no class of risk permits",
                "lead to another mode"
            )
        }
    }

    /// Modes are left for others by escalations; a way that comes back would try again what has failed.
    private func checkCircles(_ escalations: [Draft], _ role: String) {
        guard let modes = names.modesByRole[role], modes.count <= PolicyLimits.modes + 1 else { return }
        var ways: [String: Set<String>] = [:]
        for escalation in escalations {
            guard let target = escalation["to"]?["mode"], let to = target.string, let origin = target.origin,
                escalation["when"]?.isBroken == false, escalation["when"]?["mode"]?.isBroken != true
            else { continue }
            let from = escalation["when"]?["mode"]?.string.map { [$0] } ?? modes.filter { $0 != to }.sorted()
            guard !from.isEmpty else {
                diagnostics.add(
                    .escalationNeverFires,
                    origin,
                    "`\(id(escalation))` never fires: the role has no other mode than `\(to)`",
                    "lead to another mode, to a tier or to a human"
                )
                continue
            }
            let reached = Self.reached(from: to, ways)
            if let back = from.first(where: reached.contains) {
                diagnostics.add(
                    .escalationCircle,
                    origin,
                    "`\(id(escalation))` goes in a circle: from `\(back)` to `\(to)`, which leads back to `\(back)`",
                    "lead to another mode, to a tier or to a human"
                )
                continue
            }
            for mode in from { ways[mode, default: []].insert(to) }
        }
    }

    /// The modes that the ways lead to from a mode, itself among them.
    private static func reached(from start: String, _ ways: [String: Set<String>]) -> Set<String> {
        var reached: Set<String> = [start]
        var waiting = [start]
        while let mode = waiting.popLast() {
            for next in ways[mode] ?? [] where reached.insert(next).inserted { waiting.append(next) }
        }
        return reached
    }
}
