import Capsule
import SnapshotIndex
import Testing
import WriterQueue

@Suite("An index and a whole reading agree")
struct PropertyTests {
    @Test("Over random workloads, rows are what a fold of the whole capsule says", arguments: 0..<6)
    func agreesWithFold(_ round: Int) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var workload = try Workload(random: SplitMix(state: seed), fixture: await Fixture())
        try await workload.run(steps: 60)
        let fixture = workload.fixture
        let status = try workload.index.catchUp()
        let fold = try fixture.fold()
        let expected = Facts(fold)
        let found = try Facts(workload.index, fixture)
        #expect(found == expected, "seed \(seed)")
        #expect(status.root == fold.state.tree.root && status.treeSize == fold.state.tree.size, "seed \(seed)")
    }
}

/// Random submissions, with an index that follows now and then.
private struct Workload {
    var random: SplitMix
    let fixture: Fixture
    let index: SnapshotIndex
    var open: [RunID] = []

    init(random: SplitMix, fixture: Fixture) throws {
        self.random = random
        self.fixture = fixture
        index = try fixture.open()
    }

    mutating func run(steps: Int) async throws {
        for step in 0..<steps {
            let run = open.randomElement(using: &random)
            switch (Int.random(in: 0..<10, using: &random), run) {
            case (0...1, _), (_, nil):
                open.append(try await fixture.start("run \(step)", snapshot: "{\"a\":\(step % 5)}"))
            case (2...5, let run?):
                try await fixture.append(
                    to: run, count: Int.random(in: 1...40, using: &random),
                    makesCheckpoint: Bool.random(using: &random))
            case (6, let run?):
                try await fixture.change(run, to: "{\"b\":\(step % 3)}")
            case (7, let run?):
                try await fixture.end(run, Outcome.allCases.randomElement(using: &random) ?? .completed)
                open.removeAll { $0 == run }
            default:
                try index.catchUp()
            }
        }
    }
}

/// What both sides know.
private struct Facts: Equatable {
    struct Run: Equatable {
        var events: UInt64
        var snapshot: Digest
        var outcome: UInt8?
        var sequences: [UInt32]
    }

    var runs: [RunID: Run] = [:]
    var firstLeaves: [RunID: UInt64] = [:]
    var snapshots: Set<Digest>

    init(_ fold: CapsuleFold) {
        for (id, run) in fold.state.open where !id.isRunZero {
            runs[id] = Run(
                events: UInt64(run.next), snapshot: run.snapshot, outcome: nil, sequences: Array(0..<run.next))
            firstLeaves[id] = run.firstLeaf
        }
        for (id, run) in fold.state.ended {
            runs[id] = Run(
                events: UInt64(run.events), snapshot: run.snapshot, outcome: run.outcomeCode,
                sequences: Array(0..<run.events))
        }
        for named in fold.state.named.values { firstLeaves[named.run] = named.firstLeaf }
        snapshots = fold.state.snapshots
    }

    init(_ index: SnapshotIndex, _ fixture: Fixture) throws {
        let capsule = try CapsuleFile(fixture.path)
        snapshots = Set(try index.snapshots().map(\.id))
        for row in try index.runs() {
            var sequences: [UInt32] = []
            try capsule.forEachBatch(at: index.batchOffsets(of: row.id)) { batch in
                try batch.forEachEvent { event throws(CapsuleError) in
                    if event.envelope.run == row.id { sequences.append(event.envelope.sequence) }
                }
            }
            runs[row.id] = Run(
                events: row.events, snapshot: row.snapshot, outcome: row.outcomeCode, sequences: sequences)
            firstLeaves[row.id] = row.firstLeaf
        }
    }
}

extension Fixture {
    fileprivate func fold() throws -> CapsuleFold {
        let capsule = try CapsuleFile(path)
        let fold = CapsuleFold(file: capsule.file, header: capsule.header, limit: try capsule.length())
        while try fold.next() == .batch {}
        return fold
    }
}
