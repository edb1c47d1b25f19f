import ArgumentParser
import Ledger

struct StatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Say how large a capsule is, what it holds, and what deduplication and compression save.",
        discussion: "Reads every batch's header, and no body. 'du' says which runs and types take the room."
    )

    @OptionGroup var capsule: CapsuleOption

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        // Before the index is brought up to date: how far it lagged is one of the figures.
        let before = try? IndexState(capsule.open())
        let reader = try openReader(capsule)
        let progress = Progress("reading headers")
        let statistics = try CapsuleStatistics(reader) { progress.update($0, of: $1) }
        progress.finish()
        if json {
            Output.json(Self.value(statistics, reader, before))
        } else {
            for (name, text) in Self.lines(statistics, reader, before) {
                Output.line(name.padding(14) + Printable.escape(text))
            }
        }
        try finish(reader, statistics.unread)
    }

    private static func lines(
        _ statistics: CapsuleStatistics,
        _ reader: LedgerReader,
        _ before: IndexState?
    ) -> [(String, String)] {
        let header = reader.capsule.header
        let states = statistics.runs.map { "\(Human.count($0.runs)) \(name($0.outcomeCode))" }.joined(separator: ", ")
        let runs = statistics.runs.reduce(0) { $0 + $1.runs }
        let objects = statistics.objects.map { object in
            let plural = object.count == 1 ? "" : "s"
            return "\(Human.count(object.count)) \(object.kind.name)\(plural) (\(Human.bytes(object.bytes)))"
        }
        let batches =
            "\(Human.count(statistics.timelineBatches)) of events, \(Human.count(statistics.objectBatches)) of objects"
        let perBatch = statistics.events / max(1, statistics.timelineBatches)
        let rate = percent(statistics.timelineBytes.stored, of: statistics.timelineBytes.raw)
        return [
            ("capsule", "\(reader.capsule.path)  \(header.capsule)"), ("origin", header.origin),
            ("created", "\(header.created)\(header.generation > 0 ? ", generation \(header.generation)" : "")"),
            ("size", Human.bytes(statistics.length)),
            ("durable", durable(statistics)),
            ("events", Human.count(statistics.events)),
            ("batches", "\(batches); \(Human.count(perBatch)) events a batch"),
            ("syncs", "\(Human.count(statistics.knownSyncs)) or more"),
            ("runs", runs == 0 ? "0" : "\(Human.count(runs)): \(states)"),
            ("objects", objects.isEmpty ? "0" : objects.joined(separator: ", ")),
            ("checkpoints", Human.count(statistics.checkpoints)),
            ("compression", "saved \(Human.bytes(statistics.savedByCompression)); events take \(rate) of their bytes"),
            ("sharing", "snapshots that runs share saved \(Human.bytes(statistics.savedBySharing))"),
            ("index", index(before, reader)),
        ]
    }

    private static func durable(_ statistics: CapsuleStatistics) -> String {
        guard let noted = statistics.notedDurable else { return "not known: there is no note beside the capsule" }
        let rest = statistics.length > noted ? ", \(Human.bytes(statistics.length - noted)) beyond it" : ""
        return "\(Human.bytes(noted)) (\(Human.count(noted)) bytes)\(rest)"
    }

    private static func index(_ before: IndexState?, _ reader: LedgerReader) -> String {
        guard !reader.index.isTemporary else { return "in memory only: none can be kept beside the capsule" }
        guard let before else { return "made now" }
        return "\(before.sizeText), lagged \(before.lagText)"
    }

    private static func percent(_ part: UInt64, of whole: UInt64) -> String {
        whole == 0 ? "all" : "\(Int((Double(part) / Double(whole) * 100).rounded())) %"
    }

    private static func name(_ outcomeCode: UInt8?) -> String {
        guard let outcomeCode else { return "open" }
        return Outcome(rawValue: outcomeCode)?.name ?? "ended #\(outcomeCode)"
    }

    private static func value(
        _ statistics: CapsuleStatistics,
        _ reader: LedgerReader,
        _ before: IndexState?
    ) -> JSONValue {
        func number(_ value: some BinaryInteger) -> JSONValue { .number(JSONNumber(value)) }
        var runs = JSONValue.Members()
        for (code, count) in statistics.runs { runs[name(code)] = number(count) }
        var objects = JSONValue.Members()
        for object in statistics.objects {
            objects[object.kind.name] = ["count": number(object.count), "bytes": number(object.bytes)]
        }
        return [
            "capsule": .string(reader.capsule.path.string), "id": .string("\(reader.capsule.header.capsule)"),
            "origin": .string(reader.capsule.header.origin),
            "generation": number(reader.capsule.header.generation),
            "created": .string("\(reader.capsule.header.created)"), "bytes": number(statistics.length),
            "durable_bytes": statistics.notedDurable.map { number($0) } ?? .null,
            "events": number(statistics.events),
            "batches": ["events": number(statistics.timelineBatches), "objects": number(statistics.objectBatches)],
            "known_syncs": number(statistics.knownSyncs), "runs": .object(runs), "objects": .object(objects),
            "checkpoints": number(statistics.checkpoints),
            "event_bytes": [
                "raw": number(statistics.timelineBytes.raw), "stored": number(statistics.timelineBytes.stored),
            ],
            "saved_by_compression": number(statistics.savedByCompression),
            "saved_by_sharing": number(statistics.savedBySharing),
            "index": before.map { $0.value } ?? .null,
        ]
    }
}
