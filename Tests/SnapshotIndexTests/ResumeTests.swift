import Capsule
import GRDB
import Synchronization
import Testing
import WriterQueue

@testable import SnapshotIndex

@Suite("A writer goes on behind an index")
struct ResumeTests {
    @Test("It answers and writes, byte for byte, as one that read the whole capsule", arguments: 0..<12)
    func writesTheSameBytes(_ round: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        let fixture = try await Fixture()
        var script = Script(random: SplitMix(state: seed))
        let index = try fixture.open()
        for step in 0..<Int.random(in: 1...40, using: &script.random) {
            _ = await Outcome.of(fixture.queue, script.next())
            if step % 7 == 3 { try index.catchUp() }
        }
        try index.catchUp()
        // What comes after the index: the writer reads it from the file.
        for _ in 0..<Int.random(in: 0...6, using: &script.random) { _ = await Outcome.of(fixture.queue, script.next()) }
        await fixture.queue.close()
        let copy = try fixture.copy("copy.cpsl")
        let resumed = try await WriterQueue(opening: fixture.path, options: fixture.resuming(), random: Bytes(seed))
        let whole = try await WriterQueue(opening: copy, random: Bytes(seed))
        for step in 0..<40 {
            let submission = script.next()
            let (one, other) = (await Outcome.of(resumed, submission), await Outcome.of(whole, submission))
            #expect(one == other, "seed \(seed), step \(step)")
        }
        await resumed.close()
        await whole.close()
        #expect(try fixture.bytes(of: fixture.path) == fixture.bytes(of: copy), "seed \(seed)")
    }

