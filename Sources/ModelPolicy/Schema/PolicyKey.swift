/// One key of the language: its name, what it holds, and what it does.
///
/// The reader, the published JSON Schema, the reading of snapshots and the tables of `spec/policy.md` all come from
/// these.
public struct PolicyKey: Sendable {
    /// The key in a source file.
    public let name: String
    /// The key in a snapshot, which says the unit where the source spells it in the value.
    public let compiledName: String
    public let kind: PolicyKind
    public let isRequired: Bool
    /// What holds when the key is not there; nil when nothing does.
    public let fallback: Fallback
    /// What the key does, in a sentence.
    public let note: String
    /// How a later layer can be stricter.
    public let strictness: Strictness
    /// The default in compiled form.
    let fallbackDraft: Draft?

    /// What holds when a key is not there.
    public enum Fallback: Sendable {
        case none
        /// A value as it would be written in a source file.
        case value(PolicyDefault)
        /// A value that depends on others; a sentence.
        case derived(String)
    }

    init(
        _ name: String,
        _ kind: PolicyKind,
        as compiledName: String? = nil,
        required: Bool = false,
        default fallback: PolicyDefault? = nil,
        derived: String? = nil,
        stricter: Strictness = .none,
        _ note: String
    ) {
        self.name = name
        self.compiledName = compiledName ?? name
        self.kind = kind
        self.isRequired = required
        self.fallback = fallback.map(Fallback.value) ?? derived.map(Fallback.derived) ?? .none
        self.note = note
        self.strictness = stricter
        switch kind {
        case .scalar(let scalar), .list(let scalar, _, _):
            fallbackDraft = fallback.flatMap { Completion.draft($0, scalar) }
        default: fallbackDraft = nil
        }
    }
}

/// A default as a source file would write it.
public enum PolicyDefault: Sendable {
    case text(String)
    case integer(Int)
    case boolean(Bool)
    case texts([String])
}

/// What a key holds.
public indirect enum PolicyKind: Sendable {
    case table([PolicyKey])
    /// A table whose keys are chosen by whoever writes the policy.
    case named(PolicyNames, PolicyKind)
    /// A list of tables, each known by its `id`.
    case entries([PolicyKey])
    /// Of a set neither the order nor a repetition matters; it is compiled in the order of its bytes.
    case list(PolicyScalar, isSet: Bool, least: Int)
    case scalar(PolicyScalar)
}

/// What the keys of a table of names are.
public enum PolicyNames: Sendable {
    /// The table defines the names.
    case defines(PolicyNamespace)
    /// The keys are names defined elsewhere.
    case refers(PolicyNamespace)
    /// Names that only outside things know; the word for one.
    case free(String)
}

/// What a name can be the name of.
public enum PolicyNamespace: String, Sendable, CaseIterable {
    case provider
    case model
    case role
    case mode
    case gate
    case stage
    case escalation
}

/// What one value is.
public enum PolicyScalar: Sendable {
    case integer(ClosedRange<Int>)
    case boolean
    case choice([String])
    /// Text for people, on one line.
    case text
    /// A name that is defined elsewhere.
    case name(PolicyNamespace)
    /// The name of something new.
    case newName(PolicyNamespace)
    case policyName
    case semanticVersion
    case time
    case environmentVariable
    case url
    case path
    case glob
    case keyPattern
    /// Money, compiled to millionths of a dollar. A price of a million tokens so counts picodollars a token.
    case dollars(most: Int64)
    /// A share within bounds, in millionths.
    case ratio(ClosedRange<Int64>)
    /// A number, in millionths.
    case decimal
    /// A time span, compiled to milliseconds.
    case duration
}

/// How a later layer can make a value stricter, for `overrides.tighten_only`.
public enum Strictness: Sendable, Equatable {
    /// No value is stricter than another: such a key cannot be among `tighten_only`.
    case none
    case lower
    case higher
    /// These words, the loosest first.
    case words([String])
    /// More capture is looser, and none at all is no capture that a layer may choose.
    case capture
    /// All that was there and perhaps more.
    case superset
    /// Some of what was there, in its order.
    case subsequence
    /// `true` is stricter than `false`.
    case truth
    /// A value where there was none is stricter; another value is not.
    case present
    /// Only this value is stricter than any other.
    case only(String)

    /// In a sentence of the documentation.
    public var note: String {
        switch self {
        case .none: "—"
        case .lower: "lower, or set where it was not"
        case .higher: "higher, or set where it was not"
        case .words(let words): words.joined(separator: " < ")
        case .capture: "full_io < prompts_only < summary < hash; never none"
        case .superset: "the same and more"
        case .subsequence: "some of the same, in the same order"
        case .truth: "false < true"
        case .present: "set where it was not"
        case .only(let value): "only `\(value)`"
        }
    }
}
