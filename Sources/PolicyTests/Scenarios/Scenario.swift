import ModelPolicy

/// One claim about a policy: what is given, and what it should decide then.
public struct Scenario: Sendable, Equatable {
    /// Unlike that of any other; one of a matrix has its values behind: `gates hold [risk=high]`.
    public var name: String
    /// The file that it is written in.
    public var file: String
    /// The line of its name.
    public var line: Int
    public var given: ScenarioGiven
    public var expect: ScenarioExpectation
}

/// One decision of a golden file: what is given, under the values of its axes.
public struct GridCase: Sendable, Equatable {
    /// The grid's name and the values of its axes: `all roles [role=judge, risk=low]`.
    public var name: String
    public var given: ScenarioGiven
}

/// What scenario files say.
public struct ScenarioSuite: Sendable {
    /// In the order of the files, matrices expanded.
    public var scenarios: [Scenario] = []
    /// The cases of all grids, in the order of the files.
    public var cases: [GridCase] = []
    /// What is wrong with the files. Where there is an error, nothing should be run.
    public var diagnostics: [Diagnostic] = []

    public init() {}

    public var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
}
