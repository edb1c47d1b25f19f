import JSONText

/// What people and measurements say: gate results, answers, overrides; and the alerts that were given.
extension RoutingState {
    mutating func take(gateResult body: JSONValue, _ event: RoutingEvent) {
        guard let gate = body["gate"]?.string, let metric = body["measure"]?.string else { return }
        guard let value = body["value"]?.number.flatMap(Ratio.init(measured:)) else {
            // The newest result counts, and one that cannot be compared has not passed.
            gates[gate]?[metric] = nil
            return
        }
        let measure = GateMeasure(value: value, samples: max(body["samples"]?.int ?? 1, 0), time: event.time)
        gates[gate, default: [:]][metric] = measure
    }

    mutating func take(answer body: JSONValue, _ event: RoutingEvent) {
        let question = body["decision"]?.int.flatMap(UInt32.init(exactly:)) ?? event.causes.first
        guard let question, let key = questions[question], var task = tasks[key] else { return }
        let answer: HumanAnswer
        switch body["answer"]?.string {
        case "proceed": answer = .proceed
        case "stop": answer = .stop
        case "model":
            guard let model = body["model"]?.string else { return }
            answer = .model(model)
        default: return
        }
        task.asked = nil
        task.answer = answer
        // What was asked before is answered with it: a late answer to an old question answers no new one.
        questions = questions.filter { $0.value != key }
        // What made the router ask counts anew from here.
        for id in task.fired.keys { task.fired[id] = TaskState.Fired(attempts: task.attempts, settled: task.settled) }
        tasks[key] = task
    }

    mutating func take(override body: JSONValue, _ event: RoutingEvent) {
        let expires = body["expires"]?.string
        let time = expires.flatMap { PolicyTime($0) }
        // An expiry that cannot be read is one that has passed.
        guard expires == nil || time != nil, let effect = RoutingOverride.Effect(body) else { return }
        let milliseconds = time.map { $0.seconds.multipliedReportingOverflow(by: 1000) }
        if milliseconds?.overflow == true { return }
        guard overrides.count < RoutingLimits.overrides else { return }
        overrides.append(
            RoutingOverride(effect, expires: milliseconds?.partialValue, sequence: event.sequence)
        )
    }

    mutating func take(alert body: JSONValue) {
        guard let budget = body["budget"]?.string,
            let level = body["level"]?.string.flatMap(BudgetAlert.Level.init(rawValue:)),
            let text = body["limit"]?.string
        else { return }
        let limit =
            budget == Deciding.moneyRule ? USD(decimal: text)?.picodollars : Int64(text)
        guard let limit else { return }
        let kind = BudgetAlert.Kind(budget, level)
        alerts[kind] = max(limit, alerts[kind] ?? limit)
    }
}

extension RoutingOverride.Effect {
    /// What the body of an `override` event sets aside; nil if nothing that is known.
    public init?(_ body: JSONValue) {
        if body["break_glass"]?.bool == true {
            self = .breakGlass
            return
        }
        let amount = body["amount"]?.string
        guard let rule = body["rule"]?.string else { return nil }
        if rule == Deciding.moneyRule {
            guard let usd = amount.flatMap(USD.init(decimal:)), usd > .zero else { return nil }
            self = .money(usd)
        } else if let stage = rule.dropping(prefix: "budgets.tokens.") {
            guard let count = amount.flatMap(Int.init), count > 0 else { return nil }
            self = .tokens(stage: stage, min(count, RoutingLimits.tokens))
        } else if let gate = rule.dropping(prefix: "gates.") {
            self = .gate(gate)
        } else {
            return nil
        }
    }
}

extension String {
    fileprivate func dropping(prefix: String) -> String? {
        hasPrefix(prefix) && utf8.count > prefix.utf8.count ? String(dropFirst(prefix.count)) : nil
    }
}

extension Ratio {
    /// A measured number, to the nearest millionth; nil beyond what a gate can compare with.
    public init?(measured number: JSONNumber) {
        if let whole = number.int {
            let (value, overflow) = Int64(whole).multipliedReportingOverflow(by: 1_000_000)
            guard !overflow else { return nil }
            self.init(millionths: value)
            return
        }
        guard let double = number.double, let value = Int64(exactly: (double * 1_000_000).rounded()) else { return nil }
        self.init(millionths: value)
    }
}

extension USD {
    /// Reads dollars as they are written in events: digits, and up to twelve places after a point.
    public init?(decimal text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, (1...9).contains(whole.count),
            parts.count < 2 || (1...12).contains(parts[1].count)
        else { return nil }
        var value: Int64 = 0
        for digit in whole + (parts.count == 2 ? Array(parts[1]) : []) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowed) = shifted.addingReportingOverflow(Int64(digit - UInt8(ascii: "0")))
            guard !overflow, !overflowed else { return nil }
            value = sum
        }
        for _ in (parts.count == 2 ? parts[1].count : 0)..<12 {
            let (shifted, overflow) = value.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            value = shifted
        }
        self.init(picodollars: value)
    }
}
