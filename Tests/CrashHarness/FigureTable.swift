/// The figures of a run, for people.
public struct FigureTable: CustomStringConvertible {
    var rows: [(name: String, value: String)] = []
    var problems: [String] = []

    /// Whether nothing was lost, invented or misread.
    public var isClean: Bool { problems.isEmpty }

    public init(
        crashes: CrashTally? = nil,
        faults: FaultTally? = nil,
        damage: DamageTally? = nil,
        seed: UInt64? = nil,
        time: Duration? = nil
    ) {
        if let crashes { add(crashes, seed: seed, time: time) }
        if let faults {
            rows.append(("storage calls made to fail", "\(faults.injections)"))
            problems += faults.examples.map(\.description)
        }
        if let damage {
            rows.append(("bits flipped", "\(damage.flips)"))
            rows.append(("lengths cut to", "\(damage.truncations)"))
            rows.append(("batches moved, spliced", "\(damage.moves), \(damage.splices)"))
            rows.append(("damage not noticed, or taken for a crash", "\(damage.failures.count)"))
            problems += damage.failures
        }
        var failures = crashes?.failures ?? [:]
        for (kind, count) in faults?.failures ?? [:] { failures[kind, default: 0] += count }
        guard crashes != nil || faults != nil else { return }
        rows.append(("acknowledged events lost", "\(failures[.lost] ?? 0)"))
        rows.append(("events invented", "\(failures[.invented] ?? 0)"))
        rows.append(("crashes misread as damage", "\(failures[.misread] ?? 0)"))
        rows.append(("recovery left unclean", "\(failures[.unclean] ?? 0)"))
    }

    private mutating func add(_ crashes: CrashTally, seed: UInt64?, time: Duration?) {
        rows.append(("distinct disk images", "\(crashes.images)"))
        rows.append(("of them after a second crash", "\(crashes.doubleCrashes)"))
        rows.append(("places where the power failed", "\(crashes.crashPoints)"))
        rows.append(("scripts, processes killed in them", "\(crashes.scripts), \(crashes.kills)"))
        rows.append(("turns in the caller's thread in them", "\(crashes.shortTurns)"))
        if let seed { rows.append(("seed", "\(seed)")) }
        if let time {
            let seconds = time / .seconds(1)
            rows.append(("seconds, images a second", "\(Int(seconds)), \(Int(Double(crashes.images) / seconds))"))
        }
        problems += crashes.examples.map(\.description)
    }

    public var description: String {
        let width = rows.map(\.name.count).max() ?? 0
        let lines = rows.map { row in
            row.name + String(repeating: " ", count: width - row.name.count) + "  " + row.value
        }
        return (lines + problems).joined(separator: "\n")
    }
}
