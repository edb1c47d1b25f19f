import ModelPolicy

/// The policy that a run begins under, and what is to be recorded of it.
///
/// A policy that does not load decides nothing about itself: what happens then is built in. A run of high risk is
/// refused; a run of low risk takes the snapshot that was bound last in the capsule, else one that routes nothing. The
/// same happens to a policy that enforces approvals and lacks some.
public struct BoundPolicy: Sendable {
    public var snapshot: PolicySnapshot
    public var origin: PolicyOrigin
    /// The source map, where the files loaded.
    var documents: [StoredObject] = []
    /// Nil when the policy loaded, and is approved where it enforces that.
    public var failure: Failure?

    /// A policy that binds no run.
    public struct Failure: Sendable {
        public enum Cause: String, Sendable, CaseIterable {
            case doesNotLoad = "does-not-load"
            case notApproved = "not-approved"

            /// What the policy does, or is.
            public var words: String {
                switch self {
                case .doesNotLoad: "the policy does not load"
                case .notApproved: "the policy is not approved"
                }
            }
        }

        public enum Action: String, Sendable, CaseIterable {
            case refused
            case lastBound = "last-bound"
            case fallback
        }

        public var cause: Cause
        public var action: Action
        /// In a sentence.
        public var reason: String
        public var diagnostics: [Diagnostic]
    }

    public var isRefusal: Bool { failure?.action == .refused }

    /// A snapshot that a run of the capsule was bound to.
    public struct Earlier: Sendable {
        public var snapshot: CompiledSnapshot
        /// Whether it was approved when the run began.
        public var isApproved: Bool

        public init(snapshot: CompiledSnapshot, isApproved: Bool) {
            self.snapshot = snapshot
            self.isApproved = isApproved
        }
    }

    /// What a policy lacks that asks to be warned of it, in a sentence; nil when there is nothing to say.
    public var approvalWarning: String? {
        guard failure == nil, origin.enforcement?.approvals == .warn else { return nil }
        return Self.shortfall(origin.approvals)
    }

    private static func shortfall(_ record: ApprovalRecord?) -> String? {
        guard let record else { return "nothing is known of its approvals" }
        return record.listFault ?? record.verdict.shortfall
    }

    /// Decides what a run begins under.
    ///
    /// - Parameters:
    ///   - risk: anything but `low` is high.
    ///   - lastBound: the snapshots that were bound in the capsule, newest first; asked only when the files do not
    ///     load.
    /// - Throws: `LedgerError.policyNotEffective` before the policy's day.
    public init(
        _ load: PolicyLoad,
        risk: String?,
        now: Timestamp,
        approvals: any PolicyApprovals = WorkspaceApprovals(),
        lastBound: () throws -> [Earlier]
    ) throws {
        guard let compiled = load.snapshot, let result = load.result else {
            let failure = Failure(.doesNotLoad, load.fault ?? "the policy cannot be read", load.result?.errors ?? [])
            self = try Self(load, risk, failure, record: nil, lastBound)
            return
        }
        try Self.checkEffective(compiled.policy, now)
        let record = approvals.judge(load, by: nil, now: now.policyTime)
        if compiled.policy.enforcement.approvals == .enforce, let lack = Self.shortfall(record) {
            self = try Self(load, risk, Failure(.notApproved, lack, []), record: record, lastBound)
            return
        }
        snapshot = try PolicySnapshot(canonicalJSON: compiled.canonicalJSON)
        let map = try StoredObject(.document, result.sourceMap.canonicalJSON, media: .json)
        documents = [map] + (record?.objects ?? [])
        origin = PolicyOrigin(.workspace, load)
        origin.sourceMap = map.id
        origin.enforcement = compiled.policy.enforcement
        origin.approvals = record
    }

    /// What a run begins under instead of a policy that failed.
    private init(
        _ load: PolicyLoad,
        _ risk: String?,
        _ failure: Failure,
        record: ApprovalRecord?,
        _ lastBound: () throws -> [Earlier]
    ) throws {
        func bound(
            _ bytes: [UInt8],
            _ policy: CompiledPolicy,
            _ kind: PolicyOrigin.Kind,
            _ action: Failure.Action
        ) throws -> Self {
            var failure = failure
            failure.action = action
            var bound = try Self(bytes, policy, kind, load, failure)
            bound.origin.approvals = record
            bound.documents += record?.objects ?? []
            return bound
        }
        func built(_ policy: BuiltinPolicy, _ action: Failure.Action) throws -> Self {
            try bound(policy.canonicalJSON, policy.policy, .builtin, action)
        }
        guard risk == "low" else {
            self = try built(.refuse, .refused)
            return
        }
        let usable = try lastBound().first { earlier in
            let asks = failure.cause == .notApproved || earlier.snapshot.policy.enforcement.approvals == .enforce
            return BuiltinPolicy(id: earlier.snapshot.id) == nil && (!asks || earlier.isApproved)
        }
        guard let usable = usable?.snapshot else {
            self = try built(.fallback, .fallback)
            return
        }
        self = try bound(usable.canonicalJSON, usable.policy, .lastBound, .lastBound)
    }

    private init(
        _ bytes: [UInt8],
        _ policy: CompiledPolicy,
        _ kind: PolicyOrigin.Kind,
        _ load: PolicyLoad,
        _ failure: Failure
    ) throws {
        snapshot = try PolicySnapshot(canonicalJSON: bytes)
        origin = PolicyOrigin(kind, load)
        origin.enforcement = policy.enforcement
        self.failure = failure
    }

    static func checkEffective(_ policy: CompiledPolicy, _ now: Timestamp) throws(LedgerError) {
        guard let effective = policy.effective, !Self.isReached(effective, now) else { return }
        throw LedgerError(
            .policyNotEffective,
            "\(policy.name) \(policy.version) is effective from \(effective) on; it binds no run before"
        )
    }

    static func isReached(_ effective: PolicyTime, _ now: Timestamp) -> Bool { effective <= now.policyTime }
}

extension Timestamp {
    /// To the second, as policies count time.
    public var policyTime: PolicyTime { PolicyTime(seconds: nanoseconds / 1_000_000_000) }
}

extension BoundPolicy.Failure {
    fileprivate init(_ cause: Cause, _ reason: String, _ diagnostics: [Diagnostic]) {
        self.cause = cause
        action = .refused
        self.reason = reason
        self.diagnostics = diagnostics
    }

    /// The body of `policy.failure`.
    func body(bound: Digest, name: String?) -> [UInt8] {
        var body = JSONWriter()
        body.object { object in
            object.member("cause", cause.rawValue)
            object.member("action", action.rawValue)
            object.member("reason", reason)
            object.member("bound", PolicySnapshot.text(bound))
            if let name { object.member("name", name) }
            object.member("diagnostics", diagnostics.recorded)
            object.member("diagnostics_count", diagnostics.count)
        }
        return body.bytes
    }
}

extension [Diagnostic] {
    /// So many are kept in an event.
    private static var most: Int { 20 }

    var recorded: JSONValue {
        .array(
            prefix(Self.most).map { diagnostic in
                [
                    "code": .string(diagnostic.code.rawValue), "file": .string(diagnostic.file),
                    "line": .number(JSONNumber(diagnostic.span.start.line)),
                    "column": .number(JSONNumber(diagnostic.span.start.column)), "message": .string(diagnostic.message),
                ]
            }
        )
    }
}
