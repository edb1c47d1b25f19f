import Foundation
import Testing

@testable import ModelPolicy

/// The repository.
let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

let rewrites = ProcessInfo.processInfo.environment["CAPSULE_WRITE_VECTORS"] != nil

func bytes(of path: String) throws -> [UInt8] {
    try Array(Data(contentsOf: root.appendingPathComponent(path)))
}

func text(of path: String) throws -> String { String(decoding: try bytes(of: path), as: UTF8.self) }

let examplePath = "Examples/policy/model_policy.toml"
let specPath = "Examples/policy/policy/specs/payments.toml"

func source(_ text: String, _ format: SourceFile.Format = .toml, name: String? = nil) -> SourceFile {
    SourceFile(name: name ?? "model_policy.\(format.rawValue)", bytes: Array(text.utf8), format: format)
}

func compile(_ text: String, _ format: SourceFile.Format = .toml, spec: String? = nil) -> CompileResult {
    PolicyCompiler.compile(
        workspace: source(text, format),
        spec: spec.map { source($0, name: "spec.toml") }
    )
}

/// `P201 12:3 there is no model …`, a line for each diagnostic.
func told(_ result: CompileResult) -> [String] {
    result.diagnostics.map { diagnostic in
        let help = diagnostic.help.map { " / \($0)" } ?? ""
        return "\(diagnostic.code.rawValue) \(diagnostic.span.start.line):\(diagnostic.span.start.column) "
            + diagnostic.message + help
    }
}

/// A small policy without faults, of which a test replaces a part.
let small = """
    schema = 1
    stages = ["plan", "implement"]
    [policy]
    name = "small"
    version = "1.0.0"
    owner = "team"
    [providers.lab]
    api = "openai"
    base_url = "https://lab.example"
    api_key_env = "LAB_API_KEY"
    [models.big]
    provider = "lab"
    id = "big-1"
    locality = "cloud"
    tier = 2
    context_tokens = 1000
    [roles.writer]
    models = ["big"]
    [risk.high]
    evidence = "durable"
    [risk.low]
    evidence = "written"

    """

extension String {
    /// With the one occurrence of a text replaced.
    func with(_ old: String, _ new: String) -> String {
        precondition(components(separatedBy: old).count == 2, "'\(old)' is to be there once")
        return replacingOccurrences(of: old, with: new)
    }
}
