import Support
import Testing

@testable import Capsule
@testable import WriterQueue

@Suite struct ReceiptTests {
    @Test func receiptsAreInTheOrderOfTheDrafts() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let bodies = (0..<50).map { "{\"n\":\($0)}" }
        let receipts = try await queue.submit(Submission(.run(run, token: nil), events: bodies.map { .note($0) }))
        #expect(receipts.map(\.event.sequence) == Array(1...50))
        #expect(receipts.map(\.leafIndex) == Array(2...51))
        #expect(try desk.read().bodies(of: run).dropFirst() == bodies[...])
    }

    @Test func everyReceiptOfManyTasksNamesItsEvent() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        var runs: [RunID] = []
        for _ in 0..<4 { runs.append(try await queue.newRun()) }
        let receipts = try await withThrowingTaskGroup(of: (String, Receipt).self) { [runs] group in
            for number in 0..<200 {
                group.addTask { ("body \(number)", try await queue.append("body \(number)", to: runs[number % 4])) }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        let contents = try desk.read()
        #expect(receipts.count == 200 && contents.report.treeSize == 205)
        for (body, receipt) in receipts {
            #expect(contents.event(receipt)?.body == Array(body.utf8), "\(body)")
            #expect(!receipt.isRepeat)
        }
    }

    @Test(arguments: Seed.some(3))
    func whatIsAcknowledgedIsReadBackByteForByte(_ seed: Seed) async throws {
        var random = seed.generator
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        for _ in 0..<30 {
            let sizes = (0..<Int.random(in: 1...8, using: &random)).map { _ in Int.random(in: 0...3000, using: &random)
            }
            let drafts = sizes.map { size in
                let body = Bool.random(using: &random) ? random.bytes(size) : random.text(size)
                var draft = EventDraft(.custom("com.example.any"), media: .bytes, body: size == 0 ? nil : body)
                draft.time = Timestamp(nanoseconds: .random(in: .min ... .max, using: &random))
                draft.trace = TraceContext(bytes: random.bytes(25))
                draft.causes = [EventReference(run: run, sequence: 0)]
                return draft
            }
            let receipts = try await queue.submit(Submission(.run(run, token: nil), events: drafts))
            let contents = try desk.read()
            for (draft, receipt) in zip(drafts, receipts) {
                let event = try #require(contents.event(receipt))
                #expect(event.body == draft.body && event.envelope.time == draft.time)
                #expect(event.envelope.trace == draft.trace && event.envelope.causes == draft.causes)
            }
        }
    }

    @Test func aSubmissionWithOneRefusedEventWritesNothing() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let before = try desk.bytes()
        var bad = EventDraft.note("bad")
        bad.causes = [EventReference(run: run, sequence: 99)]
        for place in 0..<4 {
            var drafts = (0..<3).map { EventDraft.note("\($0)", actor: "new \($0)") }
            drafts.insert(bad, at: place)
            await expectRefusal(.unknownCause) { [drafts] in
                _ = try await queue.submit(Submission(.run(run, token: nil), events: drafts))
            }
            #expect(try desk.bytes() == before, "bad event at \(place)")
        }
        #expect(try await queue.append("next", to: run).event.sequence == 1)
    }

    @Test func aRefusalHarmsNoOtherSubmissionOfItsTurn() async throws {
        let desk = try Desk()
        let queue = try await desk.openToHold()
        let run = try await queue.newRun()
        let gate = Gate()
        desk.hold(.sync, at: gate)
        let first = Task { try await queue.append("first", to: run) }
        try await gate.arrival()
        let others = (0..<9).map { number in
            Task { () -> Receipt in
                // Every third is for a run that is not there.
                try await queue.append("other \(number)", to: number % 3 == 1 ? CapsuleBuilder.run(77) : run)
            }
        }
        try await settle()
        gate.open()
        _ = try await first.value
        for (number, task) in others.enumerated() {
            if number % 3 == 1 {
                await expectRefusal(.unknownRun) { _ = try await task.value }
            } else {
                let receipt = try await task.value
                #expect(try desk.read().event(receipt)?.body == Array("other \(number)".utf8))
            }
        }
        #expect(try desk.read().events(of: run).count == 8)
    }

    @Test func anExpectedSequenceIsMetOrRefused() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        for expected in [0, 2, 7] as [UInt32] {
            var draft = EventDraft.note("x")
            draft.expectedSequence = expected
            await expectRefusal(.sequenceConflict) { try await queue.append(draft, to: run) }
        }
        var draft = EventDraft.note("x")
        draft.expectedSequence = 1
        #expect(try await queue.append(draft, to: run).event.sequence == 1)
        await expectRefusal(.sequenceConflict) { try await queue.append(draft, to: run) }
    }

    @Test func ofManyWhoExpectTheSameSequenceOneGetsIt() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let won = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<20 {
                group.addTask {
                    var draft = EventDraft.note("\(number)")
                    draft.expectedSequence = 1
                    return (try? await queue.append(draft, to: run)) != nil
                }
            }
            return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(won == 1)
        #expect(try desk.read().events(of: run).count == 2)
    }
}