    @Test("It reads no byte of what the index covers but the header at its mark")
    func readsNothingBefore() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start("a")
        for _ in 0..<50 { try await fixture.append(to: run, count: 20) }
        await fixture.queue.close()
        _ = try fixture.indexed()
        // The middle is damaged: who reads it notices.
        try fixture.write([0xFF, 0xFF], at: try fixture.length(of: fixture.path) / 2, of: fixture.path)
        await #expect(throws: CapsuleError.self) { _ = try await WriterQueue(opening: fixture.path) }
        let queue = try await WriterQueue(opening: fixture.path, options: fixture.resuming())
        #expect(await queue.state().open[run]?.next == 1001)
        await queue.close()
    }

    @Test("An index that lags, is missing, or is of another capsule changes nothing but the time")
    func needsNoIndex() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start("a")
        try await fixture.append(to: run, count: 5)
        _ = try fixture.indexed()
        try await fixture.append(to: run, count: 5)
        await fixture.queue.close()
        for _ in 0..<2 {
            let queue = try await WriterQueue(opening: fixture.path, options: fixture.resuming())
            #expect(await queue.state().open[run]?.next == 11)
            await queue.close()
            try SnapshotIndex.drop(for: fixture.path)
        }
    }

    @Test("A row that is missing or changed is noticed, and everything is read", arguments: 0..<7)
    func noticesChangedRows(_ which: Int) async throws {
        let changes = [
            "DELETE FROM open_run WHERE first_leaf > 0", "UPDATE open_run SET state = zeroblob(length(state))",
            "DELETE FROM run WHERE name = 'ended'", "DELETE FROM resume", "UPDATE resume SET runs = runs + 1",
            "UPDATE run SET key = NULL WHERE name = 'ended'", "UPDATE run SET outcome = NULL WHERE name = 'ended'",
        ]
        let fixture = try await Fixture()
        let run = try await fixture.start("open")
        let ended = try await fixture.start("ended")
        try await fixture.end(ended)
        await fixture.queue.close()
        _ = try fixture.indexed()
        try fixture.execute(changes[which])
        #expect(try fixture.open().resumePoint() == nil)
        let queue = try await WriterQueue(opening: fixture.path, options: fixture.resuming())
        #expect(await queue.state().open[run]?.next == 1)
        #expect(await queue.state().endedRun(ended)?.events == 2)
        await queue.close()
    }

    @Test("Where keys are missing, the turn that asks for them reads everything")
    func noticesMissingKeys() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start("open")
        var draft = EventDraft(.registered(.note), body: Array("{}".utf8), time: Timestamp(nanoseconds: 5))
        draft.key = "k"
        let submission = Submission(.run(run, token: nil), events: [draft])
        _ = try await fixture.queue.submit(submission)
        await fixture.queue.close()
        _ = try fixture.indexed()
        try fixture.execute("DELETE FROM open_key")
        let queue = try await WriterQueue(opening: fixture.path, options: fixture.resuming())
        let receipts = try await queue.submit(submission)
        #expect(receipts.first?.isRepeat == true)
        await queue.close()
    }

    @Test("A writer behind which the index went on takes in what others wrote, and knows what it knew")
    func theIndexGoesOn() async throws {
        let fixture = try await Fixture()
        let runs = [try await fixture.start("open"), try await fixture.start("ends")]
        let keyed = runs.map { run in
            var draft = EventDraft(.registered(.note), body: Array("{}".utf8), time: Timestamp(nanoseconds: 5))
            draft.key = "k"
            return Submission(.run(run, token: nil), events: [draft])
        }
        for submission in keyed { _ = try await fixture.queue.submit(submission) }
        _ = try fixture.indexed()
        let resumed = try await WriterQueue(opening: fixture.path, options: fixture.resuming())
        // Another writer begins and ends runs, brings a snapshot and keys, and somebody reads.
        let other = try await fixture.start("other", snapshot: "{\"b\":1}")
        try await fixture.append(to: other, makesCheckpoint: true)
        try await fixture.end(runs[1])
        var draft = EventDraft(.registered(.note), body: Array("{}".utf8), time: Timestamp(nanoseconds: 6))
        draft.key = "later"
        _ = try await fixture.queue.submit(Submission(.run(runs[0], token: nil), events: [draft]))
        await fixture.queue.close()
        _ = try fixture.indexed()
        let receipts = try await resumed.submit(keyed[0])
        #expect(receipts.first?.isRepeat == true)
        let later = try await resumed.submit(Submission(.run(runs[0], token: nil), events: [draft]))
        #expect(later.first?.isRepeat == true)
        #expect(await resumed.state().open[other]?.next == 2)
        #expect(await resumed.state().endedRun(runs[1])?.events == 3)
        await resumed.close()
        #expect(try Verifier(CapsuleFile(fixture.path)).run().verdict == .intact)
    }

    @Test("A writer whose index is emptied meanwhile reads everything, and begins no run twice")
    func theIndexIsEmptied() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start("a")
        try await fixture.end(run)
        await fixture.queue.close()
        _ = try fixture.indexed()
        let resumed = try await WriterQueue(opening: fixture.path, options: fixture.resuming())
        let emptying = try PageChecksums.open(fixture.indexPath)
        try await emptying.write { db in
            try IndexSchema.reset(db, header: fixture.header, IndexStore.Evidence())
        }
        try emptying.close()
        let body = Array(#"{"name":"a","spec":"job.toml"}"#.utf8)
        let draft = EventDraft(.registered(.runStart), body: body, time: Timestamp(nanoseconds: 1000))
        let again = Submission.Target.newRun(
            RunID(at: .now, random: SystemRandom()),
            name: "a",
            snapshot: try Fixture.snapshot().id,
            token: nil
        )
        let receipts = try await resumed.submit(Submission(again, events: [draft], objects: [Fixture.snapshot()]))
        #expect(receipts.first?.isRepeat == true && receipts.first?.event.run == run)
        await resumed.close()
    }

    @Test("A capsule that is shorter than its index knows is not appended to")
    func refusesACutCapsule() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start("a")
        let short = try fixture.length(of: fixture.path)
        try await fixture.append(to: run, count: 50)
        await fixture.queue.close()
        _ = try fixture.indexed()
        try fixture.truncate(fixture.path, to: short)
        try fixture.remove(DurableNote.path(for: fixture.path))
        let error = await #expect(throws: CapsuleError.self) {
            _ = try await WriterQueue(opening: fixture.path, options: fixture.resuming())
        }
        #expect(error?.code == .cutShort)
    }
}

/// What a submission came to.
private enum Outcome: Equatable {
    case receipts([Receipt])
    case failure(String)

    static func of(_ queue: WriterQueue, _ submission: Submission) async -> Outcome {
        do { return .receipts(try await queue.submit(submission)) } catch { return .failure("\(error)") }
    }
}

/// Submissions of every kind, right and wrong ones, the same for the same seed.
private struct Script {
    var random: SplitMix
    private var runs: [RunID] = []
    private var number: UInt64 = 0

    init(random: SplitMix) { self.random = random }

