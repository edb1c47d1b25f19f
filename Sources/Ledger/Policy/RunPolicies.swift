import Logging
import ModelPolicy
import Synchronization

/// Looks at the policies of runs again, at their boundaries.
///
/// Where a run's policy came from stands in its first event, and nobody can change it afterwards. What is found there
/// in the middle of the run is taken up if it permits nothing that the snapshot in force does not.
final class RunPolicies: Sendable {
    let path: FilePath
    let storage: any Storage
    let approvals: any PolicyApprovals
    private let known = Mutex(Known())
    private static let log = Logger(label: "capsule.policy")

    private struct Known {
        var origins: [RunID: Origin] = [:]
        /// Compiled policies by ID; nil for a snapshot that is none.
        var compiled: [Digest: CompiledPolicy?] = [:]
        /// The most that are kept of each before all are forgotten.
        static let most = 1000

        mutating func note(_ policy: CompiledPolicy?, _ id: Digest) {
            if compiled.count >= Self.most { compiled.removeAll() }
            compiled[id] = .some(policy)
        }

        mutating func note(_ origin: Origin, _ run: RunID) {
            if origins.count >= Self.most { origins.removeAll() }
            origins[run] = origin
        }
    }

    private struct Origin {
        /// Nil for a run whose policy has no files.
        var workspace: PolicyWorkspace?
        var spec: String?
        /// The list of signers that the run began with. *Why not the workspace's: an agent can write that.*
        var signers: Digest?
    }

    init(_ path: FilePath, storage: any Storage, approvals: any PolicyApprovals) {
        self.path = path
        self.storage = storage
        self.approvals = approvals
    }

    func noteStart(of run: RunID, _ start: RunStart) {
        let origin = Origin(
            workspace: start.bound?.origin.workspace,
            spec: start.spec,
            signers: start.bound?.failure == nil ? start.bound?.origin.approvals?.signers?.id : nil
        )
        known.withLock { known in
            known.note(origin, run)
            if case .snapshot(let snapshot) = start.policy {
                known.note(try? CompiledPolicy(canonicalJSON: snapshot.bytes), snapshot.id)
            }
        }
    }

    /// What there is to record; nil when the policy is as it was, or the run has no files.
    func look(at run: RunID, inForce: Digest) -> PolicyLook? {
        guard let origin = origin(of: run), let workspace = origin.workspace else { return nil }
        let load = workspace.load(spec: origin.spec, storage: storage)
        guard let found = load.snapshot, let result = load.result else {
            // The run began with what it has because the files did not load; that they still do not is no news.
            if let policy = compiled(inForce), BuiltinPolicy(id: policy.snapshotID) != nil { return nil }
            return keep(.doesNotLoad, load.fault ?? "the policy cannot be read", inForce, load, nil)
        }
        guard let id = try? PolicySnapshot(canonicalJSON: found.canonicalJSON).id, id != inForce else { return nil }
        guard let current = compiled(inForce) else {
            return keep(.cannotCompare, "the snapshot in force is no compiled policy", inForce, load, nil)
        }
        guard found.policy.effective.map({ BoundPolicy.isReached($0, .now) }) ?? true else {
            return keep(.notEffective, "the policy found is not effective yet", inForce, load, nil)
        }
        let diff = PolicyDiff(from: current, to: found.policy)
        var record: ApprovalRecord?
        if !diff.onlyTightens {
            record = judge(load, current, signers: origin.signers)
            guard record?.verdict.isApproved == true else {
                let looser = diff.changes.filter { $0.effect == .looser }
                let reason = "\(looser.count) change\(looser.count == 1 ? "" : "s") not stricter, and not approved"
                return keep(.loosens, reason, inForce, load, diff, record)
            }
            switch newestVersion(of: run) {
            case .none: break
            case .notRead:
                let reason = "it permits more, and which versions this run was under cannot be read"
                return keep(.cannotCompare, reason, inForce, load, diff, record)
            case .some(let newest) where newest > found.policy:
                let reason =
                    "version \(found.policy.version) permits more, and this run was under \(newest.text) already"
                return keep(.older, reason, inForce, load, diff, record)
            case .some: break
            }
        }
        known.withLock { $0.note(found.policy, id) }
        Self.log.info("the policy was taken up", metadata: ["run": "\(run)", "snapshot": "\(found.id)"])
        return PolicyLook(takingUp: found, result, id, load, previous: inForce, record)
    }

