import JSONText

/// Decisions and settlements.
extension RoutingState {
    mutating func take(_ decision: DecisionEffect, at sequence: UInt32) {
        latest = max(latest, decision.now)
        let key = TaskKey(role: decision.role, task: decision.task)
        var task = tasks[key] ?? TaskState()
        if let fired = decision.escalation { fire(fired, &task) }
        switch decision.result {
        case .model:
            if let model = decision.model, !task.tried.contains(model) { task.tried.append(model) }
            reserve(decision, key, sequence)
        case .human:
            // The first question counts until it is answered.
            if task.asked == nil { task.asked = sequence }
            task.answer = nil
            questions[sequence] = key
        case .refused(let isBinding):
            if !isBinding { reserve(decision, key, sequence) }
        }
        guard tasks[key] != nil || tasks.count < RoutingLimits.tasks else { return }
        tasks[key] = task
    }

    private func fire(_ fired: RoutingDecision.FiredEscalation, _ task: inout TaskState) {
        task.fired[fired.id] = TaskState.Fired(attempts: task.attempts, settled: task.settled)
        guard fired.mode != nil || fired.tierAtLeast != nil else { return }
        task.excluded = task.tried
        task.answer = nil
        if let mode = fired.mode { task.mode = mode }
        task.tierAtLeast = max(task.tierAtLeast, fired.tierAtLeast ?? 0)
    }

    private mutating func reserve(_ decision: DecisionEffect, _ key: TaskKey, _ sequence: UInt32) {
        let call = OpenCall(
            role: key.role,
            task: key.task,
            stage: decision.stage ?? stage ?? "",
            model: decision.model,
            provider: decision.provider,
            reserved: decision.reserved,
            snapshot: decision.snapshot
        )
        open[sequence] = call
        reserved = reserved.adding(call.reserved.usd) ?? USD(picodollars: .max)
        add(tokens: call.reserved.tokens, to: call.stage)
    }

    /// More than this no count is: canonical JSON holds it exactly, with what a decision adds.
    private static let mostTokens = 1 << 52

    private mutating func add(tokens count: Int, to stage: String) {
        guard count != 0 else { return }
        let (sum, overflow) = tokens[stage, default: 0].addingReportingOverflow(count)
        tokens[stage] = overflow ? Self.mostTokens : min(max(sum, 0), Self.mostTokens)
    }

    mutating func take(settlement body: JSONValue, _ event: RoutingEvent) {
        let decision = body["decision"]?.int.flatMap(UInt32.init(exactly:)) ?? event.causes.first
        guard let decision, let call = open.removeValue(forKey: decision) else { return }
        settled.insert(decision)
        let cost = body["cost_usd"]?.string.flatMap(USD.init(decimal:)).map { max($0, .zero) }
        reserved = reserved.subtracting(call.reserved.usd) ?? reserved
        // What nobody says stays spent as it was reserved.
        spent = spent.adding(cost ?? call.reserved.usd) ?? USD(picodollars: .max)
        if let used = body.usedTokens { add(tokens: used - call.reserved.tokens, to: call.stage) }
        let key = TaskKey(role: call.role, task: call.task)
        guard var task = tasks[key] else { return }
        task.settled += 1
        if let outcome = body["outcome"]?.string.flatMap(CallOutcome.init(rawValue:)) {
            if outcome.isFailedAttempt { task.attempts += 1 }
            if outcome.fallsBack, let model = call.model { task.failures[model] = event.time }
            note(outcome, of: call.provider, at: event.time)
        }
        tasks[key] = task
    }

    private mutating func note(_ outcome: CallOutcome, of provider: String?, at time: Int64) {
        guard let provider else { return }
        switch outcome.health {
        case .works: failing[provider] = nil
        case .failed:
            let failures = failing[provider]?.failures ?? 0
            failing[provider] = ProviderFailure(
                failures: failures + 1,
                latest: max(time, failing[provider]?.latest ?? 0)
            )
        case .unknown: break
        }
    }
}

extension JSONValue {
    /// Tokens of a settled call, however they were served; nil where none are stated.
    var usedTokens: Int? {
        let input = ["input_tokens", "cache_read_tokens", "cache_write_tokens"].compactMap { self[$0]?.int }
        // Half of what was used is no reason to free the other half.
        guard !input.isEmpty, let output = self["output_tokens"]?.int else { return nil }
        return (input + [output]).reduce(0) { $0 + min(max($1, 0), RoutingLimits.tokens) }
    }

    var int64: Int64? { int.map(Int64.init) }
}
