import Foundation
import Testing

@Suite struct TailTests {
    private static let note = #"--type note --body '{"text":"hello"}'"#

    @Test func theLastEventsAreShownInTheirOrder() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop)
        let lines = try shop.run("tail", "-n", "3").lines
        #expect(lines.count == 3 && lines[0].contains("rate limited") && lines[2].contains("run.end"), "\(lines)")
        #expect(try shop.run("tail", "-n", "1000").lines.count == 43)
        #expect(try shop.run("tail", "nightly", "-n", "1000").lines.count == 42)
        #expect(try shop.run("tail", "--type", "model.*").lines.count == 2)
        #expect(try shop.run("tail", "-n", "0").output.isEmpty)
    }

    @Test func followingARunShowsWhatOtherProcessesAppendAndEndsWithIt() throws {
        let shop = try Shop()
        let run = try shop.start("--name", "live")
        let answer = try shop.shell(
            """
            $TOOL tail -f live --json > out & tail=$!
            for i in 1 2 3; do $TOOL append \(run) \(Self.note) >/dev/null; done
            $TOOL start --snapshot policy.json --name other >/dev/null
            $TOOL end live >/dev/null
            wait $tail; echo status $?
            """)
        #expect(answer.output == "status 0\n", "\(answer)")
        let lines = try String(decoding: shop.bytes("out"), as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 5)
        for (sequence, line) in lines.enumerated() {
            let value = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
            #expect(value?["sequence"] as? Int == sequence && value?["run"] as? String == run)
        }
    }

    @Test func followingARunThatEndedEnds() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop)
        #expect(try shop.run("tail", "-f", "nightly").status == 0)
    }

    @Test func followingEndsWhenTheReaderGoesAway() throws {
        let shop = try Shop()
        _ = try shop.start()
        // The reader leaves after one line, and nothing is appended that would make the tool notice.
        let answer = try shop.shell("$TOOL tail -f -n 1 | head -n 1 | wc -l; echo done")
        #expect(answer.output == "1\ndone\n", "\(answer)")
    }

    @Test func followingGoesOnInAnotherGenerationAndEndsWithAnotherFile() throws {
        let shop = try Shop()
        let run = try shop.start("--name", "live")
        try shop.shell("cp runs.cpsl copy.cpsl; $TOOL init foreign.cpsl > /dev/null")
        let answer = try shop.shell(
            """
            $TOOL tail -f -n 0 > out 2> err & tail=$!
            until [ -e runs.cpsl.index ]; do sleep 0.01; done; sleep 0.3
            $TOOL append \(run) \(Self.note) >/dev/null
            sleep 0.3; mv foreign.cpsl runs.cpsl
            wait $tail; echo status $?; wc -l < out; cat err
            """)
        #expect(answer.output.hasPrefix("status 66\n1\n") && answer.output.contains("another file"), "\(answer)")
    }
}
