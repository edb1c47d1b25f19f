/// Drafts a policy from the configuration of LiteLLM's router, and refuses what that tool takes without a word.
///
/// A `model_name` becomes a model and a role of that name, with its fallbacks. What a policy says and LiteLLM does not
/// (stages, risk, tiers) is drafted for a person to set.
public struct LiteLLMImport {
    /// What came of it.
    public struct Outcome: Sendable {
        public var diagnostics: [Diagnostic]
        /// The policy in TOML; nil when something is wrong.
        public var policy: [UInt8]?
    }

    private let layer = PolicyLayer.workspace
    private let sink = DiagnosticSink()
    private var models: [LiteLLMModel] = []
    /// Keys that are written into the file, and the lines that hold one.
    private var keys: [(text: String, line: Int)] = []
    private var fallbacks: [String: [String]] = [:]
    private var defaultFallbacks: [String] = []
    private var cooldown: (failures: String?, seconds: String?) = (nil, nil)

    /// Reads a configuration in YAML.
    ///
    /// - Parameters:
    ///   - name: of the policy.
    ///   - owner: who answers for it.
    public static func convert(_ file: SourceFile, name: String, owner: String) -> Outcome {
        var conversion = LiteLLMImport()
        let file = SourceFile(name: file.name, bytes: file.bytes, format: .yaml)
        let text = SourceText(file)
        let isReadable =
            file.bytes.count <= PolicyLimits.sourceBytes
            && String(validating: text.bytes, as: UTF8.self) != nil
        if !isReadable {
            conversion.sink.add(.invalidUTF8, SourceOrigin(layer: .workspace, span: .beginning), "this is no text")
        } else if let root = YAMLReader(text: text, layer: .workspace, diagnostics: conversion.sink).read() {
            conversion.take(root)
        } else if !conversion.sink.hasErrors {
            conversion.add(.notATable, .beginning, "this file is empty", "is this a configuration of LiteLLM?")
        }
        let diagnostics = conversion.sink.diagnostics(in: [.workspace: text]).map(conversion.withoutKeys)
        guard !conversion.sink.hasErrors, !conversion.models.isEmpty else {
            return Outcome(diagnostics: diagnostics, policy: nil)
        }
        let policy = Array(conversion.draft(name: name, owner: owner).utf8)
        let result = PolicyCompiler.compile(workspace: SourceFile(name: "the drafted policy", bytes: policy))
        return Outcome(
            diagnostics: diagnostics + result.errors,
            policy: result.snapshot == nil ? nil : policy
        )
    }

    // MARK: Reading

    private func add(_ code: DiagnosticCode, _ span: SourceSpan, _ message: String, _ help: String? = nil) {
        sink.add(code, SourceOrigin(layer: layer, span: span), message, help)
    }

    /// The entries of a table whose keys are known; others are told.
    private func entries(_ node: SyntaxNode, _ kept: [String], _ dropped: [String], of name: String) -> [SyntaxEntry] {
        guard case .table(let entries) = node.value else {
            add(.wrongType, node.span, "`\(name)` is to be a table, not \(node.value.kind)")
            return []
        }
        return entries.filter { entry in
            if kept.contains(entry.key) { return true }
            if dropped.contains(entry.key) {
                add(
                    .settingNotImported,
                    entry.keySpan,
                    "`\(entry.key)` of `\(name)` has no counterpart in a policy",
                    "see whether a key of the policy does what it was for"
                )
            } else {
                add(
                    .unknownKey,
                    entry.keySpan,
                    "`\(entry.key)` is no key of `\(name)` that LiteLLM knows",
                    sink.suggestion(for: entry.key, among: kept + dropped) ?? "take it out, or spell it as LiteLLM does"
                )
            }
            return false
        }
    }

    private func items(_ node: SyntaxNode, _ name: String) -> [SyntaxNode] {
        if case .list(let items) = node.value { return items }
        add(.wrongType, node.span, "`\(name)` is to be a list, not \(node.value.kind)")
        return []
    }

    private mutating func take(_ root: SyntaxNode) {
        let kept = ["model_list", "router_settings", "litellm_settings"]
        let dropped = ["general_settings", "environment_variables", "include"]
        let sections = entries(root, kept, dropped, of: "the configuration")
        if let list = sections.first(where: { $0.key == "model_list" }) {
            for item in items(list.node, "model_list") { takeModel(item) }
            if models.isEmpty, !sink.hasErrors { add(.emptyList, list.node.span, "`model_list` is empty") }
        } else {
            add(.missingKey, .beginning, "there is no `model_list`", "is this a configuration of LiteLLM?")
        }
        for section in sections where section.key != "model_list" { takeSettings(section) }
        checkFallbacks()
    }

