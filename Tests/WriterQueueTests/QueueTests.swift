import Support
import Synchronization
import Testing

@testable import Capsule
@testable import WriterQueue

@Suite struct DurabilityTests {
    @Test func whatIsWrittenCausesNoSyncAndWhatIsDurableDoes() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        desk.storage.forget()
        for number in 0..<5 { try await queue.append("\(number)", to: run, .written) }
        #expect(desk.syncs == 0)
        #expect(try desk.read().events(of: run).count == 6, "it is in the file all the same")
        try await queue.append("durable", to: run, .durable)
        #expect(desk.syncs == 1)
    }

    @Test func startEndSnapshotAndCheckpointAreAlwaysDurable() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let second = try StoredObject(.snapshot, [1])
        var change = EventDraft.of(.snapshot)
        change.snapshot = second.id
        let third = Submission.Target.newRun(CapsuleBuilder.run(3), name: nil, snapshot: second.id, token: nil)
        let submissions = [
            Submission(.none, events: [], objects: [second], durability: .queued),
            Submission(.run(run, token: nil), events: [change], durability: .written),
            Submission(.run(run, token: nil), events: [.note("x"), .of(.checkpoint)], durability: .written),
            Submission(third, events: [.of(.runStart)], durability: .written),
            Submission(.run(run, token: nil), events: [.end(.completed)], durability: .queued),
        ]
        for (index, submission) in submissions.enumerated() {
            desk.storage.forget()
            _ = try await queue.submit(submission)
            #expect(desk.syncs == 1, "submission \(index)")
        }
    }

    @Test func aDurableReceiptComesAfterTheSync() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        let gate = Gate()
        desk.hold(.sync, at: gate)
        let append = Task {
            try await queue.append("x", to: run)
            return gate.isOpen
        }
        try await gate.arrival()
        try await settle()
        gate.open()
        #expect(try await append.value)
    }

    @Test func aRepeatedReceiptComesAfterASyncToo() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        try await queue.append(.note("x", key: "k"), to: run, .written)
        desk.storage.forget()
        let gate = Gate()
        desk.hold(.sync, at: gate)
        let append = Task {
            let receipt = try await queue.append(.note("x", key: "k"), to: run)
            return receipt.isRepeat && gate.isOpen
        }
        try await gate.arrival()
        try await settle()
        gate.open()
        #expect(try await append.value)
        #expect(desk.syncs == 1 && desk.storage.calls(.write, on: desk.path).isEmpty)
    }

    @Test func aRepeatedReceiptOfAnotherProcessesUnsyncedEventComesAfterASync() async throws {
        let desk = try Desk(onDisk: ())
        let (queue, other) = (try await desk.open(), try await desk.open())
        let run = try await queue.newRun()
        let first = try await queue.append(.note("x", key: "k"), to: run, .written)
        desk.storage.forget()
        #expect(try await other.append(.note("x", key: "k"), to: run).event == first.event)
        #expect(desk.syncs >= 1)
    }

    @Test func theNoteIsWrittenAfterTheSyncAndNeverLeads() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        for number in 0..<10 {
            desk.storage.forget()
            let isDurable = number % 3 == 0
            try await queue.append("\(number)", to: run, isDurable ? .durable : .written)
            let calls = desk.storage.calls.map(\.operation)
            #expect(calls == (isDurable ? [.write, .sync, .write] : [.write]))
            let note = try #require(DurableNote.read(for: desk.path, header: queue.header, storage: desk.storage))
            let length = UInt64(try desk.bytes()?.count ?? 0)
            #expect(isDurable ? note.durableLength == length : note.durableLength < length)
        }
    }

    @Test func manyWaitingEventsShareAFewSyncs() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        desk.storage.forget()
        let gate = Gate()
        desk.hold(.sync, at: gate)
        let arrived = Counter()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask {
                    _ = arrived.next()
                    try await queue.append("\(number)", to: run)
                }
            }
            while arrived.count < 500 { try await Task.sleep(for: .milliseconds(1)) }
            gate.open()
            try await group.waitForAll()
        }
        #expect(desk.syncs < 20, "one held the gate, the rest came in a turn or two")
        #expect(try desk.read().events(of: run).count == 501)
    }

    @Test func flushMakesDurableWhatWasWritten() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        for number in 0..<5 { try await queue.enqueue("\(number)", to: run) }
        try await queue.flush()
        let note = try #require(DurableNote.read(for: desk.path, header: queue.header, storage: desk.storage))
        #expect(note.durableLength == UInt64(try desk.bytes()?.count ?? 0))
        #expect(try desk.read().bodies(of: run) == ["{}", "0", "1", "2", "3", "4"])
    }

    @Test func flushTellsTheFirstFailureOfWhatWasQueuedOnce() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun(token: "secret")
        try await queue.enqueue("x", to: CapsuleBuilder.run(9))
        try await queue.enqueue("x", to: run)
        await expectRefusal(.unknownRun) { try await queue.flush() }
        try await queue.flush()
    }

    @Test func aClosedQueueTakesNothingMoreAndHasLostNothing() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        for number in 0..<20 { try await queue.enqueue("\(number)", to: run) }
        await queue.close()
        await expectRefusal(.closed) { try await queue.append("x", to: run) }
        await expectRefusal(.closed) { try await queue.flush() }
        #expect(try desk.read().events(of: run).count == 21)
        await queue.close()
    }
}

