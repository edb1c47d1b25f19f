/// Lines of JSON: one that says what is exported, then one an event.
struct NDJSONExporter: EventExporter {
    /// Changes when a member changes its meaning; members may be added.
    static let version = "capsule-events-1"

    func begin(_ scope: ExportScope, into bytes: inout [UInt8]) {
        line(&bytes) { line in
            line.member("format", Self.version)
            line.member("capsule", "\(scope.header.capsule)")
            line.member("origin", scope.header.origin)
            line.member("generation", scope.header.generation)
            line.member("tree_size", scope.treeSize)
            line.member("root", scope.root.hex)
            if let checkpoint = scope.checkpoint {
                line.member("checkpoint", checkpoint.number)
                line.member("checkpoint_labels", .array(checkpoint.labels.map { .string($0) }))
            }
            guard let run = scope.run else { return }
            line.member("run", "\(run.id)")
            line.member("run_events", run.events)
            line.member("run_root", run.root.hex)
            line.member("run_sealed", run.isSealed)
        }
    }

    func write(_ event: ExportedEvent, _ scope: ExportScope, into bytes: inout [UInt8]) {
        let envelope = event.envelope
        line(&bytes) { line in
            line.member("run", "\(envelope.run)")
            line.member("sequence", envelope.sequence)
            line.member("type", envelope.type.name)
            line.member("time", "\(envelope.time)")
            line.member("leaf_index", event.leafIndex)
            line.member("leaf_hash", event.leafHash.hex)
            line.member("leaf", Hex.encode(event.envelopeBytes) + event.commitment.hex)
            line.member("commitment", event.commitment.hex)
            if let salt = event.salt { line.member("salt", Hex.encode(salt)) }
            if envelope.bodyKind != .none { line.member("media", envelope.media.name) }
            line.member("body_state", state(event))
            body(event, &line)
            line.member("tree_size", scope.treeSize)
            line.member("root", scope.root.hex)
            if let path = scope.run?.paths[event.leafIndex] {
                line.member("inclusion", .array(path.map { .string($0.hex) }))
            }
        }
    }

    func end(_ scope: ExportScope, into bytes: inout [UInt8]) {}

    private func line(_ bytes: inout [UInt8], _ members: (inout JSONWriter) -> Void) {
        // A line of its own, appended: a writer that took over what is there would copy it for every event.
        var writer = JSONWriter()
        writer.object { members(&$0) }
        bytes.append(contentsOf: writer.bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    private func state(_ event: ExportedEvent) -> String {
        if event.isWithheld { return "withheld" }
        return switch event.envelope.bodyKind {
        case .none: "none"
        case .inline: "inline"
        case .blob: "blob"
        }
    }

    /// Text as text, byte for byte; anything else, and text with NUL, which some tools cut off, in hexadecimal.
    private func body(_ event: ExportedEvent, _ line: inout JSONWriter) {
        guard let body = event.storedBody else { return }
        if let blob = event.blob {
            line.member("blob", blob.id.hex)
            line.member("blob_bytes", blob.length)
        } else if event.envelope.media.isText, !body.contains(0), let text = String(validating: body, as: UTF8.self) {
            return line.member("body", text)
        }
        line.member("body_hex", Hex.encode(body))
    }
}
