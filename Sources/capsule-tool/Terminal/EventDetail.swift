import Ledger

/// One event in full.
struct EventDetail {
    let event: RecordedEvent
    /// The whole body, a blob's too; nil if there is none here.
    let body: [UInt8]?
    let actor: String?
    let stage: String?

    func lines() -> [String] {
        let envelope = event.envelope
        var lines: [(String, String)] = [
            ("event", "\(envelope.reference)"), ("type", envelope.type.name), ("time", "\(envelope.time)"),
            ("snapshot", envelope.snapshot == .zero ? "none (run zero)" : PolicySnapshot.text(envelope.snapshot)),
        ]
        if let actor { lines.append(("actor", "\(actor) (#\(envelope.actor))")) }
        if envelope.stage > 0 { lines.append(("stage", "\(stage ?? "?") (#\(envelope.stage))")) }
        if !envelope.causes.isEmpty {
            lines.append(
                (
                    "causes",
                    envelope.causes.map { $0.run == envelope.run ? "#\($0.sequence)" : "\($0)" }.joined(separator: ", ")
                )
            )
        }
        if let trace = envelope.trace { lines.append(("trace", trace.traceparent)) }
        if let key = envelope.key { lines.append(("key hash", key.hex)) }
        if let seal = envelope.seal {
            lines.append(("outcome", seal.outcome?.name ?? "#\(seal.outcomeCode)"))
            lines.append(("run root", seal.root.hex))
        }
        lines.append(("leaf", "\(event.leafIndex)  \(event.leafHash.hex)"))
        lines.append(("body", bodyLine))
        var result = lines.map { "\($0.padding(10))\(Printable.escape($1))" }
        if let text = bodyText {
            result.append("")
            result += text.split(separator: "\n", omittingEmptySubsequences: false).map { Printable.escape(String($0)) }
        }
        return result
    }

    private var bodyLine: String {
        switch event.content {
        case .none: "none"
        case .withheld: "withheld; the commitment to it stands"
        case .inline(let bytes): "\(event.envelope.media.name), \(bytes.count) bytes"
        case .blob(let blob):
            "\(event.envelope.media.name), \(blob.length) bytes, blob \(blob.id.hex)"
                + (body == nil ? ", not in the file" : "")
        }
    }

    private var bodyText: String? {
        guard let body, event.envelope.media.isText, !body.isEmpty else { return nil }
        if event.envelope.media == .json, let value = try? JSONValue.parse(body) {
            return String(decoding: value.encoded(.pretty), as: UTF8.self)
        }
        return String(decoding: body, as: UTF8.self)
    }

    func value() -> JSONValue {
        let envelope = event.envelope
        var members = JSONValue.Members()
        members["sequence"] = .number(JSONNumber(envelope.sequence))
        members["type"] = .string(envelope.type.name)
        members["time"] = .string("\(envelope.time)")
        members["snapshot"] = envelope.snapshot == .zero ? .null : .string(PolicySnapshot.text(envelope.snapshot))
        members["actor"] = actor.map { .string($0) } ?? .null
        members["stage"] = stage.map { .string($0) } ?? .null
        members["causes"] = .array(envelope.causes.map { .string("\($0)") })
        members["trace"] = envelope.trace.map { .string($0.traceparent) } ?? .null
        members["outcome"] = envelope.seal?.outcome.map { .string($0.name) } ?? .null
        members["leaf_index"] = .number(JSONNumber(event.leafIndex))
        members["leaf_hash"] = .string(event.leafHash.hex)
        members["media"] = envelope.bodyKind == .none ? .null : .string(envelope.media.name)
        members["body_state"] = .string(bodyState)
        if let body { members.merge(bodyMembers(body)) }
        return .object(members)
    }

    private var bodyState: String {
        switch event.content {
        case .none: "none"
        case .withheld: "withheld"
        case .inline: "inline"
        case .blob: "blob"
        }
    }

    private func bodyMembers(_ body: [UInt8]) -> [(String, JSONValue)] {
        if event.envelope.media == .json, let value = try? JSONValue.parse(body) { return [("body", value)] }
        if event.envelope.media.isText, let text = String(validating: body, as: UTF8.self) {
            return [("text", .string(text))]
        }
        return [("bytes_hex", .string(Hex.encode(body)))]
    }
}

extension JSONValue.Members {
    fileprivate mutating func merge(_ others: [(String, JSONValue)]) {
        for (key, value) in others { self[key] = value }
    }
}
