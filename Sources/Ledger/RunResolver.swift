/// Finds what people mean by a name or the beginning of an ID, in a state that is at hand.
public enum RunResolver {
    /// Hexadecimal digits that a prefix needs at least.
    public static let minimumPrefix = 4
    private static let shownCandidates = 5

    /// A run by its ID, the caller's own name, or a unique prefix of the ID.
    ///
    /// - Throws: `LedgerError.unknownRun`, `ambiguousRun` with the candidates.
    public static func resolve(_ text: String, in state: CapsuleState) throws(LedgerError) -> RunID {
        if let id = RunID(hex: text), state.open[id] != nil || state.endedRun(id) != nil { return id }
        if let named = state.namedRun(KeyHash.runName(text, in: state.capsule)) { return named.run }
        let candidates = runs(beginningWith: text, in: state)
        guard let first = candidates.first else {
            throw LedgerError(.unknownRun, "there is no run '\(text)' in this capsule; 'capsule-tool runs' lists them")
        }
        guard candidates.count == 1 else { throw ambiguous(text, candidates) }
        return first
    }

    /// Runs whose ID begins with a text of at least `minimumPrefix` digits; a few of them, if there are many.
    public static func runs(beginningWith text: String, in state: CapsuleState) -> [RunID] {
        let digits = text.lowercased().filter { $0 != "-" }
        return digits.count >= minimumPrefix ? state.runs(withPrefix: digits, limit: shownCandidates + 1) : []
    }

    public static func ambiguous(_ text: String, _ candidates: [RunID]) -> LedgerError {
        let shown = candidates.map(\.description).sorted().prefix(shownCandidates).joined(separator: ", ")
        let more = candidates.count > shownCandidates ? ", …" : ""
        return LedgerError(.ambiguousRun, "'\(text)' is the beginning of \(candidates.count) runs: \(shown)\(more)")
    }

    /// A snapshot by its ID or a unique prefix of it, with or without `sha256:`.
    public static func snapshot(_ text: String, in state: CapsuleState) throws(LedgerError) -> Digest {
        let digits = (text.hasPrefix("sha256:") ? text.dropFirst(7) : text[...]).lowercased()
        let isLong = digits.count >= minimumPrefix
        let candidates = isLong ? state.snapshots(withPrefix: digits, limit: shownCandidates + 1) : []
        guard let first = candidates.first else {
            throw LedgerError(
                .unknownSnapshot,
                "there is no snapshot '\(text)' in this capsule; 'capsule-tool snapshot list' lists them"
            )
        }
        guard candidates.count == 1 else {
            let shown = candidates.map(PolicySnapshot.text).sorted().prefix(shownCandidates).joined(separator: ", ")
            throw LedgerError(
                .ambiguousSnapshot,
                "'\(text)' is the beginning of \(candidates.count) snapshots: \(shown)"
            )
        }
        return first
    }
}
