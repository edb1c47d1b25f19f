import Support
import Testing

@testable import Capsule
@testable import WriterQueue

@Suite struct ObjectTests {
    private func note(_ run: RunID, _ bytes: Int, shared: Bool = false) -> EventDraft {
        var draft = EventDraft(.custom("com.example.large"), media: .bytes, body: [UInt8](repeating: 7, count: bytes))
        draft.sharesBlob = shared
        return draft
    }

    private func kinds(_ desk: Desk) throws -> [BatchHeader.Kind] {
        let capsule = try CapsuleFile(desk.path, storage: desk.storage)
        let fold = CapsuleFold(file: capsule.file, header: capsule.header, limit: try capsule.length())
        var kinds: [BatchHeader.Kind] = []
        while try fold.next(batch: { header, _ in kinds.append(header.kind) }) == .batch {}
        return kinds
    }

    @Test func aSnapshotIsStoredOnceHoweverOftenItIsOffered() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        for _ in 0..<3 { try await queue.start() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<10 { group.addTask { try await queue.start() } }
            try await group.waitForAll()
        }
        await queue.close()
        try await desk.open().start()
        let contents = try desk.read()
        #expect(contents.objects.map(\.id) == [Desk.policyID])
        #expect(contents.report.openRuns == 14)
    }

    @Test func aSnapshotOfferedTwiceInASubmissionIsStoredOnce() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let object = try StoredObject(.snapshot, Desk.policy)
        _ = try await queue.submit(Submission(.none, events: [], objects: [object, object]))
        #expect(try desk.read().objects.count == 1)
    }

    @Test func objectsStandBeforeTheEventsOfTheirWrite() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        #expect(try kinds(desk) == [.timeline, .objects, .timeline])
        try await queue.append(note(run, 2_500_000), to: run)
        #expect(try kinds(desk) == [.timeline, .objects, .timeline, .objects, .timeline])
    }

    @Test func objectsOfATurnStandBeforeAllItsEvents() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        let gate = Gate()
        desk.hold(.sync, at: gate)
        let first = Task { try await queue.append("first", to: run) }
        try await gate.arrival()
        let others = (0..<4).map { number in
            Task { try await queue.append(note(run, number % 2 == 0 ? 10 : 300_000), to: run) }
        }
        try await settle()
        gate.open()
        _ = try await first.value
        for task in others { _ = try await task.value }
        _ = try desk.read()
        #expect(try kinds(desk).suffix(2) == [.objects, .timeline])
    }

    @Test(arguments: [262_144, 262_145, 1_048_576, 1_048_577, 3_333_333])
    func aBodyOfAnySizeComesBack(_ count: Int) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        var draft = note(run, count)
        draft.body?[count - 1] = 9
        draft.body?[count / 2] = 8
        let receipt = try await queue.append(draft, to: run)
        let event = try #require(try desk.read().event(receipt))
        #expect(event.body == draft.body)
        #expect(event.envelope.bodyKind == (count > 262_144 ? .blob : .inline))
    }

    @Test func equalBlobsAreStoredOnceOnlyIfTheCallerAsksForIt() async throws {
        for shared in [false, true] {
            let desk = try Desk()
            let queue = try await desk.open()
            let run = try await queue.newRun()
            for _ in 0..<3 { try await queue.append(note(run, 300_000, shared: shared), to: run) }
            #expect(try desk.read().objects(.manifest).count == (shared ? 1 : 3))
        }
    }

    @Test func aBodyOfMoreThan67108864BytesIsRefused() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        await #expect(throws: CapsuleError(.limitBody, "")) { try await queue.append(note(run, 67_108_865), to: run) }
    }

    @Test func aBlobOfARefusedEventIsNotWritten() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let before = try desk.bytes()
        await expectRefusal(.unknownRun) { try await queue.append(note(.zero, 300_000), to: CapsuleBuilder.run(9)) }
        #expect(try desk.bytes() == before)
    }

    @Test func ofARefusedObjectNothingElseIsWritten() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let before = try desk.bytes()
        let document = try StoredObject(.document, [1, 2, 3], media: .bytes)
        let orphan = try StoredObject(.manifest, BlobManifest(of: [1], salt: [UInt8](repeating: 1, count: 16)).encoded)
        await #expect(throws: CapsuleError.self) {
            _ = try await queue.submit(Submission(.none, events: [], objects: [document, orphan]))
        }
        #expect(try desk.bytes() == before)
        try await queue.start()
        #expect(try desk.read().objects.map(\.kind) == [.snapshot])
    }

    @Test func aCheckpointNoteStatesTheTreeUpToItsEvent() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        for number in 1...3 {
            var submission = Submission(.run(run, token: nil), events: [.of(.checkpoint)])
            submission.makesCheckpoint = true
            _ = try await queue.submit(submission)
            let contents = try desk.read()
            let note = try #require(contents.objects(.note).last.flatMap { CheckpointNote($0.bytes) })
            #expect(contents.objects(.note).count == number)
            #expect(note.size == contents.report.treeSize && note.root == contents.report.root)
        }
    }

    @Test func aCheckpointNoteIsDurableBeforeItIsAcknowledged() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        desk.storage.forget()
        var submission = Submission(.run(run, token: nil), events: [.note("x")], durability: .written)
        submission.makesCheckpoint = true
        _ = try await queue.submit(submission)
        let calls = desk.storage.calls.filter { $0.path == desk.path }.map(\.operation)
        #expect(calls == [.write, .sync, .write, .sync], "signed and noted only what is durable already")
    }
}

