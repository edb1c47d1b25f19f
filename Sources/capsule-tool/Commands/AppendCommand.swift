import ArgumentParser
import Ledger

struct AppendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "append",
        abstract: "Append an event, or a stream of them, to a run.",
        discussion: """
            One event:   capsule-tool append RUN --type note --body '{"text":"done"}'
            A stream:    agent | capsule-tool append RUN --ndjson
            Each line of a stream is {"type":"…","body":{…}} with optional actor, key, causes, time, trace, media, text,
            expected_sequence. With --type, each line is a body by itself. What stood before a bad line is kept.
            The receipt of each line, RUN#n, is printed as soon as the event is as durable as asked; with --json it is
            an object a line, with the number of the input's line, and a last object says what it came to.
            """
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var target: RunOptions

    @Option(help: "The event's type: a registered one, or a reverse domain name like com.example.deploy.")
    var type: String?

    @Option(help: "The body, JSON.")
    var body: String?

    @Option(help: ArgumentHelp("The body, plain text.", valueName: "text"))
    var text: String?

    @Option(help: ArgumentHelp("A file with the body; - is standard input.", valueName: "file"), completion: .file())
    var bodyFile: String?

    @Option(help: "The body's media type, like text/markdown.")
    var media: String?

    @Flag(help: "Read events from standard input, one JSON object a line.")
    var ndjson = false

    @Flag(help: "With --ndjson: print no receipts, only what it came to.")
    var quiet = false

    @Option(help: "Who did this.")
    var actor: String?

    @Option(help: "A retry with the same key is the same event.")
    var key: String?

    @Option(
        name: .customLong("cause"),
        help: ArgumentHelp("An earlier event that this one follows from; may be repeated.", valueName: "n|RUN#n")
    )
    var causes: [String] = []

    @Option(
        help: ArgumentHelp("Refuse unless the event gets this sequence.", valueName: "n"),
        transform: { text in
            guard let sequence = UInt32(text) else { throw ValidationError("a sequence is 0 to \(UInt32.max)") }
            return sequence
        }
    )
    var expectedSequence: UInt32?

    @Option(help: "When it happened (RFC 3339). Default: now.")
    var time: String?

    @Option(help: ArgumentHelp("Position in a trace (W3C Trace Context).", valueName: "traceparent"))
    var trace: String?

    @Option(help: "durable: synced before it is acknowledged. written: synced at the end of the stream.")
    var durability: DurabilityArgument = .durable

    @OptionGroup var output: ReceiptOutput

    func validate() throws {
        let bodies = [body, text, bodyFile].compactMap { $0 }
        guard bodies.count <= 1 else { throw ValidationError("give one of --body, --text and --body-file") }
        if ndjson {
            guard bodies.isEmpty, causes.isEmpty, key == nil, expectedSequence == nil, time == nil, media == nil,
                trace == nil
            else { throw ValidationError("with --ndjson, what concerns one event stands in its line") }
        } else if type == nil {
            throw ValidationError("name the event's --type, or read a stream with --ndjson")
        }
    }

    func run() async throws {
        try await write.withLedger { ledger in
            let handle = try await target.handle(in: ledger)
            if ndjson {
                let stream = EventStream(
                    ledger: ledger,
                    run: handle,
                    wholeAs: try type.map { try EventType(name: $0) },
                    actor: actor,
                    durability: durability.durability,
                    json: output.json,
                    quiet: quiet
                )
                try await stream.run()
            } else {
                let draft = try self.draft(in: handle.id)
                for receipt in try await ledger.append([draft], to: handle, durability: durability.durability) {
                    output.print(receipt)
                }
            }
        }
    }

    /// A note is text anyway: its schema asks for it as a member.
    private func setText(_ text: String, of draft: inout EventDraft) {
        if draft.type == .registered(.note) {
            var body = JSONWriter()
            body.object { $0.member("text", text) }
            draft.body = body.bytes
        } else {
            draft.body = Array(text.utf8)
            draft.media = .text
        }
    }

    private func draft(in run: RunID) throws -> EventDraft {
        var draft = EventDraft(try EventType(name: type ?? ""), body: nil)
        if let body { draft.body = Array(body.utf8) }
        if let bodyFile { draft.body = try readInput(bodyFile, limit: Limits.bodyBytes) }
        if let text { setText(text, of: &draft) }
        if let media {
            guard let type = MediaType(name: media) else {
                throw ValidationError(
                    "media type '\(media)' is not one of \(MediaType.registeredNames.joined(separator: ", "))"
                )
            }
            draft.media = type
        }
        draft.actor = actor.map { ActorDraft(named: $0) }
        draft.key = key
        draft.expectedSequence = expectedSequence
        draft.causes = try causes.map { try EventReference(text: $0, in: run) }
        if let time {
            guard let parsed = Timestamp(rfc3339: time) else {
                throw ValidationError("'\(time)' is not a time like 2026-11-23T14:00:00Z")
            }
            draft.time = parsed
        }
        if let trace {
            guard let context = TraceContext(traceparent: trace) else {
                throw ValidationError("'\(trace)' is not a traceparent of W3C Trace Context, version 00")
            }
            draft.trace = context
        }
        return draft
    }
}
