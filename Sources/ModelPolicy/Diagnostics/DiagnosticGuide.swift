/// What a code means, with an example of the fault and of its cure.
public struct DiagnosticGuide: Sendable {
    /// Where the lines of an example stand.
    public enum Place: Sendable {
        /// In the place of the cure in `base`.
        case replacing
        /// After `base`.
        case appended
        /// After `base` in YAML.
        case yaml
        /// The fault is a YAML file of its own.
        case wholeYAML
        /// In a spec's file over `base`.
        case spec
        /// A configuration of LiteLLM, to be imported.
        case litellm
        /// A list of signers.
        case signers
        /// A file of scenarios for `base`.
        case scenarios
        /// What the gate says of a change; a difference between two revisions.
        case gate
    }

    public let title: String
    public let explanation: String
    let place: Place
    /// The lines of the fault.
    public let fault: String
    /// The lines that mend it.
    public let cure: String

    init(_ title: String, _ explanation: String, _ place: Place, fault: String, cure: String) {
        self.title = title
        self.explanation = explanation
        self.place = place
        self.fault = fault
        self.cure = cure
    }

    /// Compiles the example, with the fault or with its cure.
    func compile(cured: Bool) -> CompileResult {
        let lines = cured ? cure : fault
        switch place {
        case .replacing:
            let kept = Self.base.split(separator: cure, maxSplits: 1, omittingEmptySubsequences: false)
            return Self.compile(kept.joined(separator: lines), .toml)
        case .appended: return Self.compile(Self.base + "\n" + lines + "\n", .toml)
        case .yaml: return Self.compile(Self.yamlBase + lines + "\n", .yaml)
        case .wholeYAML: return Self.compile(cured ? Self.yamlBase : lines, .yaml)
        case .litellm:
            let file = SourceFile(name: "config.yaml", bytes: Array(lines.utf8))
            let found = LiteLLMImport.convert(file, name: "guide", owner: "team").diagnostics
            return CompileResult(diagnostics: found, snapshot: nil, layers: .none)
        case .signers:
            let file = SourceFile(name: "policy/allowed_signers", bytes: Array(lines.utf8))
            let found = AllowedSigners.read(file).diagnostics
            return CompileResult(diagnostics: found, snapshot: nil, layers: .none)
        // Scenarios are read by a module of their own, which tests its examples.
        case .scenarios: return CompileResult(diagnostics: [], snapshot: nil, layers: .none)
        // A change is judged by a module of its own, which tests its codes.
        case .gate: return CompileResult(diagnostics: [], snapshot: nil, layers: .none)
        case .spec:
            return PolicyCompiler.compile(
                workspace: SourceFile(name: "model_policy.toml", bytes: Array(Self.base.utf8)),
                spec: SourceFile(name: "spec.toml", bytes: Array("schema = 1\n\(lines)\n".utf8))
            )
        }
    }

    private static func compile(_ text: String, _ format: SourceFile.Format) -> CompileResult {
        // No Swift string holds a byte that is not UTF-8; the replacement character stands for one here.
        let bytes = text.unicodeScalars.flatMap { $0 == "\u{FFFD}" ? [0xFF] : Array(String($0).utf8) }
        return PolicyCompiler.compile(
            workspace: SourceFile(name: "model_policy.\(format.rawValue)", bytes: bytes, format: format)
        )
    }

    /// The policy that the examples are parts of.
    package static let base = """
        schema = 1
        stages = ["plan", "implement"]

        [policy]
        name = "guide"
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

        [models.tiny]
        provider = "lab"
        id = "tiny-1"
        locality = "local"
        tier = 1
        context_tokens = 500

        [roles.writer]
        models = ["big"]

        [roles.writer.modes.quick]
        models = ["tiny"]

        [risk.high]
        evidence = "durable"

        [risk.low]
        evidence = "written"

        [overrides]
        allow = ["roles.*.models", "redaction"]
        tighten_only = ["budgets", "capture"]

        """

    static let yamlBase = """
        schema: 1
        stages: [plan]
        policy: { name: guide, version: 1.0.0, owner: team }
        providers:
          lab: { api: openai, base_url: "https://lab.example" }
        models:
          big: { provider: lab, id: big-1, locality: cloud, tier: 2, context_tokens: 1000 }
        roles:
          writer: { models: [big] }
        risk:
          high: { evidence: durable }
          low: { evidence: written }

        """

    /// `spec/policy-diagnostics.md`.
    public static var document: String {
        var lines = [
            "# Diagnostics of a policy and its scenarios", "",
            "Each fault of a policy is told once, by a code that stays. Written from the code by `make vectors`.",
            "A test compiles each example and finds exactly its code, and nothing once it is cured.", "",
        ]
        for code in DiagnosticCode.allCases {
            let guide = code.guide
            let severity = code.severity == .warning ? " (a warning)" : ""
            lines += ["## \(code.rawValue) \(guide.title)\(severity)", "", guide.explanation, ""]
            lines += ["Fault:", "", "```\(guide.language)"] + [shortened(guide.fault)] + ["```", ""]
            lines += ["Cure:", "", "```\(guide.language)"] + [guide.cure] + ["```", ""]
        }
        return lines.joined(separator: "\n")
    }

    private var language: String {
        switch place {
        case .yaml, .wholeYAML, .litellm: "yaml"
        case .signers, .gate: "text"
        default: "toml"
        }
    }

    private static func shortened(_ line: String) -> String {
        line.utf8.count > 1000 ? String(line.prefix(40)) + "… (\(line.utf8.count) characters)" : line
    }
}
