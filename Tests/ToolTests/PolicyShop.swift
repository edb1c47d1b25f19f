import Foundation

/// Policies for tests of the tool.
enum Policies {
    static let small = """
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
        price_per_mtok = { input = 1.00, output = 2.00 }

        [roles.writer]
        models = ["big"]

        [risk.high]
        evidence = "durable"

        [risk.low]
        evidence = "written"

        [budgets]
        per_run_usd = "10.00"

        [overrides]
        allow = ["roles.*.models"]
        tighten_only = ["budgets"]

        """
}

extension Shop {
    /// A capsule and a policy in one folder.
    static func withPolicy() throws -> Shop {
        let shop = try Shop()
        try shop.write(Policies.small, to: "model_policy.toml")
        return shop
    }

    func read(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    /// Exchanges the one occurrence of a text in a file.
    func edit(_ old: String, _ new: String, in name: String = "model_policy.toml") throws {
        let text = try read(name)
        precondition(text.components(separatedBy: old).count == 2, "'\(old)' is to be there once")
        try write(text.replacingOccurrences(of: old, with: new), to: name)
    }

    func folder(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
    }

    func json(_ arguments: String...) throws -> Any {
        let answer = try Self.launch(Self.tool, arguments, folder: folder, input: Data(), environment: [:])
        return try JSONSerialization.jsonObject(with: Data(answer.output.utf8))
    }

    /// The events of a run, each as its type and body.
    func timeline(_ run: String) throws -> [(type: String, snapshot: String, body: [String: Any])] {
        let shown = try json("show", run, "--json") as? [String: Any]
        return (shown?["timeline"] as? [[String: Any]] ?? []).map {
            ($0["type"] as? String ?? "", $0["snapshot"] as? String ?? "", $0["body"] as? [String: Any] ?? [:])
        }
    }
}
