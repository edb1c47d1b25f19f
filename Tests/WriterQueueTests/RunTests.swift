import Support
import Testing

@testable import Capsule
@testable import WriterQueue

@Suite struct RunTests {
    @Test func aTokenIsNeededWhereARunWasStartedWithOne() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun(token: "secret")
        await expectRefusal(.tokenRequired) { try await queue.append("x", to: run) }
        for wrong in ["", "Secret", "secret "] {
            await expectRefusal(.wrongToken) { try await queue.append(.note("x"), to: run, token: wrong) }
        }
        await expectRefusal(.tokenRequired) { try await queue.end(run) }
        #expect(try await queue.append(.note("x"), to: run, token: "secret").event.sequence == 1)
        try await queue.end(run, token: "secret")
        #expect(try desk.read().events(of: run).count == 3)
    }

    @Test func aTokenIsNeededInAnotherProcessToo() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun(token: "secret")
        await queue.close()
        let other = try await desk.open()
        await expectRefusal(.tokenRequired) { try await other.append("x", to: run) }
        #expect(try await other.append(.note("x"), to: run, token: "secret").event.sequence == 1)
    }

    @Test func anybodyCanEndARunAsAbandoned() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun(token: "secret")
        #expect(try await queue.end(run, .abandoned).event.sequence == 1)
        #expect(try desk.read().events(of: run).last?.envelope.seal?.outcome == .abandoned)
    }

    @Test func anEventBeforeAnAbandonedEndNeedsTheToken() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun(token: "secret")
        let events = [EventDraft.note("x"), .end(.abandoned)]
        await expectRefusal(.tokenRequired) {
            _ = try await queue.submit(Submission(.run(run, token: nil), events: events))
        }
    }

    @Test func aStartRepeatedByNameIsTheSameRun() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let first = try await queue.start(name: "nightly", body: #"{"name":"n"}"#)
        let before = try desk.bytes()
        let again = try await queue.start(name: "nightly", body: #"{"name":"n"}"#)
        #expect(again.event == first.event && again.leafIndex == first.leafIndex && again.isRepeat)
        #expect(try desk.bytes() == before)
        await queue.close()
        let other = try await desk.open()
        #expect(try await other.start(name: "nightly", body: #"{"name":"n"}"#).event == first.event)
    }

    @Test func aStartUnderATakenNameWithOtherContentIsRefused() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        try await queue.start(name: "nightly")
        await expectRefusal(.keyConflict) { try await queue.start(name: "nightly", body: #"{"other":1}"#) }
        await expectRefusal(.keyConflict) { try await queue.start(name: "nightly", snapshot: Array("{}".utf8)) }
    }

    @Test func aStartUnderATakenIDIsRefused() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        await expectRefusal(.keyConflict) { try await queue.start(run) }
        try await queue.end(run)
        await expectRefusal(.keyConflict) { try await queue.start(run) }
        await expectRefusal(.keyConflict) { try await queue.start(.zero) }
    }

    @Test func aRepeatedStartWithMoreEventsGetsAReceiptForEach() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let object = try StoredObject(.snapshot, Desk.policy)
        func submission() -> Submission {
            let run = RunID(at: .now, random: SystemRandom())
            let events = [EventDraft.of(.runStart), .note("a", key: "a"), .note("b", key: "b")]
            let target = Submission.Target.newRun(run, name: "nightly", snapshot: object.id, token: nil)
            return Submission(target, events: events, objects: [object])
        }
        let first = try await queue.submit(submission())
        let again = try await queue.submit(submission())
        #expect(again.map(\.event) == first.map(\.event))
        #expect(try desk.read().report.treeSize == 4)
    }

    @Test func aRunCanBeginWithSeveralEvents() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = CapsuleBuilder.run(5)
        let object = try StoredObject(.snapshot, Desk.policy)
        let events = [EventDraft.of(.runStart), .note("a", actor: "me"), .end(.completed)]
        let target = Submission.Target.newRun(run, name: nil, snapshot: object.id, token: nil)
        let receipts = try await queue.submit(Submission(target, events: events, objects: [object]))
        #expect(receipts.map(\.event.sequence) == [0, 2, 3])
        #expect(try desk.read().events(of: run).count == 4)
    }

    @Test func theFirstEventOfARunKeepsItsCauses() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let parent = try await queue.newRun()
        let object = try StoredObject(.snapshot, Desk.policy)
        var start = EventDraft.of(.runStart)
        start.causes = [EventReference(run: parent, sequence: 0)]
        start.trace = TraceContext(bytes: Array(1...25))
        let target = Submission.Target.newRun(CapsuleBuilder.run(6), name: nil, snapshot: object.id, token: nil)
        let receipt = try #require(try await queue.submit(Submission(target, events: [start])).first)
        let event = try #require(try desk.read().event(receipt))
        #expect(event.envelope.trace == start.trace)
        #expect(event.envelope.causes == start.causes)
    }

    @Test func theFirstEventOfARunIsNoCauseOfItself() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let object = try StoredObject(.snapshot, Desk.policy)
        var start = EventDraft.of(.runStart)
        start.causes = [EventReference(run: CapsuleBuilder.run(6), sequence: 0)]
        let target = Submission.Target.newRun(CapsuleBuilder.run(6), name: nil, snapshot: object.id, token: nil)
        let submission = Submission(target, events: [start], objects: [object])
        _ = try? await queue.submit(submission)
        #expect(try desk.read().events.allSatisfy { $0.envelope.causes.isEmpty })
    }

    @Test func anEndRepeatedIsTheSameEnd() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let first = try await queue.end(run, .failed)
        let before = try desk.bytes()
        let again = try await queue.end(run, .failed)
        #expect(again.event == first.event && again.leafIndex == first.leafIndex && again.isRepeat)
        await expectRefusal(.runEnded) { try await queue.end(run, .completed) }
        #expect(try desk.bytes() == before)
        await queue.close()
        #expect(try await desk.open().end(run, .failed).event == first.event)
    }

    @Test func nothingIsAppendedToARunThatHasEndedOrIsNotThere() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        try await queue.end(run)
        await expectRefusal(.runEnded) { try await queue.append("x", to: run) }
        await expectRefusal(.unknownRun) { try await queue.append("x", to: CapsuleBuilder.run(9)) }
        await expectRefusal(.unknownRun) { try await queue.end(CapsuleBuilder.run(9)) }
        #expect(try desk.read().events(of: run).count == 2)
    }

    @Test func nothingFollowsAnEndInItsSubmission() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let events = [EventDraft.end(.completed), .note("after")]
        await expectRefusal(.misplacedType) {
            _ = try await queue.submit(Submission(.run(run, token: nil), events: events))
        }
        #expect(try desk.read().events(of: run).count == 1)
    }

    @Test func aRunWithoutASnapshotOrWithAnUnknownOneIsRefused() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let before = try desk.bytes()
        func start(_ snapshot: Digest) -> Submission {
            let target = Submission.Target.newRun(CapsuleBuilder.run(1), name: nil, snapshot: snapshot, token: nil)
            return Submission(target, events: [.of(.runStart)])
        }
        await expectRefusal(.noSnapshot) { _ = try await queue.submit(start(.zero)) }
        await expectRefusal(.unknownSnapshot) { _ = try await queue.submit(start(Desk.policyID)) }
        #expect(try desk.bytes() == before)
    }

    @Test func onlyASnapshotCountsAsOne() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let document = try StoredObject(.document, Desk.policy, media: .json)
        let target = Submission.Target.newRun(CapsuleBuilder.run(1), name: nil, snapshot: document.id, token: nil)
        await expectRefusal(.unknownSnapshot) {
            _ = try await queue.submit(Submission(target, events: [.of(.runStart)], objects: [document]))
        }
    }

    @Test func aRunBeginsWithItsStartAndHasNoOther() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let target = Submission.Target.newRun(CapsuleBuilder.run(1), name: nil, snapshot: Desk.policyID, token: nil)
        await expectRefusal(.misplacedType) { _ = try await queue.submit(Submission(target, events: [.note("x")])) }
        await expectRefusal(.misplacedType) { _ = try await queue.submit(Submission(target, events: [])) }
        for type in [
            RegisteredType.runStart, .capsuleCreate, .capsuleErase, .capsuleSalvage, .capsuleClose, .capsuleAdopt,
        ] {
            await expectRefusal(.misplacedType) { try await queue.append(.of(type), to: run) }
        }
        for type in [RegisteredType.runStart, .runEnd, .stage, .snapshot, .capsuleCreate] {
            await expectRefusal(.misplacedType) { try await queue.append(.of(type), to: .zero) }
        }
    }

    @Test func anActorIsIntroducedOnce() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        for number in 0..<6 { try await queue.append(.note("\(number)", actor: number % 2 == 0 ? "a" : "b"), to: run) }
        let events = try desk.read().events(of: run)
        #expect(events.filter { $0.envelope.type == .registered(.actor) }.count == 2)
        #expect(events.map(\.envelope.actor) == [0, 1, 1, 3, 3, 1, 3, 1, 3])
    }

    @Test func anActorIsIntroducedOnceWithinASubmissionAndByAnotherProcess() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let drafts = (0..<3).map { EventDraft.note("\($0)", actor: "a") }
        let receipts = try await queue.submit(Submission(.run(run, token: nil), events: drafts))
        #expect(receipts.map(\.event.sequence) == [2, 3, 4])
        await queue.close()
        #expect(try await desk.open().append(.note("x", actor: "a"), to: run).event.sequence == 5)
    }

    @Test func stageAndSnapshotInForceStandInEveryEvent() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        let second = try StoredObject(.snapshot, Array("{\"v\":2}".utf8))
        var change = EventDraft.of(.snapshot)
        change.snapshot = second.id
        try await queue.append("before", to: run)
        try await queue.append(.of(.stage), to: run)
        try await queue.append("in stage", to: run)
        let drafts = [change, .of(.stage), .note("in both")]
        _ = try await queue.submit(Submission(.run(run, token: nil), events: drafts, objects: [second]))
        try await queue.append("after", to: run)
        let events = try desk.read().events(of: run).map(\.envelope)
        #expect(events.map(\.stage) == [0, 0, 2, 2, 2, 5, 5, 5])
        #expect(events.map { $0.snapshot == second.id } == [false, false, false, false, true, true, true, true])
    }

    @Test func aSnapshotEventNamesOneThatIsThere() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        await expectRefusal(.noSnapshot) { try await queue.append(.of(.snapshot), to: run) }
        var unknown = EventDraft.of(.snapshot)
        unknown.snapshot = Hashing.sha256([1])
        await expectRefusal(.unknownSnapshot) { try await queue.append(unknown, to: run) }
    }

    @Test func aCauseIsAnEarlierEventOrInAnUnknownRun() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let (run, other) = (try await queue.newRun(), try await queue.newRun())
        func draft(_ run: RunID, _ sequence: UInt32) -> EventDraft {
            var draft = EventDraft.note("x")
            draft.causes = [EventReference(run: run, sequence: sequence)]
            return draft
        }
        await expectRefusal(.unknownCause) { try await queue.append(draft(run, 1), to: run) }
        await expectRefusal(.unknownCause) { try await queue.append(draft(other, 1), to: run) }
        try await queue.append(draft(run, 0), to: run)
        try await queue.append(draft(other, 0), to: run)
        try await queue.append(draft(CapsuleBuilder.run(99), 5), to: run)
        try await queue.append(draft(.zero, 0), to: run)
        #expect(try desk.read().events(of: run).count == 5)
    }

    @Test(arguments: [8, 9])
    func anEventHasAtMost8Causes(_ count: Int) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        var draft = EventDraft.note("x")
        draft.causes = Array(repeating: EventReference(run: run, sequence: 0), count: count)
        if count <= 8 {
            try await queue.append(draft, to: run)
        } else {
            await #expect(throws: CapsuleError(.limitCauses, "")) { try await queue.append(draft, to: run) }
        }
    }

    @Test(arguments: [1, 2, 3, 8, 17])
    func theSealIsTheRootOfTheRunsLeaves(_ count: Int) async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let (run, other) = (try await queue.newRun(), try await queue.newRun())
        for number in 1..<count {
            try await queue.append("\(number)", to: run)
            try await queue.append("between", to: other)
        }
        try await queue.end(run, .cancelled)
        let events = try desk.read().events(of: run)
        let seal = try #require(events.last?.envelope.seal)
        #expect(seal.root == Self.root(events.dropLast().map(\.hash)[...]) && seal.outcome == .cancelled)
        #expect(events.last?.envelope.sequence == UInt32(count))
    }

    /// RFC 6962 section 2.1.
    private static func root(_ leaves: ArraySlice<Digest>) -> Digest {
        if leaves.count <= 1 { return leaves.first ?? Hashing.sha256([]) }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        return Hashing.node(root(leaves.prefix(split)), root(leaves.dropFirst(split)))
    }

    @Test func nothingFollowsTheEndOfTheCapsule() async throws {
        let desk = try Desk()
        let queue = try await desk.open()
        let run = try await queue.newRun()
        try await queue.append(.of(.capsuleClose), to: .zero)
        await expectRefusal(.capsuleClosed) { try await queue.append("x", to: run) }
        await expectRefusal(.capsuleClosed) { try await queue.start() }
        await queue.close()
        let other = try await desk.open()
        await expectRefusal(.capsuleClosed) { try await other.append("x", to: run) }
        #expect(try desk.read().report.treeSize == 3)
    }

    /// Filled in by hand: 65,536 real starts take a minute.
    @Test func at65536OpenRunsAnotherOneIsRefused() throws {
        var state = CapsuleState(capsule: .zero)
        state.snapshots.insert(Desk.policyID)
        let target = Submission.Target.newRun(CapsuleBuilder.run(1), name: nil, snapshot: Desk.policyID, token: nil)
        let start = try PreparedSubmission(Submission(target, events: [.of(.runStart)]), random: SystemRandom())
        let empty = RunState(id: .zero, snapshot: .zero, firstLeaf: 0)
        // Run zero is open too and does not count.
        for number in 0..<UInt64(65_536) { state.open[RunID(words: (0, number))] = empty }
        #expect(try Admission.admit(start, state: state).events.count == 1)
        state.open[RunID(words: (1, 1))] = empty
        #expect(throws: WriteError(.limitOpenRuns, "")) { try Admission.admit(start, state: state) }
    }

    @Test func aRunThatIsFullTakesNoMore() throws {
        var state = CapsuleState(capsule: .zero)
        var run = RunState(id: CapsuleBuilder.run(1), snapshot: Desk.policyID, firstLeaf: 0)
        let target = Submission.Target.run(run.id, token: nil)
        func append(_ events: [EventDraft]) throws -> Admitted {
            state.open[run.id] = run
            return try Admission.admit(
                PreparedSubmission(Submission(target, events: events), random: SystemRandom()),
                state: state
            )
        }
        run.next = .max - 1
        #expect(try append([.note("x")]).events.last?.envelope.sequence == .max - 1)
        #expect(throws: WriteError(.limitRun, "")) { try append([.note("x"), .note("y")]) }
        run.next = .max
        #expect(throws: WriteError(.limitRun, "")) { try append([.note("x")]) }
    }
}
