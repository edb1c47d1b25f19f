import Capsule

/// A writer that takes its turns in the caller's thread, one after the other: for tests that simulate a disk, where a
/// turn must have ended before the next thing happens.
///
/// It is the writer of `WriterQueue`, without the queue before it. Calls come from one thread at a time, which takes
/// the place of `thread`: that must have nothing else to do, or be the caller.
package final class TurnDoor {
    private let writer: CapsuleWriter
    package private(set) var header: FileHeader?
    /// Turns that were taken as `WriterQueue.submit` takes them in its caller's thread.
    package private(set) var shortTurns = 0

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
        header = try onThread { try writer.assumeIsolated { try $0.open() } }
    }

    /// Does `work` in the thread's place.
    private func onThread<R>(_ work: () throws -> R) rethrows -> R {
        let borrows = !writer.thread.isHeldHere
        precondition(!borrows || writer.thread.borrow(), "the writer's thread has something else to do")
        defer { if borrows { writer.thread.giveBack() } }
        return try work()
    }

    /// Takes one submission as `WriterQueue.submit` does: in a short turn if one can be had, else in a whole one.
    package func submit(_ submission: Submission) -> Result<[Receipt], any Error> {
        do {
            let ticket = Ticket(try PreparedSubmission(submission, random: writer.random))
            if !writer.thread.isHeldHere, let outcome = writer.takeShortTurn(for: ticket) {
                shortTurns += 1
                return outcome
            }
            let entries = [PendingList.Entry(ticket: ticket, waiter: nil)]
            return try onThread { try writer.assumeIsolated { try $0.turn(entries).outcomes[0] } }
        } catch {
            return .failure(error)
        }
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
            return try onThread { try writer.assumeIsolated { try $0.turn(entries).outcomes } }
        } catch {
            return submissions.map { _ in .failure(error) }
        }
    }

    /// Makes everything before it durable.
    package func flush() throws { _ = try take([Submission(flush: ())])[0].get() }

    package var state: CapsuleState { onThread { writer.assumeIsolated { $0.currentState } } }

    /// Where the last batch ends.
    package var end: UInt64 { onThread { writer.assumeIsolated { $0.end } } }

    package func close() { onThread { writer.assumeIsolated { $0.close() } } }
}
