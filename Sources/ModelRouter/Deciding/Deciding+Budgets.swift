/// What the overrides that count add up to.
struct OverrideSums {
    var usd = USD.zero
    var tokens = 0
    var gates: Set<String> = []
    var breaksGlass = false

    init(_ overrides: [RoutingOverride], now: Int64, stage: String?) {
        for override in overrides where override.counts(at: now) {
            switch override.effect {
            case .money(let amount): usd = usd.adding(amount) ?? usd
            case .tokens(let name, let count):
                if name == stage { tokens = min(tokens + max(count, 0), RoutingLimits.tokens) }
            case .gate(let gate): gates.insert(gate)
            case .breakGlass: breaksGlass = true
            }
        }
    }
}

/// Budgets: what a call reserves, whether it fits, and which thresholds it passes.
extension Deciding {
    static let moneyRule = "budgets.per_run_usd"

    /// The rule of the stage's tokens that count here.
    var tokenRule: String { Self.rule(of: tokenBudget, program) }

    private static func rule(of budget: (stage: String, limit: Int, used: Int)?, _ program: RouterProgram) -> String {
        budget.flatMap { program.tokenRules[$0.stage] } ?? "budgets.tokens"
    }

    /// Input and output of a call; nil if the context does not hold them.
    ///
    /// An input that nobody stated counts as all that fits, so that leaving it out never makes a call cheaper.
    func tokens(of model: Model) -> (input: Int, output: Int)? {
        let most = min(model.maxOutputTokens ?? model.contextTokens, model.contextTokens)
        guard let input = request.inputTokens else {
            let output = min(request.maxOutputTokens ?? most, most)
            return (model.contextTokens - output, output)
        }
        guard input < model.contextTokens else { return nil }
        guard let wished = request.maxOutputTokens else { return (input, min(most, model.contextTokens - input)) }
        let output = min(wished, most)
        return output <= model.contextTokens - input ? (input, output) : nil
    }

    /// What a call costs at most; nil where money is limited and no price is known.
    func cost(of model: Model, _ input: Int, _ output: Int) -> USD? {
        guard let price = model.price else { return policy.budgets.perRun == nil ? .zero : nil }
        // Whatever of the input the provider has cached or caches.
        let dearest = max(price.input, price.cacheRead, price.cacheWrite)
        guard let ofInput = dearest.multiplied(by: Int64(input)),
            let ofOutput = price.output.multiplied(by: Int64(output))
        else { return nil }
        return ofInput.adding(ofOutput)
    }

    /// The money of the run, with overrides; nil where it is not limited.
    var moneyLimit: USD? {
        policy.budgets.perRun.map { $0.adding(overrides.usd) ?? USD(picodollars: .max) }
    }

    /// The stage whose tokens count, and its limit with overrides; nil where none is limited.
    ///
    /// Work of no known stage counts for every stage, and must fit the one of which the least is left.
    var tokenBudget: (stage: String, limit: Int, used: Int)? {
        let unstaged = derived.tokens[""] ?? 0
        if let stage {
            guard let limit = policy.budgets.tokens[stage] else { return nil }
            return (stage, Self.sum(limit, overrides.tokens), Self.sum(derived.tokens[stage] ?? 0, unstaged))
        }
        var tightest: (stage: String, limit: Int, used: Int)?
        for (stage, limit) in policy.budgets.tokens {
            let used = Self.sum(derived.tokens[stage] ?? 0, unstaged)
            if let found = tightest, found.limit - found.used <= limit - used { continue }
            tightest = (stage, limit, used)
        }
        return tightest
    }

    private static func sum(_ left: Int, _ right: Int) -> Int {
        let (sum, overflow) = left.addingReportingOverflow(right)
        return overflow ? .max : sum
    }

    /// Money settled and reserved before this decision.
    var usedMoney: USD { derived.spent.adding(derived.reserved) ?? USD(picodollars: .max) }

    /// The budget that a call does not fit into; nil if it fits.
    mutating func budgetBar(_ amount: RoutingDecision.Amount) -> RoutingDecision.Candidate.Verdict? {
        var bar: RoutingDecision.Candidate.Verdict?
        if let limit = moneyLimit {
            let after = usedMoney.adding(amount.usd) ?? USD(picodollars: .max)
            // A budget of nothing serves nothing, a call that costs nothing included.
            if limit == .zero || after > limit.multiplied(by: policy.budgets.stopAt) {
                bar = .budgetUSD
                blockedBudgets.insert(Self.moneyRule)
            } else if let base = policy.budgets.perRun, after > base.multiplied(by: policy.budgets.stopAt) {
                note(.override)
            }
        }
        if let budget = tokenBudget {
            let after = Self.sum(budget.used, amount.tokens)
            if budget.limit == 0 || after > Self.share(policy.budgets.stopAt, of: budget.limit) {
                bar = bar ?? .budgetTokens
                blockedBudgets.insert(Self.rule(of: budget, program))
            } else if overrides.tokens > 0,
                after > Self.share(policy.budgets.stopAt, of: budget.limit - overrides.tokens)
            {
                note(.override)
            }
        }
        if bar != nil, overrides.breaksGlass {
            note(.override)
            return nil
        }
        return bar
    }

    private static func share(_ ratio: Ratio, of limit: Int) -> Int {
        Int(clamping: USD(picodollars: Int64(limit)).multiplied(by: ratio).picodollars)
    }

    func budgetView(after result: RoutingDecision.Result) -> RoutingDecision.BudgetView {
        let tokens = tokenBudget
        let before = RoutingDecision.Amount(usd: usedMoney, tokens: tokens?.used ?? 0)
        var after = before
        if case .model(let choice) = result {
            after.usd = before.usd.adding(choice.reserved.usd) ?? USD(picodollars: .max)
            after.tokens = Self.sum(before.tokens, tokens == nil ? 0 : choice.reserved.tokens)
        }
        return RoutingDecision.BudgetView(
            limitUSD: moneyLimit,
            limitTokens: tokens?.limit,
            stage: tokens?.stage,
            before: before,
            after: after
        )
    }

    /// The thresholds that are passed now and were not before, each once for a limit.
    func alerts(
        _ budget: RoutingDecision.BudgetView,
        _ result: RoutingDecision.Result
    ) -> [BudgetAlert] {
        var alerts: [BudgetAlert] = []
        func look(_ rule: String, used: Int64, limit: Int64, warnAt: Int64) {
            let isBlocked = !blockedBudgets.isEmpty && blockedBudgets.contains(rule)
            for level in BudgetAlert.Level.allCases {
                let isPassed = level == .stop ? isBlocked : limit > 0 && used >= warnAt
                guard isPassed else { continue }
                let kind = BudgetAlert.Kind(rule, level)
                guard derived.alerts[kind].map({ $0 < limit }) ?? true else { continue }
                alerts.append(BudgetAlert(kind, used: used, limit: limit))
            }
        }
        if let limit = budget.limitUSD {
            let warn = limit.multiplied(by: policy.budgets.warnAt).picodollars
            look(
                Self.moneyRule,
                used: budget.after.usd.picodollars,
                limit: limit.picodollars,
                warnAt: max(warn, 1)
            )
        }
        if let limit = budget.limitTokens {
            let warn = Self.share(policy.budgets.warnAt, of: limit)
            look(tokenRule, used: Int64(budget.after.tokens), limit: Int64(limit), warnAt: Int64(max(warn, 1)))
        }
        return alerts
    }
}