    private mutating func takeModel(_ item: SyntaxNode) {
        var model = LiteLLMModel(span: item.span)
        for entry in entries(item, ["model_name", "litellm_params", "model_info"], ["rpm", "tpm"], of: "model_list") {
            switch entry.key {
            case "model_name": model.setAlias(entry, self.text(entry, "model_name"))
            case "litellm_params": takeParameters(entry.node, &model)
            default: takeInfo(entry.node, &model)
            }
        }
        guard !model.alias.isEmpty else {
            return add(.missingKey, item.span, "this model has no `model_name`", "name it")
        }
        if let first = models.first(where: { $0.name == model.name }) {
            let line = first.span.start.line
            return add(
                .aliasRepeated,
                model.aliasSpan,
                "`\(model.alias)` is the name of the model in line \(line) already; LiteLLM takes either at random",
                "give each its own name, and put one behind the other in a role"
            )
        }
        check(model)
        models.append(model)
    }

    private func check(_ model: LiteLLMModel) {
        guard !model.route.isEmpty else {
            return add(.missingKey, model.span, "`\(model.alias)` has no `litellm_params.model`", "name what is called")
        }
        if model.provider == nil {
            add(
                .providerUnknown,
                model.routeSpan,
                "nothing says how `\(model.route)` is called",
                "begin it with `anthropic/` or `openai/`, or add `api_base`"
            )
        }
        if model.context == nil {
            add(
                .missingKey,
                model.aliasSpan,
                "`\(model.alias)` says nothing of its context",
                "add `max_input_tokens` to its `model_info`"
            )
        }
        if model.isCloud, model.input == nil || model.output == nil {
            add(
                .priceUnknown,
                model.aliasSpan,
                "`\(model.alias)` has no price, so no budget would hold",
                "add `input_cost_per_token` and `output_cost_per_token`"
            )
        }
    }

    private mutating func takeParameters(_ node: SyntaxNode, _ model: inout LiteLLMModel) {
        let kept = ["model", "api_base", "api_key", "input_cost_per_token", "output_cost_per_token", "timeout"]
        for entry in entries(node, kept, LiteLLMModel.droppedParameters, of: "litellm_params") {
            switch entry.key {
            case "model": model.setRoute(entry, text(entry, "model"))
            case "api_base": model.base = text(entry, "api_base")
            case "api_key": takeKey(entry, &model)
            case "timeout": model.timeout = whole(entry)
            default: model.setPrice(entry.key, price(entry))
            }
        }
    }

    /// A key need not look like one; no line shows it.
    private func withoutKeys(_ diagnostic: Diagnostic) -> Diagnostic {
        var diagnostic = diagnostic
        for key in keys where key.line == diagnostic.span.start.line {
            let count = key.text.unicodeScalars.count
            let shown = diagnostic.line.replacing(key.text, with: String(repeating: "*", count: count))
            // A long line is shown in part, and so may the key be.
            diagnostic.line = shown == diagnostic.line ? "" : shown
        }
        return diagnostic
    }

    private mutating func takeKey(_ entry: SyntaxEntry, _ model: inout LiteLLMModel) {
        let mark = "os.environ/"
        guard let key = text(entry, "api_key") else { return }
        guard key.hasPrefix(mark) else {
            if !key.isEmpty { keys.append((key, entry.node.span.start.line)) }
            // What stands here is not told: it is a secret, whatever it looks like.
            return add(
                .keyWritten,
                entry.keySpan,
                "a key is written into this file",
                "put it into a variable, write `os.environ/NAME`, and withdraw the key: whoever read the file has it"
            )
        }
        model.variable = String(key.dropFirst(mark.count))
    }

    private mutating func takeInfo(_ node: SyntaxNode, _ model: inout LiteLLMModel) {
        let kept = [
            "max_input_tokens", "max_output_tokens", "max_tokens", "input_cost_per_token", "output_cost_per_token",
        ]
        let dropped = ["id", "mode", "base_model", "description", "supports_vision", "supports_function_calling"]
        for entry in entries(node, kept, dropped, of: "model_info") {
            switch entry.key {
            case "max_input_tokens": model.context = whole(entry)
            case "max_tokens": model.context = model.context ?? whole(entry)
            case "max_output_tokens": model.outputLimit = whole(entry)
            default: model.setPrice(entry.key, price(entry))
            }
        }
    }

    private mutating func takeSettings(_ section: SyntaxEntry) {
        let kept = [
            "fallbacks", "context_window_fallbacks", "default_fallbacks", "allowed_fails", "cooldown_time",
        ]
        for entry in entries(section.node, kept, LiteLLMModel.droppedSettings, of: section.key) {
            switch entry.key {
            case "default_fallbacks": defaultFallbacks += names(entry.node, entry.key)
            case "allowed_fails": cooldown.failures = whole(entry)
            case "cooldown_time": cooldown.seconds = whole(entry)
            default: takeFallbacks(entry)
            }
        }
    }

