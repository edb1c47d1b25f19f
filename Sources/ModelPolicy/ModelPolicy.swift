/// A model policy: written by people in TOML or YAML, checked like code, compiled to one canonical JSON known by its
/// SHA-256.
///
/// The language is defined once, in `PolicyLanguage`: what the reader accepts, the published JSON Schema and the tables
/// of `spec/policy.md` come from it. What the compiler writes is the snapshot; `CompiledPolicy` is its reading, and
/// everything that routing needs. This module knows no capsule, opens no file, and reads no clock.
///
/// Source text and snapshots come from strangers: whatever the bytes are, the answer is diagnostics or a typed error.
public enum ModelPolicy {
    /// The version of the language and of the compiled form that this compiler writes.
    public static let schemaVersion = 1
}

/// What bounds a policy, so that hostile text costs little. Numbers are those of `spec/policy.md`.
public enum PolicyLimits {
    /// The longest source file.
    public static let sourceBytes = 1 << 20
    /// The longest snapshot that is read.
    public static let snapshotBytes = 4 << 20
    /// The longest line of a source file.
    public static let lineBytes = 16_384
    /// How many modes one role has besides the default mode.
    public static let modes = 32
    /// How deep tables and lists nest in a source file.
    public static let depth = 16
    /// How many dots a line of TOML has between two of `= , # { } [ ]`: each dot of a key nests a table more.
    public static let dottedKeys = 64
    /// How many entries one table or list has.
    public static let entries = 1000
    /// How many keys and values a source file has in all.
    public static let nodes = 50_000
    /// The longest name.
    public static let nameBytes = 64
    /// The longest text value.
    public static let textBytes = 1000
    /// How many diagnostics are told of one compilation.
    public static let diagnostics = 1000
    /// How many pairs of words are compared for "did you mean" in one compilation.
    public static let comparisons = 20_000
    /// The longest source line that is shown with a diagnostic, in characters.
    public static let shownLine = 200
    /// The largest budget, in dollars.
    public static let budgetDollars: Int64 = 1_000_000
    /// The largest price of a million tokens, in dollars.
    public static let priceDollars: Int64 = 10_000
    /// The largest number of tokens of a budget or a context.
    public static let tokens = 100_000_000
    /// The longest duration, in days.
    public static let durationDays: Int64 = 366
    /// The largest value that a gate compares with.
    public static let gateValue: Int64 = 1_000_000_000
}
