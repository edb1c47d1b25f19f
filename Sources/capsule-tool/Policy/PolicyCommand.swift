import ArgumentParser
import Ledger
import ModelPolicy

struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Write, check, compile, compare and look at model policies.",
        discussion: """
            A policy is model_policy.toml (or .yaml) in the root of a workspace; a spec may have a file of its own,
            policy/specs/SPEC.toml, laid over it. Files are found upwards from the current folder.

            Exit status: 0 done, or yes · 1 no: the policy has errors, 'fmt --check' would change something, 'diff
            --exit-code' found a difference · 2 refused · 65 not what it should be · 66 no such file, or no policy.
            """,
        subcommands: [
            Init.self, Validate.self, Test.self, Compile.self, Explain.self, Diff.self, Show.self, List.self,
            Current.self, Format.self, Convert.self, Bump.self, Import.self, Approve.self, ShowApprovals.self,
            Check.self, Simulate.self, Readiness.self, Log.self,
        ]
    )
}
