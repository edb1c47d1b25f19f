import Support
import Synchronization
import Testing

@testable import Capsule
@testable import WriterQueue

@Suite struct FaultTests {
    /// Appends `count` times; returns the bodies that were acknowledged, and the errors.
    private func append(
        _ count: Int,
        to run: RunID,
        of queue: WriterQueue
    ) async -> (bodies: [String], errors: [any Error]) {
        var outcome: (bodies: [String], errors: [any Error]) = ([], [])
        for number in 0..<count {
            let body = "{\"n\":\(number),\"x\":\"\(String(repeating: "x", count: 300))\"}"
            do {
                try await queue.append(body, to: run)
                outcome.bodies.append(body)
            } catch {
                outcome.errors.append(error)
            }
        }
        return outcome
    }

    /// The n-th write fails, after no byte or after some of it.
    @Test(arguments: 0..<6, [0, 1, 100, 200])
    func aFullDiskIsToldToItsCallersAndTheQueueGoesOn(_ nth: Int, _ bytes: Int) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let writes = Counter()
        desk.storage.set { [path = desk.path] call, _ in
            guard call.operation == .write, call.path == path else { return nil }
            let index = writes.next()
            if index == nth { return bytes == 0 ? .error(.noSpace) : .short(bytes) }
            return index == nth + 1 && bytes > 0 ? .error(.noSpace) : nil
        }
        let outcome = await append(6, to: run, of: queue)
        #expect(outcome.errors.map { ($0 as? StorageError)?.errno } == [.noSpace])
        #expect(try desk.read().bodies(of: run) == ["{}"] + outcome.bodies)
        try await queue.flush()
        await queue.close()
        #expect(try await desk.open().append("after", to: run).event.sequence == 6)
        #expect(try desk.read().bodies(of: run).count == 7)
    }

    @Test func everyCallerOfAFailedTurnIsTold() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        let gate = Gate()
        let fails = Switch()
        desk.storage.set { [path = desk.path] call, _ in
            guard call.path == path else { return nil }
            if call.operation == .sync { gate.pass() }
            return call.operation == .write && fails.isOn ? .error(.noSpace) : nil
        }
        let first = Task { try await queue.append("first", to: run) }
        try await gate.arrival()
        let others = (0..<5).map { number in Task { try await queue.append("\(number)", to: run) } }
        try await queue.enqueue("queued", to: run)
        try await settle()
        fails.isOn = true
        gate.open()
        _ = try await first.value
        for task in others {
            let error = try await #require(throws: StorageError.self) { _ = try await task.value }
            #expect(error.errno == .noSpace)
        }
        fails.isOn = false
        await #expect(throws: StorageError.self, "what was queued is told by flush") { try await queue.flush() }
        try await queue.flush()
        #expect(try desk.read().bodies(of: run) == ["{}", "first"])
    }

    @Test func whatWasUndoneIsCutAndTheCutSynced() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let length = UInt64(try desk.bytes()?.count ?? 0)
        desk.storage.forget()
        desk.storage.set { call, index in
            call.operation != .write ? nil : index == 0 ? .short(50) : .error(.noSpace)
        }
        await #expect(throws: StorageError.self) { try await queue.append("x", to: run) }
        let calls = desk.storage.calls.filter { $0.path == desk.path && $0.operation != .write }
        #expect(calls.map(\.operation) == [.truncate, .sync])
        #expect(calls.first?.offset == length)
        #expect(try desk.bytes()?.count == Int(length))
    }

    @Test(arguments: [1, 7, 127, 128, 129])
    func interruptedAndShortWritesAreInvisible(_ bytes: Int) async throws {
        let desk = try Desk()
        desk.storage.set { call, index in
            call.operation != .write ? nil : index % 2 == 0 ? .error(.interrupted) : .short(bytes)
        }
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let outcome = await append(3, to: run, of: queue)
        #expect(outcome.errors.isEmpty)
        #expect(try desk.read().bodies(of: run) == ["{}"] + outcome.bodies)
    }

    @Test(arguments: [Errno.ioError, .noSpace, .interrupted])
    func aFailedSyncPoisonsAndNothingIsWrittenAfterwards(_ errno: Errno) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        desk.storage.set { call, index in call.operation == .sync && index == 0 ? .error(errno) : nil }
        await expectRefusal(.outcomeUnknown) { try await queue.append("x", to: run) }
        let bytes = try desk.bytes()
        desk.storage.forget()
        // The second call to sync would succeed, and lie.
        await expectRefusal(.poisoned) { try await queue.append("y", to: run) }
        await expectRefusal(.poisoned) { try await queue.append("y", to: run, .written) }
        await expectRefusal(.poisoned) { try await queue.flush() }
        #expect(desk.storage.calls.isEmpty)
        #expect(try desk.bytes() == bytes)
        await queue.close()
        #expect(desk.storage.calls.isEmpty)
    }

    @Test func everyCallerOfATurnWhoseSyncFailedHearsThatTheOutcomeIsUnknown() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        let gate = Gate()
        desk.storage.set { [path = desk.path] call, index in
            guard call.operation == .sync, call.path == path else { return nil }
            gate.pass()
            return index == 0 ? nil : .error(.ioError)
        }
        let first = Task { try await queue.append("first", to: run) }
        try await gate.arrival()
        let others = (0..<4).map { number in
            Task { try await queue.append("\(number)", to: run, number % 2 == 0 ? .durable : .written) }
        }
        try await settle()
        gate.open()
        _ = try await first.value
        var codes: [WriteError.Code] = []
        for task in others {
            do { _ = try await task.value } catch let error as WriteError { codes.append(error.code) }
        }
        // Those of the turn cannot know; whoever came after it hears that nothing is written any more.
        #expect(codes.count == 4 && codes.contains(.outcomeUnknown))
        #expect(Set(codes).isSubset(of: [.outcomeUnknown, .poisoned]))
    }

    @Test func afterAFailedSyncTheNextWriterWritesTheSameBytesAgain() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let durable = UInt64(try desk.bytes()?.count ?? 0)
        desk.storage.set { call, index in call.operation == .sync && index == 0 ? .error(.ioError) : nil }
        await expectRefusal(.outcomeUnknown) { try await queue.append("x", to: run) }
        desk.storage.forget()
        let length = UInt64(try desk.bytes()?.count ?? 0)
        let other = try await desk.open()
        let calls = desk.storage.calls.filter { $0.path == desk.path }
        #expect(calls.map(\.operation) == [.write, .sync])
        #expect(calls.first?.offset == durable && calls.first?.count == Int(length - durable))
        #expect(try await other.append("y", to: run).event.sequence == 2)
        #expect(try desk.read().bodies(of: run) == ["{}", "x", "y"])
    }

    /// The whole batch came to the file before the failure, and could not be taken back: it may be there after all.
    @Test(arguments: [ObservedStorage.Operation.truncate, .sync])
    func aWriteThatCannotBeUndoneHasAnUnknownOutcome(_ operation: ObservedStorage.Operation) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        desk.storage.set { call, index in
            if call.operation == .write { return index == 0 ? .short(150) : .error(.noSpace) }
            return call.operation == operation ? .error(.ioError) : nil
        }
        await expectRefusal(.outcomeUnknown) { try await queue.append("x", to: run) }
        desk.storage.set(nil)
        await expectRefusal(.poisoned) { try await queue.append("y", to: run) }
    }

    @Test func aNoteThatCannotBeWrittenFailsNoAppend() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let note = DurableNote.path(for: desk.path)
        desk.storage.set { call, _ in call.operation == .write && call.path == note ? .error(.noSpace) : nil }
        #expect(try await queue.append("x", to: run).event.sequence == 1)
        desk.storage.set(nil)
        #expect(try await queue.append("y", to: run).event.sequence == 2)
    }

    @Test func aCheckpointThatFindsNoRoomLeavesTheQueueAtWork() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let writes = Counter()
        desk.storage.set { [path = desk.path] call, _ in
            guard call.operation == .write, call.path == path else { return nil }
            return writes.next() == 1 ? .error(.noSpace) : nil
        }
        var submission = Submission(.run(run, token: nil), events: [.of(.checkpoint)])
        submission.makesCheckpoint = true
        // Told or not: the events are there, the note is not.
        _ = try? await queue.submit(submission)
        try await queue.append("after", to: run)
        _ = try desk.read()
    }

    /// Whatever call fails, what was acknowledged is there when the capsule is opened again.
    @Test(arguments: [Errno.ioError, .noSpace, Errno(rawValue: 122)], [ObservedStorage.Operation.write, .sync])
    func nothingAcknowledgedIsLostWhicheverCallFails(
        _ errno: Errno,
        _ operation: ObservedStorage.Operation
    ) async throws {
        for nth in 0..<12 {
            let desk = try Desk()
            let queue = try await desk.open()
            let run = try await queue.newRun()
            desk.storage.set { call, index in call.operation == operation && index == nth ? .error(errno) : nil }
            let outcome = await append(8, to: run, of: queue)
            await queue.close()
            desk.storage.set(nil)
            let other = try await desk.open()
            try await other.end(run)
            let bodies = try desk.read().bodies(of: run)
            #expect(Set(bodies).isSuperset(of: outcome.bodies), "call \(nth)")
            #expect(bodies.count - 2 <= outcome.bodies.count + 1, "call \(nth)")
        }
    }
}