@Suite struct KeyTests {
    @Test func aRetryGetsTheSameReceiptAndWritesNothing() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let first = try await queue.append(.note("once", key: "k"), to: run)
        let before = try desk.bytes()
        for _ in 0..<3 {
            let again = try await queue.append(.note("once", key: "k"), to: run)
            #expect(again.event == first.event && again.leafIndex == first.leafIndex && again.isRepeat)
        }
        #expect(try desk.bytes() == before)
    }

    @Test func aRetryInAnotherProcessGetsTheSameReceipt() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let drafts = [
            EventDraft.note("once", key: "k"), .note(String(repeating: "x", count: 300_000), key: "blob"),
        ]
        var firsts: [Receipt] = []
        for draft in drafts { firsts.append(try await queue.append(draft, to: run)) }
        await queue.close()
        let other = try await desk.open()
        for (draft, first) in zip(drafts, firsts) {
            let again = try await other.append(draft, to: run)
            #expect(again.event == first.event && again.isRepeat)
        }
        #expect(try desk.read().events(of: run).count == 3)
    }

    @Test(arguments: [false, true])
    func theSameKeyWithOtherContentIsRefused(_ reopens: Bool) async throws {
        let desk = try Desk()
        var queue = try await desk.open()
        let run = try await queue.newRun()
        let first = EventDraft.note("once", key: "k")
        try await queue.append(first, to: run)
        if reopens {
            await queue.close()
            queue = try await desk.open()
        }
        var others = [EventDraft.note("twice", key: "k"), first, first, first, first]
        others[1].type = .registered(.toolCall)
        others[2].media = .text
        others[3].causes = [EventReference(run: run, sequence: 0)]
        others[4].body = nil
        for other in others { await expectRefusal(.keyConflict) { [queue] in try await queue.append(other, to: run) } }
        #expect(try desk.read().events(of: run).count == 2)
    }

    @Test(arguments: [false, true])
    func theSameKeyWithABodyWhereThereWasNoneIsRefused(_ reopens: Bool) async throws {
        let desk = try Desk()
        var queue = try await desk.open()
        let run = try await queue.newRun()
        var empty = EventDraft.of(.note, nil)
        empty.key = "k"
        try await queue.append(empty, to: run)
        if reopens {
            await queue.close()
            queue = try await desk.open()
        }
        #expect(try await queue.append(empty, to: run).isRepeat)
        await expectRefusal(.keyConflict) { [queue] in try await queue.append(.note("something", key: "k"), to: run) }
    }

    @Test func theSameKeyWithinOneSubmissionIsOneEvent() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let drafts = [EventDraft.note("a", key: "k"), .note("b"), .note("a", key: "k")]
        let receipts = try await queue.submit(Submission(.run(run, token: nil), events: drafts))
        #expect(receipts.map(\.event.sequence) == [1, 2, 1])
        #expect(receipts[0].leafIndex == receipts[2].leafIndex)
        #expect(try desk.read().bodies(of: run) == ["{}", "a", "b"])
    }

    @Test func theSameKeyWithOtherContentWithinOneSubmissionIsRefused() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let drafts = [EventDraft.note("a", key: "k"), .note("b", key: "k")]
        await expectRefusal(.keyConflict) {
            _ = try await queue.submit(Submission(.run(run, token: nil), events: drafts))
        }
        #expect(try desk.read().events(of: run).count == 1)
    }

    @Test func theSameKeyInAnotherRunIsAnotherEvent() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        for _ in 0..<3 {
            let run = try await queue.newRun()
            #expect(
                try await queue.append(.note("x", key: "k"), to: run).event == EventReference(run: run, sequence: 1)
            )
        }
    }

    @Test func ofManyWhoBringTheSameKeyAllGetTheOneEvent() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let receipts = try await withThrowingTaskGroup(of: Receipt.self) { group in
            for _ in 0..<40 { group.addTask { try await queue.append(.note("x", key: "k"), to: run) } }
            return try await group.reduce(into: [Receipt]()) { $0.append($1) }
        }
        #expect(Set(receipts.map(\.leafIndex)).count == 1)
        #expect(receipts.filter { !$0.isRepeat }.count == 1)
        #expect(try desk.read().events(of: run).count == 2)
    }

    @Test(arguments: [0, 1, 256, 257])
    func aKeyAndAnActorsNameHave1To256Bytes(_ count: Int) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let name = String(repeating: "k", count: count)
        for draft in [EventDraft.note("x", key: name), .note("y", actor: name)] {
            if (1...256).contains(count) {
                try await queue.append(draft, to: run)
            } else {
                await #expect(throws: CapsuleError(count == 0 ? .invalidName : .limitName, "")) {
                    try await queue.append(draft, to: run)
                }
            }
        }
        _ = try desk.read()
    }
}