    private mutating func roll(_ count: Int) -> Int { Int.random(in: 0..<count, using: &random) }

    private mutating func draft(_ type: RegisteredType, _ body: String = "{}") -> EventDraft {
        number += 1
        return EventDraft(.registered(type), body: Array(body.utf8), time: Timestamp(nanoseconds: Int64(number)))
    }

    mutating func next() -> Submission {
        guard let run = runs.randomElement(using: &random), roll(6) > 0 else { return start() }
        let token = roll(4) == 0 ? "token" : nil
        switch roll(9) {
        case 0: return end(run)
        case 1: return Submission(.run(run, token: token), events: [draft(.stage, #"{"name":"s"}"#)])
        case 2: return change(run)
        case 3: return blob(run)
        default: return notes(run, token)
        }
    }

    private mutating func start() -> Submission {
        let isAgain = roll(4) == 0 && !runs.isEmpty
        let which = isAgain ? UInt64(roll(runs.count)) : UInt64(runs.count)
        let id = RunID(words: (which &* 0x9E37_79B9 &+ 1, 7))
        if !isAgain { runs.append(id) }
        var first = EventDraft(.registered(.runStart), body: Array("{}".utf8), time: Timestamp(nanoseconds: 1))
        if roll(8) == 0 { first.body = Array(#"{"risk":"low"}"#.utf8) }
        let snapshot = try? Fixture.snapshot("{\"a\":\(which % 3)}")
        let name = which % 2 == 0 ? "run \(which)" : nil
        return Submission(
            .newRun(id, name: name, snapshot: snapshot?.id ?? .zero, token: which % 5 == 4 ? "token" : nil),
            events: [first],
            objects: roll(3) == 0 ? [] : snapshot.map { [$0] } ?? []
        )
    }

    private mutating func end(_ run: RunID) -> Submission {
        var end = draft(.runEnd)
        end.outcome = roll(2) == 0 ? .completed : .abandoned
        return Submission(.run(run, token: nil), events: [end])
    }

    private mutating func change(_ run: RunID) -> Submission {
        let snapshot = try? Fixture.snapshot("{\"b\":\(roll(4))}")
        var event = draft(.snapshot)
        event.snapshot = snapshot?.id
        return Submission(.run(run, token: nil), events: [event], objects: snapshot.map { [$0] } ?? [])
    }

    private mutating func blob(_ run: RunID) -> Submission {
        var event = draft(.note, String(repeating: "\(roll(2))", count: 1 << 20))
        event.media = .text
        event.sharesBlob = true
        return Submission(.run(run, token: nil), events: [event])
    }

    private mutating func notes(_ run: RunID, _ token: String?) -> Submission {
        var events: [EventDraft] = []
        for _ in 0...roll(5) {
            var event = draft(.note)
            if roll(3) == 0 {
                event.key = "key \(roll(6))"
                event.time = Timestamp(nanoseconds: 9)
            }
            if roll(3) == 0 { event.actor = ActorDraft(name: "actor \(roll(3))", body: Array(#"{"name":"x"}"#.utf8)) }
            if roll(4) == 0, let other = runs.randomElement(using: &random) {
                event.causes = [EventReference(run: other, sequence: UInt32(roll(4)))]
            }
            events.append(event)
        }
        var submission = Submission(.run(run, token: token), events: events)
        submission.makesCheckpoint = roll(6) == 0
        return submission
    }
}

/// Bytes that look random, the same for the same seed.
private final class Bytes: RandomSource {
    private let generator: Mutex<SplitMix>

    init(_ seed: UInt64) { generator = Mutex(SplitMix(state: seed)) }

    func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        generator.withLock { for index in buffer.indices { buffer[index] = UInt8(truncatingIfNeeded: $0.next()) } }
    }
}

extension Fixture {
    /// Changes rows of the index behind its back, in a way that no checksum of a page shows.
    fileprivate func execute(_ sql: String) throws {
        let queue = try PageChecksums.open(indexPath)
        try queue.write { db in try db.execute(sql: sql) }
        try queue.close()
    }

    /// The capsule and its note under another name.
    fileprivate func copy(_ name: String) throws -> FilePath {
        let copy = folder.appending(name)
        try make(copy, bytes(of: path))
        try make(DurableNote.path(for: copy), bytes(of: DurableNote.path(for: path)))
        return copy
    }
}
