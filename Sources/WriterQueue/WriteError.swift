import Capsule

/// Why a submission was not written.
///
/// Two errors are equal when their codes are.
public struct WriteError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Code: String, Sendable, CaseIterable {
        /// Another writer held the lock for longer than we were to wait.
        case locked
        /// A sync failed earlier, or a failed write could not be undone: open the capsule again.
        case poisoned
        /// A sync failed: the submission may or may not be there. Open the capsule again and look.
        case outcomeUnknown = "outcome-unknown"
        case closed
        /// The path names another file than the one that was opened.
        case replaced
        /// The capsule was written by a newer version: it can be read, not appended to.
        case newerFormat = "newer-format"
        /// The capsule breaks its own rules; nothing is appended to it.
        case broken
        /// The capsule's last event closed it; another one continues.
        case capsuleClosed = "capsule-closed"
        case unknownRun = "unknown-run"
        case runEnded = "run-ended"
        case tokenRequired = "token-required"
        case wrongToken = "wrong-token"
        case noSnapshot = "no-snapshot"
        case unknownSnapshot = "unknown-snapshot"
        /// The same key, or the same name of a run, with other content.
        case keyConflict = "key-conflict"
        /// The event would not get the sequence that the caller expects.
        case sequenceConflict = "sequence-conflict"
        case unknownCause = "unknown-cause"
        case limitRun = "limit-run"
        case limitOpenRuns = "limit-open-runs"
        /// Types that only the ledger itself writes, or in the wrong place.
        case misplacedType = "misplaced-type"
    }

    public var code: Code
    /// One sentence or two: what, where, and what to do next.
    public var reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public static func == (left: WriteError, right: WriteError) -> Bool { left.code == right.code }

    public var description: String { "\(reason) [\(code.rawValue)]" }
}
