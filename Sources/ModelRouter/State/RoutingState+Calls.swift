import JSONText

/// Decisions and settlements.
extension RoutingState {
    mutating func take(decision body: JSONValue, _ event: RoutingEvent) {
        guard let asserted = body["asserted"], let role = asserted["role"]?.string else { return }
        latest = max(latest, body["now_ms"]?.int64 ?? 0)
        let key = TaskKey(role: role, task: asserted["task"]?.string ?? "")
        var task = tasks[key] ?? TaskState()
        if let fired = body["escalation"], let id = fired["id"]?.string { fire(id, fired, &task) }
        switch body["result"]?.string {
        case "model":
            if let model = body["model"]?.string, !task.tried.contains(model) { task.tried.append(model) }
            reserve(body, asserted, key, event)
        case "human":
            // The first question counts until it is answered.
            if task.asked == nil { task.asked = event.sequence }
            task.answer = nil
            questions[event.sequence] = key
        default:
            if isUnbound(body) { reserve(body, asserted, key, event) }
        }
        guard tasks[key] != nil || tasks.count < RoutingLimits.tasks else { return }
        tasks[key] = task
    }

    private func isUnbound(_ body: JSONValue) -> Bool {
        body["exceptions"]?.array?.contains { $0["part"]?.string == "routing" } ?? false
    }

    private func fire(_ id: String, _ fired: JSONValue, _ task: inout TaskState) {
        task.fired[id] = TaskState.Fired(attempts: task.attempts, settled: task.settled)
        let mode = fired["mode"]?.string
        let tier = fired["tier_at_least"]?.int
        guard mode != nil || tier != nil else { return }
        task.excluded = task.tried
        if let mode { task.mode = mode }
        task.tierAtLeast = max(task.tierAtLeast, tier ?? 0)
    }

    private mutating func reserve(_ body: JSONValue, _ asserted: JSONValue, _ key: TaskKey, _ event: RoutingEvent) {
        let amount = RoutingDecision.Amount(
            usd: body["reserved"]?["usd"]?.string.flatMap(USD.init(decimal:)) ?? .zero,
            tokens: max(body["reserved"]?["tokens"]?.int ?? 0, 0)
        )
        let call = OpenCall(
            role: key.role,
            task: key.task,
            stage: asserted["stage"]?.string ?? stage ?? "",
            model: body["model"]?.string,
            provider: body["provider"]?.string,
            reserved: amount,
            snapshot: body["snapshot"]?.string ?? ""
        )
        open[event.sequence] = call
        reserved = reserved.adding(amount.usd) ?? USD(picodollars: .max)
        add(tokens: amount.tokens, to: call.stage)
    }

    private mutating func add(tokens count: Int, to stage: String) {
        guard count != 0 else { return }
        let (sum, overflow) = tokens[stage, default: 0].addingReportingOverflow(count)
        tokens[stage] = overflow ? .max : max(sum, 0)
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
        let counts = ["input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"].map { self[$0]?.int }
        guard counts.contains(where: { $0 != nil }) else { return nil }
        return counts.reduce(0) { sum, count in
            let (next, overflow) = sum.addingReportingOverflow(max(count ?? 0, 0))
            return overflow ? .max : next
        }
    }

    var int64: Int64? { int.map(Int64.init) }
}
