import Foundation
import Testing

@testable import ModelPolicy

@Suite struct ImportTests {
    private static let good = """
        model_list:
          - model_name: big
            litellm_params:
              model: anthropic/claude-opus-4
              api_key: os.environ/ANTHROPIC_API_KEY
              input_cost_per_token: 0.000015
              output_cost_per_token: 7.5e-5
            model_info: { max_input_tokens: 200000 }
          - model_name: GPT-3.5
            litellm_params:
              model: openai/gpt-3.5
              api_key: os.environ/OPENAI_API_KEY
              input_cost_per_token: 0.00000025
              output_cost_per_token: 0.0000005
            model_info: { max_input_tokens: 16000 }
          - model_name: local
            litellm_params: { model: ollama/qwen3 }
            model_info: { max_input_tokens: 32000 }
        router_settings:
          fallbacks: [{ big: [GPT-3.5, local] }]
          default_fallbacks: [local]
          allowed_fails: 2
          cooldown_time: 30

        """

    private func convert(_ text: String) -> LiteLLMImport.Outcome {
        LiteLLMImport.convert(SourceFile(name: "config.yaml", bytes: Array(text.utf8)), name: "acme", owner: "team")
    }

    @Test func aConfigurationBecomesAPolicy() throws {
        let outcome = convert(Self.good)
        #expect(outcome.diagnostics.isEmpty, "\(outcome.diagnostics.map(\.message))")
        let drafted = try #require(outcome.policy)
        let policy = try #require(compile(String(decoding: drafted, as: UTF8.self)).snapshot?.policy)
        #expect(policy.roles["big"]?.models == ["big", "gpt-3-5", "local"])
        #expect(policy.roles["gpt-3-5"]?.models == ["gpt-3-5", "local"])
        #expect(policy.models["big"]?.price?.input == USD(picodollars: 15_000_000))
        #expect(policy.models["big"]?.price?.output == USD(picodollars: 75_000_000))
        #expect(policy.models["gpt-3-5"]?.price?.input == USD(picodollars: 250_000))
        #expect(policy.models["local"]?.locality == .local)
        #expect(policy.providers["anthropic"]?.apiKeyVariable == "ANTHROPIC_API_KEY")
        #expect(policy.providers["openai"]?.cooldownAfterFailures == 2)
    }

    @Test(arguments: [
        ("fallbacks: [{ big: [GPT-3.5, local] }]", "fallbacks: [{ big: [GPT-4] }]", DiagnosticCode.fallbackUnknown, 20),
        ("fallbacks: [{ big: [GPT-3.5, local] }]", "fallbacks: [{ bgi: [local] }]", .fallbackUnknown, 20),
        ("  fallbacks:", "  fallback:", .unknownKey, 20),
        ("model_name: GPT-3.5", "model_name: big", .aliasRepeated, 9),
        ("      output_cost_per_token: 7.5e-5\n", "", .priceUnknown, 2),
        ("os.environ/OPENAI_API_KEY", "hunter2", .keyWritten, 12),
        ("ollama/qwen3", "qwen3", .providerUnknown, 17),
        ("    model_info: { max_input_tokens: 32000 }\n", "", .missingKey, 16),
        ("allowed_fails: 2", "allowed_fails: some", .wrongType, 22),
        ("input_cost_per_token: 0.000015", "input_cost_per_token: cheap", .wrongType, 6),
        ("input_cost_per_token: 0.000015", "input_cost_per_tokn: 0.000015", .unknownKey, 6),
        ("cooldown_time: 30", "cooldown_time: 30\n  fallbacks: []", .duplicateKey, 24),
    ])
    func whatLiteLLMLetsPassIsRefused(_ old: String, _ new: String, _ code: DiagnosticCode, _ line: Int) {
        let outcome = convert(Self.good.with(old, new))
        #expect(outcome.policy == nil)
        #expect(
            outcome.diagnostics.contains { $0.code == code && $0.span.start.line == line },
            "\(outcome.diagnostics.map { "\($0.code) \($0.span.start.line) \($0.message)" })"
        )
    }

    @Test func aKeyIsShownNowhere() {
        let outcome = convert(Self.good.with("os.environ/OPENAI_API_KEY", "sk-proj-4f9a8b7c6d5e4f3a2b1c"))
        for format in DiagnosticFormat.allCases { #expect(!format.text(outcome.diagnostics).contains("4f9a8b7c")) }
    }

    @Test func whatIsLostIsSaid() {
        let outcome = convert(Self.good + "  num_retries: 3\n")
        #expect(outcome.policy != nil && outcome.diagnostics.map(\.code) == [.settingNotImported])
    }

    @Test func anyBytesAreAnswered() {
        for text in ["", "-", "[", "model_list: 3", "model_list: []", "model_list: [{}]", "model_list: [3]", "a: &b c"]
        {
            let outcome = convert(text)
            #expect(outcome.policy == nil && !outcome.diagnostics.isEmpty, "\(text)")
        }
        let bytes = LiteLLMImport.convert(SourceFile(name: "x", bytes: [0xFF, 0xFE]), name: "a", owner: "b")
        #expect(bytes.policy == nil && !bytes.diagnostics.isEmpty)
    }
}
