import Capsule

/// Breaks one rule at a time, and says which technique noticed.
///
/// Run it in a process of its own: the rules are broken for everyone in it.
public struct MutantCampaign {
    /// A rule that is broken, and a technique that must notice.
    public struct Entry: Sendable {
        public var name: String
        let mutant: Mutant
        /// The technique that is first of all there for this rule.
        let technique: Technique
    }

    public enum Technique: String, Sendable, CaseIterable {
        case powerLoss = "power loss"
        case failingCall = "failing call"
        case damage
    }

    public struct Outcome: Sendable {
        public var name: String
        /// Techniques that noticed, each with the first thing that it said.
        public var caught: [(technique: String, reason: String)]
        public var isCaught: Bool { !caught.isEmpty }
    }

    public static let all: [Entry] = [
        Entry(name: "acknowledge before the sync", mutant: .acknowledgesBeforeSync, technique: .powerLoss),
        Entry(name: "no checksum over the body", mutant: .hasNoBodyChecksum, technique: .powerLoss),
        Entry(name: "checksum without the offset", mutant: .checksumIgnoresOffset, technique: .damage),
        Entry(name: "no cut after recovery", mutant: .recoveryDoesNotCut, technique: .powerLoss),
        Entry(name: "no chain of headers", mutant: .headersAreNotChained, technique: .damage),
        Entry(
            name: "neither cut nor chain",
            mutant: [.recoveryDoesNotCut, .headersAreNotChained],
            technique: .powerLoss
        ),
        Entry(name: "no rewrite in recovery", mutant: .recoveryDoesNotRewrite, technique: .powerLoss),
        Entry(name: "retry after a failed sync", mutant: .retriesAFailedSync, technique: .powerLoss),
        Entry(name: "ignore a short write", mutant: .ignoresAShortWrite, technique: .failingCall),
        Entry(name: "no fsync of the directory", mutant: .directoriesAreNotSynced, technique: .powerLoss),
        Entry(name: "recovery leaves the name unsynced", mutant: .recoveryDoesNotSyncTheName, technique: .powerLoss),
        Entry(name: "torn tail not kept", mutant: .tornTailIsNotKept, technique: .powerLoss),
        Entry(name: "sign before durable", mutant: .signsBeforeDurable, technique: .powerLoss),
        Entry(name: "note ahead of the capsule", mutant: .noteLeads, technique: .powerLoss),
        Entry(name: "mark ahead of the capsule", mutant: .readersDoNotSync, technique: .powerLoss),
        Entry(
            name: "reader trusts a sync after one failed",
            mutant: .readersTrustASyncAfterOneFailed,
            technique: .powerLoss
        ),
        Entry(name: "header claims its own bytes durable", mutant: .headerClaimsItsOwnBytes, technique: .powerLoss),
        Entry(name: "damage taken for a torn tail", mutant: .damageIsTakenForATornTail, technique: .damage),
        Entry(name: "a checkpoint larger than the file", mutant: .acceptsALargerCheckpoint, technique: .damage),
        Entry(name: "a short turn does not look", mutant: .shortTurnDoesNotLook, technique: .powerLoss),
        Entry(name: "admission before the lock", mutant: .admitsBeforeTheLock, technique: .powerLoss),
    ]

    /// Images that the simulated disk tries for each.
    public var images = 20_000

    public init() {}

    /// Runs the technique that is meant to notice, or all of them.
    public func run(_ entry: Entry, allTechniques: Bool = false) -> Outcome {
        Mutant.active = entry.mutant
        defer { Mutant.active = [] }
        var outcome = Outcome(name: entry.name, caught: [])
        for technique in allTechniques ? Technique.allCases : [entry.technique] {
            guard let reason = firstProblem(technique, entry) else { continue }
            outcome.caught.append((technique.rawValue, reason))
        }
        return outcome
    }

    private func firstProblem(_ technique: Technique, _ entry: Entry) -> String? {
        switch technique {
        case .powerLoss:
            var options = CrashCampaign.Options()
            options.images = images
            options.exhaustive = 1...2
            options.workers = 1
            // What stands behind the end is the first sign of it; wait for what comes of that.
            options.ignoresWhatIsBehind = entry.mutant == [.recoveryDoesNotCut, .headersAreNotChained]
            if options.ignoresWhatIsBehind { options.images *= 5 }
            return CrashCampaign(options).run().examples.first.map { "\($0.kind.rawValue): \($0.reason)" }
        case .failingCall:
            var campaign = FaultCampaign()
            campaign.stopsAtFailure = true
            return campaign.run().examples.first.map { "\($0.kind.rawValue): \($0.reason)" }
        case .damage:
            let damage = DamageCampaign()
            damage.bytes = 10 << 10
            damage.stride = 61
            return damage.run().failures.first
        }
    }
}
