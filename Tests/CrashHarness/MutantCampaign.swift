import Capsule

/// Breaks one rule at a time, and says which technique noticed.
///
/// Run it in a process of its own: the rules are broken for everyone in it.
public struct MutantCampaign {
    /// A rule that is broken, and a technique that must notice.
    public struct Entry: Sendable {
        public var name: String
        let mutant: Mutant
    }

    public struct Outcome: Sendable {
        public var name: String
        /// Techniques that noticed, each with the first thing that it said.
        public var caught: [(technique: String, reason: String)]
        public var isCaught: Bool { !caught.isEmpty }
    }

    public static let all: [Entry] = [
        Entry(name: "acknowledge before the sync", mutant: .acknowledgesBeforeSync),
        Entry(name: "no checksum over the body", mutant: .hasNoBodyChecksum),
        Entry(name: "checksum without the offset", mutant: .checksumIgnoresOffset),
        Entry(name: "no cut after recovery", mutant: .recoveryDoesNotCut),
        Entry(name: "no chain of headers", mutant: .headersAreNotChained),
        Entry(name: "neither cut nor chain", mutant: [.recoveryDoesNotCut, .headersAreNotChained]),
        Entry(name: "no rewrite in recovery", mutant: .recoveryDoesNotRewrite),
        Entry(name: "retry after a failed sync", mutant: .retriesAFailedSync),
        Entry(name: "ignore a short write", mutant: .ignoresAShortWrite),
        Entry(name: "no fsync of the directory", mutant: .directoriesAreNotSynced),
        Entry(name: "recovery leaves the name unsynced", mutant: .recoveryDoesNotSyncTheName),
        Entry(name: "torn tail not kept", mutant: .tornTailIsNotKept),
        Entry(name: "sign before durable", mutant: .signsBeforeDurable),
        Entry(name: "note ahead of the capsule", mutant: .noteLeads),
        Entry(name: "mark ahead of the capsule", mutant: .readersDoNotSync),
        Entry(name: "reader trusts a sync after one failed", mutant: .readersTrustASyncAfterOneFailed),
        Entry(name: "header claims its own bytes durable", mutant: .headerClaimsItsOwnBytes),
        Entry(name: "damage taken for a torn tail", mutant: .damageIsTakenForATornTail),
        Entry(name: "a checkpoint larger than the file", mutant: .acceptsALargerCheckpoint),
        Entry(name: "admission before the lock", mutant: .admitsBeforeTheLock),
    ]

    /// Images that the simulated disk tries for each.
    public var images = 20_000

    public init() {}

    public func run(_ entry: Entry) -> Outcome {
        Mutant.active = entry.mutant
        defer { Mutant.active = [] }
        var outcome = Outcome(name: entry.name, caught: [])
        var options = CrashCampaign.Options()
        options.images = images
        options.exhaustive = 1...2
        options.workers = 1
        if let failure = CrashCampaign(options).run().examples.first {
            outcome.caught.append(("power loss", "\(failure.kind.rawValue): \(failure.reason)"))
        }
        let faults = FaultCampaign().run()
        if let failure = faults.examples.first {
            outcome.caught.append(("failing call", "\(failure.kind.rawValue): \(failure.reason)"))
        }
        let damage = DamageCampaign()
        damage.bytes = 10 << 10
        damage.stride = 61
        if let failure = damage.run().failures.first { outcome.caught.append(("damage", failure)) }
        return outcome
    }
}
