import Ledger
import ModelPolicy

/// A compiled policy for people.
struct PolicyView {
    private let policy: CompiledPolicy
    private let id: String

    init(_ policy: CompiledPolicy, id: String) {
        self.policy = policy
        self.id = id
    }

    var lines: [String] {
        var lines = heading
        lines += section("roles", roles)
        lines += section("escalations", policy.escalations.map(words))
        lines += section("models", models)
        lines += section("gates", policy.gates.map { "\($0.name): \($0.value.map(words).joined(separator: ", "))" })
        return lines.map(Printable.escape)
    }

    private var heading: [String] {
        let budget = policy.budgets.perRun.map { "$\($0) a run" } ?? "no limit in money"
        let enforcement = policy.enforcement
        var facts = [
            ("policy", "\(policy.name) \(policy.version)"), ("snapshot", id), ("owner", policy.owner),
            ("stages", policy.stages.joined(separator: ", ")),
            ("budget", "\(budget), warns at \(policy.budgets.warnAt), stops at \(policy.budgets.stopAt)"),
            ("capture", policy.capture.rawValue),
            (
                "enforced",
                "routing \(enforcement.routing), budgets \(enforcement.budgets), gates \(enforcement.gates), "
                    + "approvals \(enforcement.approvals)"
            ),
            ("high risk", words(policy.high)), ("low risk", words(policy.low)),
        ]
        if let effective = policy.effective { facts.insert(("effective", "from \(effective)"), at: 3) }
        if !policy.budgets.tokens.isEmpty {
            let tokens = policy.budgets.tokens.map { "\($0.name) \(Human.count($0.value))" }
            facts.insert(("tokens", tokens.joined(separator: ", ")), at: facts.count - 4)
        }
        return facts.map { "\($0.padding(11))\($1)" }
    }

    private func section(_ title: String, _ lines: [String]) -> [String] {
        lines.isEmpty ? [] : ["", title] + lines.map { "  \($0)" }
    }

    private var roles: [String] {
        policy.roles.flatMap { role -> [String] in
            var line = "\(role.name): \(role.value.models.joined(separator: ", then "))"
            if role.value.startMode != Role.defaultMode { line += "; begins in \(role.value.startMode)" }
            let require = words(role.value.require)
            if !require.isEmpty { line += "; every model \(require)" }
            return [line]
                + role.value.modes.map { mode in
                    let gate = mode.value.gate.map { ", once \($0) has passed" } ?? ""
                    return "  in \(mode.name) (\(mode.value.stages.joined(separator: ", "))\(gate)): "
                        + mode.value.models.joined(separator: ", then ")
                }
        }
    }

    private var models: [String] {
        var columns = Columns([
            ("model", .left), ("provider", .left), ("where", .left), ("tier", .right), ("context", .right),
            ("$ in/Mtok", .right), ("$ out/Mtok", .right),
        ])
        for model in policy.models {
            columns.add([
                model.name, "\(model.value.provider)/\(model.value.id)", model.value.locality.rawValue,
                "\(model.value.tier)", Human.count(model.value.contextTokens), million(model.value.price?.input),
                million(model.value.price?.output),
            ])
        }
        return columns.lines(width: nil)
    }

    /// The price of a million tokens: picodollars a token are microdollars a million.
    private func million(_ price: USD?) -> String {
        price.flatMap { USD(microdollars: $0.picodollars) }.map { "\($0)" } ?? ""
    }

    private func words(_ require: Requirements) -> String {
        var words: [String] = []
        if let locality = require.locality { words.append("in locality \(locality)") }
        if let tier = require.tierAtLeast { words.append("of tier \(tier) or more") }
        if let tokens = require.contextTokensAtLeast { words.append("with \(Human.count(tokens)) tokens of context") }
        return words.joined(separator: ", ")
    }

    private func words(_ rules: RiskRules) -> String {
        let denied = rules.denyModes.isEmpty ? "" : ", without \(rules.denyModes.joined(separator: ", "))"
        return "evidence \(rules.evidence)\(denied)"
    }

    private func words(_ escalation: Escalation) -> String {
        var conditions: [String] = []
        if let mode = escalation.mode { conditions.append("in \(mode)") }
        if let attempts = escalation.failedAttempts { conditions.append("after \(attempts) failed attempts") }
        if let confidence = escalation.confidenceBelow { conditions.append("with confidence below \(confidence)") }
        var ways: [String] = []
        if let mode = escalation.toMode { ways.append("go on in \(mode)") }
        if let tier = escalation.toTierAtLeast { ways.append("take a model of tier \(tier) or more") }
        if escalation.thenHuman { ways.append("ask a human") }
        let when = conditions.joined(separator: ", ")
        return "\(escalation.id): \(escalation.role) \(when): \(ways.joined(separator: ", then "))"
    }

    private func words(_ criterion: (name: String, value: Criterion)) -> String {
        var words = [criterion.name]
        if let least = criterion.value.atLeast { words.append("≥ \(least)") }
        if let most = criterion.value.atMost { words.append("≤ \(most)") }
        return words.joined(separator: " ")
    }
}
