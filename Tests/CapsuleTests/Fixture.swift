import Foundation
import Support
import Testing

@testable import Capsule

/// A capsule's bytes, what a disk or a forger may do to them, and what a reader then says.
struct Sample {
    var bytes: [UInt8]
    var note: [UInt8]?

    /// A snapshot, then runs of four events, each in a batch of its own that was synced.
    static func plain(runs: UInt8 = 1, compresses: Bool = true) -> Sample {
        let builder = CapsuleBuilder(compresses: compresses)
        builder.snapshot()
        builder.sync()
        for number in 1...runs {
            builder.plainRun(number)
            builder.sync()
        }
        return Sample(bytes: builder.bytes)
    }

    /// The same with a note beside it that says all of it was durable.
    var noted: Sample {
        var copy = self
        copy.note =
            DurableNote(
                capsule: CapsuleBuilder.capsuleID,
                generation: 0,
                durableLength: UInt64(bytes.count),
                holder: "{}"
            ).encoded
        return copy
    }

    /// Where batches begin, and where the last one ends.
    var boundaries: [Int] {
        get throws {
            let editor = try CapsuleEditor(bytes)
            return editor.batches.reduce(into: [8192]) { $0.append(($0.last ?? 0) + 128 + $1.body.count) }
        }
    }

    func cut(to length: Int) -> Sample { Sample(bytes: Array(bytes[..<length]), note: note) }

    func flipped(_ bit: Int) -> Sample {
        var copy = self
        copy.bytes[bit / 8] ^= 1 << UInt8(bit % 8)
        return copy
    }

    func open() throws -> CapsuleFile {
        let storage = MemoryStorage()
        storage.put(bytes, at: "v.cpsl")
        return try CapsuleFile("v.cpsl", storage: storage)
    }

    func verify() throws -> Verifier.Report {
        let capsule = try open()
        let durable = note.flatMap { DurableNote($0)?.durableLength }
        return try Verifier(capsule, knownDurable: durable).run()
    }

    /// The verdict, or the code of the error that refuses the file.
    var verdict: String {
        get throws {
            do { return try verify().verdict.rawValue } catch let error as CapsuleError { return error.code.rawValue }
        }
    }
}

/// A sample that stays open while its bytes are changed in place: its header is read once.
final class OpenSample {
    private let file: any StorageFile
    private let capsule: CapsuleFile
    private let durable: UInt64?

    init(_ sample: Sample) throws {
        let storage = MemoryStorage()
        storage.put(sample.bytes, at: "v.cpsl")
        file = try storage.open("v.cpsl", for: .readingAndWriting)
        capsule = try CapsuleFile("v.cpsl", storage: storage)
        durable = sample.note.flatMap { DurableNote($0)?.durableLength }
    }

    func verdict() throws -> Verifier.Verdict { try Verifier(capsule, knownDurable: durable).run().verdict }

    /// The verdict with one bit flipped, which is then put back.
    func verdict(flipping bit: Int) throws -> Verifier.Verdict {
        let offset = UInt64(bit / 8)
        let good = try file.bytes(at: offset, count: 1)
        try write([good[0] ^ 1 << UInt8(bit % 8)], at: offset)
        defer { try? write(good, at: offset) }
        return try verdict()
    }

    func cut(to length: Int) throws { try file.truncate(to: UInt64(length)) }

    func write(_ bytes: [UInt8], at offset: UInt64) throws {
        try bytes.withUnsafeBytes { buffer throws in try file.writeFully(buffer, at: offset) }
    }
}

/// A frame as it would stand in a batch.
func eventFrame(_ envelope: [UInt8], flags: UInt8 = 0, payload: [UInt8], auxiliary: Int? = nil) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append(integer: UInt32(envelope.count + payload.count))
    bytes += [1, flags]
    bytes.append(integer: UInt16(auxiliary ?? envelope.count))
    return bytes + envelope + payload
}

extension Envelope {
    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    /// Any envelope that can be written.
    static func any(_ random: inout SeededGenerator) -> Envelope {
        let registered = RegisteredType.allCases.randomElement(using: &random) ?? .note
        let name = "com.example.\(Bool.random(using: &random) ? "a" : "long-name_0")"
        let types: [EventType] = [
            .registered(registered), .unknown(.random(in: 1000...65_535, using: &random)), .custom(name),
        ]
        var envelope = Envelope(
            type: types.randomElement(using: &random) ?? .custom(name),
            time: Timestamp(nanoseconds: .random(in: .min ... .max, using: &random)),
            run: RunID(random.bytes(16)) ?? .zero,
            snapshot: Digest(random.bytes(32)) ?? .zero
        )
        envelope.bodyKind = BodyKind(rawValue: .random(in: 0...2, using: &random)) ?? .none
        if envelope.bodyKind != .none { envelope.media = MediaType(rawValue: .random(in: 1...65_535, using: &random)) }
        envelope.sequence = .random(in: .min ... .max, using: &random)
        envelope.actor = .random(in: .min ... .max, using: &random)
        envelope.stage = .random(in: .min ... .max, using: &random)
        for _ in 0..<Int.random(in: 0...Limits.causes, using: &random) {
            envelope.causes.append(EventReference(run: RunID(random.bytes(16)) ?? .zero, sequence: 7))
        }
        if Bool.random(using: &random) { envelope.trace = TraceContext(bytes: random.bytes(25)) }
        if Bool.random(using: &random) { envelope.key = KeyHash(random.bytes(16)) }
        if envelope.type == .registered(.runStart) { envelope.token = KeyHash(random.bytes(16)) }
        if envelope.type == .registered(.runEnd) {
            envelope.seal = Seal(outcomeCode: .random(in: 0...255, using: &random), root: envelope.snapshot)
        }
        return envelope
    }
}
