/// One line of a stream of events, as `capsule-tool append` reads it: a JSON object that says what happened.
///
/// ```json
/// {"type":"tool.call","body":{"tool":"grep"},"actor":"implementer","key":"call-7","causes":[3]}
/// ```
///
/// `type` is required unless the command names one. `body` is stored byte for byte as it stands in the line; `text` is
/// for bodies
/// that are plain text.
public enum EventLine {
    private static let keys: Set<String> = [
        "type", "body", "text", "media", "time", "actor", "key", "causes", "trace", "expected_sequence",
    ]

    /// - Parameters:
    ///   - run: the run that causes given as a bare number are in.
    ///   - wholeAs: the line is the body of an event of this type, and nothing else.
    /// - Throws: `LedgerError.inputInvalid`, `reservedType` or `bodyInvalid`, `CapsuleError` for a name.
    public static func parse(
        _ line: UnsafeRawBufferPointer,
        run: RunID,
        wholeAs type: EventType? = nil,
        actor: String? = nil
    ) throws -> EventDraft {
        var draft: EventDraft
        if let type {
            draft = EventDraft(type, body: Array(line))
        } else {
            draft = try parseMembers(line, run: run)
        }
        if draft.actor == nil, let actor { draft.actor = ActorDraft(named: actor) }
        try draft.checkType()
        try draft.checkBody()
        return draft
    }

    private static func parseMembers(_ line: UnsafeRawBufferPointer, run: RunID) throws -> EventDraft {
        let members: [JSONText.MemberRange]
        do throws(JSONError) {
            members = try JSONText.members(of: line)
        } catch {
            throw LedgerError(.inputInvalid, "this is not a JSON object: column \(error.column): \(error.code)")
        }
        guard let type = members.first(where: { $0.key == "type" }) else {
            throw LedgerError(
                .inputInvalid,
                "an event needs a \"type\"; registered ones are in spec/registry.md, or give --type"
            )
        }
        var draft = EventDraft(try EventType(name: try string(type, line)), body: nil)
        for member in members {
            guard keys.contains(member.key) else {
                throw LedgerError(
                    .inputInvalid,
                    "\"\(member.key)\" is not known here; content belongs into \"body\". Known are "
                        + keys.sorted().joined(separator: ", ")
                )
            }
            try apply(member, line, run: run, to: &draft)
        }
        return draft
    }

    private static func apply(
        _ member: JSONText.MemberRange,
        _ line: UnsafeRawBufferPointer,
        run: RunID,
        to draft: inout EventDraft
    ) throws {
        switch member.key {
        case "body":
            guard draft.body == nil else { throw LedgerError(.inputInvalid, "give \"body\" or \"text\", not both") }
            draft.body = Array(line[member.value])
        case "text":
            guard draft.body == nil else { throw LedgerError(.inputInvalid, "give \"body\" or \"text\", not both") }
            draft.body = Array(try string(member, line).utf8)
            draft.media = .text
        case "media":
            let name = try string(member, line)
            guard let media = MediaType(name: name) else {
                throw LedgerError(.inputInvalid, "media type '\(name)' is not registered")
            }
            draft.media = media
        case "time":
            let text = try string(member, line)
            guard let time = Timestamp(rfc3339: text) else {
                throw LedgerError(.inputInvalid, "'\(text)' is not a time like 2026-11-23T14:00:00Z (RFC 3339)")
            }
            draft.time = time
        case "actor": draft.actor = ActorDraft(named: try string(member, line))
        case "key": draft.key = try string(member, line)
        case "causes": draft.causes = try causes(member, line, run: run)
        case "trace":
            let text = try string(member, line)
            guard let trace = TraceContext(traceparent: text) else {
                throw LedgerError(.inputInvalid, "'\(text)' is not a traceparent of W3C Trace Context, version 00")
            }
            draft.trace = trace
        case "expected_sequence":
            guard let number = try value(member, line).int.flatMap(UInt32.init(exactly:)) else {
                throw LedgerError(.inputInvalid, "\"expected_sequence\" is a number")
            }
            draft.expectedSequence = number
        default: break
        }
    }

    private static func value(_ member: JSONText.MemberRange, _ line: UnsafeRawBufferPointer) throws -> JSONValue {
        try JSONValue.parse(UnsafeRawBufferPointer(rebasing: line[member.value]))
    }

    private static func string(_ member: JSONText.MemberRange, _ line: UnsafeRawBufferPointer) throws -> String {
        guard let text = try value(member, line).string else {
            throw LedgerError(.inputInvalid, "\"\(member.key)\" is a string")
        }
        return text
    }

    private static func causes(
        _ member: JSONText.MemberRange,
        _ line: UnsafeRawBufferPointer,
        run: RunID
    ) throws -> [EventReference] {
        guard let list = try value(member, line).array else {
            throw LedgerError(.inputInvalid, "\"causes\" is a list of sequences, or of texts like RUN#12")
        }
        return try list.map { element in
            if let number = element.int.flatMap(UInt32.init(exactly:)) {
                return EventReference(run: run, sequence: number)
            }
            guard let text = element.string else {
                throw LedgerError(.inputInvalid, "a cause is a sequence, or a text like RUN#12")
            }
            return try EventReference(text: text, in: run)
        }
    }
}

extension EventReference {
    /// Reads `12`, `#12` or `RUN#12` with a full run ID.
    public init(text: String, in run: RunID) throws(LedgerError) {
        let parts = text.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
        let owner = parts.count == 2 && !parts[0].isEmpty ? RunID(hex: parts[0]) : run
        guard let owner, let sequence = parts.last.flatMap({ UInt32($0) }) else {
            throw LedgerError(
                .inputInvalid,
                "'\(text)' does not name an event; write 12, or RUN#12 with the whole run ID"
            )
        }
        self.init(run: owner, sequence: sequence)
    }
}
