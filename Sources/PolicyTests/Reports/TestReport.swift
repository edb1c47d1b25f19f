import JSONText
import ModelPolicy

/// What a run of a policy's tests came to: scenarios, and where they were asked for coverage and a golden file.
public struct TestReport: Sendable {
    /// A golden file held against what is decided now.
    public struct Golden: Sendable {
        public var file: String
        /// Empty when the file says what is decided.
        public var changes: [GoldenFile.Change]
        /// Why the file could not be compared; nil where it was.
        public var fault: String?

        public init(file: String, changes: [GoldenFile.Change] = [], fault: String? = nil) {
            self.file = file
            self.changes = changes
            self.fault = fault
        }

        public var isPassed: Bool { changes.isEmpty && fault == nil }
    }

    public enum Format: String, Sendable, CaseIterable {
        case human
        case json
        case junit
        case tap
    }

    public var policy: CompiledSnapshot
    public var run: PolicyTestRun
    public var coverage: PolicyCoverage?
    /// The least coverage that is enough, in percent.
    public var leastCoverage: Int?
    public var golden: Golden?

    public init(policy: CompiledSnapshot, run: PolicyTestRun) {
        self.policy = policy
        self.run = run
    }

    public var hasEnoughCoverage: Bool {
        guard let leastCoverage, let coverage else { return true }
        return coverage.covered.count * 100 >= leastCoverage * coverage.total
    }

    /// Whether all scenarios pass and there is one, coverage is enough, and the golden file says what is decided.
    public var isPassed: Bool { run.isPassed && hasEnoughCoverage && golden?.isPassed ?? true }
}

extension TestReport {
    /// An object whose members stay; new ones may come.
    public var json: JSONValue {
        var members = JSONValue.Members()
        members["passed"] = .bool(isPassed)
        members["policy"] = [
            "name": .string(policy.policy.name), "version": .string(policy.policy.version),
            "snapshot": .string("\(policy.id)"),
        ]
        members["scenarios"] = Self.number(run.results.count)
        members["failed"] = Self.number(run.failures.count)
        members["results"] = .array(run.results.map(Self.json))
        if let coverage { members["coverage"] = json(coverage) }
        if let golden { members["golden"] = Self.json(golden) }
        return .object(members)
    }

    private static func number(_ number: Int) -> JSONValue { .number(JSONNumber(number)) }

    private static func json(_ result: ScenarioResult) -> JSONValue {
        var members = JSONValue.Members()
        members["name"] = .string(result.scenario.name)
        members["file"] = .string(result.scenario.file)
        members["line"] = number(result.scenario.line)
        members["passed"] = .bool(result.isPassed)
        members["given"] = .string(result.scenario.given.text)
        members["decision"] = .string(DecisionSummary.line(result.decision))
        members["parts"] = .array(
            result.parts.map { part in
                [
                    "key": .string(part.key), "expected": part.expected.map { .string($0) } ?? .null,
                    "decided": part.actual.map { .string($0) } ?? .null, "met": .bool(part.isMet),
                ]
            }
        )
        return .object(members)
    }

    private static func json(_ item: CoverageItem) -> [(String, JSONValue)] {
        [("kind", .string(item.kind.rawValue)), ("rule", .string(item.rule)), ("side", .string(item.side))]
    }

    private static func object(_ members: [(String, JSONValue)]) -> JSONValue {
        var object = JSONValue.Members()
        for (key, value) in members { object[key] = value }
        return .object(object)
    }

    private func json(_ coverage: PolicyCoverage) -> JSONValue {
        [
            "percent": Self.number(coverage.percent), "covered": Self.number(coverage.covered.count),
            "total": Self.number(coverage.total), "least": leastCoverage.map(Self.number) ?? .null,
            "by_kind": Self.object(
                coverage.byKind.map { kind, covered, total in
                    (kind.rawValue, ["covered": Self.number(covered), "total": Self.number(total)])
                }
            ),
            "uncovered": .array(
                coverage.gaps.map { gap in
                    Self.object(Self.json(gap.item) + [("scenario", .string(ScenarioWriter.toml(gap.draft)))])
                }
            ),
            "unreachable": .array(coverage.unreachable.map { Self.object(Self.json($0)) }),
        ]
    }

    private static func json(_ golden: Golden) -> JSONValue {
        [
            "file": .string(golden.file), "matches": .bool(golden.isPassed),
            "fault": golden.fault.map { .string($0) } ?? .null,
            "changes": .array(
                golden.changes.map { change in
                    [
                        "case": .string(change.name), "old": change.old.map { .string($0) } ?? .null,
                        "new": change.new.map { .string($0) } ?? .null,
                    ]
                }
            ),
        ]
    }
}
