import JSONText

extension RoutingEvidence {
    /// Members of a decision that the fold and a replay look at. The others are derived again, or are for people.
    private static let needed: Set<String> = [
        "asserted", "escalation", "exceptions", "model", "now_ms", "provider", "reserved", "result", "role",
        "semantics",
        "snapshot",
    ]

    /// Reads the body of an event as far as the router needs it; nil for what is no JSON object.
    ///
    /// A decision is for the most part what nobody asks for again: it is checked to be JSON, and not made into a tree.
    public static func read(_ body: [UInt8], of kind: RoutingEvent.Kind) -> JSONValue? {
        guard kind == .decision else { return try? JSONValue.parse(body) }
        return body.withUnsafeBytes { bytes in
            guard let ranges = try? JSONText.members(of: bytes) else { return nil }
            var members = JSONValue.Members()
            for member in ranges where needed.contains(member.key) {
                guard let value = try? JSONValue.parse(UnsafeRawBufferPointer(rebasing: bytes[member.value])) else {
                    return nil
                }
                members.append(member.key, value)
            }
            return .object(members)
        }
    }
}
