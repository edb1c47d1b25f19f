import Foundation
import JSONText
import Testing

@testable import ModelPolicy
@testable import PolicyTests

let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

/// The policy of the examples of diagnostics.
func guidePolicy() throws -> CompiledPolicy {
    try compiled(DiagnosticGuide.base)
}

func compiled(_ text: String) throws -> CompiledPolicy {
    let result = PolicyCompiler.compile(workspace: SourceFile(name: "model_policy.toml", bytes: Array(text.utf8)))
    return try #require(result.snapshot, "\(DiagnosticFormat.human.text(result.diagnostics))").policy
}

/// The policy and the scenarios of `Examples/policy`.
struct Example {
    static let folder = root.appendingPathComponent("Examples/policy")

    let text: String
    let policy: CompiledPolicy
    let suite: ScenarioSuite

    init() throws {
        text = try String(contentsOf: Self.folder.appendingPathComponent("model_policy.toml"), encoding: .utf8)
        policy = try compiled(text)
        suite = ScenarioReader.read(try Self.files("policy/tests"), for: policy)
    }

    static func files(_ path: String) throws -> [SourceFile] {
        let folder = folder.appendingPathComponent(path)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        return try names.filter { $0.hasSuffix(".toml") || $0.hasSuffix(".yaml") }.map { name in
            SourceFile(name: "\(path)/\(name)", bytes: Array(try Data(contentsOf: folder.appendingPathComponent(name))))
        }
    }

    /// The example's scenarios; fails where one cannot be read.
    static func read() throws -> Example {
        let example = try Example()
        try #require(example.suite.diagnostics.isEmpty, "\(DiagnosticFormat.human.text(example.suite.diagnostics))")
        return example
    }
}

func read(
    _ text: String,
    _ format: SourceFile.Format = .toml,
    for policy: CompiledPolicy? = nil
) throws -> ScenarioSuite {
    let file = SourceFile(name: "tests.\(format.rawValue)", bytes: Array(text.utf8), format: format)
    return ScenarioReader.read([file], for: try policy ?? guidePolicy())
}

func codes(_ suite: ScenarioSuite) -> [String] { suite.diagnostics.map(\.code.rawValue) }

/// What a failed run says, for messages of tests.
func told(_ run: PolicyTestRun) -> String {
    run.failures.map { result in
        let parts = result.parts.filter { !$0.isMet }.map {
            "    \($0.key): expected \($0.expected ?? ""), decided \($0.actual ?? "nothing")"
        }
        return "\(result.scenario.file): \(result.scenario.name)\n" + parts.joined(separator: "\n")
            + "\n    " + DecisionSummary.line(result.decision)
    }.joined(separator: "\n")
}