    private mutating func takeFallbacks(_ entry: SyntaxEntry) {
        for item in items(entry.node, entry.key) {
            guard case .table(let pairs) = item.value else {
                add(.wrongType, item.span, "a fallback is to be a table, such as `{ big: [small] }`")
                continue
            }
            for pair in pairs {
                known(pair.key, pair.keySpan)
                let list = names(pair.node, entry.key)
                fallbacks[LiteLLMModel.name(pair.key), default: []] += list
            }
        }
    }

    private func names(_ node: SyntaxNode, _ key: String) -> [String] {
        items(node, key).compactMap { item in
            guard case .string(let name) = item.value else {
                add(.wrongType, item.span, "the name of a model is to be text, not \(item.value.kind)")
                return nil
            }
            known(name, item.span)
            return LiteLLMModel.name(name)
        }
    }

    /// The models are read before the settings, wherever these stand.
    private func known(_ name: String, _ span: SourceSpan) {
        guard !models.contains(where: { $0.alias == name }) else { return }
        add(
            .fallbackUnknown,
            span,
            "`\(name)` is no `model_name` of this configuration",
            sink.suggestion(for: name, among: models.map(\.alias)) ?? "add it to `model_list`, or take it out"
        )
    }

    private mutating func checkFallbacks() {
        for (name, list) in fallbacks {
            var seen: Set = [name]
            fallbacks[name] = list.filter { seen.insert($0).inserted }
        }
    }

    // MARK: Values

    private func text(_ entry: SyntaxEntry, _ name: String) -> String? {
        if case .string(let text) = entry.node.value { return text }
        add(.wrongType, entry.node.span, "`\(name)` is to be text, not \(entry.node.value.kind)")
        return nil
    }

    private func whole(_ entry: SyntaxEntry) -> String? {
        if case .integer(let digits) = entry.node.value, let number = Int(digits), number > 0 { return "\(number)" }
        add(.wrongType, entry.node.span, "`\(entry.key)` is to be a whole number above 0")
        return nil
    }

    /// Dollars for a token, as dollars for a million.
    private func price(_ entry: SyntaxEntry) -> String? {
        switch entry.node.value {
        case .integer(let digits), .float(let digits), .string(let digits):
            let parts = digits.lowercased().split(separator: "e", maxSplits: 1)
            let exponent = parts.count > 1 ? Int(parts[1]) : 0
            if let exponent, exponent.magnitude < 40, let mantissa = parts.first,
                let price = try? Decimal6("\(mantissa)e\(exponent + 6)"), price.millionths >= 0
            {
                return price.description
            }
        default: break
        }
        add(.wrongType, entry.node.span, "`\(entry.key)` is to be dollars for a token, such as `0.000015`")
        return nil
    }

    // MARK: Writing

    private func draft(name: String, owner: String) -> String {
        var text = """
            # Drafted from a configuration of LiteLLM. Set what that does not say: the stages of a run, the tiers of the
            # models (larger is stronger), the roles' names, the rules of risk, the budget.
            schema = 1
            stages = ["work"]

            [policy]
            name    = \(TOMLWriter.quoted(name))
            version = "0.1.0"
            owner   = \(TOMLWriter.quoted(owner))

            """
        text += providers
        for model in models { text += "\n" + model.toml }
        for model in models {
            var list = [model.name]
            for next in (fallbacks[model.name] ?? []) + defaultFallbacks where !list.contains(next) {
                list.append(next)
            }
            let names = list.map(TOMLWriter.quoted).joined(separator: ", ")
            text += "\n[roles.\(model.name)]\nmodels = [\(names)]\n"
        }
        return text + """

            [risk.high]
            evidence = "durable"

            [risk.low]
            evidence = "written"

            [budgets]
            per_run_usd = "10.00"

            """
    }

    private var providers: String {
        var seen: Set<String> = []
        return models.compactMap { model -> String? in
            guard let provider = model.provider, seen.insert(provider.name).inserted else { return nil }
            var lines = [
                "", "[providers.\(provider.name)]", "api      = \"\(provider.api)\"",
                "base_url = \(TOMLWriter.quoted(provider.base))",
            ]
            if let variable = model.variable { lines.append("api_key_env = \(TOMLWriter.quoted(variable))") }
            if let timeout = model.timeout { lines.append("timeout = \"\(timeout)s\"") }
            var parts: [String] = []
            if let failures = cooldown.failures { parts.append("after_failures = \(failures)") }
            if let seconds = cooldown.seconds { parts.append("for = \"\(seconds)s\"") }
            if !parts.isEmpty { lines.append("cooldown = { \(parts.joined(separator: ", ")) }") }
            return lines.joined(separator: "\n") + "\n"
        }.joined()
    }
}
