import Capsule
import Synchronization

/// A submission on its way, and who waits for it.
final class Ticket: Sendable {
    let submission: PreparedSubmission
    /// Set when the caller's task was cancelled, which may be before the ticket is in the list.
    let isCancelled = Atomic(false)

    init(_ submission: PreparedSubmission) { self.submission = submission }
}

/// Who hears how a submission went.
enum Waiter: Sendable {
    case task(CheckedContinuation<[Receipt], any Error>)
    /// A caller whose own thread takes the turn, and who looks into the box afterwards.
    case caller(OutcomeBox)

    func resume(with outcome: Result<[Receipt], any Error>) {
        switch self {
        case .task(let continuation): continuation.resume(with: outcome)
        case .caller(let box): box.outcome.withLock { $0 = outcome }
        }
    }

    func resume(returning receipts: [Receipt]) { resume(with: .success(receipts)) }
    func resume(throwing error: any Error) { resume(with: .failure(error)) }
}

/// Holds an outcome for the thread that brings it about.
final class OutcomeBox: Sendable {
    let outcome = Mutex<Result<[Receipt], any Error>?>(nil)
}

/// What waits for its turn, first come, first served. All state lives inside the lock, which is held for a push or a
/// pop only.
final class PendingList: Sendable {
    struct Entry {
        let ticket: Ticket
        /// Nil once a `queued` caller has been let go.
        var waiter: Waiter?
    }

    private struct State {
        var entries: [Entry] = []
        /// Bytes of the entries that have room; those behind them wait for it.
        var admittedBytes = 0
        var admittedCount = 0
        var isDraining = false
        var isClosed = false
        var queuedFailure: (any Error)?
    }

    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// Takes a ticket in. Returns whether the caller must start a drain.
    func add(_ ticket: Ticket, _ waiter: Waiter) -> Bool {
        let (start, release, failure): (Bool, [Waiter], (any Error)?) = state.withLock { state in
            if ticket.isCancelled.load(ordering: .acquiring) { return (false, [], CancellationError()) }
            if state.isClosed { return (false, [], WriteError(.closed, "the queue was closed")) }
            state.entries.append(Entry(ticket: ticket, waiter: waiter))
            let released = Self.admit(&state, limit: limit)
            defer { state.isDraining = true }
            return (!state.isDraining, released, nil)
        }
        if let failure { waiter.resume(throwing: failure) }
        for waiter in release { waiter.resume(returning: []) }
        return start
    }

    /// Gives room to as many entries as fit, and returns the `queued` callers who can go.
    private static func admit(_ state: inout State, limit: Int) -> [Waiter] {
        var released: [Waiter] = []
        while state.admittedCount < state.entries.count {
            let index = state.admittedCount
            let bytes = state.entries[index].ticket.submission.bytes
            // One that is larger than the limit goes when it is alone: it would wait for ever otherwise.
            guard state.admittedBytes == 0 || state.admittedBytes + bytes <= limit else { break }
            state.admittedBytes += bytes
            state.admittedCount += 1
            if state.entries[index].ticket.submission.durability == .queued, let waiter = state.entries[index].waiter {
                released.append(waiter)
                state.entries[index].waiter = nil
            }
        }
        return released
    }

    /// Takes entries for one turn, at most `bytes` unless the first is larger. Nil ends the drain.
    func take(bytes: Int) -> [Entry]? {
        let (taken, released): ([Entry]?, [Waiter]) = state.withLock { state in
            guard !state.entries.isEmpty else {
                state.isDraining = false
                return (nil, [])
            }
            var count = 0
            var sum = 0
            while count < state.admittedCount {
                let next = state.entries[count].ticket.submission.bytes
                if count > 0, sum + next > bytes { break }
                sum += next
                count += 1
            }
            let taken = Array(state.entries[..<count])
            state.entries.removeFirst(count)
            state.admittedBytes -= sum
            state.admittedCount -= count
            return (taken, Self.admit(&state, limit: limit))
        }
        for waiter in released { waiter.resume(returning: []) }
        return taken
    }

    /// Begins a drain for somebody who would be first in line. False if others wait or are being served.
    func beginDrain() -> Bool {
        state.withLock { state in
            guard state.entries.isEmpty, !state.isDraining, !state.isClosed else { return false }
            state.isDraining = true
            return true
        }
    }

    /// Ends the drain if nothing waits; says whether it did.
    func isDrained() -> Bool {
        state.withLock { state in
            if state.entries.isEmpty { state.isDraining = false }
            return state.entries.isEmpty
        }
    }

    /// Withdraws a ticket whose turn has not begun; afterwards it is too late, and its outcome is told as usual.
    func cancel(_ ticket: Ticket) {
        let (waiter, released): (Waiter?, [Waiter]) = state.withLock { state in
            ticket.isCancelled.store(true, ordering: .releasing)
            // A `queued` caller who was let go has been promised that it will be written.
            guard let index = state.entries.firstIndex(where: { $0.ticket === ticket }),
                state.entries[index].waiter != nil
            else { return (nil, []) }
            let entry = state.entries.remove(at: index)
            if index < state.admittedCount {
                state.admittedCount -= 1
                state.admittedBytes -= ticket.submission.bytes
            }
            return (entry.waiter, Self.admit(&state, limit: limit))
        }
        waiter?.resume(throwing: CancellationError())
        for waiter in released { waiter.resume(returning: []) }
    }

    func close() { state.withLock { $0.isClosed = true } }

    /// Keeps the first failure that nobody waits for.
    func recordQueuedFailure(_ error: any Error) {
        state.withLock { if $0.queuedFailure == nil { $0.queuedFailure = error } }
    }

    func takeQueuedFailure() -> (any Error)? {
        state.withLock { state in
            defer { state.queuedFailure = nil }
            return state.queuedFailure
        }
    }
}
