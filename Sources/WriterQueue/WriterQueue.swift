// The one way to write: a queue inside a process, a lock across processes, one write and one sync for all who wait.
//
// Invariants:
// - Nothing is acknowledged as durable before a sync that covers it has returned.
// - Only admission, inside the turn and on the state at the tail, decides what is written; checks before it are advice.
// - A submission is written as a whole or not at all, and a refusal harms nobody else.
// - After a failed sync nothing is written any more: outcomes are unknown until the capsule is opened again.

import Capsule
import Synchronization

/// Appends to one capsule, from any number of tasks.
///
/// ```swift
/// let queue = try await WriterQueue(opening: "runs.cpsl")
/// let receipts = try await queue.submit(Submission(run: run, events: [draft]))
/// ```
///
/// Submissions are taken first come, first served. `submit` waits while `Limits.waitingBytes` are waiting already.
public final class WriterQueue: Sendable {
    /// How a queue writes.
    public struct Options: Sendable {
        /// Keep the capsule's lock until `close`, instead of giving it up after each turn.
        public var holdsLock = false
        /// Seconds to wait for other writers before a submission fails with `locked`.
        public var lockTimeout: Double = 10
        /// Bytes that may wait.
        public var waitingBytes = Limits.waitingBytes
        /// Take a turn in the thread that calls `submit` when nobody waits and the turn is sure to be short: one write
        /// and one sync, on a disk whose last sync took under 2 ms. Otherwise, and without this, turns are taken in
        /// the queue's own thread, which costs two wake-ups an event and blocks no thread of the caller.
        public var takesTurnsInCaller = true
        /// The time under which a sync makes a short turn. A test takes a long one: what it sees must not depend on how
        /// busy the machine is.
        package var shortSync = Duration.milliseconds(2)
        /// What the note says of this writer besides process, host and user: the run, say.
        public var purpose: String?
        /// Asked when a capsule of a megabyte or more is opened: where reading can go on, and the state there, as a
        /// side
        /// index knows it. Nil reads the capsule from its beginning. What it throws ends the opening.
        public var resume: (@Sendable (FileHeader) throws -> ResumePoint?)?
        /// Below this length reading all takes no longer than asking.
        package var resumedBytes: UInt64 = 1 << 20
        /// What else is known of how far the capsule was durable: an index's mark, a checkpoint kept elsewhere. Asked
        /// once for each file that is opened; a capsule that falls short of it is not written to.
        public var evidence: (@Sendable (FileHeader) -> OutsideEvidence?)?
        /// Makes who is told what is written from a place on. Called for each file that is opened, and again behind
        /// what other processes wrote.
        public var followBatches: (@Sendable (FileHeader, BatchPosition) -> (any BatchFollower)?)?
        /// Called while the capsule is read on opening, with bytes read and bytes to read.
        public var progress: (@Sendable (UInt64, UInt64) -> Void)?
        /// Told of waits and recoveries as they happen, in the writer's thread or the caller's: it must not block, nor
        /// call the queue. Nil costs nothing; otherwise a turn that has to wait reads the note once more.
        public var observe: (@Sendable (WriterNotice) -> Void)?

        public init() {}
    }

    private let pending: PendingList
    let writer: CapsuleWriter
    /// The capsule's header.
    public let header: FileHeader

    /// Opens a capsule for appending: takes the lock, reads the file to its end, recovers what a crash left, and gives
    /// the lock back.
    ///
    /// - Throws: `StorageError`; `CapsuleError` if the capsule is damaged or cut short; `WriteError.locked`.
    public init(
        opening path: FilePath,
        options: Options = Options(),
        storage: any Storage = PosixStorage(),
        random: any RandomSource = SystemRandom()
    ) async throws {
        pending = PendingList(limit: options.waitingBytes)
        writer = try CapsuleWriter(path, options: options, storage: storage, random: random, pending: pending)
        header = try await writer.open()
    }

    /// Writes a submission, and returns when it is as durable as it asks to be.
    ///
    /// - Returns: a receipt for each event that was asked for, in order. For `queued`, none: nothing has a place yet.
    /// - Throws: `WriteError`, `CapsuleError` for a limit, `StorageError`; `CancellationError` if the task was
    ///   cancelled before the
    ///   submission's turn began. Whatever is thrown but `outcomeUnknown`, nothing of the submission was written.
    public func submit(_ submission: Submission) async throws -> [Receipt] {
        try Task.checkCancellation()
        let prepared = try PreparedSubmission(submission, random: writer.random)
        let ticket = Ticket(prepared)
        // Waking the writer's thread and being woken by it takes as long as the sync of a fast disk.
        if let outcome = writer.takeShortTurn(for: ticket) { return try outcome.get() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                if pending.add(ticket, .task(continuation)) { writer.startDraining() }
            }
        } onCancel: {
            pending.cancel(ticket)
        }
    }

    /// Returns when everything submitted before is durable.
    ///
    /// - Throws: the first failure of a `queued` submission since the last `flush`.
    public func flush() async throws {
        _ = try await submit(Submission(flush: ()))
        if let failure = pending.takeQueuedFailure() { throw failure }
    }

    /// Writes what is waiting and gives up the lock. Later submissions fail with `closed`.
    public func close() async {
        try? await flush()
        pending.close()
        await writer.close()
    }

    /// What the capsule's state was after the last turn.
    public func state() async -> CapsuleState { await writer.currentState }

    /// How many writes, syncs and turns there were.
    public func statistics() async -> WriterStatistics { await writer.statistics }
}

/// What a queue did since it was opened.
public struct WriterStatistics: Equatable, Sendable {
    public var turns: UInt64 = 0
    /// Those of them that were taken in the caller's thread.
    public var turnsInCaller: UInt64 = 0
    public var syncs: UInt64 = 0
    public var events: UInt64 = 0
    public var bytesWritten: UInt64 = 0
    /// Length of the file after the last turn.
    public var fileLength: UInt64 = 0
}
