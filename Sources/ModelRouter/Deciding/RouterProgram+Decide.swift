extension RouterProgram {
    /// Decides. Pure and total: the same inputs give the same decision, and every input has one.
    ///
    /// Cost: some microseconds, and the more the more models the role and the tier have.
    public func decide(_ request: RoutingRequest, _ derived: DerivedInputs) -> RoutingDecision {
        var deciding = Deciding(program: self, request: request, derived: derived)
        return deciding.run()
    }
}

/// One decision on its way.
struct Deciding {
    let program: RouterProgram
    let request: RoutingRequest
    let derived: DerivedInputs
    /// The time that is judged by.
    let now: Int64
    let risk: RiskClass
    let stage: String?
    let overrides: OverrideSums
    var causes: [RoutingDecision.Cause] = []
    var candidates: [RoutingDecision.Candidate] = []
    var exceptions: [RoutingDecision.Exception] = []
    var escalation: RoutingDecision.FiredEscalation?
    var mode: String?
    /// Whether a budget stood in the way of a candidate, and which.
    var blockedBudgets: Set<String> = []

    init(program: RouterProgram, request: RoutingRequest, derived: DerivedInputs) {
        self.program = program
        self.request = request
        self.derived = derived
        let now = RoutingRequest.times.contains(request.now) ? max(request.now, derived.latest) : derived.latest
        self.now = now
        // A request raises the risk of the run and never lowers it.
        risk = derived.risk == .high || (request.risk.map { $0 != "low" } ?? false) ? .high : .low
        stage = request.stage ?? derived.stage
        overrides = OverrideSums(derived.overrides, now: now, stage: stage)
    }

    var policy: CompiledPolicy { program.policy }

    mutating func run() -> RoutingDecision {
        if let member = request.invalidMember { return refuse(.invalidInput, rule: "asserted.\(member)") }
        if !derived.hasRoomForTask { return refuse(.tooManyTasks, rule: "asserted.task") }
        if program.isBuiltin { return refuse(.loadFailure, rule: "roles", cause: .loadFailure) }
        guard let role = program.roles[request.role] else { return refuse(.unknownRole, rule: "roles") }
        if let stage, !policy.stages.contains(stage) { return refuse(.unknownStage, rule: "stages") }
        if let wished = request.mode, wished != Role.defaultMode, role.modes[wished] == nil {
            return refuse(.unknownMode, rule: "roles.\(role.name).modes")
        }
        switch derived.task.answer {
        case .stop?: return refuse(.humanStopped, rule: "human.answer", cause: .human)
        case .model(let name)?:
            let mode = startMode(role)
            self.mode = mode
            // A human's word holds until what made the router ask holds again.
            return escalate(role, from: mode) ?? route(role, answered: name)
        case .proceed?, nil: break
        }
        if derived.task.asked != nil, derived.task.answer == nil { return askAgain() }
        let mode = startMode(role)
        self.mode = mode
        return escalate(role, from: mode) ?? route(role, in: mode, state: derived.task)
    }

    // MARK: Modes

    /// The mode that the task is in before escalations: what an escalation led to, what is wished for, or the role's
    /// start mode; the default mode where that is not permitted.
    private mutating func startMode(_ role: RouterProgram.RoleProgram) -> String {
        let wished = derived.task.mode ?? request.mode ?? role.role.startMode
        guard let bar = bar(to: wished, of: role) else { return wished }
        causes.append(bar)
        return Role.defaultMode
    }

    /// What forbids a mode here; nil if nothing does. A gate that is not enforced is noted and forbids nothing.
    private mutating func bar(to name: String, of role: RouterProgram.RoleProgram) -> RoutingDecision.Cause? {
        guard name != Role.defaultMode else { return nil }
        guard let mode = role.modes[name]?.mode else { return .stage }
        if policy[risk].denyModes.contains(name) { return .risk }
        guard let stage, mode.stages.contains(stage) else {
            // A mode for every stage is for work outside of any as well.
            if stage != nil || mode.stages.count < policy.stages.count { return .stage }
            return gateBar(mode)
        }
        return gateBar(mode)
    }

    private mutating func gateBar(_ mode: Mode) -> RoutingDecision.Cause? {
        guard let gate = mode.gate else { return nil }
        let verdict = GateVerdict(gate, policy.gates[gate], derived.gates[gate] ?? [:], now: now)
        if verdict.isPassed { return nil }
        if overrides.gates.contains(gate) || overrides.breaksGlass {
            note(.override)
            return nil
        }
        guard derived.enforcement.gates != .enforce else { return .gate }
        note(RoutingDecision.Exception(part: .gates, mode: derived.enforcement.gates, reason: "gate-not-passed"))
        return nil
    }

    // MARK: Escalations

