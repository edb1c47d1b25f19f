import ModelRouter

/// The bodies of the events around a decision.
extension Settlement {
    /// - Parameters:
    ///   - cost: what counts as spent.
    ///   - basis: where it comes from: `stated`, `prices` or `reserved`.
    func body(cost: USD, basis: String) -> [UInt8] {
        var body = JSONWriter()
        body.object { object in
            object.member("decision", Int(decision))
            object.member("outcome", outcome.rawValue)
            if let servedModel { object.member("served_model", servedModel) }
            if let inputTokens { object.member("input_tokens", inputTokens) }
            if let outputTokens { object.member("output_tokens", outputTokens) }
            if let cacheReadTokens { object.member("cache_read_tokens", cacheReadTokens) }
            if let cacheWriteTokens { object.member("cache_write_tokens", cacheWriteTokens) }
            object.member("cost_usd", cost.description)
            object.member("cost_basis", basis)
            if let durationNanoseconds { object.member("duration_ns", durationNanoseconds) }
            if let finishReason { object.member("finish_reason", finishReason) }
            if let by { object.member("by", by) }
        }
        return body.bytes
    }

    /// Nil unless input and output are both stated: half of what was used says nothing of the other half.
    private var usedTokens: Int? {
        let input = [inputTokens, cacheReadTokens, cacheWriteTokens].compactMap(\.self)
        guard !input.isEmpty, let outputTokens else { return nil }
        return (input + [outputTokens]).reduce(0) { $0 + min(max($1, 0), RoutingLimits.tokens) }
    }

    /// What the tokens cost by the prices of the policy that decided; nil where that cannot be said.
    func priced(by program: RouterProgram?, _ call: RoutingState.OpenCall) -> USD? {
        guard let program, usedTokens != nil, let name = call.model ?? servedModel,
            let price = program.policy.models[name]?.price
        else { return nil }
        let parts: [(Int?, USD)] = [
            (inputTokens, price.input), (outputTokens, price.output), (cacheReadTokens, price.cacheRead),
            (cacheWriteTokens, price.cacheWrite),
        ]
        var sum = USD.zero
        for (count, each) in parts {
            guard let part = each.multiplied(by: Int64(max(count ?? 0, 0))), let next = sum.adding(part) else {
                return nil
            }
            sum = next
        }
        return sum
    }

    /// Bodies of the alerts of a call that took more than was reserved for it.
    func overruns(_ cost: USD?, _ call: RoutingState.OpenCall) -> [JSONValue] {
        // Where a refusal did not bind, nothing was reserved.
        guard call.model != nil else { return [] }
        var alerts: [JSONValue] = []
        if let cost, cost > call.reserved.usd {
            alerts.append([
                "budget": "budgets.per_run_usd", "level": "overrun", "limit": .string("\(call.reserved.usd)"),
                "used": .string("\(cost)"),
            ])
        }
        if let usedTokens, usedTokens > call.reserved.tokens, !call.stage.isEmpty {
            alerts.append([
                "budget": .string("budgets.tokens.\(call.stage)"), "level": "overrun",
                "limit": .string("\(call.reserved.tokens)"), "used": .string("\(usedTokens)"),
            ])
        }
        return alerts
    }
}

extension HumanDecision {
    var body: [UInt8] {
        var body = JSONWriter()
        body.object { object in
            switch answer {
            case .proceed: object.member("answer", "proceed")
            case .stop: object.member("answer", "stop")
            case .model(let name):
                object.member("answer", "model")
                object.member("model", name)
            }
            object.member("by", by)
            object.member("decision", Int(decision))
            if let reason { object.member("reason", reason) }
        }
        return body.bytes
    }
}

extension GateResult {
    var body: [UInt8] {
        var body = JSONWriter()
        body.object { object in
            object.member("gate", gate)
            object.member("measure", metric)
            object.member("value", .number(value))
            if let samples { object.member("samples", samples) }
            if let window { object.member("window", window) }
            if let source { object.member("source", source) }
        }
        return body.bytes
    }
}

extension GateVerdict {
    func body(
        _ result: CheckedGate.Result,
        _ enforcement: EnforcementMode,
        _ isOverridden: Bool,
        _ now: Int64,
        _ by: String?
    ) -> [UInt8] {
        var body = JSONWriter()
        body.object { object in
            object.member("gate", gate)
            object.member("result", result.rawValue)
            object.member("enforcement", enforcement.rawValue)
            object.member("now_ms", now)
            if isOverridden { object.member("override", .bool(true)) }
            if let by { object.member("by", by) }
            object.member("criteria", .array(criteria.map(\.json)))
        }
        return body.bytes
    }
}

extension GateVerdict.Check {
    /// The criterion, what was measured, and what is wrong with it.
    public var json: JSONValue {
        var members = JSONValue.Members()
        members["metric"] = .string(metric)
        if let most = criterion.atMost { members["at_most"] = .string(most.description) }
        if let least = criterion.atLeast { members["at_least"] = .string(least.description) }
        members["samples_needed"] = .number(JSONNumber(criterion.samples))
        if let measure {
            members["value"] = .string(measure.value.description)
            members["samples"] = .number(JSONNumber(measure.samples))
            members["time_ms"] = .number(JSONNumber(measure.time))
        }
        if let fault { members["fault"] = .string(fault.rawValue) }
        return .object(members)
    }
}

extension OverrideRequest {
    /// What is signed where the policy enforces approvals.
    public func message(of run: RunID) -> [UInt8] {
        var unsigned = self
        unsigned.signature = nil
        return OverrideSignature.message(of: unsigned.body(of: run)) ?? []
    }

    func body(of run: RunID) -> JSONValue {
        var members = JSONValue.Members()
        members["rule"] = .string(rule)
        members["by"] = .string(by)
        members["reason"] = .string(reason)
        members["run"] = .string("\(run)")
        if let amount { members["amount"] = .string(amount) }
        if let expires { members["expires"] = .string(expires.text(fractionDigits: 0)) }
        if breaksGlass { members["break_glass"] = .bool(true) }
        // So two overrides that say the same have two signatures.
        members["nonce"] = .string(nonce)
        if let signature { members["signature"] = .string(signature) }
        return .object(members)
    }

    /// - Throws: `LedgerError.inputInvalid` for an override that would set nothing aside.
    func check(against policy: CompiledPolicy) throws(LedgerError) {
        guard let effect = RoutingOverride.Effect(body(of: .zero)) else {
            throw LedgerError(
                .inputInvalid,
                "an override is of budgets.per_run_usd or budgets.tokens.STAGE with an amount that is added, of "
                    + "gates.GATE, or breaks the glass"
            )
        }
        switch effect {
        case .money where policy.budgets.perRun == nil:
            throw LedgerError(.inputInvalid, "the policy does not limit money: there is nothing to raise")
        case .tokens(let stage, _) where policy.budgets.tokens[stage] == nil:
            throw LedgerError(.inputInvalid, "the policy does not limit the tokens of '\(stage)'")
        case .gate(let gate) where policy.gates[gate] == nil:
            throw LedgerError(.inputInvalid, "the policy has no gate '\(gate)'")
        default: return
        }
    }
}
