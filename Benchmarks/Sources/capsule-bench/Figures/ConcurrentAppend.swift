import Ledger

/// Many tasks that each append durable events, against one that does.
enum ConcurrentAppend {
    private static let tasks = 500

    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let each = options.pick(quick: 10, usual: 20)
        let bodies = smallBodies(tasks)
        let alone = Array(bodies.prefix(200))
        let recorder = try await Recorder(scratch.file("concurrent.cpsl"))
        var (syncs, events): (UInt64, UInt64) = (0, 0)
        let costs = try await bestOf(
            rounds: options.pick(quick: 3, usual: 7),
            { _ in
                let before = await recorder.ledger.queue.statistics()
                let taken = try await cost { try await appendTogether(recorder, bodies, each: each) }
                let after = await recorder.ledger.queue.statistics()
                syncs += after.syncs - before.syncs
                events += after.events - before.events
                return taken
            },
            { _ in try await cost { for body in alone { try await recorder.append(body) } } })
        await recorder.ledger.close()
        let together = Double(tasks * each) / costs[0].wall
        let rate = Double(alone.count) / costs[1].wall
        return [
            Figure("syncs an event, \(tasks) tasks", Double(syncs) / Double(events), .plain, goal: .atMost(0.02)),
            Figure("durable append, \(tasks) tasks", together, .perSecond),
            Figure("\(tasks) tasks against one", together / rate, .times, goal: .atLeast(40)),
        ]
    }

    private static func appendTogether(_ recorder: Recorder, _ bodies: [[UInt8]], each: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for body in bodies {
                group.addTask { for _ in 0..<each { try await recorder.append(body) } }
            }
            try await group.waitForAll()
        }
    }
}
