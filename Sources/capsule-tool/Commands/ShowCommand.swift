import ArgumentParser
import Ledger

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run, or with RUN#12 one event of it in full.",
        discussion:
            "The run's sequences and seal are checked while it is read. 'verify' checks the whole file."
    )

    @OptionGroup var capsule: CapsuleOption

    @Argument(
        help: ArgumentHelp(
            "The run: its ID, a unique prefix of it, or its name; RUN#12 is its event 12.",
            valueName: "run"
        )
    )
    var name: String

    @Option(help: ArgumentHelp("Events of this type only; may be repeated.", valueName: "type"))
    var type: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "For RUN#12: print the body's bytes and nothing else.")
    var body = false

    func run() throws {
        let reader = try openReader(capsule)
        do {
            try show(reader)
        } catch let error as LedgerError where !reader.isWhole {
            let reason = "\(error.reason). Not all of the file could be read; see 'capsule-tool verify'"
            throw Failure(.unreadable, "\(reader.capsule.path): \(reason)")
        }
        warn(reader)
    }

    private func show(_ reader: LedgerReader) throws {
        // A run may have a number sign and a number at the end of its own name.
        if let (name, sequence) = eventNumber(), (try? reader.run(self.name)) == nil {
            try showEvent(sequence, of: reader.run(name), reader)
        } else if body {
            throw ValidationError("--body goes with one event, like RUN#12")
        } else {
            try showRun(reader.run(name), reader)
        }
    }

    private func eventNumber() -> (String, UInt32)? {
        guard let mark = name.lastIndex(of: "#") else { return nil }
        let digits = name[name.index(after: mark)...]
        guard let sequence = UInt32(digits) else { return nil }
        return (String(name[..<mark]), sequence)
    }

    private func showRun(_ row: RunRow, _ reader: LedgerReader) throws {
        let timeline = try reader.timeline(of: row.id)
        let types = Set(try type.map { try EventType(name: $0) })
        let events = timeline.events.filter { types.isEmpty || types.contains($0.envelope.type) }
        let view = RunView(row: row, timeline: timeline, policy: try reader.policyTitle(of: row.snapshot))
        if json {
            Output.json(view.value(events: events))
        } else {
            for line in view.header() { Output.line(line) }
            Output.line()
            for line in view.eventLines(events, width: Terminal.width) { Output.line(line) }
        }
        if let problem = timeline.problems.first {
            throw Failure(.no, "run \(row.id): \(problem); see 'capsule-tool verify'")
        }
    }

    private func showEvent(_ sequence: UInt32, of row: RunRow, _ reader: LedgerReader) throws {
        let timeline = try reader.timeline(of: row.id)
        guard let event = timeline.events.first(where: { $0.envelope.sequence == sequence }) else {
            throw LedgerError(.unknownEvent, "run \(row.id) has no event \(sequence); it has \(timeline.events.count)")
        }
        let bytes = try content(of: event, reader)
        if body {
            guard let bytes else { throw Failure(.no, "event \(event.envelope.reference) has no body here") }
            return Output.bytes(bytes)
        }
        let view = EventDetail(event: event, body: bytes, actors: timeline.actors, stages: timeline.stages)
        if json {
            Output.json(view.value())
        } else {
            for line in view.lines() { Output.line(line) }
        }
    }

    private func content(of event: RecordedEvent, _ reader: LedgerReader) throws -> [UInt8]? {
        switch event.content {
        case .none, .withheld: nil
        case .inline(let bytes): bytes
        case .blob(let reference): try reader.content(of: reference)
        }
    }
}
