import Capsule
import Dispatch
import Synchronization
import WriterQueue

/// What a campaign saw.
public struct CrashTally: Sendable {
    public var scripts = 0
    public var crashPoints = 0
    /// Images that were opened and checked, those that were seen before included.
    public var checks = 0
    /// Images that differ from each other.
    public var images = 0
    /// Of them, those left by a second crash.
    public var doubleCrashes = 0
    /// Processes killed while the machine went on.
    public var kills = 0
    /// Turns of scripts that were taken in the caller's thread.
    public var shortTurns = 0
    public var failures: [CrashFailure.Kind: Int] = [:]
    /// The first failures, with what led to them.
    public var examples: [CrashFailure] = []

    public var isClean: Bool { failures.isEmpty }

    mutating func add(_ failure: CrashFailure) {
        failures[failure.kind, default: 0] += 1
        if examples.count < 5 { examples.append(failure) }
    }
}

/// Runs scripts on simulated machines, lets the power fail before every call that changes something, and checks what
/// the production code makes of what is left.
public final class CrashCampaign: Sendable {
    public struct Options: Sendable {
        /// Distinct images after which to stop.
        public var images = 20_000
        /// Lengths of scripts of which all are run.
        public var exhaustive = 1...2
        /// Run these and no others.
        public var scripts: [Script]?
        /// Run none but random scripts: a small run would not come to them.
        public var isRandomOnly = false
        public var seed: UInt64 = 1
        /// Ways of one power loss that are tried at most; in random scripts eight times as many.
        public var waysPerPoint = 64
        public var workers = 2
        /// Stop at the first failure.
        public var stopsAtFailure = true
        /// Do not mind what recovery leaves behind the end, to see what comes of it.
        public var ignoresWhatIsBehind = false
        /// Called now and then with the images so far.
        public var progress: (@Sendable (Int) -> Void)?

        public init() {}
    }

    /// How many fingerprints are kept: of more images, those beyond are counted as they come.
    private static let maximumFingerprints = 64 << 20

    private struct Shared {
        var tally = CrashTally()
        var seen: Set<UInt64> = []
        var next = 0
        var isDone = false
    }

    private let options: Options
    private let shared = Mutex(Shared())

    public init(_ options: Options = Options()) { self.options = options }

    /// Runs until there are as many images as asked for, or a failure.
    public func run() -> CrashTally {
        let group = DispatchGroup()
        for _ in 0..<options.workers {
            group.enter()
            startThread { [self] in
                CrashWorker(self, WriterThread()).run()
                group.leave()
            }
        }
        group.wait()
        return shared.withLock { $0.tally }
    }

    /// The script with the next number: first those that make a capsule, then all short ones, then random ones.
    fileprivate func nextScript() -> (script: Script, name: String)? {
        guard
            let number = shared.withLock({ shared -> Int? in
                if shared.isDone { return nil }
                defer { shared.next += 1 }
                return shared.next
            })
        else { return nil }
        if let scripts = options.scripts { return number < scripts.count ? (scripts[number], "given \(number)") : nil }
        if options.isRandomOnly { return random(options.seed &+ UInt64(number)) }
        let creating = Script.creating
        if number < creating.count { return (creating[number], "creating \(number)") }
        var rest = number - creating.count
        for length in options.exhaustive {
            let count = Script.count(length: length)
            // Spread, so that a run that ends early has seen some of each.
            if rest < count {
                return (Script.all(length: length, number: rest * 7919 % count), "all \(length) \(rest)")
            }
            rest -= count
        }
        return random(options.seed &+ UInt64(rest))
    }

    private func random(_ seed: UInt64) -> (script: Script, name: String) {
        var dice = Dice(seed)
        return (Script.random(&dice), "seed \(seed)")
    }

    /// Whether this image was not checked against this expectation before.
    fileprivate func isNew(_ fingerprint: UInt64, _ expected: Expectation, isDouble: Bool) -> Bool {
        shared.withLock { shared in
            shared.tally.checks += 1
            let isKept = shared.seen.count < Self.maximumFingerprints
            let isNewImage = isKept ? shared.seen.insert(fingerprint).inserted : true
            if isNewImage {
                shared.tally.images += 1
                if isDouble { shared.tally.doubleCrashes += 1 }
                if shared.tally.images >= options.images { shared.isDone = true }
            }
            return isKept ? shared.seen.insert(fingerprint ^ expected.fingerprint | 1).inserted || isNewImage : true
        }
    }

    fileprivate func finished(points: Int, kills: Int, shortTurns: Int = 0, _ failure: CrashFailure?) {
        let images = shared.withLock { shared -> Int in
            shared.tally.scripts += 1
            shared.tally.crashPoints += points
            shared.tally.kills += kills
            shared.tally.shortTurns += shortTurns
            if let failure {
                shared.tally.add(failure)
                if options.stopsAtFailure { shared.isDone = true }
            }
            return shared.tally.images
        }
        options.progress?(images)
    }

    fileprivate var ignoresWhatIsBehind: Bool { options.ignoresWhatIsBehind }

    fileprivate func ways(isRandom: Bool) -> Int { isRandom ? options.waysPerPoint * 8 : options.waysPerPoint }
}