    /// The decision of the first escalation whose conditions hold; nil if none does.
    private mutating func escalate(_ role: RouterProgram.RoleProgram, from mode: String) -> RoutingDecision? {
        for rule in role.escalations where holds(rule, in: mode) {
            if derived.task.fired[rule.id] != nil {
                guard rule.thenHuman else { continue }
                return ask(rule)
            }
            var state = derived.task
            if let next = rule.toMode {
                guard next == Role.defaultMode || bar(to: next, of: role) == nil else { continue }
                state.mode = next
            }
            if rule.toMode == nil, rule.toTierAtLeast == nil { return ask(rule) }
            state.tierAtLeast = max(state.tierAtLeast, rule.toTierAtLeast ?? 0)
            state.excluded = state.tried
            let next = state.mode ?? mode
            self.mode = next
            escalation = RoutingDecision.FiredEscalation(
                id: rule.id,
                mode: rule.toMode,
                tierAtLeast: rule.toTierAtLeast
            )
            state.fired[rule.id] = TaskState.Fired(attempts: state.attempts, settled: state.settled)
            return route(role, in: next, state: state, escalatedBy: rule)
        }
        return nil
    }

    /// Whether an escalation's conditions hold by what came after it last fired.
    private func holds(_ rule: Escalation, in mode: String) -> Bool {
        if let needed = rule.mode, needed != mode { return false }
        let fired = derived.task.fired[rule.id]
        if let attempts = rule.failedAttempts {
            guard derived.task.attempts - (fired?.attempts ?? 0) >= attempts else { return false }
        }
        if let bound = rule.confidenceBelow {
            // After it fired there must be an answer to be unsure of.
            if let fired, derived.task.settled <= fired.settled { return false }
            // Nor is a human's word doubted by whoever has not heard an answer since.
            if fired == nil, case .model? = derived.task.answer { return false }
            guard request.confidence.map({ $0 < bound }) ?? true else { return false }
        }
        return rule.failedAttempts != nil || rule.confidenceBelow != nil
    }

    private mutating func ask(_ rule: Escalation) -> RoutingDecision {
        note(.escalation)
        escalation = RoutingDecision.FiredEscalation(id: rule.id)
        return conclude(.human(.humanNeeded), rule: program.escalationRules[rule.id] ?? rule.id)
    }

    private mutating func askAgain() -> RoutingDecision {
        note(.human)
        return conclude(.human(.humanPending), rule: "human.answer")
    }

    // MARK: Models

    /// Decides among the models of a mode, or of the tier that the task was escalated to.
    private mutating func route(
        _ role: RouterProgram.RoleProgram,
        in mode: String,
        state: TaskState,
        escalatedBy rule: Escalation? = nil
    ) -> RoutingDecision {
        let own = role.modes[mode]?.models ?? role.models
        let list = state.tierAtLeast > 0 ? tierList(from: state.tierAtLeast, own) : own
        var path = role.modes[mode]?.rule ?? role.rule
        let origin: RoutingDecision.Cause
        if let id = rule?.id ?? escalationInForce(role) {
            origin = .escalation
            path = program.escalationRules[id] ?? id
        } else {
            origin = mode == Role.defaultMode ? .primary : .mode
        }
        let taken = consider(list, role, excluded: state.excluded)
        guard let taken else {
            // Where a model is left and only its turn has not come, a human could not say anything either.
            if let rule, rule.thenHuman, candidates.allSatisfy(\.verdict.isFinal) { return ask(rule) }
            return refuseAll(role, path)
        }
        if taken.position == 0 || origin != .primary { note(origin) }
        if taken.position > 0 { note(.fallback) }
        return conclude(.model(taken.choice), rule: path)
    }

    /// The escalation that the task is under; of several the last of the policy.
    private func escalationInForce(_ role: RouterProgram.RoleProgram) -> String? {
        guard !derived.task.fired.isEmpty else { return nil }
        return role.escalations.last { rule in
            derived.task.fired[rule.id] != nil && (rule.toMode != nil || rule.toTierAtLeast != nil)
        }?.id
    }

    /// A human named the model: everything holds for it but the order of the list.
    private mutating func route(_ role: RouterProgram.RoleProgram, answered name: String) -> RoutingDecision {
        note(.human)
        mode = derived.task.mode ?? Role.defaultMode
        let list = program.modelsByName[name].map { [$0] } ?? []
        guard let taken = consider(list, role, excluded: []) else { return refuseAll(role, "human.answer") }
        return conclude(.model(taken.choice), rule: "human.answer")
    }

    /// All models of a tier or above: the lowest tier first, in it those of the role's list in its order, then by name.
    private func tierList(from tier: Int, _ own: [Int]) -> [Int] {
        let all = program.models.indices.filter { program.models[$0].model.tier >= tier }
        let place = { (index: Int) in own.firstIndex(of: index) ?? own.count }
        // Models stand in the order of their names' bytes.
        return all.sorted { left, right in
            let (a, b) = (program.models[left].model.tier, program.models[right].model.tier)
            return (a, place(left), left) < (b, place(right), right)
        }
    }

    /// Looks at candidates in order; takes the first that everything admits.
    private mutating func consider(
        _ list: [Int],
        _ role: RouterProgram.RoleProgram,
        excluded: [String]
    ) -> (choice: RoutingDecision.Choice, position: Int)? {
        var taken: (choice: RoutingDecision.Choice, position: Int)?
        candidates.reserveCapacity(list.count)
        for (position, index) in list.enumerated() {
            let candidate = program.models[index]
            if taken != nil {
                candidates.append(.init(model: candidate.name, verdict: .notNeeded))
                continue
            }
            let (verdict, amount, output) = judge(candidate, role, excluded)
            candidates.append(.init(model: candidate.name, verdict: verdict, cost: amount))
            if verdict == .taken, let amount {
                taken = (RoutingDecision.Choice(candidate, output, amount), position)
            }
        }
        return taken
    }

