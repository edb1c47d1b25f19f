import Capsule
import Dispatch
import Synchronization
import WriterQueue

/// What a damage campaign saw.
public struct DamageTally: Sendable {
    public var flips = 0
    public var truncations = 0
    public var moves = 0
    public var splices = 0
    /// What was not noticed, or taken for a torn tail.
    public var failures: [String] = []

    public var isClean: Bool { failures.isEmpty }
}

/// Flips every bit of a capsule, cuts it to every length, moves its batches about, and puts those of a fork in their
/// place: all of it must be noticed, and none taken for a crash where something tells what was durable.
public final class DamageCampaign: @unchecked Sendable {
    /// Size of the capsule, at least.
    public var bytes = 16 << 10
    /// Flip one bit in so many.
    public var stride = 1
    private let thread = WriterThread()
    private var tally = DamageTally()

    public init() {}

    public func run() -> DamageTally {
        let group = DispatchGroup()
        group.enter()
        thread.run { [self] in
            do { try runOnThread() } catch { tally.failures.append("\(error)") }
            group.leave()
        }
        group.wait()
        return tally
    }

    private func runOnThread() throws {
        let disk = try sample()
        let bytes = disk.contents(Machine.path) ?? []
        let note = disk.contents(DurableNote.path(for: Machine.path)) ?? []
        let size = try Reading(Machine.path, disk.process(), limit: nil, isReader: false).size
        flip(bytes, note)
        truncate(bytes, note, size: size)
        try move(bytes)
        try splice()
    }

    private func sample() throws -> SimulatedDisk {
        let base = try Machine.base(on: thread)
        let machine = Machine(base.disk.boot(), base.expected, on: thread)
        let steps: [Step] = [
            .append(process: 0, events: 3, bytes: 60, .durable), .twoBatches(process: 0, bytes: 700),
            .checkpoint(process: 0),
        ]
        var number = 0
        while (machine.disk.contents(Machine.path)?.count ?? 0) < bytes {
            try machine.perform(steps[number % steps.count])
            number += 1
        }
        return machine.disk
    }

    // MARK: Flips and cuts

    private func flip(_ bytes: [UInt8], _ note: [UInt8]) {
        var damaged = bytes
        for bit in Swift.stride(from: 0, to: bytes.count * 8, by: stride) {
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
            tally.flips += 1
            let place = "bit \(bit % 8) of byte \(bit / 8)"
            check(damaged, note, place)
            // Opening for writing costs more: each byte once.
            if bit % 8 == (bit / 8) % 8 || stride > 8 { checkRefusal(damaged, note, OutsideEvidence(), place) }
            damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        }
    }

    private func truncate(_ bytes: [UInt8], _ note: [UInt8], size: UInt64) {
        for length in Swift.stride(from: 0, to: bytes.count, by: stride > 8 ? 61 : 1) {
            tally.truncations += 1
            let cut = Array(bytes[..<length])
            check(cut, note, "cut to \(length)")
            checkRefusal(cut, note, OutsideEvidence(), "cut to \(length)")
            // Without the note, a checkpoint or an index tells.
            if length < bytes.count - 1000, stride == 1, length % 16 != 0 { continue }
            checkRefusal(cut, nil, OutsideEvidence(treeSize: size), "cut to \(length), a checkpoint is known")
            let mark = OutsideEvidence(durableLength: UInt64(bytes.count))
            checkRefusal(cut, nil, mark, "cut to \(length), a mark is known")
        }
    }

    private func check(_ bytes: [UInt8], _ note: [UInt8], _ what: String) {
        let disk = SimulatedDisk()
        disk.put(bytes, at: Machine.path)
        disk.put(note, at: DurableNote.path(for: Machine.path))
        let durable = DurableNote(note)?.durableLength
        guard let capsule = try? CapsuleFile(Machine.path, storage: disk.process()) else { return }
        guard let report = try? Verifier(capsule, knownDurable: durable).run() else { return }
        if report.verdict == .tornTail || report.verdict == .intact && report.damagedHeaderCopy == nil {
            fail("\(what): \(report.verdict.rawValue)")
        }
    }

    private func checkRefusal(
        _ bytes: [UInt8],
        _ note: [UInt8]?,
        _ evidence: OutsideEvidence,
        _ what: String
    ) {
        let disk = SimulatedDisk()
        disk.put(bytes, at: Machine.path)
        if let note { disk.put(note, at: DurableNote.path(for: Machine.path)) }
        var options = WriterQueue.Options()
        options.evidence = { _ in evidence }
        let random = FixedRandom()
        let door = try? TurnDoor(Machine.path, options: options, storage: disk.process(), random: random, on: thread)
        if let door, (try? CapsuleFile(Machine.path, storage: disk.process()).damagedHeaderCopy) == .some(nil) {
            fail("\(what): opened for writing, \(door.state.tree.size) events")
        }
        if disk.contents(Machine.path) != bytes { fail("\(what): changed") }
    }

    private func fail(_ what: String) {
        if tally.failures.count < 20 { tally.failures.append(what) }
    }

    // MARK: Batches in the wrong place

    private func batches(_ bytes: [UInt8]) throws -> [Range<Int>] {
        let disk = SimulatedDisk()
        disk.put(bytes, at: Machine.path)
        let capsule = try CapsuleFile(Machine.path, storage: disk.process())
        let reader = BatchReader(file: capsule.file, header: capsule.header, limit: try capsule.length())
        var ranges: [Range<Int>] = []
        while true {
            let start = Int(reader.position.offset)
            guard try reader.next({ _ in }) == .batch else { return ranges }
            ranges.append(start..<Int(reader.position.offset))
        }
    }

    /// A batch is a batch where it was written, and nowhere else.
    private func move(_ bytes: [UInt8]) throws {
        for range in try batches(bytes).prefix(40) {
            for gap in [1, 7, 128, 512, 4096] {
                tally.moves += 1
                let disk = SimulatedDisk()
                disk.put(bytes + [UInt8](repeating: 0, count: gap) + bytes[range], at: Machine.path)
                let capsule = try CapsuleFile(Machine.path, storage: disk.process())
                let reader = BatchReader(file: capsule.file, header: capsule.header, limit: try capsule.length())
                reader.jump(to: UInt64(bytes.count + gap))
                if (try? reader.next { _ in }) == .batch { fail("the batch at \(range.lowerBound) is right elsewhere") }
            }
        }
    }

    /// Two histories of one capsule that differ in one document: the batch of one does not stand in the other.
    private func splice() throws {
        let base = try Machine.base(on: thread)
        let histories = try (1...2).map { number -> [UInt8] in
            let disk = base.disk.boot()
            let process = disk.process()
            let door = try TurnDoor(Machine.path, storage: process, random: FixedRandom(), on: thread)
            let document = try StoredObject(.document, [UInt8](repeating: UInt8(number), count: 64))
            let event = EventDraft(.registered(.note), body: Array("{}".utf8), time: Machine.start)
            let target = Submission.Target.run(Machine.run, token: nil)
            _ = door.take([Submission(target, events: [event], objects: [document])])
            return disk.contents(Machine.path) ?? []
        }
        let known = try batches(base.disk.files[Machine.path.string] ?? []).count
        let place = try batches(histories[0])[known]
        var spliced = histories[0]
        spliced.replaceSubrange(place, with: histories[1][place])
        tally.splices += 1
        let disk = SimulatedDisk()
        disk.put(spliced, at: Machine.path)
        let report = try Verifier(CapsuleFile(Machine.path, storage: disk.process())).run()
        if report.verdict == .intact { fail("a batch of another history stands where ours stood") }
    }
}
