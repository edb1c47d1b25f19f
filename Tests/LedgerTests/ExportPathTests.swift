import Foundation
import Testing

@testable import Ledger

@Suite("The export of one run reads what it proves, and no more")
struct ExportPathTests {
    /// Twelve runs of 150 events, one after the other, the last but one not ended, with a checkpoint in each.
    private func bench() async throws -> Workbench {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let policy = try Workbench.policy()
        for number in 0..<12 {
            var start = RunStart(.snapshot(policy))
            start.name = "run \(number)"
            let run = try await ledger.start(start).handle
            for step in 0..<7 {
                let notes = (0..<20).map { Workbench.note("\(number) \(step) \($0)") }
                _ = try await ledger.append(notes, to: run, durability: .written)
            }
            _ = try await ledger.checkpoint(label: "check \(number)", in: run)
            if number != 10 { _ = try await ledger.end(run, outcome: .completed, details: RunEnd()) }
        }
        await ledger.close()
        return bench
    }

    private func export(_ bench: Workbench, _ name: String, asOf number: Int? = nil) throws -> String {
        let reader = try bench.reader()
        let checkpoint = try number.flatMap { number in try reader.checkpoints().first { $0.number == number } }
        var bytes: [UInt8] = []
        _ = try reader.export(.ndjson, run: reader.run(name), asOf: checkpoint) { bytes += $0 }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test("Its paths are those of a reading of everything, for sealed and open runs, now and at a checkpoint")
    func paths() async throws {
        let bench = try await bench()
        let capsule = try CapsuleFile(bench.path)
        var leaves: [Digest] = []
        let fold = CapsuleFold(file: capsule.file, header: capsule.header, limit: try capsule.length())
        while try fold.next(event: { _, hash, _ throws(CapsuleError) in leaves.append(hash) }) == .batch {}
        for (name, number, lines) in [("run 0", nil, 144), ("run 10", nil, 143), ("run 3", 5, 144), ("run 10", 11, 143)] {
            let export = try export(bench, name, asOf: number).split(separator: "\n")
            #expect(export.count == lines)
            var proved = 0
            for line in export.dropFirst() {
                let event = try JSONValue.parse(Array(line.utf8))
                guard let path = event["inclusion"]?.array else { continue }
                let size = try #require(event["tree_size"]?.int)
                let index = try #require(event["leaf_index"]?.int)
                var expected = AuditPaths(of: [UInt64(index)])
                for leaf in leaves.prefix(Int(size)) { expected.append(leaf) }
                #expect(path.map(\.string) == expected.finish()[UInt64(index)]?.map(\.hex))
                proved += 1
            }
            #expect(proved == (name == "run 10" ? 142 : 1))
        }
    }

    @Test("Damage far from it changes nothing, and damage in what it needs is told")
    func damage() async throws {
        let bench = try await bench()
        let whole = try export(bench, "run 0")
        let reader = try bench.reader()
        func flip(_ batch: UInt64) throws {
            let url = URL(fileURLWithPath: bench.path.string)
            var bytes = try Data(contentsOf: url)
            bytes[Int(batch) + BatchHeader.size + 5] ^= 1
            try bytes.write(to: url)
        }
        let far = try #require(reader.index.batchOffsets(of: reader.run("run 5").id).dropFirst(3).first)
        try flip(far)
        #expect(try export(bench, "run 0") == whole)
        try flip(far)
        let near = try #require(reader.index.batchOffsets(of: reader.run("run 0").id).dropFirst(3).first)
        try flip(near)
        #expect(throws: CapsuleError.self) { try export(bench, "run 0") }
    }
}
