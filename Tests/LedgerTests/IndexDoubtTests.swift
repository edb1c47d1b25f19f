import Foundation
import Testing

@testable import Ledger
@testable import SnapshotIndex

@Suite("What the index says is held against the capsule")
struct IndexDoubtTests {
    /// What is asked of a capsule, and the answers.
    private struct Answers: Equatable {
        var runs: [RunRow]
        var found: [String]
        var exports: [String]
        var checkpoints: [String]
    }

    private static let names = ["run 0", "run 3", "run 10", "capsule"]

    /// Twelve runs that go on at the same time, the last but one not ended, with a checkpoint in each.
    private func bench() async throws -> Workbench {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        var runs: [RunHandle] = []
        for number in 0..<12 {
            var start = RunStart(.snapshot(try Workbench.policy()))
            start.name = "run \(number)"
            runs.append(try await ledger.start(start).handle)
        }
        for step in 0..<5 {
            for (number, run) in runs.enumerated() {
                let notes = (0..<20).map { Workbench.note("\(number) \(step) \($0)") }
                _ = try await ledger.append(notes, to: run, durability: .written)
                if step == 2 { _ = try await ledger.checkpoint(label: "check \(number)", in: run) }
            }
        }
        for (number, run) in runs.enumerated() where number != 10 {
            _ = try await ledger.end(run, outcome: .completed, details: RunEnd())
        }
        await ledger.close()
        _ = try answers(bench)
        return bench
    }

    private func answers(_ bench: Workbench) throws -> Answers {
        // Each is asked of a reader of its own, as by a process.
        Answers(
            runs: try bench.reader().runs(RunSelection()),
            found: try Self.names.map { name in "\(try bench.reader().run(name))" },
            exports: try Self.names.map { name in
                let reader = try bench.reader()
                var bytes: [UInt8] = []
                _ = try reader.export(.ndjson, run: reader.run(name)) { bytes += $0 }
                return String(decoding: bytes, as: UTF8.self)
            },
            checkpoints: try ["check 3", "check 11", "#2"].map { "\(try bench.reader().checkpoint($0))" }
        )
    }

    private func index(_ bench: Workbench) -> URL {
        URL(fileURLWithPath: SnapshotIndex.path(for: bench.path).string)
    }

    @Test("One row less on any page of it changes no answer, though its checksum says that the page is whole")
    func missingRows() async throws {
        let bench = try await bench()
        let truth = try answers(bench)
        let file = index(bench)
        #expect(!FileManager.default.fileExists(atPath: file.path + "-wal"))
        let whole = try Data(contentsOf: file)
        let pageSize = Int(whole[16]) << 8 | Int(whole[17])
        var tried = 0
        for page in 0..<(whole.count / pageSize) {
            // A b-tree page begins with its kind; the number of its cells is three bytes on.
            let start = page * pageSize + (page == 0 ? 100 : 0)
            guard [2, 5, 10, 13].contains(whole[start]), whole[start + 4] > 0 else { continue }
            var damaged = whole
            damaged[start + 4] -= 1
            try sealed(damaged, pageSize).write(to: file)
            #expect(try answers(bench) == truth, "page \(page + 1)")
            tried += 1
        }
        #expect(tried > 10)
        try whole.write(to: file)
        #expect(try answers(bench) == truth)
    }

    private func sealed(_ pages: Data, _ pageSize: Int) -> Data {
        var bytes = Array(pages)
        PageChecksums.seal(&bytes, pageSize: pageSize)
        return Data(bytes)
    }

    @Test("A bit that flips on any page changes no answer")
    func flippedBits() async throws {
        let bench = try await bench()
        let truth = try answers(bench)
        let file = index(bench)
        let whole = try Data(contentsOf: file)
        for _ in 0..<24 {
            var damaged = whole
            let (place, bit) = (Int.random(in: 0..<whole.count), UInt8.random(in: 0..<8))
            damaged[place] ^= 1 << bit
            try damaged.write(to: file)
            #expect(try answers(bench) == truth, "bit \(bit) of byte \(place)")
        }
    }

    @Test("A capsule that is damaged is said to be so, and its index kept")
    func damagedCapsule() async throws {
        let bench = try await bench()
        let reader = try bench.reader()
        let row = try reader.run("run 3")
        let batch = try #require(reader.index.batchOffsets(of: row.id).dropFirst().first)
        let runs = try reader.runs(RunSelection()).count
        let url = URL(fileURLWithPath: bench.path.string)
        for place in [Int(batch) + 5, Int(batch) + BatchHeader.size + 5] {
            var bytes = try Data(contentsOf: url)
            bytes[place] ^= 1
            try bytes.write(to: url)
            let again = try bench.reader()
            #expect(throws: CapsuleError.self) { _ = try again.export(.ndjson, run: again.run("run 3")) { _ in } }
            #expect(try bench.reader().runs(RunSelection()).count == runs)
            bytes[place] ^= 1
            try bytes.write(to: url)
        }
    }

    @Test(
        "Without note and index, a reader beside a writer sees what batches say was durable, and calls nothing cut short"
    )
    func besideAWriter() async throws {
        let bench = try await bench()
        let truth = try bench.reader().runs(RunSelection())
        try SnapshotIndex.drop(for: bench.path)
        try FileManager.default.removeItem(atPath: DurableNote.path(for: bench.path).string)
        let writer = try CapsuleFile(bench.path)
        #expect(try writer.file.tryLock(.exclusive))
        let reader = try bench.reader()
        #expect(try reader.runs(RunSelection()).map(\.id) == truth.map(\.id))
        #expect(try reader.ending() == .beingWritten)
        let report = try bench.verification().report
        #expect(report.verdict == .beingWritten && report.treeSize > 1200)
        try writer.file.unlock()
        #expect(try bench.verification().report.verdict == .intact)
    }

    @Test("Nothing is appended to the capsule's own run by hand")
    func runZero() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let draft = EventDraft(.registered(.capsuleClose), body: Array(#"{"successor_origin":"x"}"#.utf8))
        for draft in [draft, Workbench.note("x")] {
            await #expect(throws: WriteError.self) {
                try await ledger.append([draft], to: RunHandle(.zero), durability: .durable)
            }
        }
        await ledger.close()
    }
}
