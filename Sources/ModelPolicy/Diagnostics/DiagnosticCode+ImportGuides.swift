extension DiagnosticCode {
    private static let model = """
        model_list:
          - model_name: big
            litellm_params:
              model: anthropic/big-1
              api_key: os.environ/ANTHROPIC_API_KEY
              input_cost_per_token: 0.000015
              output_cost_per_token: 0.000075
            model_info: { max_input_tokens: 200000 }
        """

    static let guidesOfImport: [DiagnosticCode: DiagnosticGuide] = [
        .aliasRepeated: DiagnosticGuide(
            "Two models of a configuration have one name",
            "LiteLLM takes either of them at random. In a policy each model has its own name, and a role says which "
                + "comes first.",
            .litellm,
            fault: model + "\n" + model.dropFirst("model_list:\n".count),
            cure: model + "\n"
                + model.dropFirst("model_list:\n".count).replacing("model_name: big", with: "model_name: big-second")
        ),
        .fallbackUnknown: DiagnosticGuide(
            "A fallback names no model",
            "LiteLLM starts with it and finds nothing when it is needed.",
            .litellm,
            fault: model + "\nrouter_settings:\n  fallbacks: [{ big: [bgi] }]",
            cure: model + "\nrouter_settings:\n  fallbacks: [{ big: [big] }]"
        ),
        .priceUnknown: DiagnosticGuide(
            "A model has no price",
            "LiteLLM counts its calls as free where it knows no price, so that no budget holds.",
            .litellm,
            fault: model.replacing("      output_cost_per_token: 0.000075\n", with: ""),
            cure: model
        ),
        .keyWritten: DiagnosticGuide(
            "A key is written into a configuration",
            "A policy holds the name of the variable that holds the key, and never the key.",
            .litellm,
            fault: model.replacing("os.environ/ANTHROPIC_API_KEY", with: "my-own-key"),
            cure: model
        ),
        .settingNotImported: DiagnosticGuide(
            "A setting has no counterpart",
            "It would be lost without a word. A policy may have a key that does what it was for: fallbacks stand in "
                + "roles, retries after failures in `cooldown` and escalations, budgets in `budgets`.",
            .litellm,
            fault: model + "\nrouter_settings:\n  routing_strategy: latency-based-routing",
            cure: model
        ),
        .providerUnknown: DiagnosticGuide(
            "Nothing says how a model is called",
            "A policy knows the protocol and the address of each provider. LiteLLM guesses both from the model's name.",
            .litellm,
            fault: model.replacing("anthropic/big-1", with: "big-1"),
            cure: model
        ),
    ]
}
