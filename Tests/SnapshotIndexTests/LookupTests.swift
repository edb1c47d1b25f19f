import Capsule
import SnapshotIndex
import Testing

@Suite("Looking runs up")
struct LookupTests {
    /// Two IDs that begin alike, and one that does not.
    private let first = "0198aaaa-0000-7000-8000-000000000001"
    private let second = "0198aaaa-0000-7000-8000-000000000002"
    private let third = "0198bbbb-0000-7000-8000-000000000003"

    private func fixture() async throws -> (Fixture, SnapshotIndex) {
        let fixture = try await Fixture()
        for (text, name) in [(first, "nightly"), (second, "weekly"), (third, nil)] {
            let id = try #require(RunID(hex: text))
            try await fixture.start(name, id: id)
        }
        return (fixture, try fixture.indexed())
    }

    private func found(_ index: SnapshotIndex, _ text: String) throws -> [String] {
        switch try index.run(matching: text) {
        case .one(let row): ["\(row.id)"]
        case .none: []
        case .ambiguous(let rows): ["ambiguous"] + rows.map { "\($0.id)" }
        }
    }

    @Test("A run is found by its whole ID")
    func wholeID() async throws {
        let (fixture, index) = try await fixture()
        #expect(try found(index, first) == [first])
        withExtendedLifetime(fixture) {}
    }

    @Test("A run is found by its ID without hyphens, in capitals")
    func withoutHyphens() async throws {
        let (fixture, index) = try await fixture()
        #expect(try found(index, "0198AAAA000070008000000000000002") == [second])
        withExtendedLifetime(fixture) {}
    }

    @Test("A run is found by a prefix that no other has", arguments: ["0198b", "0198bb", "0198bbbb-0000-7"])
    func prefix(_ text: String) async throws {
        let (fixture, index) = try await fixture()
        #expect(try found(index, text) == [third])
        withExtendedLifetime(fixture) {}
    }

    @Test("A prefix that two runs have is ambiguous, newest first")
    func ambiguousPrefix() async throws {
        let (fixture, index) = try await fixture()
        #expect(try found(index, "0198aaaa") == ["ambiguous", second, first])
        withExtendedLifetime(fixture) {}
    }

    @Test("Three digits are no prefix")
    func shortPrefix() async throws {
        let (fixture, index) = try await fixture()
        #expect(try index.run(matching: "019") == .none)
        withExtendedLifetime(fixture) {}
    }

    @Test("A run is found by the caller's name")
    func name() async throws {
        let (fixture, index) = try await fixture()
        #expect(try found(index, "weekly") == [second])
        withExtendedLifetime(fixture) {}
    }

    @Test("A run is found by its name though the body does not say it")
    func nameByHash() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start("secret", body: "{}")
        #expect(try found(fixture.indexed(), "secret") == ["\(run)"])
    }

    @Test("A name that is also a prefix of another run's ID wins, and the other run is told")
    func nameLikePrefix() async throws {
        let (fixture, _) = try await fixture()
        let run = try await fixture.start("0198bbbb")
        let index = try fixture.indexed()
        #expect(try found(index, "0198bbbb") == ["\(run)"])
        #expect(try index.runs(beginningWith: "0198bbbb").map { "\($0.id)" } == [third])
    }

    @Test(
        "What names no run finds none",
        arguments: ["", "nobody", "ffff", "0198cccc-0000-7000-8000-000000000003", "'; --"])
    func nothing(_ text: String) async throws {
        let (fixture, index) = try await fixture()
        #expect(try index.run(matching: text) == .none)
        withExtendedLifetime(fixture) {}
    }

    @Test("Runs are listed newest first")
    func order() async throws {
        let (fixture, index) = try await fixture()
        #expect(try index.runs().map { "\($0.id)" } == [third, second, first])
        withExtendedLifetime(fixture) {}
    }

    @Test("A limit and the last row's leaf give page after page")
    func pages() async throws {
        let (fixture, index) = try await fixture()
        let page = try index.runs(RunQuery(limit: 2))
        let rest = try index.runs(RunQuery(before: page[1].firstLeaf, limit: 2))
        #expect((page + rest).map { "\($0.id)" } == [third, second, first])
        withExtendedLifetime(fixture) {}
    }

    @Test("Runs are filtered by name")
    func filterByName() async throws {
        let (fixture, index) = try await fixture()
        #expect(try index.runs(RunQuery(name: "nightly")).map { "\($0.id)" } == [first])
        withExtendedLifetime(fixture) {}
    }

    @Test("Runs are filtered by whether they have ended", arguments: [(RunQuery.State.open, false), (.ended, true)])
    func filterByState(_ state: RunQuery.State, _ wantsFirst: Bool) async throws {
        let (fixture, _) = try await fixture()
        let run = try #require(RunID(hex: first))
        try await fixture.end(run)
        let listed = try fixture.indexed().runs(RunQuery(state: state)).map(\.id)
        #expect(listed.contains(run) == wantsFirst)
    }

    @Test("Runs are filtered by a snapshot that they had in force once")
    func filterBySnapshot() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start(snapshot: "{\"a\":1}")
        try await fixture.start(snapshot: "{\"b\":1}")
        try await fixture.change(run, to: "{\"c\":1}")
        let query = RunQuery(snapshot: try Fixture.snapshot("{\"a\":1}").id)
        #expect(try fixture.indexed().runs(query).map(\.id) == [run])
    }

    @Test("Run zero is not listed")
    func runZero() async throws {
        let fixture = try await Fixture()
        #expect(try fixture.indexed().runs().isEmpty)
    }
}
