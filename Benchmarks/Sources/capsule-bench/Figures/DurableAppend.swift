import Ledger

/// One writer, one event at a time, each synced before the next: against writing and syncing as many bytes and no more.
///
/// The two take turns event by event, so that each finds the disk as the other left it, and the middle one of each is
/// taken: a disk's moods are larger than the difference.
enum DurableAppend {
    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let bodies = smallBodies(options.pick(quick: 500, usual: 3000))
        let recorder = try await Recorder(scratch.file("durable.cpsl"))
        let bytes = try await batchBytes(recorder, Array(bodies.prefix(100)))
        let raw = try GrowingFile(scratch.file("durable.raw"))
        var (ours, theirs): ([Double], [Double]) = ([], [])
        for body in bodies {
            ours.append(try await cost { try await recorder.append(body) }.wall)
            theirs.append(try await cost { try raw.append(bytes) }.wall)
        }
        await recorder.ledger.close()
        let medians = [ours, theirs].map { $0.sorted()[$0.count / 2] }
        return [
            Figure("durable append, one writer, one event at a time", 1 / medians[0], .perSecond),
            Figure("pwrite and fdatasync of \(bytes) bytes, growing file", 1 / medians[1], .perSecond),
            Figure("durable append against that", medians[1] / medians[0], .times, goal: .atLeast(0.8)),
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
