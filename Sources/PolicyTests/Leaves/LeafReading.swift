import ModelPolicy

extension PolicyLeaf {
    /// Whether the router reads it: whether there are inputs for which another value gives another decision.
    ///
    /// The others decide nothing: names and versions, how a provider is called, capture, redaction, approvals and what
    /// layers may change. A test changes each of them and sees no decision change.
    public var isDecisive: Bool { Self.isDecisive(path) }

    public static func isDecisive(_ path: String) -> Bool {
        let steps = path.split(separator: ".").map(String.init)
        switch steps.first {
        case "providers"?: return !["api", "api_key_env", "timeout"].contains(steps.last)
        case "models"?, "roles"?, "escalations"?, "risk"?, "budgets"?, "gates"?, "stages"?: return true
        case "enforcement"?: return steps.last != "approvals"
        default: return false
        }
    }
}
