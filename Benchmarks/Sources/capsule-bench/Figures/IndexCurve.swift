import Ledger

/// What grows with the capsule and what must not: showing one run, opening for append, making the index anew.
///
/// Runs of 100 events, 64 of them at a time, about 100 events a batch; 10 million events with `--full`.
enum IndexCurve {
    private static let parallelRuns = 64
    private static let eventsPerRun = 100

    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        guard let tool = options.tool else {
            complain("  CAPSULE_TOOL does not name a release build of capsule-tool: the curve is not measured")
            return []
        }
        var sizes = [10_000, 100_000]
        if options.size >= .usual { sizes.append(1_000_000) }
        if options.size >= .full { sizes.append(10_000_000) }
        var figures: [Figure] = []
        var (shown, exported): ([Double], [Double]) = ([], [])
        for size in sizes {
            let point = try await measure(size, tool, scratch)
            shown.append(point.show)
            exported.append(point.export)
            let isLast = size == sizes.last
            figures += point.figures(of: size, isLast: isLast)
        }
        for (name, times) in [("show", shown), ("export", exported)] {
            guard let first = times.first, let last = times.last else { continue }
            let what = "\(name): \(grouped(sizes.last ?? 0)) events against \(grouped(sizes[0]))"
            figures.append(Figure(what, last / first, .times, goal: .atMost(1.5)))
        }
        return figures + (try await measureCost(options, scratch))
    }

    /// What was found for one size.
    private struct Point {
        var rebuild: Double
        var share: Double
        var show: Double
        var export: Double
        var append: Double
        var open: Double

        func figures(of size: Int, isLast: Bool) -> [Figure] {
            let of = "\(grouped(size)) events"
            return [
                Figure("index made anew, \(of)", rebuild, .perSecond, goal: isLast ? .atLeast(500_000) : nil),
                Figure("index per byte of capsule, \(of)", share, .plain, goal: isLast ? .atMost(0.05) : nil),
                Figure("capsule-tool show of one run, \(of)", show, .milliseconds, goal: .atMost(50)),
                Figure("capsule-tool export of one run with its proof, \(of)", export, .milliseconds),
                Figure("capsule-tool append of one event, \(of)", append, .milliseconds),
                Figure("opening for append, \(of)", open, .milliseconds, goal: .atMost(20)),
            ]
        }
    }

    private static func measure(_ size: Int, _ tool: String, _ scratch: Scratch) async throws -> Point {
        let path = scratch.file("curve-\(size).cpsl")
        try await write(path, events: size)
        try SnapshotIndex.drop(for: path)
        let made = try await cost { try SnapshotIndex(for: CapsuleFile(path)).catchUp() }
        let length = try CapsuleFile(path).length()
        // Opened once more and closed, so that SQLite's log is in the database.
        _ = try SnapshotIndex(for: CapsuleFile(path)).catchUp()
        let index = try PosixStorage().open(SnapshotIndex.path(for: path), for: .reading).length()
        let show = try median(tool, ["show", "run 17", "--capsule", path.string])
        let export = try median(tool, ["export", "run 17", "--capsule", path.string])
        let append = try median(
            tool, ["append", "open run", "--type", "note", "--body", #"{"text":"x"}"#, "--capsule", path.string])
        var opened: [Double] = []
        for _ in 0..<9 {
            let taken = try await cost { await (try CapsuleLedger(appendingTo: path)).close() }
            opened.append(taken.wall * 1000)
        }
        let point = Point(
            rebuild: Double(size) / made.wall, share: Double(index) / Double(length), show: show, export: export,
            append: append,
            open: opened.sorted()[4])
        _ = scratch.file("curve-\(size).cpsl")
        return point
    }

    /// Milliseconds of a process, the middle of eleven.
    private static func median(_ tool: String, _ arguments: [String]) throws -> Double {
        var times: [Double] = []
        for _ in 0..<11 {
            let child = try ChildProcess.run(tool, arguments)
            guard child.exitStatus == 0 else {
                throw NotIntact(verdict: "\(arguments[0]) ended with \(child.exitStatus)")
            }
            times.append(child.wall * 1000)
        }
        return times.sorted()[5]
    }

    /// Writes named runs, many at a time, and leaves one open.
    private static func write(_ path: FilePath, events: Int) async throws {
        let recorder = try await Recorder(path)
        var start = RunStart(.stored(try Recorder.policy.id))
        start.name = "open run"
        _ = try await recorder.ledger.start(start)
        let bodies = smallBodies(2000)
        let runs = max(1, events / eventsPerRun)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for task in 0..<min(parallelRuns, runs) {
                group.addTask {
                    for run in stride(from: task, to: runs, by: parallelRuns) {
                        try await writeRun(recorder.ledger, name: "run \(run)", bodies, from: run * 37)
                    }
                }
            }
            try await group.waitForAll()
        }
        try await recorder.finish()
    }

    private static func writeRun(
        _ ledger: CapsuleLedger, name: String, _ bodies: [[UInt8]], from first: Int
    ) async throws {
        var start = RunStart(.stored(try Recorder.policy.id))
        start.name = name
        let run = try await ledger.start(start).handle
        for step in 0..<(eventsPerRun / 2 - 1) {
            let drafts = (0..<2).map { offset in
                EventDraft(.registered(.toolCall), body: bodies[(first + 2 * step + offset) % bodies.count])
            }
            _ = try await ledger.append(drafts, to: run, durability: .written)
        }
        _ = try await ledger.end(run, outcome: .completed, details: RunEnd())
    }

    /// What the index costs whoever appends, from opening to closing.
    private static func measureCost(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let bodies = smallBodies(options.pick(quick: 50_000, usual: 300_000))
        let costs = try await bestOf(
            rounds: options.pick(quick: 3, usual: 5),
            { _ in try await append(bodies, to: scratch.file("with.cpsl"), followsIndex: true) },
            { _ in try await append(bodies, to: scratch.file("without.cpsl"), followsIndex: false) })
        return [
            Figure("appending with the index against without, wall clock", costs[0].wall / costs[1].wall, .times,
                goal: .atMost(1.1)),
            Figure("appending with the index against without, CPU", costs[0].cpu / costs[1].cpu, .times,
                goal: .atMost(1.1)),
        ]
    }

    private static func append(_ bodies: [[UInt8]], to path: FilePath, followsIndex: Bool) async throws -> Cost {
        let recorder = try await Recorder(path, followsIndex: followsIndex)
        return try await cost {
            try await recorder.append(bodies, by: 500)
            await recorder.ledger.close()
        }
    }
}

/// Thousands apart.
private func grouped(_ number: Int) -> String {
    number >= 1_000_000 ? "\(number / 1_000_000) M" : "\(number / 1000) k"
}
