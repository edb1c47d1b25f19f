/// How a call ended. What each means for what comes after is a closed table (`spec/router.md`).
public enum CallOutcome: String, Sendable, CaseIterable {
    /// It answered, and the answer was taken.
    case completed
    /// It answered, and the answer was no good: tests failed, it did not parse, a reviewer said no.
    case rejected
    /// It took longer than the provider's `timeout`.
    case timeout
    /// The provider could not be reached, or said that the fault is its own.
    case unavailable
    /// The provider asked to come back later.
    case rateLimited = "rate_limited"
    /// The key was not accepted.
    case unauthorized
    /// The input did not fit, whatever the estimate said.
    case contextExceeded = "context_exceeded"
    /// The provider declined for safety. That is an answer: no other model is asked for that reason.
    case safetyRefusal = "safety_refusal"
    /// The caller gave up.
    case cancelled

    /// Whether it is a failed attempt of the task, which escalations count.
    public var isFailedAttempt: Bool { self == .rejected }

    /// Whether the task passes the model over for a while.
    public var fallsBack: Bool {
        switch self {
        case .timeout, .unavailable, .rateLimited, .unauthorized, .contextExceeded: true
        case .completed, .rejected, .safetyRefusal, .cancelled: false
        }
    }

    /// What it says of the provider: one failure more in a row, that it works, or nothing.
    public var health: Health {
        switch self {
        case .timeout, .unavailable, .rateLimited, .unauthorized: .failed
        case .completed, .rejected, .safetyRefusal: .works
        case .contextExceeded, .cancelled: .unknown
        }
    }

    public enum Health: Sendable { case failed, works, unknown }
}
