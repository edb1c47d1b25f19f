import Testing
import WriterQueue

@testable import Capsule
@testable import CrashHarness

/// The rules of durability, each by the shortest story in which breaking it shows, and every power loss in that story.
///
/// Nothing is left to chance: each run opens the same disk images.
@Suite struct RuleTests {
    /// Runs stories, lets the power fail before every change in every way there is (of more than 256 ways, in so many),
    /// and opens what is left.
    private func tell(_ scripts: [Script], at place: SourceLocation = #_sourceLocation) {
        var options = CrashCampaign.Options()
        options.scripts = scripts
        (options.images, options.waysPerPoint, options.workers) = (.max, 256, 1)
        let tally = CrashCampaign(options).run()
        #expect(tally.scripts == scripts.count && tally.images > 0, sourceLocation: place)
        #expect(tally.isClean, "\(tally.examples)", sourceLocation: place)
    }

    private func tell(_ steps: Step..., at place: SourceLocation = #_sourceLocation) {
        tell([Script(steps)], at: place)
    }

    private func append(_ process: Int, _ durability: Durability = .durable, bytes: Int = 10) -> Step {
        .append(process: process, events: 1, bytes: bytes, durability)
    }

    @Test("What a receipt called durable is there after a power loss")
    func receipts() {
        tell(append(0), append(1, .written, bytes: 900), append(0, bytes: 900))
    }

    @Test("What a reader was shown is there after a power loss, though no writer had synced it")
    func readers() {
        tell(append(0, .written, bytes: 900), .read)
    }

    @Test("What a reader was shown after a writer's sync failed is there after a power loss")
    func readersAfterAFailedSync() {
        tell(.failedSync(process: 0, bytes: 900), .read)
    }

    @Test("What a checkpoint note covers is there wherever that note is")
    func checkpoints() {
        tell(append(0, .written, bytes: 900), .checkpoint(process: 0))
    }

    @Test("After a sync that failed, nothing that it was to save is acknowledged before it was written again")
    func failedSyncs() {
        tell(.failedSync(process: 0, bytes: 900), append(0), append(1, bytes: 900))
    }

    @Test("A capsule that somebody was told of has its name, whenever its maker was killed")
    func names() {
        tell(Script.creating.filter { $0.steps.isEmpty })
    }

    @Test("A write of two batches that a power loss tore is a torn tail, whichever of them is whole")
    func claims() {
        tell(append(0, .written), .twoBatches(process: 0, bytes: 300))
    }

    @Test("Who waited for the lock writes behind what was written meanwhile")
    func waiting() {
        tell([
            Script([.race(process: 0, before: 1)]),
            Script([append(0), .race(process: 0, before: 1)]),
            Script([.race(process: 0, before: 1), .race(process: 0, before: 1)]),
        ])
    }

    @Test("A short turn writes behind what another process wrote")
    func shortTurns() {
        tell(append(0), append(1), append(0), append(1, .written), append(0))
    }
}