    /// - Throws: `LedgerError.policyLoosens`.
    func checkTightens(from inForce: Digest, to snapshot: PolicySnapshot) throws(LedgerError) {
        guard snapshot.id != inForce else { return }
        let found = try? CompiledSnapshot(canonicalJSON: snapshot.bytes)
        let current = compiled(inForce)
        // Two that nothing routes by: neither permits anything.
        if current == nil, found == nil { return }
        guard let current, let found else {
            throw LedgerError(
                .policyLoosens,
                "one of the two snapshots is no compiled policy, so nothing shows that the new one only tightens; "
                    + "the run keeps the one it has"
            )
        }
        let looser = PolicyDiff(from: current, to: found.policy).changes.filter { $0.effect == .looser }
        guard let first = looser.first else { return }
        throw LedgerError(
            .policyLoosens,
            "this policy permits what the run's own does not, and one that is brought by hand only tightens: "
                + "\(first.path) is not stricter"
                + (looser.count > 1 ? ", nor are \(looser.count - 1) others" : "") + "; the run keeps the one it has"
        )
    }

    private func keep(
        _ cause: PolicyLook.Cause,
        _ reason: String,
        _ inForce: Digest,
        _ load: PolicyLoad,
        _ diff: PolicyDiff?,
        _ record: ApprovalRecord? = nil
    ) -> PolicyLook {
        Self.log.warning("the run keeps its policy", metadata: ["cause": "\(cause.rawValue)", "reason": "\(reason)"])
        return PolicyLook(keeping: inForce, cause, reason, load, diff, record)
    }

    /// The folder of the workspace that the run's policy came from.
    func workspace(of run: RunID) -> FilePath? { origin(of: run)?.workspace?.root }

    private func origin(of run: RunID) -> Origin? {
        if let origin = known.withLock({ $0.origins[run] }) { return origin }
        guard let reader = reader(), let batch = try? reader.index.batchOffsets(of: run).first,
            let first = try? RunTimeline(run, in: reader.capsule, batches: [batch]).events.first,
            let start = (try? reader.json(of: first)).flatMap(\.self)
        else { return nil }
        // The record of a policy that was not taken is no rule for anything.
        let isOwn = start["policy"]?["origin"]?.string == PolicyOrigin.Kind.workspace.rawValue
        let signers = isOwn ? start["policy"]?["approvals"]?["signers"]?.string : nil
        let origin = Origin(
            workspace: PolicyWorkspace(startBody: start),
            spec: start["spec"]?.string,
            signers: signers.flatMap(PolicySnapshot.digest)
        )
        known.withLock { $0.note(origin, run) }
        return origin
    }

    func compiled(_ id: Digest) -> CompiledPolicy? {
        if let policy = known.withLock({ $0.compiled[id] }) { return policy }
        guard let object = (try? reader()?.object(id)).flatMap(\.self) else { return nil }
        let policy = try? CompiledPolicy(canonicalJSON: object.bytes)
        known.withLock { $0.note(policy, id) }
        return policy
    }

    /// Whether a snapshot was read and is no compiled policy.
    func isNoPolicy(_ id: Digest) -> Bool { known.withLock { $0.compiled[id] == .some(nil) } }

    /// The bytes of a document of the capsule.
    func document(_ id: Digest) -> [UInt8]? { (try? reader()?.object(id)).flatMap(\.self)?.bytes }

    func reader() -> LedgerReader? {
        guard storage is PosixStorage else { return nil }
        return try? LedgerReader(CapsuleFile(path))
    }
}

extension CompiledPolicy {
    var snapshotID: SnapshotID { SnapshotID(ofSnapshot: canonicalJSON) }
}

