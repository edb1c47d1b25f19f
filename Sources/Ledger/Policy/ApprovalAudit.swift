import ModelPolicy

/// What judging again gave of the approvals that runs recorded: whether an *approved* follows from the list of signers,
/// the statements and the signatures that the capsule holds, by the rules that held.
///
/// A verdict is derived, contradicted, or not judged because something is not here or a limit was reached.
public struct ApprovalAudit: Sendable {
    /// A recorded verdict that does not follow from what the capsule holds, or could not be judged.
    public struct Finding: Sendable, Equatable {
        /// The first event that records it.
        public var event: EventReference
        /// So many events record it.
        public var events: Int
        /// In a sentence without a full stop.
        public var reason: String
    }

    /// Events that record that a policy is approved, and those of which that cannot be told.
    public internal(set) var verdicts = 0
    /// Those whose verdict was derived again.
    public internal(set) var derived = 0
    /// Those that are contradicted, in the order of the file.
    public internal(set) var findings: [Finding] = []
    /// Those of which nothing can be said, in the order of the file.
    public internal(set) var notJudged: [Finding] = []

    /// Events that were not judged.
    public var notJudgedCount: Int { notJudged.reduce(0) { $0 + $1.events } }
}

/// How far the judging reaches, whatever is in a capsule: the numbers of `spec/policy.md`. What is beyond is not
/// judged, and said to be.
struct ApprovalAuditLimits: Sendable {
    /// So many different records are judged.
    var records = 10_000
    /// So many objects are looked for.
    var objects = 1_000_000
    /// So many bytes of objects are held.
    var heldBytes = 16 << 20
    /// So many batches are read again.
    var batches = 10_000
    /// The longest body that is read from outside its event.
    var bodyBytes = LedgerReader.jsonBlobBytes
    /// So many bytes of lists of signers are read.
    var listBytes = 64 << 20
    /// So many different signatures are checked.
    var signatures = 10_000
    /// So many comparisons of a name with a line of a list are made.
    var comparisons = 100_000_000
    /// So many bytes of policies are kept, to compare one with the other.
    var policyBytes = 64 << 20
    /// So many open runs are remembered.
    var runs = Limits.openRuns
}

/// Why a recorded verdict was not derived, in a sentence without a full stop.
enum ApprovalDoubt: Error, Hashable {
    /// The capsule shows that it does not follow.
    case contradicted(String)
    /// Something is not here, or a limit was reached.
    case notJudged(String)
}
