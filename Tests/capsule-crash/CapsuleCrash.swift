import ArgumentParser
import CrashHarness

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

@main
struct CapsuleCrash: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capsule-crash",
        abstract: "Breaks capsules in every way that a crash can, and says what the production code made of it.",
        subcommands: [All.self, Images.self, Faults.self, Damage.self, Mutants.self, AppendOne.self],
        defaultSubcommand: All.self
    )
}

/// What most commands are told.
struct ImageOptions: ParsableArguments {
    @Option(help: "Distinct disk images.")
    var images = 2_000_000
    @Option(help: "The first seed of the random scripts; drawn and printed if not given.")
    var seed: UInt64?
    @Option(help: "Threads.")
    var workers = 2
    @Option(help: "Longest scripts of which all are run.")
    var exhaustive = 3

    func run() -> (tally: CrashTally, seed: UInt64) {
        var options = CrashCampaign.Options()
        options.images = images
        options.exhaustive = 1...max(1, exhaustive)
        options.seed = seed ?? .random(in: 1...1_000_000_000)
        options.workers = workers
        if isatty(2) != 0 {
            options.progress = { count in
                let text = "\r\(count) images "
                _ = write(2, text, text.utf8.count)
            }
        }
        return (CrashCampaign(options).run(), options.seed)
    }
}

struct All: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Everything but the mutants, and the table of figures.")

    @OptionGroup var options: ImageOptions
    @Option(help: "Size in KiB of the capsule of which every bit is flipped.")
    var flipped = 16

    func run() throws {
        let start = ContinuousClock.now
        let (crashes, seed) = options.run()
        let time = ContinuousClock.now - start
        let faults = FaultCampaign().run()
        let damage = DamageCampaign()
        damage.bytes = flipped << 10
        let table = FigureTable(crashes: crashes, faults: faults, damage: damage.run(), seed: seed, time: time)
        print(table)
        if !table.isClean { throw ExitCode.failure }
    }
}

struct Images: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Power losses on a simulated disk.")

    @OptionGroup var options: ImageOptions

    func run() throws {
        let start = ContinuousClock.now
        let (tally, seed) = options.run()
        let table = FigureTable(crashes: tally, seed: seed, time: ContinuousClock.now - start)
        print(table)
        if !table.isClean { throw ExitCode.failure }
    }
}

struct Faults: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Each storage call fails once, and for good.")

    func run() throws {
        let table = FigureTable(faults: FaultCampaign().run())
        print(table)
        if !table.isClean { throw ExitCode.failure }
    }
}

struct Damage: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Every bit flipped, every length cut to, batches moved.")

    @Option(help: "Size of the capsule in KiB.")
    var size = 16
    @Option(help: "Flip one bit in so many.")
    var stride = 1

    func run() throws {
        let campaign = DamageCampaign()
        campaign.bytes = size << 10
        campaign.stride = stride
        let table = FigureTable(damage: campaign.run())
        print(table)
        if !table.isClean { throw ExitCode.failure }
    }
}

struct Mutants: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Breaks one rule at a time, and says what noticed; fails if nothing did."
    )

    @Option(help: "Disk images for each.")
    var images = 20_000
    @Flag(help: "Run every technique on each, not only the one that is there for it.")
    var all = false
    @Option(help: "Only those whose name contains this.")
    var only: String?

    func run() throws {
        var campaign = MutantCampaign()
        campaign.images = images
        var isComplete = true
        for entry in MutantCampaign.all where only.map({ entry.name.contains($0) }) ?? true {
            let outcome = campaign.run(entry, allTechniques: all)
            isComplete = isComplete && outcome.isCaught
            let name = entry.name + String(repeating: " ", count: max(0, 40 - entry.name.count))
            let techniques = outcome.caught.map(\.technique).joined(separator: ", ")
            let reason = outcome.caught.first.map { $0.reason.prefix(90) } ?? ""
            print("\(name) \(techniques.isEmpty ? "NOT CAUGHT" : techniques)\n    \(reason)")
        }
        if !isComplete { throw ExitCode.failure }
    }
}
