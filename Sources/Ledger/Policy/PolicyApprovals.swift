import ModelPolicy

/// Says whether a policy was agreed to by those who must.
///
/// The one place where approvals come in: at a start that falls back to an earlier policy, and in the middle of a run,
/// where a change that loosens needs one.
public protocol PolicyApprovals: Sendable {
    func approves(_ snapshot: CompiledSnapshot) -> Bool
}

/// Knows of no approval, so that nothing loosens.
public struct NoApprovals: PolicyApprovals {
    public init() {}
    public func approves(_ snapshot: CompiledSnapshot) -> Bool { false }
}
