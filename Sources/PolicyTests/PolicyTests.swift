// Tests of a policy: what it should decide, said in files beside it, and held against what it does decide.
//
// A scenario gives the inputs of one decision and expects parts of it. The module reads scenario files with the syntax
// and the diagnostics of policies, runs them through the router, and tells what no scenario covers. It knows no
// capsule, opens no file and reads no clock: texts come in, results go out.
//
// Invariants:
// - The same policy and files give the same results, in the same order, however the files are laid out.
// - A scenario that cannot be read is an error at its place, and never a test that passes.
// - Coverage and exercised leaves count hand-written scenarios only: a golden file says what is, not what should be.
// - Text comes from strangers: whatever the bytes are, the answer is diagnostics.

@_exported import ModelRouter

/// What is common to all tests of a policy.
public enum PolicyTests {
    /// The version of scenario files.
    public static let schemaVersion = 1
    /// The version of the golden file.
    public static let goldenVersion = 1
    /// Where scenario files are, from the root of the workspace: every `.toml`, `.yaml` and `.yml` in it.
    public static let folder = "policy/tests"
}

/// What bounds the tests of a policy. Numbers are those of `spec/policy-tests.md`.
public enum PolicyTestLimits {
    /// How many files are read.
    public static let files = 1000
    /// How many scenarios there are once matrices are expanded.
    public static let scenarios = 20_000
    /// How many cases the grids of a golden file have.
    public static let cases = 20_000
    /// The longest golden file.
    public static let goldenBytes = 16 << 20
    /// How many axes a matrix has.
    public static let axes = 8
    /// The most attempts or calls that a scenario gives.
    public static let count = 1_000_000
}
