extension DiagnosticCode {
    /// What the code means and how its fault is mended.
    public var guide: DiagnosticGuide {
        Self.guides[self] ?? DiagnosticGuide("", "", .appended, fault: "", cure: "")
    }

    private static let guides = [
        guidesOfText, guidesOfValue, guidesOfMeaning, guidesOfEscalation, guidesOfLayer, guidesOfImport,
        guidesOfSigners, guidesOfScenarios, guidesOfGate, guidesOfGateApprovals,
    ]
    .reduce(into: [DiagnosticCode: DiagnosticGuide]()) { $0.merge($1) { first, _ in first } }
}
