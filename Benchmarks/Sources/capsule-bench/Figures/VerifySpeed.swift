import Ledger

/// How fast a capsule is verified: one written in bulk, and one in which each event is a batch of its own.
enum VerifySpeed {
    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let many = smallBodies(options.pick(quick: 50_000, usual: 200_000))
        let few = Array(many.prefix(options.pick(quick: 10_000, usual: 20_000)))
        let bulk = try await write(many, by: 2000, to: scratch.file("verify-bulk.cpsl"))
        let single = try await write(few, by: 1, to: scratch.file("verify-single.cpsl"))
        let costs = try await bestOf(
            rounds: options.pick(quick: 3, usual: 7),
            { _ in try await cost { try verify(bulk) } }, { _ in try await cost { try verify(single) } })
        let rates = [Double(many.count) / costs[0].cpu, Double(few.count) / costs[1].cpu]
        return [
            Figure("verify, written in bulk, events a second and core", rates[0], .perSecond, goal: .atLeast(600_000)),
            Figure("verify, one event a batch, a second and core", rates[1], .perSecond, goal: .atLeast(150_000)),
        ]
    }

    private static func write(_ bodies: [[UInt8]], by size: Int, to path: FilePath) async throws -> FilePath {
        let recorder = try await Recorder(path)
        try await recorder.append(bodies, by: size)
        try await recorder.finish()
        return path
    }

    private static func verify(_ path: FilePath) throws {
        let report = try Verifier(CapsuleFile(path)).run()
        guard report.verdict == .intact else { throw NotIntact(verdict: report.verdict.rawValue) }
    }
}

struct NotIntact: Error {
    var verdict: String
}
