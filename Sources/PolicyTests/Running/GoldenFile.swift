import ModelPolicy

/// All decisions over the declared grids, as a text that stays the same while the policy decides the same.
///
/// It says what a policy decides, and not what it should: it is read in reviews, and counts neither for coverage nor
/// for exercised leaves.
public struct GoldenFile: Sendable, Equatable {
    public struct Entry: Sendable, Equatable {
        /// The grid and the values of its axes.
        public var name: String
        public var decision: String
    }

    public let entries: [Entry]

    public init(_ cases: [GridCase], under decider: ScenarioDecider) {
        entries = cases.map { Entry(name: $0.name, decision: DecisionSummary.line(decider.decide($0.given).decision)) }
    }

    /// Two lines for each case: its name, and its decision behind four spaces.
    public var text: String {
        var text = Self.heading
        for entry in entries { text += "\(entry.name)\n    \(entry.decision)\n" }
        return text
    }

    private static let heading = """
        # What the policy decides over the grids of its tests. 'policy test --golden FILE --update' writes it.
        golden = \(PolicyTests.goldenVersion)

        """

    public enum Fault: Error, Sendable, Equatable {
        case tooLong
        /// The first line that is not as this version writes it, from 1.
        case malformed(line: Int)
    }

    /// Reads a golden file, whoever wrote it, with the ends of lines of any system.
    public init(text bytes: [UInt8]) throws(Fault) {
        guard bytes.count <= PolicyTestLimits.goldenBytes else { throw .tooLong }
        guard let whole = String(validating: bytes, as: UTF8.self) else { throw .malformed(line: 1) }
        // To a text the two of them are one character, and no end of a line.
        let text = whole.replacing("\r\n", with: "\n")
        var entries: [Entry] = []
        var name: Substring?
        let heading = Self.heading.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            if number < heading.count {
                guard line == heading[number] else { throw .malformed(line: number + 1) }
            } else if let known = name {
                guard line.hasPrefix("    ") else { throw .malformed(line: number + 1) }
                entries.append(Entry(name: String(known), decision: String(line.dropFirst(4))))
                name = nil
            } else if !line.isEmpty {
                name = line
            }
        }
        guard name == nil, entries.count <= PolicyTestLimits.cases else {
            throw .malformed(line: heading.count + 2 * entries.count + 1)
        }
        self.entries = entries
    }

    /// A case that is decided otherwise.
    public struct Change: Sendable, Equatable {
        public var name: String
        /// Nil for a case that is new.
        public var old: String?
        /// Nil for a case that is gone.
        public var new: String?
    }

    /// What is otherwise here than in an older file: cases of this one in their order, then those that are gone.
    public func changes(from old: GoldenFile) -> [Change] {
        let before = Dictionary(old.entries.map { ($0.name, $0.decision) }) { first, _ in first }
        let names = Set(entries.map(\.name))
        let changed = entries.filter { before[$0.name] != $0.decision }
            .map { Change(name: $0.name, old: before[$0.name], new: $0.decision) }
        let gone = old.entries.filter { !names.contains($0.name) }
        return changed + gone.map { Change(name: $0.name, old: $0.decision, new: nil) }
    }
}
