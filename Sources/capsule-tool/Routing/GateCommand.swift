import ArgumentParser
import Ledger

struct GateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gate",
        abstract: "Record measurements that gates compare, and evaluate a gate.",
        subcommands: [Record.self, Check.self]
    )

    struct Record: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "record",
            abstract: "Record a measurement: what the gate's metric came to.",
            discussion: "The newest result of a metric counts. Values are compared to six places."
        )

        @OptionGroup var write: WriteOptions
        @OptionGroup var target: RunOptions

        @Argument(help: "The gate of the policy.")
        var gate: String

        @Argument(help: "The metric that the gate compares.")
        var metric: String

        @Argument(help: "What it came to.")
        var value: String

        @Option(help: "How many samples it rests on; without it, one.")
        var samples: Int?

        @Option(help: "What time or set it was measured over.")
        var window: String?

        @Option(help: "Who or what measured.")
        var source: String?

        @OptionGroup var output: ReceiptOutput

        func validate() throws {
            guard JSONNumber(value) != nil else { throw ValidationError("'\(value)' is not a number") }
            if let samples, samples < 0 { throw ValidationError("--samples is a count") }
        }

        func run() async throws {
            guard let number = JSONNumber(value) else { return }
            var result = GateResult(gate: gate, metric: metric, value: number)
            (result.samples, result.window, result.source) = (samples, window, source)
            let final = result
            output.print(
                try await write.withLedger { ledger in
                    try await ledger.record(final, in: target.handle(in: ledger))
                }
            )
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Evaluate a gate on what was recorded, and record whether it lets pass.",
            discussion: """
                A metric without a result, with an old one, or with one of too few samples has not passed.
                Exit status: 0 passed, or the policy does not enforce gates · 1 blocked.
                """
        )

        @OptionGroup var write: WriteOptions
        @OptionGroup var target: RunOptions

        @Argument(help: "The gate of the policy.")
        var gate: String

        @Option(help: "Who asks.")
        var by: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let checked = try await write.withLedger { ledger in
                try await ledger.check(gate: gate, in: target.handle(in: ledger), by: by)
            }
            if json {
                var members = ReceiptOutput.value(checked.receipt).object ?? JSONValue.Members()
                members["gate"] = .string(gate)
                members["result"] = .string(checked.result.rawValue)
                members["overridden"] = .bool(checked.isOverridden)
                members["criteria"] = .array(checked.verdict.criteria.map(\.json))
                Output.json(.object(members))
            } else {
                tell(checked)
            }
            if checked.result == .warned { complain("warning: gate '\(gate)' has not passed") }
            if checked.result == .blocked { throw QuietFailure(ExitStatus.no.rawValue) }
        }

        private func tell(_ checked: CheckedGate) {
            let note = checked.isOverridden ? ", because it was set aside" : ""
            Output.line(Printable.escape("\(gate): \(checked.result.rawValue)\(note)  (\(checked.receipt.event))"))
            var table = Columns([
                ("metric", .left), ("measured", .right), ("samples", .right), ("", .left), ("", .left),
            ])
            for check in checked.verdict.criteria {
                let bounds = [
                    check.criterion.atLeast.map { "at least \($0)" }, check.criterion.atMost.map { "at most \($0)" },
                ]
                table.add([
                    check.metric, check.measure.map { "\($0.value)" } ?? "—",
                    check.measure.map { "\($0.samples)" } ?? "—", bounds.compactMap(\.self).joined(separator: ", "),
                    check.fault.map { "✗ \($0.rawValue)" } ?? "✓",
                ])
            }
            for line in table.lines(width: Terminal.width) { Output.line(line) }
        }
    }
}
