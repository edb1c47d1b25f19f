import Foundation
import Testing

@testable import Ledger

/// A capsule in a folder of its own, and verbs to use it with.
final class Workbench: Sendable {
    let folder: String
    let path: FilePath

    init() throws {
        folder = FileManager.default.temporaryDirectory.path + "/ledger-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        path = FilePath("\(folder)/runs.cpsl")
        try CapsuleLedger.create(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    static func policy(_ version: String = "1.0.0") throws -> PolicySnapshot {
        try PolicySnapshot(canonicalJSON: Array(#"{"policy":{"name":"acme","version":"\#(version)"}}"#.utf8))
    }

    func ledger() async throws -> CapsuleLedger { try await CapsuleLedger(appendingTo: path) }
    func reader() throws -> LedgerReader { try LedgerReader(CapsuleFile(path)) }
    func verification() throws -> CapsuleVerification { try CapsuleVerification(CapsuleFile(path)) }

    static func note(_ text: String) -> EventDraft {
        EventDraft(.registered(.note), body: Array(#"{"text":"\#(text)"}"#.utf8))
    }
}

extension CapsuleLedger {
    /// Writes events as whoever has the file can, and the ledger does not.
    func forge(_ events: [EventDraft], in run: RunHandle, objects: [StoredObject] = []) async throws {
        _ = try await queue.submit(Submission(.run(run.id, token: run.token), events: events, objects: objects))
    }
}

@Suite struct RunTests {
    @Test func everyStageMakesACheckpoint() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await ledger.start(RunStart(.snapshot(try Workbench.policy()))).handle
        _ = try await ledger.enter(stage: "plan", in: run, reason: nil)
        let stage = EventDraft(.registered(.stage), body: Array(#"{"name":"implement"}"#.utf8))
        let receipts = try await ledger.append(
            [Workbench.note("before"), stage, Workbench.note("after")],
            to: run,
            durability: .durable
        )
        #expect(receipts.map(\.event.sequence) == [2, 3, 4])
        await ledger.close()
        #expect(try bench.reader().index.checkpoints().map(\.size) == [5, 3])
    }

    @Test func aRunIsReadBackAsItWasWritten() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        var start = RunStart(.snapshot(try Workbench.policy()))
        start.name = "nightly"
        start.spec = "SPEC-1"
        start.labels = [("team", "core")]
        start.stage = "plan"
        let run = try await ledger.start(start).handle
        var draft = Workbench.note("hello")
        draft.actor = ActorDraft(named: "reviewer")
        _ = try await ledger.append([draft], to: run, durability: .durable)
        _ = try await ledger.enter(stage: "implement", in: run, reason: nil)
        _ = try await ledger.end(run, outcome: .completed, details: RunEnd())
        await ledger.close()

        let reader = try bench.reader()
        let row = try reader.run("nightly")
        let timeline = try reader.timeline(of: row.id)
        #expect(
            timeline.events.map(\.envelope.type.name) == ["run.start", "stage", "actor", "note", "stage", "run.end"]
        )
        #expect(timeline.isSealed)
        #expect(timeline.actors[2] == "reviewer")
        #expect(timeline.stages == [1: "plan", 4: "implement"])
        #expect(timeline.events[3].envelope.actor == 2 && timeline.events[3].envelope.stage == 1)
        #expect(row.spec == "SPEC-1" && row.outcome == .completed && row.events == 6)
        #expect(try reader.policyTitle(of: row.snapshot) == "acme 1.0.0")
    }

    @Test func aNewSnapshotAtACheckpointIsInForceFromThereOn() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await ledger.start(RunStart(.snapshot(try Workbench.policy()))).handle
        let second = try Workbench.policy("2.0.0")
        _ = try await ledger.bind(second, in: run, reason: nil)
        _ = try await ledger.checkpoint(label: "switched", in: run)
        await ledger.close()
        let events = try bench.reader().timeline(of: run.id).events
        #expect(events.map(\.envelope.snapshot) == [try Workbench.policy().id, second.id, second.id])
        let checkpoints = try bench.reader().index.checkpoints()
        #expect(checkpoints.count == 1 && checkpoints[0].size == 4)
    }

    @Test func aLargeBodyComesBackWhole() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await ledger.start(RunStart(.snapshot(try Workbench.policy()))).handle
        let body = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
        _ = try await ledger.append(
            [EventDraft(.custom("com.example.blob"), media: .bytes, body: body)],
            to: run,
            durability: .durable
        )
        await ledger.close()
        let reader = try bench.reader()
        guard case .blob(let reference) = try reader.timeline(of: run.id).events[1].content else {
            Issue.record("the body is no blob")
            return
        }
        #expect(try reader.content(of: reference) == body)
        #expect(try bench.verification().isSound)
    }

    @Test func anExclusiveRunAsksForItsToken() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        var start = RunStart(.snapshot(try Workbench.policy()))
        start.isExclusive = true
        let run = try await ledger.start(start).handle
        await #expect(throws: WriteError(.tokenRequired, "")) {
            try await ledger.append([Workbench.note("x")], to: RunHandle(run.id), durability: .durable)
        }
        _ = try await ledger.append([Workbench.note("x")], to: run, durability: .durable)
        _ = try await ledger.end(RunHandle(run.id), outcome: .abandoned, details: RunEnd())
        await ledger.close()
    }

    @Test func aRepeatedStartGivesTheSameRunAndADifferentOneIsRefused() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        var start = RunStart(.snapshot(try Workbench.policy()))
        start.name = "n"
        let first = try await ledger.start(start)
        let again = try await ledger.start(start)
        #expect(again.handle.id == first.handle.id && again.receipt.isRepeat)
        start.spec = "other"
        await #expect(throws: WriteError(.keyConflict, "")) { try await ledger.start(start) }
        await ledger.close()
    }

    @Test func verifyCountsWhatIsThere() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let policy = try Workbench.policy()
        for _ in 0..<3 {
            let run = try await ledger.start(RunStart(.snapshot(policy))).handle
            _ = try await ledger.append((0..<10).map { Workbench.note("\($0)") }, to: run, durability: .written)
            _ = try await ledger.end(run, outcome: .failed, details: RunEnd())
        }
        await ledger.close()
        let result = try bench.verification()
        #expect(result.isSound && result.hasNote && result.report.verdict == .intact)
        #expect(result.report.endedRuns == 3 && result.report.openRuns == 0 && result.report.snapshots == 1)
        #expect(result.events == 1 + 3 * 12)
    }

    @Test func prefixesFindRunsAndAmbiguousOnesListTheirCandidates() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let policy = try Workbench.policy()
        var ids: [RunID] = []
        for _ in 0..<3 { ids.append(try await ledger.start(RunStart(.snapshot(policy))).handle.id) }
        let state = await ledger.queue.state()
        #expect(try RunResolver.resolve(ids[1].description, in: state) == ids[1])
        #expect(throws: LedgerError(.ambiguousRun, "")) {
            try RunResolver.resolve(String(ids[0].hex.prefix(6)), in: state)
        }
        #expect(throws: LedgerError(.unknownRun, "")) { try RunResolver.resolve("ffff", in: state) }
        #expect(throws: LedgerError(.unknownRun, "")) { try RunResolver.resolve("01", in: state) }
        await ledger.close()
    }
}
