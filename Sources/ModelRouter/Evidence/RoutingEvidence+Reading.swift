import JSONText

extension RoutingEvidence {
    /// Members of a decision that the fold and a replay look at. The others are derived again, or are for people.
    private static let needed: Set<String> = [
        "asserted", "escalation", "exceptions", "model", "model_id", "now_ms", "provider", "reserved", "result", "role",
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

    /// The request of a decision, where its bytes begin as the router's own do: with what was asserted. Nil for all
    /// others, which are read as a whole.
    static func request(atBeginningOf body: [UInt8]) -> RoutingRequest? {
        guard body.starts(with: beforeAsserted) else { return nil }
        return body.withUnsafeBytes { bytes in
            let rest = UnsafeRawBufferPointer(rebasing: bytes[beforeAsserted.count...])
            guard let end = endOfObject(rest),
                let asserted = try? JSONValue.parse(UnsafeRawBufferPointer(rebasing: rest[..<end]))
            else { return nil }
            return RoutingRequest(recorded: asserted)
        }
    }

    /// Where the object at the beginning ends, if it ends; whether it is JSON is not asked.
    private static func endOfObject(_ bytes: UnsafeRawBufferPointer) -> Int? {
        var (depth, isInString, index) = (0, false, 0)
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\\") where isInString: index += 1
            case UInt8(ascii: "\""): isInString.toggle()
            case UInt8(ascii: "{") where !isInString: depth += 1
            case UInt8(ascii: "}") where !isInString:
                depth -= 1
                if depth == 0 { return index + 1 }
            default: break
            }
            index += 1
        }
        return nil
    }
}