@Suite struct WaitingTests {
    @Test func whatFindsNoRoomWaitsForItAndNothingIsLost() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold { $0.waitingBytes = 2000 }
        let run = try await queue.newRun()
        let gate = Gate()
        desk.hold(.sync, at: gate)
        let first = Task { try await queue.append("first", to: run) }
        try await gate.arrival()
        // 756 bytes each: two have room, the third waits for the turn to end.
        let body = String(repeating: "x", count: 500)
        try await queue.enqueue(body, to: run)
        try await queue.enqueue(body, to: run)
        #expect(!gate.isOpen)
        let third = Task {
            try await queue.enqueue(body, to: run)
            return gate.isOpen
        }
        try await settle()
        gate.open()
        #expect(try await third.value)
        _ = try await first.value
        try await queue.flush()
        #expect(try desk.read().events(of: run).count == 5)
    }

    @Test func oneThatIsLargerThanTheRoomGoesWhenItIsAlone() async throws {
        let desk = try Desk()
        let queue = try await desk.open { $0.waitingBytes = 100 }
        let run = try await queue.newRun()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 { group.addTask { try await queue.enqueue("\(number)", to: run) } }
            try await group.waitForAll()
        }
        try await queue.flush()
        #expect(try desk.read().events(of: run).count == 21)
    }

    @Test func whatComesFirstIsServedFirst() async throws {
        let desk = try Desk()
        let queue = try await desk.open { $0.waitingBytes = 1000 }
        let run = try await queue.newRun()
        for number in 0..<100 { try await queue.enqueue("\(number)", to: run) }
        try await queue.append("last", to: run)
        #expect(try desk.read().bodies(of: run) == ["{}"] + (0..<100).map { "\($0)" } + ["last"])
    }

    @Test func whatIsCancelledBeforeItsTurnIsNotWritten() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        let gate = Gate()
        desk.hold(.sync, at: gate)
        let first = Task { try await queue.append("first", to: run) }
        try await gate.arrival()
        let second = Task { try await queue.append("cancelled", to: run) }
        let third = Task { try await queue.append("third", to: run) }
        try await settle()
        second.cancel()
        let hasGivenUp = Switch()
        let outcome = Task {
            defer { hasGivenUp.isOn = true }
            return await second.result
        }
        for _ in 0..<30_000 where !hasGivenUp.isOn { try await Task.sleep(for: .milliseconds(1)) }
        #expect(hasGivenUp.isOn, "who gives up need not wait for the turn")
        gate.open()
        let result = await outcome.value
        #expect(throws: CancellationError.self) { try result.get() }
        _ = try await (first.value, third.value)
        #expect(try desk.read().bodies(of: run) == ["{}", "first", "third"])
    }

    @Test func whatIsCancelledInItsTurnIsWrittenWhole() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        let gate = Gate()
        desk.hold(.write, at: gate)
        let task = Task {
            try await queue.submit(Submission(.run(run, token: nil), events: [.note("a"), .note("b", actor: "c")]))
        }
        try await gate.arrival()
        task.cancel()
        gate.open()
        #expect(try await task.value.map(\.event.sequence) == [1, 3])
        #expect(try desk.read().events(of: run).count == 4)
    }

    @Test func whatIsCancelledAlreadyIsNotWritten() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await queue.append("x", to: run)
        }
        await #expect(throws: CancellationError.self) { try await task.value }
        try await queue.flush()
        #expect(try desk.read().events(of: run).count == 1)
    }

    /// Random bytes whose first 16 cancel the task that asks for them: in `submit`, between its first look and the
    /// queue.
    private final class CancellingRandom: RandomSource {
        let isArmed = Mutex(false)

        func fill(_ buffer: UnsafeMutableRawBufferPointer) {
            SystemRandom().fill(buffer)
            let cancels = isArmed.withLock { armed in
                defer { armed = false }
                return armed
            }
            if cancels { withUnsafeCurrentTask { $0?.cancel() } }
        }
    }

    @Test func whatIsCancelledWhileItIsPreparedIsNotWritten() async throws {
        let desk = try Desk()
        let random = CancellingRandom()
        let queue = try await desk.open(random: random)
        let run = try await queue.newRun()
        let draft = EventDraft(.registered(.note), media: .bytes, body: [UInt8](repeating: 1, count: 300_000))
        random.isArmed.withLock { $0 = true }
        let task = Task { try await queue.append(draft, to: run) }
        await #expect(throws: CancellationError.self) { try await task.value }
        try await queue.flush()
        #expect(try desk.read().events(of: run).count == 1)
    }

    @Test func aQueuedSubmissionThatWasAcceptedCannotBeCancelled() async throws {
        let list = PendingList(limit: 1000)
        let submission = Submission(.run(CapsuleBuilder.run(1), token: nil), events: [.note("x")], durability: .queued)
        let ticket = Ticket(try PreparedSubmission(submission, random: SystemRandom()))
        // The caller is told that it is in, and is cancelled before it has left `submit`.
        _ = try await withCheckedThrowingContinuation { _ = list.add(ticket, .task($0)) }
        list.cancel(ticket)
        #expect(list.take(bytes: .max)?.count == 1)
    }

    @Test func everyTicketIsTakenOnceInTurnsOfBoundedSize() async throws {
        let list = PendingList(limit: 10_000)
        func ticket(_ bytes: Int) throws -> Ticket {
            let body = String(repeating: "x", count: bytes - 256)
            let submission = Submission(
                .run(CapsuleBuilder.run(1), token: nil),
                events: [.note(body)],
                durability: .queued
            )
            return Ticket(try PreparedSubmission(submission, random: SystemRandom()))
        }
        let tickets = try [1000, 2000, 9000, 300, 20_000].map(ticket)
        let waiting = tickets.map { ticket in
            Task { try await withCheckedThrowingContinuation { _ = list.add(ticket, .task($0)) } }
        }
        try await settle()
        var taken: [Ticket] = []
        while let entries = list.take(bytes: 2500) {
            #expect(entries.count == 1 || entries.reduce(0) { $0 + $1.ticket.submission.bytes } <= 2500)
            #expect(!entries.isEmpty)
            taken += entries.map(\.ticket)
        }
        for task in waiting { _ = try await task.value }
        #expect(Set(taken.map(ObjectIdentifier.init)) == Set(tickets.map(ObjectIdentifier.init)))
        #expect(taken.count == tickets.count)
    }
}

