import ModelPolicy

/// What judging again gave of the policies that came into force in the middle of runs, and of which no approval is
/// recorded: each of them only tightens the one before it, or something is wrong.
public struct PolicyChangeAudit: Sendable {
    public typealias Finding = ApprovalAudit.Finding

    /// Events that brought another policy without a recorded approval.
    public internal(set) var changes = 0
    /// Those that permit what the policy before does not.
    public internal(set) var findings: [Finding] = []
    /// Those of which nothing can be said, because something is not here or a limit was reached.
    public internal(set) var notJudged: [Finding] = []

    /// Events that were not judged.
    public var notJudgedCount: Int { notJudged.reduce(0) { $0 + $1.events } }
    /// Those that only tighten.
    public var tightening: Int { changes - findings.reduce(0) { $0 + $1.events } - notJudgedCount }
}

/// Compares each pair of policies once. Time and memory are bounded by ``ApprovalAuditLimits``.
struct PolicyChangeAuditor {
    private struct Change: Hashable {
        var old: Digest?
        var new: Digest
    }

    private enum Place {
        case sound
        case finding(Int)
        case notJudged(Int)
    }

    private(set) var audit = PolicyChangeAudit()
    private let limits: ApprovalAuditLimits
    private var policies: [Digest: CompiledPolicy?] = [:]
    private var bytesLeft: Int
    private var judged: [Change: Place] = [:]
    /// Where changes beyond the limit are counted.
    private var beyond: Int?

    init(_ limits: ApprovalAuditLimits) {
        self.limits = limits
        bytesLeft = limits.policyBytes
    }

    /// Takes in a snapshot.
    ///
    /// - Parameter policy: nil for one that is no compiled policy.
    mutating func take(_ policy: CompiledPolicy?, id: Digest) {
        guard policies[id] == nil else { return }
        let bytes = policy?.canonicalJSON.count ?? 64
        guard bytes <= bytesLeft else { return }
        bytesLeft -= bytes
        policies.updateValue(policy, forKey: id)
    }

    /// Takes in an event that brings a policy.
    ///
    /// - Parameter old: what was in force before; nil where that was not read.
    mutating func take(_ event: EventReference, from old: Digest?, to new: Digest) {
        guard old != new else { return }
        audit.changes += 1
        let change = Change(old: old, new: new)
        switch judged[change] {
        case .sound: return
        case .finding(let place): audit.findings[place].events += 1
        case .notJudged(let place): audit.notJudged[place].events += 1
        case nil where judged.count >= limits.records: noteBeyond(event)
        case nil: judged[change] = judge(change, event)
        }
    }

    private mutating func noteBeyond(_ event: EventReference) {
        if let beyond {
            audit.notJudged[beyond].events += 1
            return
        }
        beyond = audit.notJudged.count
        let reason = "there are more than \(limits.records) different changes of a policy"
        audit.notJudged.append(.init(event: event, events: 1, reason: reason))
    }

    private mutating func judge(_ change: Change, _ event: EventReference) -> Place {
        do throws(ApprovalDoubt) {
            try check(change)
            return .sound
        } catch {
            switch error {
            case .contradicted(let reason):
                audit.findings.append(.init(event: event, events: 1, reason: reason))
                return .finding(audit.findings.count - 1)
            case .notJudged(let reason):
                audit.notJudged.append(.init(event: event, events: 1, reason: reason))
                return .notJudged(audit.notJudged.count - 1)
            }
        }
    }

    private func check(_ change: Change) throws(ApprovalDoubt) {
        guard let old = change.old else { throw .notJudged("the start of its run was not read") }
        guard let before = policies[old], let after = policies[change.new] else {
            throw .notJudged("one of the two policies is not here, or is beyond the \(limits.policyBytes) bytes read")
        }
        // Nothing is routed by either: neither permits anything.
        if before == nil, after == nil { return }
        guard let before, let after else {
            throw .contradicted("one of the two snapshots is no compiled policy, so it does not only tighten")
        }
        let looser = PolicyDiff(from: before, to: after).changes.filter { $0.effect == .looser }
        guard let first = looser.first else { return }
        let more = looser.count > 1 ? ", nor are \(looser.count - 1) others" : ""
        throw .contradicted(
            "no approval is recorded, and it permits more than the policy before: \(first.path) is not stricter\(more)"
        )
    }
}
