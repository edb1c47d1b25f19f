import Capsule
import Testing

@testable import SnapshotIndex

@Suite("What a row says")
struct RowTests {
    @Test("An open run's row says what its events say")
    func openRun() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start("build", token: "t0ken", time: 5)
        try await fixture.append(to: run, count: 3, time: 7, token: "t0ken")
        let expected = RunRow(
            id: run, name: "build", spec: "job.toml", startTime: Timestamp(nanoseconds: 5),
            lastTime: Timestamp(nanoseconds: 7), endTime: nil, outcomeCode: nil, events: 4,
            snapshot: try Fixture.snapshot().id, firstLeaf: 1, isExclusive: true)
        #expect(try fixture.indexed().runs() == [expected])
    }

    @Test("An ended run's row has its end and its outcome")
    func endedRun() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start()
        try await fixture.end(run, .failed, time: 9)
        let row = try #require(try fixture.indexed().runs().first)
        #expect(row.outcome == .failed && row.endTime == Timestamp(nanoseconds: 9))
    }

    @Test("A row has the snapshot that came into force last")
    func changedSnapshot() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start(snapshot: "{\"a\":1}")
        try await fixture.change(run, to: "{\"b\":1}")
        #expect(try fixture.indexed().runs().first?.snapshot == Fixture.snapshot("{\"b\":1}").id)
    }

    @Test("A body without a usable name gives none", arguments: ["{}", "{\"name\":7}", "[]", "not json", "{\"name\":"])
    func noName(_ body: String) async throws {
        let fixture = try await Fixture()
        try await fixture.start(body: body)
        let rows = try fixture.indexed().runs()
        #expect(rows.count == 1 && rows[0].name == nil)
    }

    @Test("The batches of a run hold all its events in order")
    func batches() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start()
        let other = try await fixture.start()
        for _ in 0..<5 {
            try await fixture.append(to: run, count: 2)
            try await fixture.append(to: other)
        }
        let offsets = try fixture.indexed().batchOffsets(of: run)
        var sequences: [UInt32] = []
        try CapsuleFile(fixture.path).forEachBatch(at: offsets) { batch in
            try batch.forEachEvent { event throws(CapsuleError) in
                if event.envelope.run == run { sequences.append(event.envelope.sequence) }
            }
        }
        #expect(sequences == Array(0..<11))
    }

    @Test("An unknown run has no batches")
    func unknownRun() async throws {
        let fixture = try await Fixture()
        #expect(try fixture.indexed().batchOffsets(of: RunID(at: .now, random: SystemRandom())).isEmpty)
    }

    @Test("A snapshot's row says where it stands and how many runs had it")
    func snapshotRow() async throws {
        let fixture = try await Fixture()
        try await fixture.start(time: 11)
        try await fixture.start(time: 12)
        let index = try fixture.indexed()
        let row = try #require(try index.snapshots().first)
        let object = try CapsuleFile(fixture.path).object(row.id, inBatchAt: row.batchOffset)
        #expect(object?.bytes == Array("{}".utf8) && row.runs == 2 && row.size == 2 && row.firstSeen?.nanoseconds == 11)
    }

    @Test("A snapshot is found by a prefix of its ID", arguments: ["", "sha256:"])
    func snapshotPrefix(_ scheme: String) async throws {
        let fixture = try await Fixture()
        try await fixture.start(snapshot: "{\"a\":1}")
        try await fixture.start(snapshot: "{\"b\":1}")
        let id = try Fixture.snapshot("{\"a\":1}").id
        guard case .one(let row) = try fixture.indexed().snapshot(matching: scheme + String(id.hex.prefix(9))) else {
            Issue.record("not found")
            return
        }
        #expect(row.id == id)
    }

    @Test("What is no prefix of a snapshot's ID finds none", arguments: ["", "sha256:", "123", "zzzz", "ffffffff"])
    func noSnapshot(_ text: String) async throws {
        let fixture = try await Fixture()
        try await fixture.start()
        #expect(try fixture.indexed().snapshot(matching: text) == .none)
    }

    @Test("An object is found in the batch that the index names")
    func objectBatch() async throws {
        let fixture = try await Fixture()
        try await fixture.start()
        let id = try Fixture.snapshot().id
        let offset = try #require(try fixture.indexed().objectBatch(id))
        #expect(try CapsuleFile(fixture.path).object(id, inBatchAt: offset)?.id == id)
    }

    @Test("A checkpoint's row states the size that its note does")
    func checkpoint() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start()
        try await fixture.append(to: run, makesCheckpoint: true)
        let rows = try fixture.indexed().checkpoints()
        #expect(rows.map(\.size) == [3] && rows.map(\.signatures) == [0])
    }
}
