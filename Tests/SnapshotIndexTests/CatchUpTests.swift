import Capsule
import SnapshotIndex
import Testing

@Suite("Catching up")
struct CatchUpTests {
    @Test("An index takes in what is appended after it caught up")
    func moreAppends() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start()
        let index = try fixture.indexed()
        try await fixture.append(to: run, count: 4)
        try index.catchUp()
        #expect(try index.runs().map(\.events) == [5])
    }

    @Test("Catching up in steps gives what one pass gives")
    func steps() async throws {
        let fixture = try await Fixture()
        let index = try fixture.open()
        for number in 0..<6 {
            let run = try await fixture.start("run \(number)")
            try await fixture.append(to: run, count: number + 1)
            try index.catchUp()
            if number % 2 == 0 { try await fixture.end(run) }
        }
        try index.catchUp()
        let whole = try fixture.open(inMemory: true)
        try whole.catchUp()
        #expect(try Contents(index) == Contents(whole))
    }

    @Test("A second process goes on where the first one stopped")
    func persists() async throws {
        let fixture = try await Fixture()
        try await fixture.start("a")
        let contents = try Contents(fixture.indexed())
        #expect(try Contents(fixture.open()) == contents)
    }

    @Test("Where it ends is where the capsule ends")
    func endOfCapsule() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start()
        try await fixture.append(to: run, count: 2)
        let status = try fixture.indexed().catchUp()
        let length = try fixture.length(of: fixture.path)
        #expect(status.end == length && status.treeSize == 4 && status.ending == .end && status.knownDurable == length)
    }

    @Test("A torn tail ends it without an error")
    func tornTail() async throws {
        let fixture = try await Fixture()
        try await fixture.start()
        let end = try fixture.length(of: fixture.path)
        try fixture.write(Array(repeating: 0xAB, count: 300), at: end, of: fixture.path)
        let status = try fixture.open().catchUp()
        guard case .badBatch = status.ending else {
            Issue.record("it ended with \(status.ending)")
            return
        }
        #expect(status.end == end && status.knownDurable == end)
    }

    @Test("Zeroes after the last batch are the end")
    func zeroes() async throws {
        let fixture = try await Fixture()
        let end = try fixture.length(of: fixture.path)
        try fixture.write(Array(repeating: 0, count: 5000), at: end, of: fixture.path)
        let status = try fixture.open().catchUp()
        #expect(status.end == end && status.ending == .end)
    }

    @Test("A batch that says of its events what is not true is refused, and what stands before it kept")
    func refused() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start()
        let position = try fixture.endPosition()
        let encoder = BatchEncoder(header: fixture.header, position: position)
        var body = BatchBody(.timeline)
        let salt = [UInt8](repeating: 0, count: 16)
        _ = salt.withUnsafeBytes {
            body.addEvent(
                Envelope(type: .registered(.note), time: .now, run: run, snapshot: .zero), salt: $0, body: [])
        }
        encoder.append(body, treeSize: 77, root: .zero, durableLength: position.offset)
        try fixture.write(encoder.output, at: position.offset, of: fixture.path)
        let index = try fixture.open()
        let status = try index.catchUp()
        let events = try index.runs().map(\.events)
        let refusal = Status.Ending.refused(CapsuleError(.sizeMismatch, ""))
        #expect(status.ending == refusal && status.end == position.offset && events == [1])
    }

    @Test("Nothing is taken in that a writer at work has not yet synced")
    func beingWritten() async throws {
        let fixture = try await Fixture()
        let before = try fixture.indexed().catchUp()
        try await fixture.start()
        // Without the note nobody knows what is durable.
        try fixture.remove(DurableNote.path(for: fixture.path))
        let writer = try PosixStorage().open(fixture.path, for: .readingAndWriting)
        try #require(try writer.tryLock(.exclusive))
        let status = try fixture.open().catchUp()
        #expect(status.ending == .beingWritten && status.end == before.end)
    }

    @Test("Where no writer is at work and no note is there, it syncs and takes in everything")
    func withoutNote() async throws {
        let fixture = try await Fixture()
        try await fixture.start()
        try fixture.remove(DurableNote.path(for: fixture.path))
        #expect(try fixture.open().catchUp().end == fixture.length(of: fixture.path))
    }

    @Test("Progress ends at the end")
    func progress() async throws {
        let fixture = try await Fixture()
        try await fixture.start()
        var last: (UInt64, UInt64)?
        try fixture.open().catchUp { last = ($0, $1) }
        let length = try fixture.length(of: fixture.path)
        #expect(try #require(last) == (length, length))
    }

    @Test("Two indexers at once count nothing twice")
    func twoAtOnce() async throws {
        let fixture = try await Fixture()
        for number in 0..<30 {
            let run = try await fixture.start("run \(number)")
            try await fixture.append(to: run, count: 20)
        }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try fixture.open().catchUp() } }
            try await group.waitForAll()
        }
        let whole = try fixture.open(inMemory: true)
        try whole.catchUp()
        #expect(try Contents(fixture.open()) == Contents(whole))
    }

    @Test("Indexers that follow a writer count nothing twice")
    func followWriter() async throws {
        let fixture = try await Fixture()
        let first = try fixture.open()
        let second = try fixture.open()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for index in [first, second] {
                group.addTask {
                    while try index.runs(RunQuery(state: .ended)).count < 10 {
                        try index.catchUp()
                        try await Task.sleep(for: .milliseconds(1))
                    }
                }
            }
            group.addTask {
                for _ in 0..<10 {
                    let run = try await fixture.start()
                    for _ in 0..<5 { try await fixture.append(to: run, count: 3) }
                    try await fixture.end(run)
                }
            }
            try await group.waitForAll()
        }
        #expect(try first.runs().map(\.events) == Array(repeating: 17, count: 10))
    }
}

extension Fixture {
    /// Where the next batch goes.
    fileprivate func endPosition() throws -> BatchPosition {
        let capsule = try CapsuleFile(path)
        let reader = BatchReader(file: capsule.file, header: capsule.header, limit: try capsule.length())
        while try reader.next({ _ in }) == .batch {}
        return reader.position
    }
}
