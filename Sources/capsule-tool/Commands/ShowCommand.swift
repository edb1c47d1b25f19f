import ArgumentParser
import Ledger

struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a run, or with RUN#12 one event of it in full.",
        discussion: """
            First what the run comes to, then a line for each event: its sequence, the time since the start, how long it
            took where that is known, a sign for its kind (▶ start, ■ end, » stage, ◆ checkpoint, § policy, * model,
            > call, < answer, ± change, ✗ failure), and what it was. Events alike that follow on each other are one
            line, × 14; --all shows each, uncut.
            'capsule' is run zero, the capsule's own: how it was made, salvaged, adopted or continued by another.
            The run's sequences and seal are checked while it is read. 'verify' checks the whole file.
            On a terminal a pager shows it (PAGER; LESS is FRX where it is not set).
            """
    )

    @OptionGroup var capsule: CapsuleOption

    @Argument(
        help: ArgumentHelp(
            "The run: its ID, a unique prefix of it, or its name; RUN#12 is its event 12.",
            valueName: "run"
        )
    )
    var name: String

    @OptionGroup var selection: EventSelection
    @OptionGroup var past: AsOfOption

    @Flag(help: "Fold nothing and cut nothing.")
    var all = false

    @Option(help: ArgumentHelp("Columns to write in; on a terminal its own, elsewhere no limit.", valueName: "n"))
    var width: Int?

    @Flag(help: "Use no pager.")
    var noPager = false

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "For RUN#12: print the body's bytes and nothing else.")
    var body = false

    func validate() throws {
        if let width, width < 40 { throw ValidationError("--width is at least 40") }
    }

    func run() throws {
        let reader = try openReader(capsule)
        do {
            try show(reader)
        } catch let error as CapsuleError {
            throw Failure(.unreadable, notAll(of: reader.capsule.path, error))
        } catch let error as LedgerError {
            guard let damage = try reader.damage() else { throw error }
            throw Failure(.unreadable, "\(error.reason). \(notAll(of: reader.capsule.path, damage))")
        }
        try finish(reader)
    }

    private func show(_ reader: LedgerReader) throws {
        let checkpoint = try past.checkpoint(reader)
        // A run may have a number sign and a number at the end of its own name.
        if let (name, sequence) = try eventNumber(reader) {
            try showEvent(sequence, of: try row(name, reader, checkpoint), reader, checkpoint)
        } else if body {
            throw ValidationError("--body goes with one event, like RUN#12")
        } else {
            try showRun(try row(name, reader, checkpoint), reader, checkpoint)
        }
    }

    /// The run and the sequence of `RUN#12`; nil for a run, or for one with such a name.
    private func eventNumber(_ reader: LedgerReader) throws -> (String, UInt32)? {
        guard let mark = name.lastIndex(of: "#") else { return nil }
        let (run, digits) = (String(name[..<mark]), name[name.index(after: mark)...])
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
            return nil
        }
        // Whether there is one is enough here; what it holds is looked at when it is shown.
        if try reader.index.run(matching: name).row != nil {
            if try reader.index.run(matching: run).row != nil {
                complain(
                    "'\(name)' is taken as the name of a run; name run '\(run)' by its ID to see its event \(digits)"
                )
            }
            return nil
        }
        guard !run.isEmpty else {
            throw ValidationError(
                "'\(name)' names an event of no run; write RUN\(name), or --as-of '\(name)' for a checkpoint"
            )
        }
        guard let sequence = UInt32(digits) else {
            throw ValidationError("'\(name)' names no event: sequences are 0 to \(UInt32.max)")
        }
        return (run, sequence)
    }

    private func row(_ name: String, _ reader: LedgerReader, _ checkpoint: Checkpoint?) throws -> RunRow {
        let row = try findRun(name, reader)
        guard let checkpoint else { return row }
        guard let then = try reader.row(row, asOf: checkpoint) else {
            throw LedgerError(.unknownRun, "run \(row.id) had not begun at checkpoint \(checkpoint.title)")
        }
        return then
    }

    // MARK: A run

    private func showRun(_ row: RunRow, _ reader: LedgerReader, _ checkpoint: Checkpoint?) throws {
        let events = try reader.events(of: row, asOf: checkpoint)
        let summary = try RunSummary(events, reader)
        var titles: [Digest: String] = [:]
        for policy in summary.policies { titles[policy.snapshot] = try reader.policyTitle(of: policy.snapshot) }
        let view = RunView(row: row, summary: summary, batches: events.batchCount, titles: titles, asOf: checkpoint)
        if json {
            try printJSON(view, events)
        } else {
            let width = width ?? Terminal.width
            if !noPager { Pager.start() }
            for line in view.header(width: width) { Output.line(line) }
            try printTimeline(summary, events, width: width)
        }
        if let problem = summary.check.problems.first {
            throw Failure(.no, "run \(row.id): \(problem); see 'capsule-tool verify'")
        }
    }

    private func printTimeline(_ summary: RunSummary, _ events: RunEvents, width: Int?) throws {
        var printer = TimelinePrinter(summary, width: width, all: all)
        Output.line()
        printer.begin()
        var shown = 0
        try forEachSelected(summary, events) { event in
            printer.take(event)
            shown += 1
        }
        printer.finish()
        guard !selection.isEmpty else { return }
        Output.line()
        Output.line("\(Human.count(shown)) of \(Human.count(summary.events, "event"))")
    }

    private func forEachSelected(_ summary: RunSummary, _ events: RunEvents, _ visit: (ReadEvent) -> Void) throws {
        let matcher = try EventMatcher(selection)
        try events.forEach { event in
            let event = ReadEvent(event)
            let (stage, actor) = (summary.stage(of: event.envelope), summary.actor(of: event.envelope))
            if matcher.matches(event, stage: stage, actor: actor) { visit(event) }
        }
    }

    /// One object, its timeline written event by event.
    private func printJSON(_ view: RunView, _ events: RunEvents) throws {
        let head = JSONValue.object(view.members()).encoded(.pretty)
        Output.bytes(head.dropLast(2))
        Output.bytes(Array(",\n  \"timeline\": [".utf8))
        var isFirst = true
        let summary = view.summary
        try forEachSelected(summary, events) { event in
            let envelope = event.envelope
            let detail = EventDetail(
                event: event.event,
                body: event.event.inlineBody,
                actor: summary.actors[envelope.actor],
                stage: summary.stages[envelope.stage]
            )
            var text = Array((isFirst ? "\n    " : ",\n    ").utf8)
            // A line feed in JSON text is never part of a string.
            for byte in detail.value().encoded(.pretty) {
                text.append(byte)
                if byte == UInt8(ascii: "\n") { text.append(contentsOf: "    ".utf8) }
            }
            Output.bytes(text)
            isFirst = false
        }
        Output.line(isFirst ? "]\n}" : "\n  ]\n}")
    }

    // MARK: One event

    private func showEvent(
        _ sequence: UInt32,
        of row: RunRow,
        _ reader: LedgerReader,
        _ checkpoint: Checkpoint?
    ) throws {
        let events = try reader.events(of: row, asOf: checkpoint)
        guard let event = try events.event(sequence) else {
            throw LedgerError(.unknownEvent, "run \(row.id) has no event \(sequence); it has \(row.events), from 0")
        }
        let bytes = try content(of: event, reader)
        if body {
            guard let bytes else { throw Failure(.no, "event \(event.envelope.reference) has no body here") }
            return Output.bytes(bytes)
        }
        let envelope = event.envelope
        let view = EventDetail(
            event: event,
            body: bytes,
            actor: try events.actorName(envelope),
            stage: try events.stageName(envelope)
        )
        guard !json else { return Output.json(view.value()) }
        if !noPager { Pager.start() }
        for line in view.lines() { Output.line(line) }
    }

    private func content(of event: RecordedEvent, _ reader: LedgerReader) throws -> [UInt8]? {
        switch event.content {
        case .none, .withheld: nil
        case .inline(let bytes): bytes
        case .blob(let reference): try reader.content(of: reference)
        }
    }
}
