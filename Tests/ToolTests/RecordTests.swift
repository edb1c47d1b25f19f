import Foundation
import Testing

@Suite struct RecordTests {
    private func lastRun(_ shop: Shop) throws -> [String: Any] {
        let runs = try JSONSerialization.jsonObject(with: Data(try shop.run("runs", "--json").output.utf8)) as? [[String: Any]]
        return runs?.first ?? [:]
    }

    @Test func theCommandsOutputAndStatusPassThrough() throws {
        let shop = try Shop()
        let answer = try shop.run("record", "--snapshot", "policy.json", "--", "sh", "-c", "echo out; echo err >&2; exit 7")
        #expect(answer.status == 7 && answer.output == "out\n" && answer.errors == "err\n", "\(answer)")
        #expect(try lastRun(shop)["outcome"] as? String == "failed")
    }

    @Test func theDigestOfTheOutputIsRecorded() throws {
        let shop = try Shop()
        try shop.run("record", "--name", "r", "--snapshot", "policy.json", "--", "printf", "abc")
        let shown = try shop.run("show", "r", "--json").output
        #expect(shown.contains("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"))
        #expect(try lastRun(shop)["outcome"] as? String == "completed")
    }

    @Test func theOutputItselfIsRecordedWhenAskedFor() throws {
        let shop = try Shop()
        try shop.run("record", "--name", "r", "--capture", "output", "--snapshot", "policy.json", "--", "sh", "-c", "head -c 200000 /dev/zero | tr '\\0' x")
        let texts = try shop.run("show", "r", "--type", "org.capsule.process-output", "--json").output
        #expect(texts.filter { $0 == "x" }.count >= 200_000)
        #expect(try shop.run("verify").status == 0)
    }

    @Test func aCommandThatASignalKilledEndsUsTheSameWayAndIsRecorded() throws {
        let shop = try Shop()
        let answer = try shop.shell("$TOOL record --snapshot policy.json -- sh -c 'kill -9 $$'; echo $?")
        #expect(answer.lines.last == "137", "\(answer)")
        #expect(try lastRun(shop)["outcome"] as? String == "failed")
    }

    @Test func aSignalReachesTheCommand() throws {
        let shop = try Shop()
        let answer = try shop.shell(
            """
            $TOOL record --name s --snapshot policy.json -- sh -c 'trap "echo got it; exit 5" TERM; echo ready; while :; do sleep 0.05; done' > out &
            pid=$!; until grep -q ready out 2>/dev/null; do sleep 0.05; done; kill -TERM $pid; wait $pid; echo $?; cat out
            """)
        #expect(answer.lines == ["5", "ready", "got it"], "\(answer)")
        #expect(try lastRun(shop)["outcome"] as? String == "cancelled")
    }

    @Test func aRecorderKilledInTheMiddleLeavesAReadableOpenRun() throws {
        let shop = try Shop()
        let answer = try shop.shell(
            """
            $TOOL record --name k --snapshot policy.json -- sh -c 'echo $$ > child; echo ready; exec sleep 30' > out & pid=$!
            until grep -q ready out 2>/dev/null; do sleep 0.05; done; kill -9 $pid; wait $pid; kill -9 $(cat child); exit 0
            """)
        #expect(answer.status == 0)
        let shown = try shop.run("show", "k")
        #expect(shown.status == 0 && shown.output.contains("open") && shown.output.contains("tool.call"), "\(shown)")
        #expect(try shop.run("verify").status == 0)
        #expect(try shop.run("end", "k", "--abandoned").status == 0)
        #expect(try lastRun(shop)["outcome"] as? String == "abandoned")
    }

    @Test func aCommandThatIsNotThereGives127AndARecordOfIt() throws {
        let shop = try Shop()
        let answer = try shop.run("record", "--snapshot", "policy.json", "--", "no-such-command-here")
        #expect(answer.status == 127, "\(answer)")
        #expect(try lastRun(shop)["outcome"] as? String == "failed")
    }

    @Test func aRunIsStartedOnceUnderAName() throws {
        let shop = try Shop()
        #expect(try shop.run("record", "--name", "r", "--snapshot", "policy.json", "--", "true").status == 0)
        let again = try shop.run("record", "--name", "r", "--snapshot", "policy.json", "--", "touch", "ran")
        #expect(again.status == 2 && !FileManager.default.fileExists(atPath: shop.path("ran")), "\(again)")
    }

    @Test func outputThatDoesNotGetThroughIsSaid() throws {
        let shop = try Shop()
        let answer = try shop.shell("$TOOL record --snapshot policy.json -- sh -c 'echo hi' > /dev/full; echo $? >&2")
        #expect(answer.errors.contains("No space left") && answer.errors.hasSuffix("4\n"), "\(answer)")
    }

    @Test(arguments: ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
    func closedDescriptorsHarmNothing(_ closed: String) throws {
        let shop = try Shop()
        _ = try shop.shell("timeout -k 2 20 $TOOL record --name c --snapshot policy.json -- sh -c 'echo hi' \(closed)")
        #expect(try shop.run("show", "c").output.contains("run.end"))
        #expect(try shop.run("verify").status == 0)
    }
}
