import Foundation
import Ledger

/// How much more memory a reader takes for a large capsule of many runs than for an empty one.
enum ReaderMemory {
    private static let parallelRuns = 50

    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let megabytes = options.pick(quick: 20, usual: 200, full: 2000)
        let runs = options.pick(quick: 1000, usual: 10_000)
        let large = scratch.file("memory-large.cpsl")
        try await write(large, bytes: UInt64(megabytes) * 1_000_000, runs: runs)
        let small = try await Recorder(scratch.file("memory-small.cpsl"))
        try await small.finish()
        let growth = try peak(options, scratch, large) - peak(options, scratch, small.path)
        try? FileManager.default.removeItem(atPath: large.string)
        let who = options.tool == nil ? "reader's" : "capsule-tool's"
        let what = "\(who) memory, verifying \(megabytes) MB of \(runs) runs"
        return [Figure(what, Double(growth) / 1_048_576, .mebibytes, goal: .atMost(64))]
    }

    /// Peak of a process that verifies `path`: the tool, or this program.
    private static func peak(_ options: Options, _ scratch: Scratch, _ path: FilePath) throws -> Int {
        let command =
            if let tool = options.tool {
                [tool, "verify", "--capsule", path.string]
            } else {
                [ChildProcess.own, HiddenCommand.verify, path.string]
            }
        let output = scratch.file("peak").string
        let child = try ChildProcess.run(ChildProcess.own, [HiddenCommand.peak] + command, output: output)
        let text = try String(contentsOfFile: output, encoding: .utf8)
        guard child.exitStatus == 0, let bytes = Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw NotIntact(verdict: "the verifying process ended with \(child.exitStatus)")
        }
        return bytes
    }

    /// Writes runs, some at a time, until there are `runs` of them and about so many bytes.
    private static func write(_ path: FilePath, bytes: UInt64, runs: Int) async throws {
        let recorder = try await Recorder(path)
        var stream = AgentStream(seed: 1)
        let events = (0..<20_000).map { _ in stream.next() }
        for done in stride(from: 0, to: runs, by: parallelRuns) {
            let statistics = await recorder.ledger.queue.statistics()
            let perEvent = Double(statistics.bytesWritten) / Double(statistics.events)
            let left = Double(bytes - min(bytes, statistics.fileLength)) / Double(runs - done)
            let length = max(1, Int(left / perEvent))
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in done..<min(runs, done + parallelRuns) {
                    let start = index * 97 % events.count
                    group.addTask { try await writeRun(recorder.ledger, events, from: start, count: length) }
                }
                try await group.waitForAll()
            }
        }
        try await recorder.finish()
    }

    private static func writeRun(
        _ ledger: CapsuleLedger, _ events: [AgentEvent], from start: Int, count: Int
    ) async throws {
        let run = try await ledger.start(RunStart(.stored(Recorder.policy.id))).handle
        for done in stride(from: 0, to: count, by: 500) {
            let drafts = (done..<min(count, done + 500)).map { index in
                let event = events[(start + index) % events.count]
                return EventDraft(.registered(event.type), body: event.body)
            }
            _ = try await ledger.append(drafts, to: run, durability: .written)
        }
        _ = try await ledger.end(run, outcome: .completed, details: RunEnd())
    }
}
