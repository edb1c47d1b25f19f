import Ledger

/// A run for people and for machines.
struct RunView {
    let row: RunRow
    let timeline: RunTimeline
    let policy: String?
    private let actors: [UInt32: String]
    private let stages: [UInt32: String]

    init(row: RunRow, timeline: RunTimeline, policy: String?) {
        self.row = row
        self.timeline = timeline
        self.policy = policy
        actors = timeline.actors
        stages = timeline.stages
    }

    private var start: JSONValue? { timeline.events.first?.json }
    private var count: Int { timeline.events.count }

    // MARK: For people

    func header() -> [String] {
        var lines: [(String, String)] = [("run", "\(row.id)\(row.name.map { "  \($0)" } ?? "")")]
        lines.append(("state", "\(row.stateName), \(Human.count(count)) event\(count == 1 ? "" : "s")"))
        if let policy { lines.append(("policy", policy)) }
        lines.append(("snapshot", PolicySnapshot.text(row.snapshot)))
        let end = row.endTime.map { " – \(Self.clock($0))" } ?? " – open"
        let day = row.startTime.text(fractionDigits: 0).prefix(10)
        lines.append(
            ("time", "\(day) \(Self.clock(row.startTime))\(end) UTC, \(Human.duration(nanoseconds: row.duration))")
        )
        var facts: [String] = []
        if let spec = start?["spec"]?.string { facts.append("spec \(spec)") }
        if let risk = start?["risk"]?.string { facts.append("risk \(risk)") }
        if let actor = start?["actor"]?.string { facts.append("by \(actor)") }
        if case .object(let labels) = start?["labels"] {
            facts += labels.map { "\($0.key)=\($0.value.string ?? "")" }
        }
        if !facts.isEmpty { lines.append(("about", facts.joined(separator: ", "))) }
        if let command = start?["command"]?.array {
            lines.append(("command", command.compactMap(\.string).joined(separator: " ")))
        }
        lines.append(("proved", proof))
        return lines.map { "\($0.padding(9))\(Printable.escape($1))" }
    }

    /// What reading the run alone proves, and what it does not.
    private var proof: String {
        if let problem = timeline.problems.first { return "NOT SOUND: \(problem)" }
        if timeline.isSealed { return "sealed: count and root agree with every event" }
        return "no gap in the sequence; not sealed, so the end may be missing"
    }

    private static func clock(_ time: Timestamp) -> String {
        String(time.text(fractionDigits: 3).dropFirst(11).dropLast())
    }

    func eventLines(_ events: [RecordedEvent], width: Int?) -> [String] {
        var columns = Columns([
            ("#", .right), ("after", .right), ("type", .left), ("stage", .left), ("actor", .left), ("what", .left),
        ])
        for event in events {
            let envelope = event.envelope
            let span = envelope.time.nanoseconds.subtractingReportingOverflow(row.startTime.nanoseconds).partialValue
            columns.add([
                "\(envelope.sequence)", Human.duration(nanoseconds: span), envelope.type.name,
                stages[envelope.stage] ?? (envelope.stage == 0 ? "" : "#\(envelope.stage)"),
                actors[envelope.actor] ?? (envelope.actor == 0 ? "" : "#\(envelope.actor)"),
                EventSummary.text(of: event),
            ])
        }
        return columns.lines(width: width)
    }

    // MARK: For machines

    func value(events: [RecordedEvent]) -> JSONValue {
        guard case .object(var members) = row.value(policy: policy) else { return .null }
        members["sealed"] = .bool(timeline.seal != nil)
        members["sound"] = .bool(timeline.problems.isEmpty)
        members["problems"] = .array(timeline.problems.map { .string($0) })
        members["root"] = .string(timeline.root.hex)
        members["timeline"] = .array(
            events.map { EventDetail(event: $0, body: $0.inlineBody, actors: actors, stages: stages).value() }
        )
        return .object(members)
    }
}

/// One event in full.
struct EventDetail {
    let event: RecordedEvent
    /// The whole body, a blob's too; nil if there is none here.
    let body: [UInt8]?
    let actors: [UInt32: String]
    let stages: [UInt32: String]

    func lines() -> [String] {
        let envelope = event.envelope
        var lines: [(String, String)] = [
            ("event", "\(envelope.reference)"), ("type", envelope.type.name), ("time", "\(envelope.time)"),
            ("snapshot", envelope.snapshot == .zero ? "none (run zero)" : PolicySnapshot.text(envelope.snapshot)),
        ]
        if let actor = actors[envelope.actor] { lines.append(("actor", "\(actor) (#\(envelope.actor))")) }
        if envelope.stage > 0 { lines.append(("stage", "\(stages[envelope.stage] ?? "?") (#\(envelope.stage))")) }
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
        members["actor"] = actors[envelope.actor].map { .string($0) } ?? .null
        members["stage"] = stages[envelope.stage].map { .string($0) } ?? .null
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
