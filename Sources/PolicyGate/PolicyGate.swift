// The gate: what a change of a policy must bring before it is merged.
//
// It is handed two trees of files, the base's and the change's, and tells each fault at its place. It knows no git, no
// capsule and no clock, and opens no file: who calls it brings the trees, and judges approvals.
//
// Invariants:
// - The rules come from the base: enforcement, signers, thresholds. What a change says of itself holds from the next
//   change on.
// - What cannot be read is a fault, and never a check that passes.
// - The meaning is compared, not the text: a file that is laid out anew needs nothing.

import ModelPolicy
@_exported import PolicyTests

/// Where the gate looks, from the root of the workspace.
public enum PolicyGate {
    public static let specsFolder = "policy/specs"
    public static let changelog = "policy/CHANGELOG.md"
    public static let rules = "policy/gate.toml"
    /// What all but the policy file itself is under.
    public static let folder = "policy"
    /// The least coverage where the base says nothing, in percent.
    public static let minCoverage = 50
    /// Files that run the gate, from the root of the repository; a folder ends in a slash.
    public static let checks = [
        ".github/workflows/", ".github/actions/", ".gitlab-ci.yml", ".circleci/", "Jenkinsfile",
        ".buildkite/", "azure-pipelines.yml", ".pre-commit-config.yaml",
    ]
}

/// What bounds the gate. Numbers are those of `spec/policy-gate.md`.
public enum GateLimits {
    /// How many files of the workspace's policy are looked at.
    public static let files = 10_000
    /// How many specs have a file.
    public static let specs = 1000
    /// The longest changelog and the longest list of rules.
    public static let textBytes = PolicyLimits.sourceBytes
    /// How many faults of one kind are told.
    public static let faultsOfKind = 100
    /// How many entries the rules' lists have.
    public static let entries = PolicyLimits.entries
}
