/// The parts of the texts that could not be read, and which faults may be due to that alone: those are not told. All
/// others are, so that the first fault hides none that follows.
struct LostParts {
    enum Part {
        /// Keys of the table that these lines are of.
        case keys(ClosedRange<Int>, PolicyLayer)
        /// A header: its table is read under the name that was probably meant.
        case header
        /// A table that defines names which begin so.
        case definition(PolicyNamespace, beginning: String)
        /// A table of which nothing is known.
        case table
        /// All that follows.
        case rest
    }

    var parts: [Part] = []

    func mayExplain(_ code: DiagnosticCode, at origin: SourceOrigin) -> Bool {
        guard !parts.isEmpty else { return false }
        return parts.contains { part in
            switch part {
            case .keys(let lines, let layer):
                guard code == .missingKey else { return DiagnosticCode.aboutAbsence.contains(code) }
                return origin.layer == layer && lines.contains(origin.span.start.line)
            case .header, .definition: return DiagnosticCode.aboutAbsence.contains(code)
            case .table: return DiagnosticCode.aboutOtherTables.contains(code)
            case .rest: return DiagnosticCode.aboutMeaning.contains(code)
            }
        }
    }

    func mayDefine(_ name: String, _ namespace: PolicyNamespace) -> Bool {
        parts.contains { part in
            if case .definition(namespace, let beginning) = part { name.hasPrefix(beginning) } else { false }
        }
    }
}
