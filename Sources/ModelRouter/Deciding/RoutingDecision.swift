/// What the router says to a request, and why.
public struct RoutingDecision: Sendable, Hashable {
    public enum Result: Sendable, Hashable {
        case model(Choice)
        /// With whether it binds: where `enforcement.routing` is not `enforce`, the caller may go on by itself.
        case refused(Refusal, isBinding: Bool)
        /// A human must decide: `answer` records what.
        case human(Refusal)
    }

    public var result: Result
    /// Why, in the order of the list; see ``Cause``.
    public var causes: [Cause]
    /// The path of the rule that decided, as `policy explain` takes it.
    public var rule: String
    /// The mode of the role that the task is in; nil where the role or mode is unknown.
    public var mode: String?
    /// The class of risk that was judged by.
    public var risk: RiskClass
    /// When the decision must be kept.
    public var evidence: EvidenceRule
    /// The time that was judged by, in milliseconds.
    public var now: Int64
    public var candidates: [Candidate]
    /// The escalation that fires with this decision.
    public var escalation: FiredEscalation?
    public var budget: BudgetView
    /// What an enforced policy would have refused here.
    public var exceptions: [Exception]
    public var alerts: [BudgetAlert]

    public var choice: Choice? {
        if case .model(let choice) = result { return choice }
        return nil
    }

    /// Why there is no model; nil where there is one.
    public var refusal: Refusal? {
        switch result {
        case .model: nil
        case .refused(let refusal, _), .human(let refusal): refusal
        }
    }

    /// Whether the caller may call a model now.
    public var permitsCall: Bool {
        switch result {
        case .model: true
        case .refused(_, let isBinding): !isBinding
        case .human: false
        }
    }
}

extension RoutingDecision {
    /// The model to call.
    public struct Choice: Sendable, Hashable {
        /// Its name in the policy.
        public var model: String
        /// What the provider calls it.
        public var modelID: String
        public var provider: String
        /// The provider's `base_url`.
        public var endpoint: String
        /// The most tokens that may be asked for: what the reservation covers.
        public var maxOutputTokens: Int
        public var reserved: Amount
    }

    /// Money and tokens.
    public struct Amount: Sendable, Hashable {
        public var usd: USD
        public var tokens: Int

        public init(usd: USD = .zero, tokens: Int = 0) {
            self.usd = usd
            self.tokens = tokens
        }
    }

    /// What led to a decision: a closed list.
    public enum Cause: String, Sendable, CaseIterable {
        /// The first model of the role.
        case primary
        /// A mode of the role, other than the default.
        case mode
        /// A later model of the list, because those before it were passed over.
        case fallback
        /// An escalation that fires now, or fired before in the task.
        case escalation
        /// A human's answer.
        case human
        /// An override of a budget or a gate made the difference.
        case override
        /// A budget passed a candidate over, or refused.
        case budget
        /// The class of risk denied the mode that was wished for.
        case risk
        /// The gate of the mode had not passed.
        case gate
        /// The mode is not for this stage.
        case stage
        /// The run is under a built-in policy, because its own did not load.
        case loadFailure = "load-failure"
        /// A part that is not enforced let pass what it would have refused.
        case notEnforced = "not-enforced"
    }

    /// Why there is no model: a closed list.
    public enum Refusal: String, Sendable, CaseIterable {
        case invalidInput = "invalid-input"
        case unknownRole = "unknown-role"
        case unknownMode = "unknown-mode"
        case unknownStage = "unknown-stage"
        /// The run is under a built-in policy, which routes nothing.
        case loadFailure = "load-failure"
        /// No model is left that the role's `require` admits.
        case requirement
        /// Every model that is left was tried before the escalation.
        case exhausted
        /// No context holds input and output.
        case context
        /// The models' calls failed in this task a moment ago.
        case failed
        /// The providers are put aside.
        case cooldown
        /// No price is known where money is limited.
        case noPrice = "no-price"
        case budgetUSD = "budget-usd"
        case budgetTokens = "budget-tokens"
        /// An escalation asks a human.
        case humanNeeded = "human-needed"
        /// A human was asked and has not answered.
        case humanPending = "human-pending"
        /// A human said stop.
        case humanStopped = "human-stopped"
        /// The run has as many tasks as are kept.
        case tooManyTasks = "too-many-tasks"
    }

    /// A model that was looked at.
    public struct Candidate: Sendable, Hashable {
        public enum Verdict: String, Sendable, CaseIterable {
            case taken
            /// Another was taken before it.
            case notNeeded = "not-needed"
            case requirement
            case exhausted
            case context
            case failed
            case cooldown
            case noPrice = "no-price"
            case budgetUSD = "budget-usd"
            case budgetTokens = "budget-tokens"

            /// Whether no time, settlement or override of a budget changes it for this request.
            var isFinal: Bool {
                switch self {
                case .requirement, .exhausted, .context, .noPrice: true
                case .taken, .notNeeded, .failed, .cooldown, .budgetUSD, .budgetTokens: false
                }
            }
        }

        public var model: String
        public var verdict: Verdict
        /// What a call would reserve; nil where that was not worked out.
        public var cost: Amount?
    }

    /// An escalation that fires.
    public struct FiredEscalation: Sendable, Hashable {
        public var id: String
        /// The mode that the task goes on in.
        public var mode: String?
        /// The tier that the task goes on with, or above.
        public var tierAtLeast: Int?
    }

    /// The budgets that count for a decision: those of the run, and of the stage.
    public struct BudgetView: Sendable, Hashable {
        /// Nil where money is not limited. With overrides.
        public var limitUSD: USD?
        /// Nil where the stage's tokens are not limited. With overrides.
        public var limitTokens: Int?
        /// The stage whose tokens are counted.
        public var stage: String?
        public var before: Amount
        public var after: Amount
    }

    /// What a part that is not enforced let pass.
    public struct Exception: Sendable, Hashable {
        public enum Part: String, Sendable, CaseIterable {
            case budgets
            case gates
            case routing
        }

        public var part: Part
        /// `observe` or `warn`.
        public var mode: EnforcementMode
        /// A refusal, or `gate-not-passed`.
        public var reason: String
    }
}
