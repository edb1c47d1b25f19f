import Capsule
import SnapshotIndex
import Testing

@Suite("The mark as evidence")
struct EvidenceTests {
    private func fixture() async throws -> (Fixture, before: UInt64, end: UInt64) {
        let fixture = try await Fixture()
        let before = try fixture.length(of: fixture.path)
        try await fixture.start("a")
        let end = try fixture.indexed().catchUp().end
        return (fixture, before, end)
    }

    @Test("A capsule that is a byte shorter than its mark is reported as cut short")
    func shorter() async throws {
        let (fixture, _, end) = try await fixture()
        try fixture.truncate(fixture.path, to: end - 1)
        #expect(throws: CapsuleError(.cutShort, "")) { try fixture.open() }
    }

    @Test("A capsule that was cut at the end of a batch is reported as cut short")
    func cutAtBatch() async throws {
        let (fixture, before, _) = try await fixture()
        try fixture.truncate(fixture.path, to: before)
        #expect(throws: CapsuleError(.cutShort, "")) { try fixture.open() }
    }

    @Test("It is reported again and again")
    func again() async throws {
        let (fixture, before, _) = try await fixture()
        try fixture.truncate(fixture.path, to: before)
        _ = try? fixture.open()
        #expect(throws: CapsuleError(.cutShort, "")) { try fixture.open() }
    }

    @Test("A capsule that is cut while its index is open is reported when it catches up")
    func cutWhileOpen() async throws {
        let (fixture, before, _) = try await fixture()
        let index = try fixture.open()
        try fixture.truncate(fixture.path, to: before)
        #expect(throws: CapsuleError(.cutShort, "")) { try index.catchUp() }
    }

    @Test("Deleting the index takes the evidence away")
    func deleted() async throws {
        let (fixture, before, _) = try await fixture()
        try fixture.truncate(fixture.path, to: before)
        try SnapshotIndex.drop(for: fixture.path)
        #expect(try fixture.open().catchUp().end == before)
    }

    @Test("A rebuild over a damaged last batch still knows that it was durable")
    func damagedBatch() async throws {
        let (fixture, _, end) = try await fixture()
        let header = try fixture.lastBatch(before: end)
        try fixture.write([0xFF], at: header + 60, of: fixture.path)
        let status = try fixture.open().catchUp()
        #expect(status.end < end && status.knownDurable == end)
    }

    @Test("An index that is replaced because of damage hands on what its mark knew")
    func damagedIndex() async throws {
        let (fixture, _, end) = try await fixture()
        let index = try fixture.open()
        let size = try fixture.length(of: fixture.indexPath)
        // The mark is on the second page.
        for offset in stride(from: 8192, to: size, by: 4096) {
            try fixture.write(Array(repeating: 0xEE, count: 4096), at: offset, of: fixture.indexPath)
        }
        try fixture.write([0xFF], at: fixture.lastBatch(before: end) + 60, of: fixture.path)
        #expect(try index.runs().isEmpty)
        let status = try index.catchUp()
        #expect(status.end < end && status.knownDurable == end)
    }

    @Test("A capsule that ends in zeroes where its mark was is known to have been durable beyond")
    func zeroed() async throws {
        let (fixture, before, end) = try await fixture()
        try fixture.write(Array(repeating: 0, count: Int(end - before)), at: before, of: fixture.path)
        _ = try fixture.open().catchUp()
        let status = try fixture.open().catchUp()
        #expect(status.end == before && status.ending == .end && status.knownDurable == end)
    }
}

extension Fixture {
    /// Where the batch begins that ends at `end`.
    fileprivate func lastBatch(before end: UInt64) throws -> UInt64 {
        let capsule = try CapsuleFile(path)
        let reader = BatchReader(file: capsule.file, header: capsule.header, limit: end)
        var last: UInt64 = 0
        while try reader.next({ last = $0.offset }) == .batch {}
        return last
    }
}