/// What looking at a policy again gave: an event, and what it needs.
struct PolicyLook {
    enum Cause: String, Sendable, CaseIterable {
        case loosens
        /// It is approved and loosens, and the run has been under a newer version.
        case older
        case doesNotLoad = "does-not-load"
        case notEffective = "not-effective"
        case cannotCompare = "cannot-compare"
    }

    var draft: EventDraft
    var objects: [StoredObject] = []

    /// So many changes are kept in an event.
    private static let mostChanges = 50

    init(
        takingUp found: CompiledSnapshot,
        _ result: CompileResult,
        _ id: Digest,
        _ load: PolicyLoad,
        previous: Digest,
        _ record: ApprovalRecord?
    ) {
        var origin = PolicyOrigin(.workspace, load)
        objects = (try? [StoredObject(.snapshot, found.canonicalJSON)]) ?? []
        if let map = try? StoredObject(.document, result.sourceMap.canonicalJSON, media: .json) {
            origin.sourceMap = map.id
            objects.append(map)
        }
        origin.approvals = record
        objects += record?.objects ?? []
        let reason = "the policy's files were changed, and " + (record == nil ? "only tighten" : "are approved")
        draft = Self.snapshotDraft(id, previous: previous, reason: reason, origin.evidence)
    }

    init(
        keeping: Digest,
        _ cause: Cause,
        _ reason: String,
        _ load: PolicyLoad,
        _ diff: PolicyDiff?,
        _ record: ApprovalRecord?
    ) {
        var origin = PolicyOrigin(.workspace, load)
        origin.approvals = record
        objects = record?.objects ?? []
        var body = JSONWriter()
        body.object { object in
            object.member("cause", cause.rawValue)
            object.member("reason", reason)
            object.member("kept", PolicySnapshot.text(keeping))
            if let found = load.snapshot { object.member("found", "\(found.id)") }
            if let diff {
                let changes = diff.changes.prefix(Self.mostChanges).map { change -> JSONValue in
                    [
                        "path": .string(change.path), "effect": .string(change.effect.rawValue),
                        "old": change.old ?? .null, "new": change.new ?? .null,
                    ]
                }
                object.member("changes", .array(changes))
                object.member("changes_count", diff.changes.count)
            }
            if let errors = load.result?.errors, !errors.isEmpty {
                object.member("diagnostics", errors.recorded)
                object.member("diagnostics_count", errors.count)
            }
            for (name, value) in origin.evidence { object.member(name, value) }
        }
        draft = EventDraft(.registered(.policyKept), body: body.bytes)
    }

    static func snapshotDraft(
        _ id: Digest,
        previous: Digest?,
        reason: String?,
        _ evidence: [(String, JSONValue)] = []
    ) -> EventDraft {
        var body = JSONWriter()
        body.object { object in
            object.member("snapshot", PolicySnapshot.text(id))
            if let previous { object.member("previous", PolicySnapshot.text(previous)) }
            if let reason { object.member("reason", reason) }
            for (name, value) in evidence { object.member(name, value) }
        }
        var draft = EventDraft(.registered(.snapshot), body: body.bytes)
        draft.snapshot = id
        return draft
    }
}

extension CapsuleLedger {
    /// Decides under which policy a run begins: the workspace's, or what is built in where that does not load.
    ///
    /// - Throws: `LedgerError.policyNotEffective`.
    public func bind(_ load: PolicyLoad, risk: String?, now: Timestamp = .now) throws -> BoundPolicy {
        try policies.bind(load, risk: risk, now: now)
    }
}

extension RunPolicies {
    fileprivate func bind(_ load: PolicyLoad, risk: String?, now: Timestamp) throws -> BoundPolicy {
        let bound = try BoundPolicy(load, risk: risk, now: now, approvals: approvals) {
            storage is PosixStorage ? try Self.lastBound(in: path) : []
        }
        if let failure = bound.failure {
            Self.log.warning(
                "\(failure.cause.words)",
                metadata: ["action": "\(failure.action)", "reason": "\(failure.reason)"]
            )
        } else {
            Self.log.debug("the policy was compiled", metadata: ["snapshot": "\(bound.snapshot.id.hex)"])
        }
        return bound
    }
}