    /// What stands in the way of a candidate, in a fixed order, and what a call of it reserves.
    private mutating func judge(
        _ candidate: RouterProgram.ModelProgram,
        _ role: RouterProgram.RoleProgram,
        _ excluded: [String]
    ) -> (RoutingDecision.Candidate.Verdict, RoutingDecision.Amount?, Int) {
        guard role.role.require.admits(candidate.model) else { return (.requirement, nil, 0) }
        if excluded.contains(candidate.name) { return (.exhausted, nil, 0) }
        guard let (input, output) = tokens(of: candidate.model) else { return (.context, nil, 0) }
        let cooldown = candidate.provider.cooldownMilliseconds
        if let failed = derived.task.failures[candidate.name], now - failed < cooldown { return (.failed, nil, 0) }
        if let failing = derived.failing[candidate.model.provider],
            failing.failures >= candidate.provider.cooldownAfterFailures, now - failing.latest < cooldown
        {
            return (.cooldown, nil, 0)
        }
        guard let usd = cost(of: candidate.model, input, output) else { return (.noPrice, nil, 0) }
        let amount = RoutingDecision.Amount(usd: usd, tokens: input + output)
        if let blocked = budgetBar(amount) {
            note(.budget)
            guard derived.enforcement.budgets != .enforce else { return (blocked, amount, 0) }
            let mode = derived.enforcement.budgets
            note(RoutingDecision.Exception(part: .budgets, mode: mode, reason: blocked.rawValue))
        }
        return (.taken, amount, output)
    }
}

extension RoutingDecision.Choice {
    fileprivate init(_ model: RouterProgram.ModelProgram, _ output: Int, _ reserved: RoutingDecision.Amount) {
        self.init(
            model: model.name,
            modelID: model.model.id,
            provider: model.model.provider,
            endpoint: model.provider.baseURL,
            maxOutputTokens: output,
            reserved: reserved
        )
    }
}

extension Deciding {
    // MARK: Conclusions

    mutating func note(_ cause: RoutingDecision.Cause) {
        if !causes.contains(cause) { causes.append(cause) }
    }

    mutating func note(_ exception: RoutingDecision.Exception) {
        if !exceptions.contains(exception) { exceptions.append(exception) }
        note(.notEnforced)
    }

    /// No candidate was taken: the reason is that of the one that came furthest.
    private mutating func refuseAll(_ role: RouterProgram.RoleProgram, _ path: String) -> RoutingDecision {
        let order = RoutingDecision.Candidate.Verdict.allCases
        let furthest = candidates.max { left, right in
            (order.firstIndex(of: left.verdict) ?? 0) < (order.firstIndex(of: right.verdict) ?? 0)
        }
        switch furthest?.verdict {
        case .budgetUSD?: return refuse(.budgetUSD, rule: Self.moneyRule, cause: .budget)
        case .budgetTokens?: return refuse(.budgetTokens, rule: tokenRule, cause: .budget)
        case .exhausted?: return refuse(.exhausted, rule: path)
        case .context?: return refuse(.context, rule: path)
        case .failed?: return refuse(.failed, rule: path)
        case .cooldown?: return refuse(.cooldown, rule: path)
        case .noPrice?: return refuse(.noPrice, rule: path)
        case .requirement?, .taken?, .notNeeded?, nil:
            return refuse(.requirement, rule: "roles.\(role.name).require")
        }
    }

    private mutating func refuse(
        _ refusal: RoutingDecision.Refusal,
        rule: String,
        cause: RoutingDecision.Cause? = nil
    ) -> RoutingDecision {
        if let cause { note(cause) }
        // What the budgets refuse is theirs to enforce: they refuse only where they are.
        let part: RoutingDecision.Exception.Part =
            [.budgetUSD, .budgetTokens].contains(refusal) ? .budgets : .routing
        let isBinding = part == .budgets || derived.enforcement.routing == .enforce
        if isBinding { return conclude(.refused(refusal, isBinding: true), rule: rule) }
        note(
            RoutingDecision.Exception(part: .routing, mode: derived.enforcement.routing, reason: refusal.rawValue)
        )
        return conclude(.refused(refusal, isBinding: false), rule: rule)
    }

    private func conclude(_ result: RoutingDecision.Result, rule: String) -> RoutingDecision {
        let budget = budgetView(after: result)
        return RoutingDecision(
            result: result,
            causes: RoutingDecision.Cause.allCases.filter(causes.contains),
            rule: rule,
            mode: mode,
            risk: risk,
            evidence: policy[risk].evidence,
            now: now,
            candidates: candidates,
            escalation: escalation,
            budget: budget,
            exceptions: exceptions,
            alerts: alerts(budget, result)
        )
    }
}
