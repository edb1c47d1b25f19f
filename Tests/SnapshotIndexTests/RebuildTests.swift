import Capsule
import Testing

@testable import SnapshotIndex

@Suite("Making an index anew")
struct RebuildTests {
    /// A capsule with some runs, and what its index says.
    private func fixture(runs: Int = 3) async throws -> (Fixture, Contents) {
        let fixture = try await Fixture()
        for number in 0..<runs {
            let run = try await fixture.start("run \(number)", snapshot: "{\"a\":\(number % 3)}")
            try await fixture.append(to: run, count: 2, makesCheckpoint: number % 4 == 0)
            if number % 2 == 0 { try await fixture.end(run) }
        }
        return (fixture, try Contents(fixture.indexed()))
    }

    /// Changes the mark behind the index's back.
    private func changeMark(_ fixture: Fixture, _ change: (inout IndexMark) -> Void) throws {
        let store = try IndexStore.open(for: CapsuleFile(fixture.path))
        let mark = try store.read { $0.mark }
        var changed = mark
        change(&changed)
        try #require(try store.write(upon: mark) { db in try changed.write(db) })
    }

    @Test("A deleted index is made anew")
    func deleted() async throws {
        let (fixture, contents) = try await fixture()
        try SnapshotIndex.drop(for: fixture.path)
        #expect(try Contents(fixture.indexed()) == contents)
    }

    @Test("Dropping leaves no file of the index behind")
    func drop() async throws {
        let (fixture, _) = try await fixture()
        let open = try fixture.indexed()
        try SnapshotIndex.drop(for: fixture.path)
        let names = try PosixStorage().names(in: fixture.folder).filter { $0.contains(".index") }
        #expect(names == [])
        withExtendedLifetime(open) {}
    }

    @Test("Who has a dropped index open goes on")
    func dropWhileOpen() async throws {
        let (fixture, contents) = try await fixture()
        let open = try fixture.indexed()
        try SnapshotIndex.drop(for: fixture.path)
        #expect(try Contents(open) == contents)
    }

    @Test("The index of another capsule is made anew")
    func otherCapsule() async throws {
        let (fixture, contents) = try await fixture()
        let other = try await Fixture()
        try await other.start("another")
        _ = try other.indexed()
        try fixture.remove(fixture.path)
        try fixture.make(fixture.path, other.bytes(of: other.path))
        #expect(try Contents(fixture.indexed()).runs.map(\.name) == ["another"])
        #expect(contents.runs.count == 3)
    }

    @Test("The index of another generation is made anew")
    func otherGeneration() async throws {
        let (fixture, _) = try await fixture()
        try fixture.remove(fixture.path)
        let header = try Fixture.header(generation: 1, capsule: fixture.header.capsule)
        try CapsuleFile.create(fixture.path, header: header, body: Array("{}".utf8))
        #expect(try fixture.indexed().runs().isEmpty)
    }

    @Test("An index of another schema is made anew", arguments: [0, 2, Int64.max])
    func otherSchema(_ version: Int64) async throws {
        let (fixture, contents) = try await fixture()
        try changeMark(fixture) { $0.schema = version }
        let index = try fixture.indexed()
        #expect(try Contents(index) == contents && !index.isTemporary)
    }

    @Test("A mark at which something else stands is made anew")
    func otherPlace() async throws {
        let (fixture, contents) = try await fixture()
        try changeMark(fixture) { $0.previousChecksum ^= 1 }
        #expect(try Contents(fixture.indexed()) == contents)
    }

    @Test("An index that another generation takes over goes on in memory")
    func takenOver() async throws {
        let (fixture, contents) = try await fixture()
        let index = try fixture.indexed()
        try changeMark(fixture) { $0.generation = 1 }
        #expect(try Contents(index) == contents && index.isTemporary)
    }

    @Test("Every page may be overwritten", arguments: [PageFill.random, .zeroes, .ones])
    func pages(_ fill: PageFill) async throws {
        let (fixture, contents) = try await fixture(runs: 60)
        let sound = try fixture.bytes(of: fixture.indexPath)
        var random = SplitMix(state: 11)
        let pages = sound.count / 4096
        try #require(pages > 12)
        for page in 0..<pages {
            try fixture.setIndex(fill.apply(to: sound, page: page, &random))
            let isSame = try Contents(fixture.indexed()) == contents
            #expect(isSame, "page \(page) of \(pages)")
        }
    }

    @Test("A page in the place of another changes no answer")
    func misplacedPages() async throws {
        let (fixture, contents) = try await fixture(runs: 60)
        let sound = try fixture.bytes(of: fixture.indexPath)
        var random = SplitMix(state: 12)
        for page in 0..<(sound.count / 4096) {
            try fixture.setIndex(PageFill.otherPage.apply(to: sound, page: page, &random))
            let isSame = try Contents(fixture.indexed()) == contents
            #expect(isSame, "page \(page)")
        }
    }

    @Test("Pages that are overwritten while the index is open do no harm")
    func pagesWhileOpen() async throws {
        let (fixture, _) = try await fixture(runs: 60)
        let size = try fixture.length(of: fixture.indexPath)
        let index = try fixture.open()
        for offset in stride(from: 0, to: size, by: 4096) {
            try fixture.write(Array(repeating: 0xEE, count: 4096), at: offset, of: fixture.indexPath)
        }
        try await fixture.start("after")
        try index.catchUp()
        #expect(try index.runs().count == 61)
    }

    @Test("No bytes in the index make it trap, accuse the capsule or change an answer")
    func flippedBytes() async throws {
        let (fixture, contents) = try await fixture(runs: 40)
        let sound = try fixture.bytes(of: fixture.indexPath)
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(state: seed)
        for _ in 0..<60 {
            var bytes = sound
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            try fixture.setIndex(bytes)
            let isSame = try Contents(fixture.indexed()) == contents
            #expect(isSame, "seed \(seed)")
        }
    }

    @Test("A cut index is made anew", arguments: [0, 1, 50, 4096, 5000, 20_000])
    func cutIndex(_ length: UInt64) async throws {
        let (fixture, contents) = try await fixture(runs: 40)
        try fixture.truncate(fixture.indexPath, to: length)
        #expect(try Contents(fixture.indexed()) == contents)
    }

    @Test("A text file under the index's name gives way")
    func textFile() async throws {
        let (fixture, contents) = try await fixture()
        try fixture.setIndex(Array(repeating: UInt8(ascii: "x"), count: 9000))
        #expect(try Contents(fixture.indexed()) == contents)
    }
}

/// What a page is overwritten with.
enum PageFill: CaseIterable {
    case random
    case zeroes
    case ones
    /// A well-formed page of the same file.
    case otherPage

    func apply(to bytes: [UInt8], page: Int, _ random: inout SplitMix) -> [UInt8] {
        var bytes = bytes
        let range = (page * 4096)..<((page + 1) * 4096)
        switch self {
        case .random: for index in range { bytes[index] = UInt8.random(in: 0...255, using: &random) }
        case .zeroes: for index in range { bytes[index] = 0 }
        case .ones: for index in range { bytes[index] = 0xFF }
        case .otherPage:
            let other = (page + 1) % (bytes.count / 4096)
            bytes.replaceSubrange(range, with: Array(bytes[(other * 4096)..<((other + 1) * 4096)]))
        }
        return bytes
    }
}

extension Fixture {
    /// Puts other bytes in the place of the index.
    fileprivate func setIndex(_ bytes: [UInt8]) throws {
        try SnapshotIndex.drop(for: path)
        try make(indexPath, bytes)
    }
}
