/// What uses a ledger (a runner, the router, the commands) knows this, and not what stands behind it.
///
/// Everything returns when it is as durable as it says; nothing is written by halves.
public protocol RunLedger: Sendable {
    /// Begins a run under a policy snapshot. With a name, it can be repeated: the run that has it is returned.
    func start(_ start: RunStart) async throws -> StartedRun
    /// Appends events to a run, all of them or none.
    func append(_ events: [EventDraft], to run: RunHandle, durability: Durability) async throws -> [Receipt]
    /// Records that the run enters a stage, and makes a checkpoint there. The policy's files are looked at again.
    func enter(stage: String, in run: RunHandle, reason: String?) async throws -> Receipt
    /// Brings another snapshot into force from here on, if it permits nothing that the one in force does not.
    func bind(_ snapshot: PolicySnapshot, in run: RunHandle, reason: String?) async throws -> Receipt
    /// Marks a point to go back to, and stores the size and root of everything up to it. The policy's files are looked
    /// at again.
    func checkpoint(label: String?, in run: RunHandle) async throws -> Receipt
    /// Ends and seals a run. It can be repeated with the same outcome.
    func end(_ run: RunHandle, outcome: Outcome, details: RunEnd) async throws -> Receipt
    /// Returns when everything submitted before is durable.
    func flush() async throws
}

/// A run, and what is needed to append to it.
public struct RunHandle: Sendable, Hashable {
    public var id: RunID
    /// The token that an exclusive run asks for.
    public var token: String?

    public init(_ id: RunID, token: String? = nil) {
        self.id = id
        self.token = token
    }
}

/// What is said when a run begins.
public struct RunStart: Sendable {
    /// The policy that the run is under: its bytes, or the ID of one that is in the capsule.
    public enum Policy: Sendable {
        case snapshot(PolicySnapshot)
        case stored(Digest)
    }

    public var policy: Policy
    /// The caller's own name; unique in the capsule.
    public var name: String?
    public var spec: String?
    /// `high` or `low`; unstated is high.
    public var risk: String?
    public var actor: String?
    public var command: [String]?
    public var labels: [(name: String, value: String)] = []
    /// The stage in which the run begins.
    public var stage: String?
    /// Draw a token without which nothing can be appended.
    public var isExclusive = false
    public var time = Timestamp.now
    public var trace: TraceContext?

    /// Where the policy came from, when it was compiled from files or did not load.
    public let bound: BoundPolicy?

    public init(_ policy: Policy) {
        self.policy = policy
        bound = nil
    }

    /// Begins under a policy of a workspace. A run that this refuses is recorded and sealed at once.
    public init(_ bound: BoundPolicy) {
        policy = .snapshot(bound.snapshot)
        self.bound = bound
    }
}

/// What is said when a run ends.
public struct RunEnd: Sendable {
    public var reason: String?
    public var exitStatus: Int32?
    public var durationNanoseconds: Int64?
    public var time = Timestamp.now

    public init() {}
}

/// A run that began, now or by an earlier try.
public struct StartedRun: Sendable, Equatable {
    public var handle: RunHandle
    public var receipt: Receipt
    public var snapshot: Digest
    /// Whether the run was refused because its policy did not load, and so is sealed already.
    public var isRefused = false
}