/// What the queue takes, every reader must be able to read: refused or written right, whatever a caller makes up.
@Suite struct HostileCallerTests {
    private func submit(_ submission: Submission, _ desk: Desk, _ queue: WriterQueue) async throws {
        _ = try? await queue.submit(submission)
        _ = try desk.read()
    }

    @Test func aBodyWithoutAMediaTypeDoesNotSpoilTheCapsule() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        try await submit(
            Submission(.run(run, token: nil), events: [EventDraft(.registered(.note), media: .none, body: [1])]),
            desk,
            queue
        )
    }

    @Test(arguments: [
        EventType.unknown(0), .unknown(1), .unknown(2), .unknown(30), .custom(""), .custom("a.b"), .custom("A b"),
    ])
    func aMadeUpTypeDoesNotSpoilTheCapsule(_ type: EventType) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        try await submit(Submission(.run(run, token: nil), events: [EventDraft(type, body: [1])]), desk, queue)
    }

    @Test(arguments: [RegisteredType.capsuleErase, .capsuleSalvage, .capsuleAdopt, .checkpoint, .note])
    func anEventOfRunZeroDoesNotSpoilTheCapsule(_ type: RegisteredType) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        try await submit(Submission(.run(.zero, token: nil), events: [.of(type)]), desk, queue)
    }

    @Test(arguments: [FrameKind.note, .event, .manifest, .chunk, .snapshot, .foreignProof])
    func aMadeUpObjectDoesNotSpoilTheCapsule(_ kind: FrameKind) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let object = try StoredObject(kind, Array("anything at all, really".utf8))
        try await submit(Submission(.none, events: [], objects: [object]), desk, queue)
    }

    @Test func aSnapshotWithAMediaTypeDoesNotSpoilTheCapsule() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let object = try StoredObject(.snapshot, Desk.policy, media: .json)
        try await submit(Submission(.none, events: [], objects: [object]), desk, queue)
    }

    // Each in a process of its own: what is guarded against ends it in a debug build, and spoils the capsule in a
    // release one.

    @Test func anActorEventOfTheCallersOwnDoesNotSpoilTheCapsule() async {
        await #expect(processExitsWith: .success) {
            let desk = try Desk()
            let queue = try await desk.open()
            let run = try await queue.newRun()
            _ = try? await queue.append(.of(.actor), to: run)
            #expect(try Contents(desk.path, desk.storage).report.verdict == .intact)
        }
    }

    @Test func anEventBehindTheCloseOfTheCapsuleDoesNotSpoilIt() async {
        await #expect(processExitsWith: .success) {
            let desk = try Desk()
            let queue = try await desk.open()
            let events = [EventDraft.of(.capsuleClose), .note("after")]
            _ = try? await queue.submit(Submission(.run(.zero, token: nil), events: events))
            #expect(try Contents(desk.path, desk.storage).report.verdict == .intact)
        }
    }

    @Test func anOverlongTypeNameDoesNotEndTheProcess() async {
        await #expect(processExitsWith: .success) {
            let desk = try Desk()
            let queue = try await desk.open()
            let run = try await queue.newRun()
            let name = "com.example." + String(repeating: "a", count: 300)
            _ = try? await queue.append(EventDraft(.custom(name), body: nil), to: run)
            #expect(try Contents(desk.path, desk.storage).report.verdict == .intact)
        }
    }
}
