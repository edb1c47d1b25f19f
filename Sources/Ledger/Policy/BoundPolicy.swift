import ModelPolicy

/// The policy that a run begins under, and what is to be recorded of it.
///
/// A policy that does not load decides nothing about itself: what happens then is built in. A run of high risk is
/// refused; a run of low risk takes the snapshot that was bound last in the capsule, else one that routes nothing.
public struct BoundPolicy: Sendable {
    public var snapshot: PolicySnapshot
    public var origin: PolicyOrigin
    /// The source map, where the files loaded.
    var documents: [StoredObject] = []
    /// Nil when the policy loaded.
    public var failure: Failure?

    /// A policy that did not load.
    public struct Failure: Sendable {
        public enum Action: String, Sendable, CaseIterable {
            case refused
            case lastBound = "last-bound"
            case fallback
        }

        public var action: Action
        /// In a sentence.
        public var reason: String
        public var diagnostics: [Diagnostic]
    }

    public var isRefusal: Bool { failure?.action == .refused }

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
        approvals: any PolicyApprovals = NoApprovals(),
        lastBound: () throws -> [CompiledSnapshot]
    ) throws {
        if let compiled = load.snapshot, let result = load.result {
            try Self.checkEffective(compiled.policy, now)
            snapshot = try PolicySnapshot(canonicalJSON: compiled.canonicalJSON)
            let map = try StoredObject(.document, result.sourceMap.canonicalJSON, media: .json)
            documents = [map]
            origin = PolicyOrigin(.workspace, load)
            origin.sourceMap = map.id
            origin.enforcement = compiled.policy.enforcement
            return
        }
        let reason = load.fault ?? "the policy cannot be read"
        let diagnostics = load.result?.errors ?? []
        func built(_ policy: BuiltinPolicy, _ action: Failure.Action) throws -> Self {
            try Self(policy.canonicalJSON, policy.policy, .builtin, load, Failure(action, reason, diagnostics))
        }
        guard risk == "low" else {
            self = try built(.refuse, .refused)
            return
        }
        let usable = try lastBound().first { candidate in
            BuiltinPolicy(id: candidate.id) == nil
                && (candidate.policy.enforcement.approvals != .enforce || approvals.approves(candidate))
        }
        guard let usable else {
            self = try built(.fallback, .fallback)
            return
        }
        let failure = Failure(.lastBound, reason, diagnostics)
        self = try Self(usable.canonicalJSON, usable.policy, .lastBound, load, failure)
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

    static func isReached(_ effective: PolicyTime, _ now: Timestamp) -> Bool {
        effective.seconds <= now.nanoseconds / 1_000_000_000
    }
}

extension BoundPolicy.Failure {
    fileprivate init(_ action: Action, _ reason: String, _ diagnostics: [Diagnostic]) {
        self.action = action
        self.reason = reason
        self.diagnostics = diagnostics
    }

    /// The body of `policy.failure`.
    func body(bound: Digest, name: String?) -> [UInt8] {
        var body = JSONWriter()
        body.object { object in
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
