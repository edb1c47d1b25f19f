import Capsule

/// Knows more of one run than the envelope of its events says, and is told each of them in order, inside turns.
///
/// It belongs to the queue's thread while it follows. When a write fails, or the file is opened anew, the queue lets it
/// go without a word: what it took in may not be what the file holds.
public protocol RunFollower: AnyObject, Sendable {
    /// Takes in the next event of the run.
    ///
    /// - Parameter body: nil where the event has none, was erased, or has it as a blob.
    func take(_ envelope: Envelope, body: [UInt8]?)
}

/// A run as it stands inside a turn, with everything before in this turn taken in.
public struct RunView {
    public let run: RunState
    /// Whoever follows the run; nil if nobody does any more.
    public let follower: (any RunFollower)?
}

/// What came of looking at a run inside the turn.
public enum Composed: Sendable {
    /// These events are to be written; a stricter durability than the submission's counts.
    case events([EventDraft], durability: Durability)
    /// It was written before: the same key came again.
    case written(KeyedEvent)
}

extension WriterQueue {
    /// Lets `follower` be told every event of the run from a certain one on.
    ///
    /// - Returns: the sequence of that event. Those before it are in the file.
    /// - Throws: `WriteError.unknownRun`, `runEnded`, and what opening the file throws.
    public func follow(_ run: RunID, _ follower: any RunFollower) async throws -> UInt32 {
        try await writer.follow(run, follower)
    }
}
