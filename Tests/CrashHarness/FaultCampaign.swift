import Capsule
import Dispatch
import Synchronization
import WriterQueue

/// What becomes of the calls of a process in a fault campaign.
public struct FaultTally: Sendable {
    public var injections = 0
    public var examples: [CrashFailure] = []
    public var failures: [CrashFailure.Kind: Int] = [:]

    public var isClean: Bool { failures.isEmpty }

    mutating func add(_ failure: CrashFailure) {
        failures[failure.kind, default: 0] += 1
        if examples.count < 5 { examples.append(failure) }
    }
}

/// Makes the n-th storage call fail, for every n, in every way, once and from then on; in recovery too.
public struct FaultCampaign: Sendable {
    /// Steps after which each fault must be harmless, and what stands on the disk before.
    private enum Start: CaseIterable {
        case sound, tornTail, unsynced, withoutNote
    }

    private static let faults: [SimulatedProcess.Fault] = [
        .error(.ioError), .error(.noSpace), .error(Errno(rawValue: 122)), .error(.interrupted), .short,
    ]
    private static let steps: [Step] = [
        .twoBatches(process: 0, bytes: 300), .checkpoint(process: 0),
        .append(process: 0, events: 1, bytes: 900, .written),
        .append(process: 0, events: 1, bytes: 40, .durable),
    ]
    /// Make one call in so many fail.
    public var stride = 1
    public var stopsAtFailure = false
    private let thread = WriterThread()

    public init() {}

    public func run() -> FaultTally {
        let tally = Mutex(FaultTally())
        let group = DispatchGroup()
        group.enter()
        startThread { [self] in
            let result = runCampaign()
            tally.withLock { $0 = result }
            group.leave()
        }
        group.wait()
        return tally.withLock { $0 }
    }

    private func runCampaign() -> FaultTally {
        var tally = FaultTally()
        do {
            let base = try Machine.base(on: thread)
            for start in Start.allCases {
                for fault in Self.faults {
                    for isLasting in [false, true] {
                        // Another remainder each time, so that together they come to every kind of call.
                        var call = tally.injections % stride
                        while try inject(fault, at: call, isLasting, start, base, &tally) { call += stride }
                        if stopsAtFailure, !tally.isClean { return tally }
                    }
                }
            }
        } catch {
            tally.add(Machine.refusal(error))
        }
        return tally
    }

    /// Returns whether there was a call with this number.
    private func inject(
        _ fault: SimulatedProcess.Fault,
        at call: Int,
        _ isLasting: Bool,
        _ start: Start,
        _ base: (disk: DiskImage, expected: Expectation),
        _ tally: inout FaultTally
    ) throws -> Bool {
        // A call that is interrupted for ever is one that never returns.
        if isLasting, fault == .error(.interrupted) { return false }
        let machine = try self.machine(start, base)
        machine.kill(0)
        let process = machine.process(0)
        process.fault = { index, _ in index == call || isLasting && index > call ? fault : nil }
        machine.toleratesFaults = true
        do {
            for step in Self.steps { try machine.perform(step) }
            machine.kill(0)
            machine.toleratesFaults = false
            guard process.calls > call else { return false }
            tally.injections += 1
            try check(machine)
        } catch {
            var failure = Machine.refusal(error)
            failure.story = "call \(call) \(fault)\(isLasting ? " for good" : ""), \(start)"
            tally.add(failure)
        }
        return true
    }

    private func check(_ machine: Machine) throws {
        let checker = Checker(thread: thread)
        let point = CrashPoint(machine.disk)
        var dice = Dice(3)
        for number in 0..<min(point.count, 6) {
            let way = point.count <= 6 ? point.way(number) : point.way(&dice)
            try checker.check(point.image(way).boot(), machine.expected)
        }
        // The power stayed on, and another process comes.
        try checker.check(machine.disk, machine.expected, keepsCache: true)
    }

    private func machine(_ start: Start, _ base: (disk: DiskImage, expected: Expectation)) throws -> Machine {
        let machine = Machine(base.disk.boot(), base.expected, on: thread)
        switch start {
        case .sound: break
        case .withoutNote: try machine.perform(.forgetNote)
        case .unsynced:
            try machine.perform(.append(process: 1, events: 2, bytes: 300, .written))
            machine.kill(1)
        case .tornTail:
            try machine.perform(.append(process: 1, events: 1, bytes: 300, .durable))
            machine.kill(1)
            let file = try machine.disk.process().open(Machine.path, for: .readingAndWriting)
            _ = try [1, 2, 3].withUnsafeBytes { bytes in try file.write(bytes, at: file.length()) }
        }
        return machine
    }
}
