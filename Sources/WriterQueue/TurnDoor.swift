import Capsule

/// A writer that takes its turns in the caller's thread, one after the other: for tests that simulate a disk, where a
/// turn must have ended before the next thing happens.
///
/// It is the writer of `WriterQueue`, without the queue before it. Every call must come from `thread`.
package final class TurnDoor {
    private let writer: CapsuleWriter
    package private(set) var header: FileHeader?

    package init(
        _ path: FilePath,
        options: WriterQueue.Options = .init(),
        storage: any Storage,
        random: any RandomSource,
        on thread: WriterThread
    ) throws {
        let pending = PendingList(limit: options.waitingBytes)
        writer = try CapsuleWriter(
            path,
            options: options,
            storage: storage,
            random: random,
            pending: pending,
            thread: thread
        )
        header = try writer.assumeIsolated { try $0.open() }
    }

    /// Takes one turn for all of `submissions`; returns what each came to.
    package func take(_ submissions: [Submission]) -> [Result<[Receipt], any Error>] {
        do {
            let entries = try submissions.map { submission in
                PendingList.Entry(
                    ticket: Ticket(try PreparedSubmission(submission, random: writer.random)),
                    waiter: nil
                )
            }
            return try writer.assumeIsolated { try $0.turn(entries).outcomes }
        } catch {
            return submissions.map { _ in .failure(error) }
        }
    }

    /// Makes everything before it durable.
    package func flush() throws { _ = try take([Submission(flush: ())])[0].get() }

    package var state: CapsuleState { writer.assumeIsolated { $0.currentState } }

    /// Where the last batch ends.
    package var end: UInt64 { writer.assumeIsolated { $0.end } }

    package func close() { writer.assumeIsolated { $0.close() } }
}
