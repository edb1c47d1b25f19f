import Capsule

/// What a writer did that its callers do not see in their answers: for a log. See `WriterQueue.Options.observe`.
public enum WriterNotice: Sendable {
    /// Another writer has its turn, and ours is waited for. `holder` is what the capsule's note says of who writes: a
    /// JSON object with `pid`, `host`, `user`, `since` and `run`, as far as they are known; advice only, and bytes of
    /// somebody else's. Nil where the note says nothing.
    case waiting(holder: String?)
    /// The wait that was told of last ended with a turn of ours, after so long.
    case waited(Duration)
    /// The file was brought to a state in which all of it is durable.
    case recovered(RecoveryOutcome)
}
