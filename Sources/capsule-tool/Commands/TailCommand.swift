import ArgumentParser
import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

struct TailCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tail",
        abstract: "Show the last events, of a run or of all, and with -f those that follow.",
        discussion: """
            An event is shown when it is durable, whichever process appended it. Following ends with an interrupt, when
            the reader goes away, and with a run's name when that run ends.
            """
    )

    @OptionGroup var capsule: CapsuleOption

    @Argument(help: ArgumentHelp("One run only: its ID, a unique prefix of it, or its name.", valueName: "run"))
    var name: String?

    @Flag(name: [.short, .long], help: "Go on with what is appended.")
    var follow = false

    @Option(name: [.customShort("n"), .long], help: ArgumentHelp("How many of the last events.", valueName: "n"))
    var lines = 10

    @Option(help: ArgumentHelp("Events of this type only, or with tool.* of all that begin so.", valueName: "type"))
    var type: [String] = []

    @Flag(help: "Print one JSON object a line.")
    var json = false

    /// Milliseconds between two looks at the file.
    private static let interval: Int32 = 25

    func validate() throws {
        guard (0...1_000_000).contains(lines) else { throw ValidationError("-n is 0 to 1000000") }
        for name in type where !name.hasSuffix("*") {
            do { _ = try EventType(name: name) } catch { throw ValidationError("\(error.reason)") }
        }
    }

    func run() throws {
        let reader = try openReader(capsule)
        let row = try name.map { try findRun($0, reader) }
        // Before the last events are looked for: what is appended meanwhile is followed.
        let follower = try CapsuleFollower(reader.capsule, from: reader.status.end, treeSize: reader.status.treeSize)
        var printer = TailPrinter(reader: reader, isOneRun: row != nil, json: json)
        var isEnded = false
        var damage: CapsuleError?
        for event in try reader.lastEvents(lines, of: row, damage: &damage, where: isWanted) {
            printer.print(ReadEvent(event))
        }
        if let row { isEnded = !row.isOpen }
        Output.flush()
        try finish(reader, damage)
        while follow, !isEnded {
            guard isReaderThere() else { return }
            let change = try follower.poll { event in
                guard row.map({ $0.id == event.envelope.run }) ?? true else { return }
                if isWanted(event) { printer.print(ReadEvent(event)) }
                if row != nil, event.envelope.seal != nil { isEnded = true }
            }
            if case .rewritten(let generation) = change { complain("the capsule is generation \(generation) now") }
            Output.flush()
        }
    }

    private func isWanted(_ event: RecordedEvent) -> Bool {
        let name = event.envelope.type.name
        return type.isEmpty || type.contains { $0.hasSuffix("*") ? name.hasPrefix($0.dropLast()) : name == $0 }
    }

    /// Waits a moment, or until whoever reads our output goes away.
    private func isReaderThere() -> Bool {
        var output = pollfd(fd: 1, events: 0, revents: 0)
        let found = poll(&output, 1, Self.interval)
        return found <= 0 || output.revents & Int16(POLLERR | POLLHUP | POLLNVAL) == 0
    }
}

/// Prints events as they come, of many runs.
struct TailPrinter {
    let reader: LedgerReader
    let isOneRun: Bool
    let json: Bool
    private var names: [RunID: String] = [:]
    private var actors: [EventReference: String?] = [:]
    /// Names that are kept at most; more are looked up again.
    private static let maximumNames = 100_000

    init(reader: LedgerReader, isOneRun: Bool, json: Bool) {
        self.reader = reader
        self.isOneRun = isOneRun
        self.json = json
    }

    mutating func print(_ event: ReadEvent) {
        learn(event)
        let envelope = event.envelope
        guard !json else {
            let detail = EventDetail(
                event: event.event,
                body: event.event.inlineBody,
                actor: name(of: envelope.actor, in: envelope.run, member: envelope.actor == 0 ? "actor" : "name"),
                stage: envelope.stage == 0 ? nil : name(of: envelope.stage, in: envelope.run, member: "name")
            )
            var members = JSONValue.Members()
            members["run"] = .string("\(envelope.run)")
            for member in detail.value().object ?? .init() { members[member.key] = member.value }
            Output.bytes(JSONValue.object(members).encoded(.compact) + [UInt8(ascii: "\n")])
            return
        }
        let time = envelope.time.text(fractionDigits: 3).dropFirst(11).dropLast()
        let run = isOneRun ? "" : DisplayWidth.fit(Printable.escape(runName(envelope.run)), 14) + " "
        let number = "#\(envelope.sequence)"
        let type = DisplayWidth.fit(Printable.escape(envelope.type.name), 16)
        let head = "\(time)  \(run)\(number.padding(6))\(EventSign.of(event)) \(type)  "
        let text = DisplayWidth.cut(head + Printable.escape(EventSummary.text(of: event)), to: Terminal.width)
        Output.line(EventSign.style(event).map { Terminal.styled(text, $0) } ?? text)
    }

    /// What an event says of names.
    private mutating func learn(_ event: ReadEvent) {
        if names.count > Self.maximumNames { names = [:] }
        if actors.count > Self.maximumNames { actors = [:] }
        let reference = event.envelope.reference
        switch event.registered {
        case .runStart:
            names[reference.run] = event.body?["name"]?.string ?? Self.shortID(reference.run)
            actors[reference] = event.body?["actor"]?.string
        case .actor, .stage: actors[reference] = event.body?["name"]?.string
        default: break
        }
    }

    private static func shortID(_ run: RunID) -> String { String(run.description.prefix(13)) }

    private mutating func runName(_ run: RunID) -> String {
        if let name = names[run] { return name }
        var name = run.isRunZero ? "capsule" : Self.shortID(run)
        if case .one(let row) = try? reader.index.run(matching: run.description) { name = row.name ?? name }
        names[run] = name
        return name
    }

    private mutating func name(of sequence: UInt32, in run: RunID, member: String) -> String? {
        let reference = EventReference(run: run, sequence: sequence)
        if let known = actors[reference] { return known }
        var batches = try? reader.index.batchOffsets(of: run)
        if batches?.isEmpty ?? true {
            // Begun since: the index has not seen it.
            _ = try? reader.index.catchUp()
            batches = try? reader.index.batchOffsets(of: run)
        }
        let events = RunEvents(run, in: reader.capsule, batches: batches ?? [])
        let name = (try? events.event(sequence))??.json?[member]?.string
        actors[reference] = .some(name)
        return name
    }
}
