/// What is wrong with a request to the ledger, or with what it was given.
///
/// Two errors are equal when their codes are.
public struct LedgerError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// No capsule where it was looked for.
        case noCapsule = "no-capsule"
        /// A body is not JSON, or not what its event type asks for.
        case bodyInvalid = "body-invalid"
        /// A line of a stream, an option or a file is not what it should be.
        case inputInvalid = "input-invalid"
        /// A snapshot is not canonical JSON, or too large.
        case snapshotInvalid = "snapshot-invalid"
        case unknownRun = "unknown-run"
        case ambiguousRun = "ambiguous-run"
        case unknownSnapshot = "unknown-snapshot"
        case ambiguousSnapshot = "ambiguous-snapshot"
        case unknownEvent = "unknown-event"
        case unknownCheckpoint = "unknown-checkpoint"
        case ambiguousCheckpoint = "ambiguous-checkpoint"
        /// No policy where it was looked for.
        case noPolicy = "no-policy"
        /// A policy that binds no run before its day.
        case policyNotEffective = "policy-not-effective"
        /// A policy that would permit more than the one that a run is under.
        case policyLoosens = "policy-loosens"
        /// The snapshot in force is no compiled policy, so nothing can be routed by it.
        case noRouting = "no-routing"
        /// A settlement of what is no open decision.
        case decisionNotOpen = "decision-not-open"
        /// An answer to what asks no human.
        case notAsked = "not-asked"
        /// A body that says more of a prompt or an output than the policy keeps.
        case overCapture = "over-capture"
        /// A decision whose evidence does not stand in an event.
        case evidenceTooLarge = "evidence-too-large"
        /// What only counts when it is signed.
        case notApproved = "not-approved"
        /// Events of a run that should be in the file were not found there.
        case historyUnread = "history-unread"
        /// An event of a type that only the ledger writes.
        case reservedType = "reserved-type"
        /// A policy that enforces approvals, and of which none are known.
        case policyNotApproved = "policy-not-approved"
    }

    public var code: Code
    public var reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public static func == (left: LedgerError, right: LedgerError) -> Bool { left.code == right.code }

    public var description: String { "\(reason) [\(code.rawValue)]" }
}
