import ArgumentParser
import Ledger
import ModelPolicy
import PolicyGate

extension PolicyCommand {
    struct Check: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract: "Say whether a change of the policy may be merged into a branch: what CI calls.",
            discussion: """
                Holds the files as they lie here, or --head, against the commit where the change began on --base. The
                policy must be valid, a changed meaning must have a higher version and an entry in the changelog, each
                changed value a scenario, each scenario of the base must hold or be accounted for, and the changed
                layers must be approved. The rules are the base's: what the change says of enforcement, signers and
                thresholds holds from the next one on. 'spec/policy-gate.md' lists the codes; 'policy explain G101'
                explains one.

                Exit status: 0 it may (there may be warnings) · 1 it may not · 66 no policy, or no such revision.
                """
        )

        @Option(help: ArgumentHelp("The branch that the change is to be merged into.", valueName: "rev"))
        var base: String

        @Option(help: ArgumentHelp("Look at this revision, instead of the files as they lie here.", valueName: "rev"))
        var head: String?

        @Option(
            help: ArgumentHelp("The policy file, instead of the workspace's.", valueName: "file"),
            completion: .file(extensions: ["toml", "yaml", "yml"])
        )
        var policy: String?

        @Option(
            help: ArgumentHelp("Decide what this capsule recorded again, and say how much changes.", valueName: "file"),
            completion: .file(extensions: ["cpsl"])
        )
        var capsule: String?

        @Flag var format: GateFormat = .human

        func run() throws {
            let comparison = try GateComparison(base: base, head: head, policy: policy)
            let view = GateView(comparison, recorded: try recorded(comparison))
            view.tell(format)
            if !comparison.report.isPassed { endQuietly(.no) }
        }

        private func recorded(_ comparison: GateComparison) throws -> RoutingSimulation? {
            guard let capsule, let layer = comparison.report.layers.first else { return nil }
            var option = CapsuleOption()
            option.capsule = capsule
            let specs = comparison.report.layers.dropFirst().compactMap { layer in layer.spec.map { ($0, layer.head) } }
            let policies = SimulatedPolicies(layer.head, specs: Dictionary(specs) { first, _ in first })
            return try openReader(option).simulateRouting(under: policies)
        }
    }
}

/// How a verdict is written.
enum GateFormat: String, EnumerableFlag {
    case human
    case json
    case sarif
    case github
    case markdown

    static func help(for value: GateFormat) -> ArgumentHelp? {
        switch value {
        case .human: "Print text for people."
        case .json: "Print JSON."
        case .sarif: "Print SARIF 2.1.0, for code scanning."
        case .github: "Print annotations of GitHub."
        case .markdown: "Print a summary for a pull request."
        }
    }
}
