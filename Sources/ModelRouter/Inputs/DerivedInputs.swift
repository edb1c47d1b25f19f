/// What the run's earlier events say that matters for one request. Nobody asserts it: it is folded from the timeline.
public struct DerivedInputs: Sendable, Hashable {
    /// The run's class of risk, fixed when it began.
    public var risk: RiskClass
    /// The stage that the run is in; nil before the first.
    public var stage: String?
    /// As it was when the run began.
    public var enforcement: Enforcement
    /// The latest time that an earlier decision was made at, in milliseconds; time does not go back behind it.
    public var latest: Int64
    public var task: TaskState
    /// Whether the run's state can hold the task; see ``RoutingLimits/tasks``.
    public var hasRoomForTask = true
    /// Settled in the run.
    public var spent: USD
    /// Reserved by calls that are not settled.
    public var reserved: USD
    /// Tokens, settled and reserved, by stage; those of no known stage under the empty name. Only stages that the
    /// policy limits, and the empty one.
    public var tokens: [String: Int]
    /// Providers whose last call failed.
    public var failing: [String: ProviderFailure]
    /// Newest results of the gates that the role's modes name, by gate and metric.
    public var gates: [String: [String: GateMeasure]]
    /// Overrides that were made in the run.
    public var overrides: [RoutingOverride]
    /// The highest limit at which an alert was recorded, by budget and level.
    public var alerts: [BudgetAlert.Kind: Int64]

    /// A run that has just begun.
    public init(risk: RiskClass = .high, enforcement: Enforcement) {
        self.risk = risk
        self.enforcement = enforcement
        stage = nil
        latest = 0
        task = TaskState()
        (spent, reserved) = (.zero, .zero)
        (tokens, failing, gates, overrides, alerts) = ([:], [:], [:], [], [:])
    }
}

/// What happened so far in one task of a role.
public struct TaskState: Sendable, Hashable {
    /// Attempts that failed.
    public var attempts = 0
    /// Calls that were settled.
    public var settled = 0
    /// Models that were chosen, in the order of their first call.
    public var tried: [String] = []
    /// Models that a fired escalation left behind.
    public var excluded: [String] = []
    /// The mode that an escalation led to.
    public var mode: String?
    /// The least tier that an escalation asked for; 0 for none.
    public var tierAtLeast = 0
    /// Escalations that fired, by ID.
    public var fired: [String: Fired] = [:]
    /// When a model's call last failed in a way that passes it over, by model.
    public var failures: [String: Int64] = [:]
    /// The decision that asks a human who has not answered.
    public var asked: UInt32?
    public var answer: HumanAnswer?

    public init() {}

    /// Where the task stood when an escalation last fired or a human last answered: it holds again by what came after.
    public struct Fired: Sendable, Hashable {
        public var attempts: Int
        public var settled: Int

        public init(attempts: Int, settled: Int) {
            self.attempts = attempts
            self.settled = settled
        }
    }
}

/// What a human decided of a task.
public enum HumanAnswer: Sendable, Hashable {
    /// Go on as before.
    case proceed
    /// Go on with this model, if the policy permits it.
    case model(String)
    /// Do not go on.
    case stop
}

/// Calls of a provider that failed in a row.
public struct ProviderFailure: Sendable, Hashable {
    public var failures: Int
    /// Milliseconds.
    public var latest: Int64

    public init(failures: Int, latest: Int64) {
        self.failures = failures
        self.latest = latest
    }
}

/// A measurement that a gate compares.
public struct GateMeasure: Sendable, Hashable {
    public var value: Ratio
    public var samples: Int
    /// Milliseconds.
    public var time: Int64

    public init(value: Ratio, samples: Int, time: Int64) {
        self.value = value
        self.samples = samples
        self.time = time
    }
}

/// A rule set aside, by whom and until when is in the event. Counts until it expires.
public struct RoutingOverride: Sendable, Hashable {
    public enum Effect: Sendable, Hashable {
        /// So much more than `budgets.per_run_usd`.
        case money(USD)
        /// So many tokens more in a stage.
        case tokens(stage: String, Int)
        /// The gate counts as passed.
        case gate(String)
        /// Budgets and gates do not stop anything. What a role requires and what risk denies still hold.
        case breakGlass
    }

    public var effect: Effect
    /// Milliseconds; nil for the rest of the run.
    public var expires: Int64?
    /// The event that says so.
    public var sequence: UInt32

    public init(_ effect: Effect, expires: Int64? = nil, sequence: UInt32) {
        self.effect = effect
        self.expires = expires
        self.sequence = sequence
    }

    func counts(at now: Int64) -> Bool { expires.map { now < $0 } ?? true }
}

/// A budget passed a threshold: one event, once.
public struct BudgetAlert: Sendable, Hashable {
    public enum Level: String, Sendable, CaseIterable {
        case warn
        case stop
    }

    /// Which alert: the first of it at a limit is recorded, and again only at a higher limit.
    public struct Kind: Sendable, Hashable {
        /// The rule path: `budgets.per_run_usd`, `budgets.tokens.plan`.
        public var budget: String
        public var level: Level

        public init(_ budget: String, _ level: Level) {
            self.budget = budget
            self.level = level
        }
    }

    public var kind: Kind
    /// Picodollars or tokens, settled and reserved.
    public var used: Int64
    /// Picodollars or tokens.
    public var limit: Int64

    public var isMoney: Bool { kind.budget == "budgets.per_run_usd" }

    public init(_ kind: Kind, used: Int64, limit: Int64) {
        self.kind = kind
        self.used = used
        self.limit = limit
    }
}