@Suite struct ShortTurnTests {
    @Test func aCallerWhoIsAloneTakesTheTurnInItsOwnThread() async throws {
        let desk = try Desk()
        let queue = try await desk.open { $0.shortSync = .seconds(3600) }
        let run = try await queue.newRun()
        for number in 0..<50 { try await queue.append("\(number)", to: run) }
        let statistics = await queue.statistics()
        #expect(statistics.turnsInCaller > 0 && statistics.turnsInCaller < statistics.turns)
        #expect(try desk.read().bodies(of: run).dropFirst() == ArraySlice((0..<50).map { "\($0)" }))
    }

    @Test func whereItIsNotWantedEveryTurnIsTakenInTheQueuesThread() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        for number in 0..<20 { try await queue.append("\(number)", to: run) }
        #expect(await queue.statistics().turnsInCaller == 0)
    }

    @Test func aCallerNeverWaitsForTheLockInItsOwnThread() async throws {
        let desk = try Desk()
        let queue = try await desk.open { $0.lockTimeout = 0.02 }
        let run = try await queue.newRun()
        try await queue.append("x", to: run)
        let before = await queue.statistics().turnsInCaller
        let other = try desk.storage.open(desk.path, for: .reading)
        #expect(try other.tryLock(.exclusive))
        await expectRefusal(.locked) { try await queue.append("y", to: run) }
        try other.unlock()
        #expect(await queue.statistics().turnsInCaller == before)
        try await queue.append("z", to: run)
        #expect(try desk.read().bodies(of: run).dropFirst() == ["x", "z"])
    }

    @Test func whatAnotherProcessWroteIsTakenInBeforeTheTurn() async throws {
        let desk = try Desk(onDisk: ())
        let (queue, other) = (try await desk.open(), try await desk.open())
        let run = try await queue.newRun()
        for number in 0..<20 {
            let writer = number % 3 == 0 ? other : queue
            let receipt = try await writer.append("\(number)", to: run)
            #expect(receipt.event.sequence == UInt32(number + 1))
        }
        #expect(try desk.read().events(of: run).count == 21)
    }
}
