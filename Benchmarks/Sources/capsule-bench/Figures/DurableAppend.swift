import Ledger

/// One writer, one event at a time, each synced before the next: against writing and syncing as many bytes and no more.
enum DurableAppend {
    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let bodies = smallBodies(options.pick(quick: 100, usual: 200))
        let recorder = try await Recorder(scratch.file("durable.cpsl"))
        let bytes = try await batchBytes(recorder, bodies)
        let raw = try GrowingFile(scratch.file("durable.raw"))
        let costs = try await bestOf(
            rounds: options.pick(quick: 5, usual: 11),
            { _ in try await cost { for body in bodies { try await recorder.append(body) } } },
            { _ in try await cost { for _ in bodies { try raw.append(bytes) } } })
        await recorder.ledger.close()
        let rates = costs.map { Double(bodies.count) / $0.wall }
        return [
            Figure("durable append, one writer, one event at a time", rates[0], .perSecond),
            Figure("pwrite and fdatasync of \(bytes) bytes, growing file", rates[1], .perSecond),
            Figure("durable append against that", rates[0] / rates[1], .times, goal: .atLeast(0.8)),
        ]
    }

    /// Bytes that a batch of one event takes, as the writer counted them.
    private static func batchBytes(_ recorder: Recorder, _ bodies: [[UInt8]]) async throws -> Int {
        let before = await recorder.ledger.queue.statistics().bytesWritten
        for body in bodies { try await recorder.append(body) }
        let after = await recorder.ledger.queue.statistics().bytesWritten
        return Int(after - before) / bodies.count
    }
}
