import ModelRouter

/// What a runner that asks for models knows, besides ``RunLedger``.
public protocol RoutingLedger: RunLedger {
    /// Decides and reserves; the evidence is recorded before this returns, as durably as the policy asks for it. What
    /// cannot be recorded throws, and then there is no call.
    ///
    /// - Parameter key: the same key gives the first decision again.
    func route(_ request: RoutingRequest, in run: RunHandle, key: String?) async throws -> RoutedCall
    /// Says how a routed call ended, and frees what it reserved and did not use. Once for each decision.
    func settle(_ settlement: Settlement, in run: RunHandle, key: String?) async throws -> SettledCall
    /// Records what a human decided of a decision that asks one.
    func answer(_ answer: HumanDecision, in run: RunHandle) async throws -> Receipt
    /// Records a measurement that gates compare.
    func record(_ result: GateResult, in run: RunHandle) async throws -> Receipt
    /// Evaluates a gate and records what came of it.
    func check(gate: String, in run: RunHandle, by: String?) async throws -> CheckedGate
    /// Sets a rule aside.
    func override(_ override: OverrideRequest, in run: RunHandle) async throws -> Receipt
}

/// A decision that is in the file.
public struct RoutedCall: Sendable {
    public var receipt: Receipt
    /// The body of the decision's event: canonical JSON.
    public let evidence: [UInt8]
    /// The model to call; nil where there is none.
    public let choice: RoutingDecision.Choice?
    /// Whether the caller may call a model: one was chosen, or the refusal does not bind.
    public let permitsCall: Bool
    /// Thresholds that were passed by it.
    public var alerts: [BudgetAlert]

    /// All that was recorded. Each time it is asked for, the evidence is parsed.
    public var decision: RecordedDecision {
        let body = (try? JSONValue.parse(evidence)) ?? .null
        return RecordedDecision(body) ?? RecordedDecision(unchecked: body)
    }

    /// Where the decision stands: what a settlement names.
    public var sequence: UInt32 { receipt.event.sequence }
}

/// How a routed call ended.
public struct Settlement: Sendable {
    /// The sequence of the decision.
    public var decision: UInt32
    public var outcome: CallOutcome
    /// What the provider says it served.
    public var servedModel: String?
    public var inputTokens: Int?
    public var outputTokens: Int?
    public var cacheReadTokens: Int?
    public var cacheWriteTokens: Int?
    /// What the call cost; nil to work it out from the tokens and the policy's prices.
    public var cost: USD?
    public var durationNanoseconds: Int64?
    public var finishReason: String?
    public var by: String?
    public var time = Timestamp.now

    public init(of decision: UInt32, _ outcome: CallOutcome) {
        self.decision = decision
        self.outcome = outcome
    }
}

/// A settlement that is in the file.
public struct SettledCall: Sendable {
    public var receipt: Receipt
    /// What counts as spent; nil for a settlement that had been recorded before.
    public var cost: USD?
    /// By how much it cost more than was reserved, if it did.
    public var overrun: USD?
}

/// What a human decided.
public struct HumanDecision: Sendable {
    /// The sequence of the decision that asks.
    public var decision: UInt32
    public var answer: HumanAnswer
    public var by: String
    public var reason: String?
    public var time = Timestamp.now

    public init(of decision: UInt32, _ answer: HumanAnswer, by: String) {
        self.decision = decision
        self.answer = answer
        self.by = by
    }
}

/// A measurement of a gate.
public struct GateResult: Sendable {
    public var gate: String
    public var metric: String
    public var value: JSONNumber
    public var samples: Int?
    public var window: String?
    public var source: String?
    public var time = Timestamp.now

    public init(gate: String, metric: String, value: JSONNumber) {
        self.gate = gate
        self.metric = metric
        self.value = value
    }
}

/// A gate that was evaluated, and the event that says so.
public struct CheckedGate: Sendable {
    public enum Result: String, Sendable, CaseIterable {
        case passed
        /// It has not passed, and the policy only observes gates.
        case observed
        case warned
        case blocked
    }

    public var receipt: Receipt
    public var result: Result
    public var verdict: GateVerdict
    /// Whether it passes because somebody set it aside.
    public var isOverridden: Bool
}

/// A rule to be set aside.
public struct OverrideRequest: Sendable {
    public var rule: String
    public var amount: String?
    public var by: String
    public var reason: String
    public var expires: Timestamp?
    public var breaksGlass = false
    /// Tells this override from another that says the same.
    public var nonce = Hex.encode(random: 16)
    /// The SSH signature over ``message(of:)``, as `ssh-keygen -Y sign` writes it.
    public var signature: String?
    public var time = Timestamp.now

    public init(_ rule: String, by: String, reason: String) {
        self.rule = rule
        self.by = by
        self.reason = reason
    }
}
