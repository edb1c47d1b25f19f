import ArgumentParser
import Ledger

/// What is told of a call whether it is recorded or settled.
struct CallFacts: ParsableArguments {
    @Option(help: "Tokens of the input; what the provider had cached is not among them when a call is settled.")
    var inputTokens: Int?

    @Option(help: "Tokens of the output.")
    var outputTokens: Int?

    @Option(help: ArgumentHelp("How long it took.", valueName: "ms"))
    var latencyMs: Int64?

    @Option(help: ArgumentHelp("Why the provider stopped.", valueName: "reason"))
    var finishReason: String?

    private static let longestMilliseconds: Int64 = 86_400_000_000

    func validate() throws {
        try Self.check([inputTokens, outputTokens])
        if let latencyMs, !(0...Self.longestMilliseconds).contains(latencyMs) {
            throw ValidationError("--latency-ms is a number of milliseconds, 0 or more")
        }
    }

    var durationNanoseconds: Int64? { latencyMs.map { $0 * 1_000_000 } }

    static func check(_ tokens: [Int?]) throws {
        guard tokens.compactMap(\.self).allSatisfy({ (0...RoutingLimits.tokens).contains($0) }) else {
            throw ValidationError("tokens are counts from 0 to \(RoutingLimits.tokens)")
        }
    }
}
