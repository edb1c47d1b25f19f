import CrashHarness
import Testing

@Suite struct CrashTests {
    @Test func nothingAcknowledgedIsLostWhereverThePowerFails() {
        var options = CrashCampaign.Options()
        options.images = 10_000
        let tally = CrashCampaign(options).run()
        #expect(tally.isClean, "\(tally.examples)")
    }
}
