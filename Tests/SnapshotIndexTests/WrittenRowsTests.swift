import Capsule
import SnapshotIndex
import Synchronization
import Testing
import WriterQueue

@Suite("An index that the writer tells what it wrote is the one that reads it")
struct WrittenRowsTests {
    @Test("Over random workloads, with every chunk taken in, some of them or none", arguments: 0..<8)
    func agrees(_ round: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        let feed = Feed()
        let fixture = try await Fixture(options: { feed.follow(&$0) })
        var workload = Workload(random: SplitMix(state: seed), fixture: fixture)
        let told = try fixture.open()
        for _ in 0..<12 {
            try await workload.run(steps: 12)
            if Int.random(in: 0..<4, using: &workload.random) == 0 { continue }
            feed.cut()
            // Something must be written for the next chunk to end.
            try await workload.run(steps: 1)
            for chunk in feed.take() where Int.random(in: 0..<6, using: &workload.random) > 0 {
                let status = try told.catchUp(with: chunk)
                #expect(status.end >= chunk.end.offset, "seed \(seed)")
            }
            try fixture.expectSame(told, "seed \(seed)")
        }
    }

    @Test("Only its own chunk is taken in without reading: the rows of another are not the capsule's")
    func saysWhatItIsTold() async throws {
        let feed = Feed()
        let fixture = try await Fixture(options: { feed.follow(&$0) })
        feed.cut()
        let run = try await fixture.start("told")
        let chunk = try #require(feed.take().first)
        // The events are read from the file if the chunk does not fit: here it does, and the file is not looked at.
        let index = try fixture.open()
        try index.catchUp(with: chunk)
        #expect(try index.runs().map(\.id) == [run])
        // A second time it fits nowhere, and does no harm.
        try index.catchUp(with: chunk)
        try fixture.expectSame(index, "twice")
    }

    @Test("What another process wrote in between is read")
    func gap() async throws {
        let feed = Feed()
        let fixture = try await Fixture(options: { feed.follow(&$0) })
        let index = try fixture.open()
        try await fixture.start("ours")
        let other = try await WriterQueue(opening: fixture.path)
        let object = try Fixture.snapshot()
        let draft = EventDraft(.registered(.runStart), body: Array("{}".utf8))
        let id = RunID(at: .now, random: SystemRandom())
        _ = try await other.submit(
            Submission(.newRun(id, name: "theirs", snapshot: object.id, token: nil), events: [draft], objects: [object]))
        await other.close()
        feed.cut()
        try await fixture.start("ours again")
        for chunk in feed.take() { try index.catchUp(with: chunk) }
        #expect(try index.runs().count == 3)
        try fixture.expectSame(index, "with a gap")
    }

    @Test("A chunk whose bytes were cut off and replaced is not taken in")
    func replaced() async throws {
        let feed = Feed()
        let fixture = try await Fixture(options: { feed.follow(&$0) })
        let index = try fixture.indexed()
        let before = try fixture.length(of: fixture.path)
        feed.cut()
        let lost = try await fixture.start("lost", time: 1)
        let chunk = try #require(feed.take().first)
        await fixture.queue.close()
        // As after a crash before the sync: the note, which never leads, says what was durable before.
        try fixture.truncate(fixture.path, to: before)
        try fixture.remove(DurableNote.path(for: fixture.path))
        let second = try await WriterQueue(opening: fixture.path)
        let object = try Fixture.snapshot()
        for name in ["one", "two"] {
            let draft = EventDraft(.registered(.runStart), body: Array("{}".utf8), time: Timestamp(nanoseconds: 7))
            _ = try await second.submit(
                Submission(
                    .newRun(RunID(at: .now, random: SystemRandom()), name: name, snapshot: object.id, token: nil),
                    events: [draft], objects: [object]))
        }
        await second.close()
        try index.catchUp(with: chunk)
        #expect(try index.runs().count == 2)
        #expect(try !index.runs().contains { $0.id == lost })
        try fixture.expectSame(index, "replaced")
    }

    @Test("A chunk that is not known to be durable waits")
    func notDurable() async throws {
        let feed = Feed()
        let fixture = try await Fixture(options: { options in
            options.holdsLock = true
            feed.follow(&options)
        })
        let run = try await fixture.start("durable")
        let index = try fixture.indexed()
        let before = try index.coverage()
        feed.cut()
        let draft = EventDraft(.registered(.note), body: Array("{}".utf8))
        _ = try await fixture.queue.submit(Submission(.run(run, token: nil), events: [draft], durability: .written))
        let chunks = feed.take()
        let chunk = try #require(chunks.last)
        for chunk in chunks { #expect(try index.catchUp(with: chunk).end <= before.end) }
        #expect(try index.coverage() == before)
        try await fixture.queue.flush()
        #expect(try index.catchUp(with: chunk).end == chunk.end.offset)
        try fixture.expectSame(index, "durable at last")
    }
}

/// Gathers rows, and ends a chunk where it is told to.
private final class Feed: Sendable {
    private struct State {
        var chunks: [WrittenChunk] = []
        var isDue = false
    }

