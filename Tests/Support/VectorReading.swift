@testable import Capsule
import JSONText

/// What our reader says of a vector, in the form of `spec/vectors/README.md`.
public enum VectorReading {
    public static func read(_ bytes: [UInt8], note: [UInt8]?) throws -> JSONValue {
        let storage = MemoryStorage()
        storage.put(bytes, at: "v.cpsl")
        if let note { storage.put(note, at: "v.cpsl.note") }
        let capsule: CapsuleFile
        do {
            capsule = try CapsuleFile("v.cpsl", storage: storage)
        } catch let error as CapsuleError {
            return ["status": "refused", "error": value(error), "damaged_header_copy": .null]
        }
        let durable = note.flatMap { _ in
            DurableNote.read(for: "v.cpsl", header: capsule.header, storage: storage)?.durableLength
        }
        let collector = Collector()
        let report = try Verifier(capsule, knownDurable: durable).run(
            event: { index, hash, event throws(CapsuleError) in collector.take(event, index, hash) },
            object: { object throws(CapsuleError) in collector.take(object) })
        return document(capsule, report, collector)
    }

    private static func document(
        _ capsule: CapsuleFile, _ report: Verifier.Report, _ collector: Collector
    ) -> JSONValue {
        let header = capsule.header
        let predecessor: JSONValue = header.predecessor.map {
            ["origin": .string($0.origin), "size": number($0.size), "root": .string($0.root.hex)]
        } ?? .null
        return [
            "status": .string(status(report)), "error": report.error.map(value) ?? .null,
            "damaged_header_copy": report.damagedHeaderCopy.map { number($0 + 1) } ?? .null,
            "capsule_id": .string(header.capsule.hex), "origin": .string(header.origin),
            "generation": number(header.generation), "created": number(header.created.nanoseconds),
            "write_version": number(header.writeVersion), "predecessor": predecessor, "end": number(report.end),
            "batches": number(report.batches), "tree_size": number(report.treeSize), "root": .string(report.root.hex),
            "events": .array(collector.events.prefix(Int(report.treeSize)).map { collector.finished($0) }),
            "objects": .array(collector.objects(before: report.batches)),
            "findings": .array(report.findings.map(value)),
        ]
    }

    private static func status(_ report: Verifier.Report) -> String {
        switch report.verdict {
        case .unsupported: "refused"
        case .damaged, .cutShort: "damaged"
        case .broken: "broken"
        case .tornTail: "torn-tail"
        case .intact, .beingWritten: "ok"
        }
    }

    private static func value(_ error: CapsuleError) -> JSONValue {
        ["code": .string(error.code.rawValue), "offset": number(error.offset ?? 0)]
    }

    private static func value(_ finding: Finding) -> JSONValue {
        [
            "code": .string(finding.code.rawValue), "run": finding.event.map { .string($0.run.hex) } ?? .null,
            "sequence": finding.event.map { number($0.sequence) } ?? .null,
        ]
    }

    static func number(_ value: some BinaryInteger) -> JSONValue { .number(JSONNumber(value)) }
}

/// Gathers events and objects; what belongs to a batch that turned out wrong is left out at the end.
private final class Collector {
    struct Event {
        var value: JSONValue.Members
        var blob: BlobReference?
    }

    var events: [Event] = []
    private var gathered: [(object: JSONValue, events: Int)] = []
    private var chunks: [Digest: [UInt8]] = [:]
    private var blobs: [Digest: [UInt8]] = [:]

    func take(_ object: StoredObject) {
        gathered.append(
            (
                [
                    "kind": .string(object.kind.name), "id": .string(object.id.hex),
                    "length": VectorReading.number(object.bytes.count), "media": VectorReading.number(object.media.rawValue),
                ], events.count
            ))
        if object.kind == .chunk { chunks[object.id] = Array(object.bytes.dropFirst(16)) }
        if object.kind == .manifest, let manifest = try? BlobManifest(object.bytes.span.bytes) {
            blobs[object.id] = manifest.chunks.flatMap { chunks[$0] ?? [] }
        }
    }

    /// All objects: vectors with a wrong batch of objects hold nothing else behind the last good one.
    func objects(before batches: UInt64) -> [JSONValue] { gathered.map(\.object) }

    func take(_ event: borrowing EventView, _ index: UInt64, _ hash: Digest) {
        let envelope = event.envelope
        var members = JSONValue.Members()
        members["index"] = VectorReading.number(index)
        members["run"] = .string(envelope.run.hex)
        members["sequence"] = VectorReading.number(envelope.sequence)
        members["type"] = .string(envelope.type.name)
        members["time"] = VectorReading.number(envelope.time.nanoseconds)
        members["snapshot"] = .string(envelope.snapshot.hex)
        members["actor"] = VectorReading.number(envelope.actor)
        members["stage"] = VectorReading.number(envelope.stage)
        members["causes"] = .array(
            envelope.causes.map { ["run": .string($0.run.hex), "sequence": VectorReading.number($0.sequence)] })
        members["key"] = envelope.key.map { .string($0.hex) } ?? .null
        members["trace"] = envelope.trace.map { .string(Hex.encode($0.bytes)) } ?? .null
        members["token"] = envelope.token.map { .string($0.hex) } ?? .null
        members["seal"] = envelope.seal.map {
            ["outcome": VectorReading.number($0.outcomeCode), "root": .string($0.root.hex)]
        } ?? .null
        members["media"] = VectorReading.number(envelope.media.rawValue)
        members["leaf_hash"] = .string(hash.hex)
        members["body"] = body(of: event)
        events.append(Event(value: members, blob: event.blob))
    }

    private func body(of event: borrowing EventView) -> JSONValue {
        if event.envelope.bodyKind == .none { return Self.body("none", 0, nil) }
        if event.isWithheld { return Self.body("withheld", 0, nil) }
        let bytes = event.storedBody?.array ?? []
        return Self.body("inline", UInt64(bytes.count), Hashing.sha256(bytes))
    }

    private static func body(_ kind: String, _ length: UInt64, _ digest: Digest?) -> JSONValue {
        [
            "kind": .string(kind), "length": VectorReading.number(length),
            "sha256": digest.map { .string($0.hex) } ?? .null,
        ]
    }

    func finished(_ event: Event) -> JSONValue {
        var members = event.value
        if let blob = event.blob {
            let content = blobs[blob.id].flatMap { UInt64($0.count) == blob.length ? $0 : nil }
            members["body"] = Self.body("blob", blob.length, content.map { Hashing.sha256($0) })
        }
        return .object(members)
    }
}
