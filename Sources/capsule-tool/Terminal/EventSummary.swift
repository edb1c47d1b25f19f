import Ledger

/// What happened, in a few words.
enum EventSummary {
    /// Characters of a summary at most where nothing else cuts it.
    private static let limit = 400

    /// - Parameter uncut: as long as it is.
    static func text(of event: ReadEvent, uncut: Bool = false) -> String {
        let envelope = event.envelope
        let limit = uncut ? Int.max : limit
        switch event.event.content {
        case .none: return ""
        case .withheld: return "(withheld)"
        case .blob(let blob): return "(\(envelope.media.name), \(Human.bytes(blob.length)))"
        case .inline(let bytes):
            if let value = event.body { return cut(words(envelope, value), to: limit) }
            guard envelope.media.isText else {
                return "(\(envelope.media.name), \(Human.bytes(UInt64(bytes.count))))"
            }
            let text = String(decoding: bytes.prefix(limit), as: UTF8.self)
            return text.replacing("\n", with: "⏎") + (bytes.count > limit ? "…" : "")
        }
    }

    private static func cut(_ text: String, to limit: Int) -> String {
        // Counting characters takes time; no text has more of them than bytes.
        guard text.utf8.count > limit, text.count > limit else { return text }
        return text.prefix(limit) + "…"
    }

    private static func words(_ envelope: Envelope, _ body: JSONValue) -> String {
        guard case .registered(let type) = envelope.type else { return compact(body) }
        switch type {
        case .runStart:
            return join([body["name"]?.string, body["spec"]?.string, body["risk"]?.string.map { "risk \($0)" }])
        case .runEnd: return join([envelope.seal?.outcome?.name, body["reason"]?.string])
        case .actor: return join([body["name"]?.string, body["kind"]?.string])
        case .stage: return join([body["name"]?.string, body["reason"]?.string])
        case .snapshot: return join([body["snapshot"]?.string.map { String($0.prefix(19)) }, body["reason"]?.string])
        case .policyFailure: return join([body["action"]?.string, body["reason"]?.string])
        case .policyKept: return join([body["cause"]?.string, body["reason"]?.string, looser(body)])
        case .checkpoint: return join([body["label"]?.string])
        case .note: return join([body["text"]?.string])
        case .error: return join([body["message"]?.string, body["code"]?.string])
        case .toolCall: return join([body["tool"]?.string, body["arguments"].map(compact)])
        case .toolResult: return toolResult(body)
        case .modelCall:
            return join([
                body["model"]?.string, body["input_tokens"]?.int.map { "\($0) in" },
                body["output_tokens"]?.int.map { "\($0) out" },
                body["cost_usd"]?.string.map { "$\($0)" },
                body["summary"]?.string,
            ])
        case .patchApplied: return patch(body)
        case .routingDecision:
            return join([
                body["role"]?.string, "→", body["model"]?.string ?? body["result"]?.string, body["reason"]?.string,
                body["causes"]?.array.flatMap { causes in
                    causes.isEmpty ? nil : "(\(causes.compactMap(\.string).joined(separator: ", ")))"
                },
            ])
        default: return judgement(type, body)
        }
    }

    private static func judgement(_ type: RegisteredType, _ body: JSONValue) -> String {
        switch type {
        case .routingSettlement:
            return join([
                body["outcome"]?.string, body["served_model"]?.string, body["cost_usd"]?.string.map { "$\($0)" },
            ])
        case .retrievalRequest: return join([body["source"]?.string.map { "\($0):" }, body["query"]?.string])
        case .retrievalResponse:
            let results = body["results"]?.array ?? []
            return join(["\(results.count) found"] + results.prefix(5).map { $0["path"]?.string })
        case .gateDecision: return join([body["gate"]?.string, body["result"]?.string, body["reason"]?.string])
        case .gateResult:
            return join([body["gate"]?.string, body["measure"]?.string, body["value"].map(compact)])
        case .humanAnswer:
            return join([body["by"]?.string.map { "\($0):" }, body["answer"]?.string, body["model"]?.string])
        case .budgetAlert:
            return join([
                body["budget"]?.string, body["level"]?.string, body["used"]?.string, "of", body["limit"]?.string,
            ])
        case .override:
            return join([
                body["rule"]?.string, "set aside by", body["by"]?.string,
                body["signature"] == nil ? "(unsigned)" : "(signed)", body["reason"]?.string,
            ])
        default: return own(type, body)
        }
    }

    /// What run zero says.
    private static func own(_ type: RegisteredType, _ body: JSONValue) -> String {
        switch type {
        case .capsuleCreate: return join([body["origin"]?.string, body["tool"]?.string.map { "by \($0)" }])
        case .capsuleSalvage, .capsuleAdopt:
            return join([
                body["from_origin"]?.string.map { "from \($0)," }, body["losses"]?.int.map(CopyOrigin.losses),
                body["size"]?.int.map { "at \(Human.count(UInt64(clamping: $0))) events" },
                body["reason"]?.string.map { "(\($0))" },
            ])
        case .capsuleErase:
            let events = body["events"]?.int.map { "\(Human.count(UInt64(clamping: $0))) events" }
            return join([events, body["by"]?.string.map { "by \($0):" }, body["reason"]?.string])
        case .capsuleClose: return join([body["successor_origin"]?.string.map { "continued by \($0)" }])
        default: return compact(body)
        }
    }

    /// The rules that would permit more.
    private static func looser(_ body: JSONValue) -> String? {
        let paths = (body["changes"]?.array ?? []).filter { $0["effect"]?.string == "looser" }
            .compactMap { $0["path"]?.string }
        return paths.isEmpty ? nil : "(\(paths.joined(separator: ", ")))"
    }

    private static func toolResult(_ body: JSONValue) -> String {
        func stream(_ name: String) -> String? {
            body[name]?["bytes"]?.int.flatMap { $0 > 0 ? "\(name) \(Human.bytes(UInt64(clamping: $0)))" : nil }
        }
        return join([
            body["tool"]?.string, body["ok"]?.bool.map { $0 ? "ok" : "failed" },
            body["exit_status"]?.int.map { "exit \($0)" }, body["signal"]?.int.map { "signal \($0)" },
            stream("stdout"), stream("stderr"),
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