    private let state = Mutex(State())

    func follow(_ options: inout WriterQueue.Options) {
        options.followBatches = { header, place in Gatherer(self, WrittenRows(in: header, from: place)) }
    }

    /// Ends a chunk with the next write.
    func cut() { state.withLock { $0.isDue = true } }

    func take() -> [WrittenChunk] {
        state.withLock { state in
            defer { state.chunks = [] }
            return state.chunks
        }
    }

    private final class Gatherer: BatchFollower {
        let feed: Feed
        var rows: WrittenRows

        init(_ feed: Feed, _ rows: WrittenRows) { (self.feed, self.rows) = (feed, rows) }

        func take(_ object: StoredObject, inBatchAt offset: UInt64) { rows.add(object, inBatchAt: offset) }
        func take(_ envelope: Envelope, body: [UInt8]?, leaf: UInt64) { rows.add(envelope, body: body, leaf: leaf) }
        func take(subtree root: Digest) { rows.add(subtree: root) }
        func closeBatch() { rows.closeBatch() }
        func place(batchAt offset: UInt64) { rows.place(batchAt: offset) }
        func finish(_ place: WrittenPlace) {}

        func written(_ place: WrittenPlace) {
            feed.state.withLock { state in
                guard state.isDue, let chunk = rows.chunk(upTo: place.end, place.state, root: place.root) else { return }
                state.isDue = false
                state.chunks.append(chunk)
            }
        }
    }
}

/// Random submissions.
private struct Workload {
    var random: SplitMix
    let fixture: Fixture
    var open: [RunID] = []
    var names = 0

    init(random: SplitMix, fixture: Fixture) { (self.random, self.fixture) = (random, fixture) }

    mutating func run(steps: Int) async throws {
        for _ in 0..<steps {
            names += 1
            let run = open.randomElement(using: &random)
            switch (Int.random(in: 0..<10, using: &random), run) {
            case (0...1, _), (_, nil):
                open.append(try await fixture.start("run \(names)", snapshot: "{\"a\":\(names % 5)}"))
            case (2...5, let run?):
                try await fixture.append(
                    to: run, count: Int.random(in: 1...120, using: &random),
                    makesCheckpoint: Int.random(in: 0..<4, using: &random) == 0)
            case (6, let run?):
                try await fixture.change(run, to: "{\"b\":\(names % 3)}")
            case (7, let run?):
                var draft = EventDraft(.registered(.note), body: Array("{}".utf8))
                draft.key = "key \(names)"
                draft.actor = ActorDraft(name: "actor \(names % 3)", body: Array(#"{"name":"x"}"#.utf8))
                let label = EventDraft(.registered(.checkpoint), body: Array("{\"label\":\"l\(names)\"}".utf8))
                _ = try await fixture.queue.submit(Submission(.run(run, token: nil), events: [draft, label]))
            case (_, let run?):
                try await fixture.end(run, Outcome.allCases.randomElement(using: &random) ?? .completed)
                open.removeAll { $0 == run }
            }
        }
    }
}

extension Fixture {
    /// Compares an index with one that reads the same bytes from the beginning.
    fileprivate func expectSame(_ told: SnapshotIndex, _ comment: Comment) throws {
        try told.catchUp()
        let read = try open(inMemory: true)
        try read.catchUp()
        #expect(try Contents(told) == Contents(read), comment)
        #expect(try told.checkpointEvents() == read.checkpointEvents(), comment)
        #expect(try told.coverage() == read.coverage(), comment)
        #expect(try told.batches(from: 0) == read.batches(from: 0), comment)
        let (one, two) = (try #require(try told.resumePoint()), try #require(try read.resumePoint()))
        #expect(one.position == two.position && one.state.tree == two.state.tree, comment)
        #expect(Set(one.state.open.keys) == Set(two.state.open.keys), comment)
        for (id, run) in one.state.open {
            let other = try #require(two.state.open[id])
            #expect(run.next == other.next && run.tree == other.tree && run.keyCount == other.keyCount, comment)
            #expect(run.stage == other.stage && run.snapshot == other.snapshot, comment)
            for step in 0..<200 {
                let key = KeyHash.event("key \(step)", in: id)
                #expect(run.event(with: key) == other.event(with: key), comment)
            }
        }
    }
}
