import Ledger

/// What happened, in a few words.
enum EventSummary {
    /// Characters of a summary at most where nothing else cuts it.
    private static let limit = 400

    static func text(of event: RecordedEvent) -> String {
        switch event.content {
        case .none: return ""
        case .withheld: return "(withheld)"
        case .blob(let blob): return "(\(event.envelope.media.name), \(Human.bytes(blob.length)))"
        case .inline(let bytes):
            if let value = event.json { return cut(words(event.envelope, value)) }
            guard event.envelope.media.isText else {
                return "(\(event.envelope.media.name), \(Human.bytes(UInt64(bytes.count))))"
            }
            return cut(String(decoding: bytes.prefix(limit), as: UTF8.self).replacing("\n", with: "⏎"))
        }
    }

    private static func cut(_ text: String) -> String { text.count > limit ? text.prefix(limit) + "…" : text }

    private static func words(_ envelope: Envelope, _ body: JSONValue) -> String {
        guard case .registered(let type) = envelope.type else { return compact(body) }
        switch type {
        case .runStart:
            return join([body["name"]?.string, body["spec"]?.string, body["risk"]?.string.map { "risk \($0)" }])
        case .runEnd: return join([envelope.seal?.outcome?.name, body["reason"]?.string])
        case .actor: return join([body["name"]?.string, body["kind"]?.string])
        case .stage: return join([body["name"]?.string, body["reason"]?.string])
        case .snapshot: return join([body["snapshot"]?.string.map { String($0.prefix(19)) }, body["reason"]?.string])
        case .checkpoint: return join([body["label"]?.string])
        case .note: return body["text"]?.string ?? ""
        case .error: return join([body["message"]?.string, body["code"]?.string])
        case .toolCall: return join([body["tool"]?.string, body["arguments"].map(compact)])
        case .toolResult: return toolResult(body)
        case .modelCall:
            return join([
                body["model"]?.string, body["input_tokens"]?.int.map { "\($0) in" },
                body["output_tokens"]?.int.map { "\($0) out" },
                body["cost_usd"]?.string.map { "$\($0)" },
                body["duration_ns"]?.int.map { Human.duration(nanoseconds: Int64($0)) },
                body["summary"]?.string,
            ])
        case .patchApplied: return patch(body)
        case .routingDecision:
            return join([
                body["role"]?.string, "→", body["model"]?.string ?? body["result"]?.string, body["reason"]?.string,
            ])
        default: return compact(body)
        }
    }

    private static func toolResult(_ body: JSONValue) -> String {
        func stream(_ name: String) -> String? {
            body[name]?["bytes"]?.int.flatMap { $0 > 0 ? "\(name) \(Human.bytes(UInt64(clamping: $0)))" : nil }
        }
        return join([
            body["tool"]?.string, body["ok"]?.bool.map { $0 ? "ok" : "failed" },
            body["exit_status"]?.int.map { "exit \($0)" }, body["signal"]?.int.map { "signal \($0)" },
            body["duration_ns"]?.int.map { Human.duration(nanoseconds: Int64($0)) }, stream("stdout"), stream("stderr"),
            body["error"]?.string, body["result"].map(compact),
        ])
    }

    private static func patch(_ body: JSONValue) -> String {
        let files = body["files"]?.array ?? []
        func sum(_ key: String) -> Int {
            files.reduce(0) { $0.addingReportingOverflow($1[key]?.int ?? 0).partialValue }
        }
        let name = files.count == 1 ? files[0]["path"]?.string : "\(files.count) files"
        return join([name, "+\(sum("added"))", "-\(sum("removed"))", body["summary"]?.string])
    }

    private static func join(_ parts: [String?]) -> String {
        parts.compactMap { $0 }.filter { !$0.isEmpty }.joined(separator: " ").replacing("\n", with: "⏎")
    }

    private static func compact(_ value: JSONValue) -> String {
        if let text = value.string { return text }
        if let list = value.array, list.allSatisfy({ $0.string != nil }) {
            return list.compactMap(\.string).joined(separator: " ")
        }
        return String(decoding: value.encoded(.compact), as: UTF8.self)
    }
}
