import Capsule
import WriterQueue

/// Opens what a crash left with the production code, and compares it with what was promised.
struct Checker {
    let thread: WriterThread
    /// For a rule broken on purpose, whose first sign this is, to see what comes of it.
    var ignoresWhatIsBehind = false

    /// Recovers and judges. The machine can be used on afterwards.
    ///
    /// - Parameter keepsCache: whether only processes died, so that what was written must be there too.
    /// - Throws: `CrashFailure`.
    @discardableResult
    func check(_ disk: SimulatedDisk, _ expected: Expectation, keepsCache: Bool = false) throws -> Machine? {
        guard let before = disk.contents(Machine.path) else {
            if expected.isCreated { throw CrashFailure(.lost, "there is no capsule") }
            return nil
        }
        let machine = Machine(disk, expected, on: thread)
        let door: TurnDoor
        do {
            door = try machine.door(0)
        } catch {
            throw Machine.refusal(error)
        }
        let end = Int(door.end)
        let length = disk.contents(Machine.path)?.count ?? 0
        guard length == end || ignoresWhatIsBehind else {
            throw CrashFailure(.unclean, "after recovery \(length - end) bytes stand behind the end")
        }
        try Self.judgeTail(before, end: end, disk)
        if !keepsCache, end >= expected.mark, expected.isKnown(door.state.tree) { return machine }
        let reading: Reading
        do {
            reading = try Reading(Machine.path, disk.process(), limit: nil, isReader: false)
        } catch {
            throw CrashFailure(.unclean, "after recovery it cannot be read: \(error)")
        }
        try Self.judge(reading, expected, keepsCache: keepsCache)
        return machine
    }

    /// What was cut must be found beside the capsule.
    private static func judgeTail(_ before: [UInt8], end: Int, _ disk: SimulatedDisk) throws {
        guard before.count > end else { return }
        let tail = before[end...]
        guard let last = tail.lastIndex(where: { $0 != 0 }) else { return }
        let kept = disk.names.values.contains { $0.disk[...] == tail[...last] }
        if !kept { throw CrashFailure(.unclean, "a torn tail was cut and not kept") }
    }

    static func judge(_ reading: Reading, _ expected: Expectation, keepsCache: Bool) throws {
        if let finding = reading.findings.first {
            throw CrashFailure(.invented, "a rule is broken: \(finding.reason)")
        }
        var seen: Set<Int> = []
        let numbers = reading.bodies.map { body -> Int? in body.flatMap(number) }
        for (leaf, body) in reading.bodies.enumerated() {
            guard let body else { continue }
            guard let event = numbers[leaf], event < expected.bodies.count, expected.bodies[event] == body else {
                throw CrashFailure(.invented, "leaf \(leaf) is no event that was submitted")
            }
            guard seen.insert(event).inserted else {
                throw CrashFailure(.invented, "event \(event) stands there twice")
            }
        }
        for promised in [expected.durable, keepsCache ? expected.written : []] {
            for (event, leaf) in promised where leaf >= reading.size || numbers[Int(leaf)] != event {
                throw CrashFailure(.lost, "event \(event), acknowledged at leaf \(leaf), is not there")
            }
        }
        for (size, root) in expected.pins where size > reading.size || reading.roots[Int(size)] != root {
            throw CrashFailure(.lost, "what was seen outside, \(size) events, is not there; \(reading.size) are")
        }
        guard reading.end >= expected.mark else {
            throw CrashFailure(.lost, "the mark is at \(expected.mark), and the capsule ends at \(reading.end)")
        }
    }

    /// The number that an event's body begins with.
    private static func number(_ body: [UInt8]) -> Int? {
        let digits = body.dropFirst(6).prefix { $0 != UInt8(ascii: ";") }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