/// One thread of a campaign.
private struct CrashWorker {
    let campaign: CrashCampaign
    let thread: WriterThread
    let checker: Checker

    init(_ campaign: CrashCampaign, _ thread: WriterThread) {
        self.campaign = campaign
        self.thread = thread
        checker = Checker(thread: thread, ignoresWhatIsBehind: campaign.ignoresWhatIsBehind)
    }

    func run() {
        let base: (disk: DiskImage, expected: Expectation)
        do { base = try Machine.base(on: thread) } catch {
            return campaign.finished(points: 0, kills: 0, Machine.refusal(error))
        }
        while let (script, name) = campaign.nextScript() {
            var points: [(CrashPoint, Expectation)] = []
            var shortTurns = 0
            var failure: CrashFailure?
            do {
                try run(script, base, &points, &shortTurns)
                var dice = Dice(UInt64(points.count) &+ 17)
                for point in points {
                    let most = campaign.ways(isRandom: name.hasPrefix("seed"))
                    try crash(point.0, point.1, ways: most, &dice)
                }
            } catch {
                failure = Machine.refusal(error)
                failure?.story = "\(name): " + script.steps.map(\.description).joined(separator: "; ")
            }
            let kills = script.steps.filter { if case .killed = $0 { true } else { false } }.count
            campaign.finished(points: points.count, kills: kills, shortTurns: shortTurns, failure)
        }
    }

    /// Runs a script to its end, and takes down every place where the power may fail.
    private func run(
        _ script: Script,
        _ base: (disk: DiskImage, expected: Expectation),
        _ points: inout [(CrashPoint, Expectation)],
        _ shortTurns: inout Int
    ) throws {
        let isNew = script.creation != .before
        let machine =
            isNew ? Machine(SimulatedDisk(), on: thread) : Machine(base.disk.boot(), base.expected, on: thread)
        let signs = script.steps.contains { if case .checkpoint = $0 { true } else { false } }
        var found: [(CrashPoint, Expectation)] = []
        machine.disk.beforeChange = { [unowned machine] in
            if signs { machine.pinNotes() }
            found.append((CrashPoint(machine.disk), machine.expected))
        }
        defer { machine.disk.beforeChange = nil }
        do {
            if isNew { try begin(machine, script.creation) }
            for step in script.steps { try machine.perform(step) }
        } catch {
            points = found
            throw error
        }
        machine.disk.beforeChange = nil
        found.append((CrashPoint(machine.disk), machine.expected))
        points = found
        // All processes are killed, and the power stays on.
        for process in 0..<3 { machine.kill(process) }
        shortTurns = machine.shortTurns
        try checker.check(machine.disk, machine.expected, keepsCache: true)
    }

    /// Makes the capsule, perhaps with a first maker that is killed, and starts the run.
    private func begin(_ machine: Machine, _ creation: Script.Creation) throws {
        if case .killed(let call) = creation {
            machine.process(0).fault = { index, _ in index == call ? .kill : nil }
            try? machine.create()
            machine.kill(0)
        }
        if machine.disk.contents(Machine.path) == nil { try machine.create() }
        try machine.startRun(1)
    }

    /// Lets the power fail at one place, in all the ways there are or some of them.
    private func crash(_ point: CrashPoint, _ expected: Expectation, ways: Int, _ dice: inout Dice) throws {
        let count = point.count
        let isExhaustive = count <= ways
        let tries = isExhaustive ? count : ways
        // Where many ways are tried, some are taken further; where there are few, one now and then.
        let stride = tries >= 64 ? 64 : dice.below(3) == 0 ? max(tries, 1) : 1000
        let second = dice.below(min(stride, max(tries, 1)))
        for number in 0..<tries {
            let way = isExhaustive ? point.way(number) : point.way(&dice)
            if campaign.isNew(point.fingerprint(way), expected, isDouble: false) {
                try checker.check(point.image(way).boot(), expected)
            }
            if number % stride == second { try crashAgain(point.image(way), expected, &dice) }
        }
    }

    /// Recovers, appends, and lets the power fail anywhere in between.
    private func crashAgain(_ image: DiskImage, _ expected: Expectation, _ dice: inout Dice) throws {
        guard image.files[Machine.path.string] != nil else { return }
        let machine = Machine(image.boot(), expected, on: thread)
        var points: [(CrashPoint, Expectation)] = []
        machine.disk.beforeChange = { [unowned machine] in
            points.append((CrashPoint(machine.disk), machine.expected))
        }
        if machine.expected.isCreated, (try? machine.door(0).state.open[Machine.run]) != nil {
            // The same events as were lost, perhaps: then the second tail fits where the first one stood.
            let steps = [Script.alphabet[0], Script.alphabet[3], Script.alphabet[3], Script.alphabet[4]]
            try machine.perform(steps[dice.below(4)])
        }
        machine.disk.beforeChange = nil
        points.append((CrashPoint(machine.disk), machine.expected))
        for (point, expected) in points {
            let count = point.count
            for number in 0..<min(count, 24) {
                let way = count <= 24 ? point.way(number) : point.way(&dice)
                if campaign.isNew(point.fingerprint(way), expected, isDouble: true) {
                    try checker.check(point.image(way).boot(), expected)
                }
            }
        }
    }
}
