import ArgumentParser
import Ledger
import ModelPolicy

extension PolicyCommand {
    struct Simulate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "simulate",
            abstract: "Decide again under another policy what a capsule recorded: what changes, and what it costs.",
            discussion: """
                Each recorded decision is made again on what its run's events say up to it, as they were recorded: one
                that comes out otherwise does not change what the next is made on. A run of a spec is decided by the
                spec's file beside the policy, where there is one. 'settled' is what settled calls cost, and what as
                many tokens of the model that is chosen now cost by the new prices.
                Exit status: 0 · with --exit-code 1 when a decision changes · 1 when the policy has errors.
                """
        )

        @OptionGroup var capsule: CapsuleOption

        @Option(
            help: ArgumentHelp("The policy to decide by: a file, sha256:…, or a revision of git.", valueName: "policy")
        )
        var policy: String?

        @Option(help: ArgumentHelp("Show so many decisions that change.", valueName: "count"))
        var examples = 5

        @Flag(help: "Exit with 1 when a decision changes.")
        var exitCode = false

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if examples < 0 { throw ValidationError("--examples is a number, 0 or more") }
        }

        func run() throws {
            let reader = try openReader(capsule)
            let policies = try policies(reader)
            let progress = Progress("simulating")
            let simulation = try reader.simulateRouting(under: policies) { progress.update($0, of: $1) }
            progress.finish()
            if json {
                Output.json(simulation.json)
            } else {
                simulation.lines(examples: examples).forEach(Output.line)
            }
            warn(reader)
            if exitCode, simulation.total.changed > 0 { endQuietly(.no) }
        }

        /// The policy, and for each spec of a recorded run the policy with the spec's layer.
        private func policies(_ reader: LedgerReader) throws -> SimulatedPolicies {
            guard policy.map({ TextFile($0).exists }) ?? true else {
                let reference = PolicyReference(text: policy ?? "", spec: nil, capsule: capsule)
                return SimulatedPolicies(try reference.resolve())
            }
            let workspace = try PolicyWorkspace.find(option: policy, directory: currentFolder())
            if policy?.hasSuffix(".json") == true {
                return SimulatedPolicies(try PolicyReference(text: policy ?? "", spec: nil, capsule: capsule).resolve())
            }
            func compile(_ spec: String?) throws -> CompiledSnapshot {
                let load = workspace.load(spec: spec)
                if let problem = load.problems.first { throw Failure(.noCapsule, problem) }
                guard let snapshot = load.snapshot else { throw PolicySubject.failure(load.result?.errors ?? []) }
                return snapshot
            }
            var layered: [String: CompiledSnapshot] = [:]
            for row in try reader.index.runs(RunQuery()) {
                guard let spec = row.spec, layered[spec] == nil, workspace.layerPath(spec) != nil else { continue }
                layered[spec] = try compile(spec)
            }
            return SimulatedPolicies(try compile(nil), specs: layered)
        }
    }

    struct Readiness: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "readiness",
            abstract: "Say what enforcing would have refused, before a part goes from observe or warn to enforce.",
            discussion: """
                Looks through the runs of the capsule for what a part that is not enforced let pass: decisions beyond a
                budget or without a gate, refusals that did not bind, runs without approved policy.
                Exit status: 0 nothing would have been refused · 1 something would.
                """
        )

        @OptionGroup var capsule: CapsuleOption

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let reader = try openReader(capsule)
            let progress = Progress("looking")
            let readiness = try reader.routingReadiness { progress.update($0, of: $1) }
            progress.finish()
            if json { Output.json(value(readiness)) } else { tell(readiness) }
            warn(reader)
            if !readiness.isReady { endQuietly(.no) }
        }

        private func tell(_ readiness: RoutingReadiness) {
            guard readiness.runs > 0 else { return Output.line("no runs") }
            var columns = Columns([
                ("enforcing", .left), ("looked at", .right), ("would refuse", .right), ("runs", .right), ("why", .left),
                ("such as", .left),
            ])
            for part in RoutingReadiness.Part.allCases {
                guard let line = readiness.parts[part] else { continue }
                let reasons = line.reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
                columns.add([
                    part.rawValue, Human.count(line.looked), Human.count(line.refused), Human.count(line.runs.count),
                    reasons.map { "\($0.key) \(Human.count($0.value))" }.joined(separator: ", "),
                    line.examples.first.map { "\($0)" } ?? "",
                ])
            }
            for line in columns.lines(width: Terminal.width) { Output.line(line) }
        }

        private func value(_ readiness: RoutingReadiness) -> JSONValue {
            func number(_ number: Int) -> JSONValue { .number(JSONNumber(number)) }
            var parts = JSONValue.Members()
            for part in RoutingReadiness.Part.allCases {
                guard let line = readiness.parts[part] else { continue }
                var reasons = JSONValue.Members()
                for (reason, count) in line.reasons.sorted(by: { $0.key < $1.key }) { reasons[reason] = number(count) }
                parts[part.rawValue] = [
                    "looked_at": number(line.looked), "would_refuse": number(line.refused),
                    "runs": number(line.runs.count), "reasons": .object(reasons),
                    "examples": .array(line.examples.map { .string("\($0)") }),
                ]
            }
            return ["ready": .bool(readiness.isReady), "runs": number(readiness.runs), "parts": .object(parts)]
        }
    }
}
