/// One thing to measure: it may give several figures.
struct Benchmark: Sendable {
    let name: String
    let run: @Sendable (Options, Scratch) async throws -> [Figure]

    static let all = [
        Benchmark(name: "bulk") { try await BulkAppend.measure($0, $1) },
        Benchmark(name: "durable") { try await DurableAppend.measure($0, $1) },
        Benchmark(name: "concurrent") { try await ConcurrentAppend.measure($0, $1) },
        Benchmark(name: "verify") { try await VerifySpeed.measure($0, $1) },
        Benchmark(name: "memory") { try await ReaderMemory.measure($0, $1) },
        Benchmark(name: "disk") { try await DiskSpace.measure($0, $1) },
        Benchmark(name: "index") { try await IndexCurve.measure($0, $1) },
        Benchmark(name: "policy") { try await PolicySpeed.measure($0, $1) },
        Benchmark(name: "gate") { try await GateSpeed.measure($0, $1) },
        Benchmark(name: "routing") { try await RoutingSpeed.measure($0, $1) },
        Benchmark(name: "start") { try await ToolStart.measure($0, $1) },
    ]
}
