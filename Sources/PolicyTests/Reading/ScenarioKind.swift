import ModelPolicy

/// What a key of a scenario file holds.
indirect enum ScenarioKind: Sendable {
    case scalar(PolicyScalar)
    /// A number, or `"none"` for what nobody stated.
    case stated(PolicyScalar)
    /// Dollars of at most twelve places.
    case money
    /// A time span, or `"0s"`.
    case age
    /// A word that only outside things know, or one of the policy.
    case list(PolicyScalar)
    case table([ScenarioKey])
    /// A table whose keys are names of a kind; nil for names that only outside things know.
    case named(PolicyNamespace?, ScenarioKind)
    case tables([ScenarioKey])
    /// The first for anything but a table, the second for a table.
    case either(ScenarioKind, ScenarioKind)

    /// In words that follow "is".
    var words: String {
        switch self {
        case .scalar(let scalar): scalar.words
        case .stated(let scalar): "\(scalar.words), or `\"none\"`"
        case .money: "an amount of dollars, such as `\"4.50\"`"
        case .age: "a time span, such as `\"90s\"`"
        case .list(let scalar): "a list, each item \(scalar.words)"
        case .table(let keys): "a table of " + keys.map { "`\($0.name)`" }.joined(separator: ", ")
        case .named(let namespace?, let kind): "a table, by \(namespace.rawValue), of \(kind.words)"
        case .named(nil, let kind): "a table, by name, of \(kind.words)"
        case .tables: "a list of tables"
        case .either(let first, let second): "\(first.words); or \(second.words)"
        }
    }
}

/// One key of a scenario file. The reader, the drafts of coverage and the tables of the documentation come from these.
struct ScenarioKey: Sendable {
    var name: String
    var kind: ScenarioKind
    var isRequired: Bool
    /// What it says, in a sentence.
    var note: String

    init(_ name: String, _ kind: ScenarioKind, required: Bool = false, _ note: String) {
        self.name = name
        self.kind = kind
        isRequired = required
        self.note = note
    }
}
