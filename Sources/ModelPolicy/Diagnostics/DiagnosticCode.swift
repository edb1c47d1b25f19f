/// What can be wrong with a policy. The codes stay; `spec/policy-diagnostics.md` says what to do about each.
public enum DiagnosticCode: String, Sendable, CaseIterable {
    // The text
    case syntax = "P001"
    case invalidUTF8 = "P002"
    case beyondLimit = "P003"
    case duplicateKey = "P004"
    case tooDeep = "P005"
    case unsupportedYAML = "P006"
    case notATable = "P007"
    case hiddenCharacter = "P008"
    // One key or value
    case unknownKey = "P101"
    case missingKey = "P102"
    case wrongType = "P103"
    case badName = "P104"
    case outOfRange = "P105"
    case badForm = "P106"
    case unknownWord = "P107"
    case tooPrecise = "P108"
    case repeatedItem = "P109"
    case emptyList = "P110"
    case reservedName = "P111"
    case localTime = "P112"
    case notFinite = "P113"
    case secret = "P114"
    case insecureURL = "P115"
    case unknownSchema = "P116"
    // What the parts mean together
    case undefinedName = "P201"
    case requirementBroken = "P202"
    case requirementUnmet = "P203"
    case judgeAdmitsLocal = "P204"
    case escalationWithoutLimit = "P205"
    case escalationNeverFires = "P206"
    case escalationCircle = "P207"
    case escalationWithoutTarget = "P208"
    case repeatedIdentifier = "P209"
    case warnAfterStop = "P210"
    case missingPrice = "P211"
    case contradictoryBounds = "P212"
    case missingBound = "P213"
    case missingSigners = "P214"
    case modeNeverPermitted = "P215"
    case unused = "P216"
    // Layers
    case changeNotAllowed = "P301"
    case changeLoosens = "P302"
    case patternMatchesNothing = "P303"
    case noStrictness = "P304"
    // Configurations of other tools
    case aliasRepeated = "P401"
    case fallbackUnknown = "P402"
    case priceUnknown = "P403"
    case keyWritten = "P404"
    case settingNotImported = "P405"
    case providerUnknown = "P406"
    // The list of signers
    case signerLine = "P501"
    case signerOption = "P502"
    case signerTime = "P503"
    case signerKey = "P504"
    case signerNotVerified = "P505"
    case signerLocalTime = "P506"
    // The gate: what it needs
    case gatePolicyGone = "G001"
    case gateFileTwice = "G002"
    case gateLink = "G003"
    case gateRules = "G004"
    case gateBaseUnread = "G005"
    // The gate: version and changelog
    case versionNotRaised = "G101"
    case versionRaisedTooLittle = "G102"
    case versionLowered = "G103"
    case changelogEntryMissing = "G104"
    case changelogEntryEmpty = "G105"
    // The gate: scenarios
    case noScenario = "G201"
    case scenarioFails = "G202"
    case changeNotExercised = "G203"
    case coverageTooLow = "G204"
    case goldenDiffers = "G205"
    case promiseBroken = "G206"
    case promiseDeleted = "G207"
    case promiseWeakened = "G208"
    // The gate: approvals
    case approvalsMissing = "G301"
    case gateFileNotApproved = "G302"
    case approvalUnreadable = "G303"
    case approvalTampered = "G304"
    case approvalOfSomethingElse = "G305"
    case approvalNotBySigner = "G306"
    case approvalOutOfTime = "G307"
    case approvalByAuthor = "G308"
    case approvalTwice = "G309"
    // The gate: changes of the gate itself
    case enforcementLowered = "G401"
    case approvalRulesChanged = "G402"
    case signersChanged = "G403"
    case testRulesLowered = "G404"
    case checksChanged = "G405"
    // The gate: what a capsule shows
    case capsuleNotSound = "G501"
    case snapshotNotFromBranch = "G502"
    case policyFellBack = "G503"
    case ruleSetAside = "G504"
    case glassBroken = "G505"

    /// Codes of the gate, told by `policy check` and `ci`; the compiler tells none of them.
    public static let ofGate = allCases.filter { $0.rawValue.hasPrefix("G") }

    // Scenarios
    case scenarioUnknownKey = "T001"
    case scenarioMissingKey = "T002"
    case scenarioBadValue = "T003"
    case scenarioUndefinedName = "T004"
    case scenarioRepeatedName = "T005"
    case scenarioBeyondLimit = "T006"
    case scenarioExpectsNothing = "T007"
    case scenarioBadMatrix = "T008"

    /// Codes of scenario files.
    public static let ofScenarios = allCases.filter { $0.rawValue.hasPrefix("T") }

    public var severity: Diagnostic.Severity { Self.warnings.contains(self) ? .warning : .error }

    private static let warnings: Set<DiagnosticCode> = [
        .unused, .settingNotImported, .signerNotVerified, .signerLocalTime, .gateBaseUnread, .enforcementLowered,
        .approvalRulesChanged, .signersChanged, .testRulesLowered, .checksChanged, .policyFellBack, .ruleSetAside,
        .glassBroken,
    ]

    /// Not to be told where part of a table could not be read.
    static let aboutAbsence: Set<DiagnosticCode> = [
        .missingKey, .requirementUnmet, .judgeAdmitsLocal, .escalationWithoutLimit, .escalationWithoutTarget,
        .missingPrice, .missingBound, .missingSigners, .unused, .warnAfterStop, .scenarioMissingKey,
        .scenarioExpectsNothing,
    ]

    /// Not to be told where a whole table could not be read, whatever table that was.
    static let aboutOtherTables: Set<DiagnosticCode> = aboutAbsence.union([
        .undefinedName, .escalationNeverFires, .duplicateKey, .emptyList, .changeNotAllowed, .changeLoosens,
        .scenarioUndefinedName,
    ])

    /// Not to be told where the rest of a text could not be read, from the middle of something on.
    static let aboutMeaning: Set<DiagnosticCode> = aboutOtherTables.union([
        .unknownKey, .requirementBroken, .escalationCircle, .modeNeverPermitted, .patternMatchesNothing,
        .repeatedIdentifier, .noStrictness, .scenarioUnknownKey,
    ])
}
