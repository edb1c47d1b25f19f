import Foundation
import Testing

/// Finding runs, checkpoints and what was said then.
@Suite struct FindTests {
    private func names(_ shop: Shop, _ arguments: String...) throws -> [String] {
        let answer = try Shop.launch(Shop.tool, ["runs", "--json"] + arguments, folder: shop.folder, input: Data(), environment: [:])
        #expect(answer.status == 0, "\(answer)")
        let rows = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [[String: Any]]
        return rows?.compactMap { $0["name"] as? String } ?? []
    }

    @Test func runsAreFoundByWhatIsKnownOfThem() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop, name: "old")
        _ = try shop.start("--name", "new-1", "--spec", "A", "--label", "team=core", "--label", "env=dev")
        try shop.run("end", "new-1")
        _ = try shop.start("--name", "new-2", "--spec", "B", "--label", "team=web")
        #expect(try names(shop) == ["new-2", "new-1", "old"])
        #expect(try names(shop, "--status", "open") == ["new-2"])
        #expect(try names(shop, "--state", "ended") == ["new-1", "old"])
        #expect(try names(shop, "--status", "failed") == ["old"])
        #expect(try names(shop, "--spec", "A") == ["new-1"])
        #expect(try names(shop, "--name", "new-*") == ["new-2", "new-1"])
        #expect(try names(shop, "--name", "new") == [])
        #expect(try names(shop, "--label", "team=core") == ["new-1", "old"])
        #expect(try names(shop, "--label", "team=core", "--label", "env=ci") == ["old"])
        #expect(try names(shop, "--label", "team=core", "--limit", "1") == ["new-1"])
        #expect(try names(shop, "--since", "1h") == ["new-2", "new-1"])
        #expect(try names(shop, "--since", "2026-11-23", "--until", "2026-11-23") == ["old"])
        #expect(try names(shop, "--until", "2026-11-23T14:00:00Z") == [])
        #expect(try names(shop, "--since", "2026-11-23T14:00", "--until", "2026-11-23T14:00:01") == ["old"])
    }

    @Test func aBracketInAPatternIsABracket() throws {
        let shop = try Shop()
        for name in ["new-1", "[x] one", "x"] { _ = try shop.start("--name", name) }
        #expect(try names(shop, "--name", "new-[12]*") == [])
        #expect(try names(shop, "--name", "[x]*") == ["[x] one"])
    }

    @Test func labelsAreFoundPastManyRunsThatHaveThemNot() throws {
        let shop = try Shop()
        _ = try shop.start("--name", "first", "--label", "team=core")
        let many = "for i in $(seq 300); do echo $i; done | xargs -P 4 -I N $TOOL start --snapshot policy.json --name run-N >/dev/null"
        try shop.shell(many)
        #expect(try names(shop, "--label", "team=core") == ["first"])
    }

    @Test func anAmbiguousPrefixListsTheCandidates() throws {
        let shop = try Shop()
        let runs = [try shop.start("--name", "one"), try shop.start("--name", "two")]
        let answer = try shop.run("show", String(runs[0].prefix(4)))
        #expect(answer.status == 2 && answer.errors.split(separator: "\n").count == 1)
        for text in runs + ["'one'", "'two'"] { #expect(answer.errors.contains(text), "\(answer.errors)") }
        let unknown = try shop.run("show", "three")
        #expect(unknown.status == 2 && unknown.errors.contains("'two'"))
    }

    @Test func aCheckpointIsFoundByLabelNumberAndSize() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop)
        for text in ["before-merge", "#1", "1", "8"] {
            let answer = try shop.run("verify", "--as-of", text, "--json")
            #expect(answer.status == 0 && answer.output.contains(#""verdict": "proved""#), "\(text) \(answer)")
            #expect(answer.output.contains(#""events": 8"#))
        }
        let list = try shop.run("checkpoints").lines
        // The stage that was entered afterwards made one by itself.
        #expect(list.count == 3 && list.contains { $0.contains("before-merge") })
        let missing = try shop.run("show", "nightly", "--as-of", "after-merge")
        #expect(missing.status == 2 && missing.errors.contains("#1 'before-merge' (8 events)"), "\(missing)")
    }

    @Test func aLabelOfSeveralCheckpointsIsAmbiguous() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop, name: "a")
        try await Auditor.record(in: shop, name: "b")
        let answer = try shop.run("runs", "--as-of", "before-merge")
        #expect(answer.status == 2 && answer.errors.contains("#1") && answer.errors.contains("#3"), "\(answer)")
        #expect(try names(shop, "--as-of", "#1") == ["a"])
        #expect(try names(shop, "--as-of", "#3") == ["b", "a"])
    }

    @Test func aRunIsShownAsItWasAtACheckpoint() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop)
        let row = try shop.run("runs", "--as-of", "before-merge").lines.last
        #expect(row?.contains(" open ") == true && row?.contains(" 7 ") == true, "\(row ?? "")")
        #expect(try names(shop, "--as-of", "before-merge", "--status", "failed") == [])
        let then = try shop.run("show", "nightly", "--as-of", "before-merge").output
        #expect(then.contains("open, 7 events") && !then.contains("grep") && then.contains("the run is not sealed"))
        #expect(try shop.run("show", "nightly#6", "--as-of", "#1").status == 0)
        #expect(try shop.run("show", "nightly#7", "--as-of", "#1").status == 1)
    }

    @Test func aCheckpointIsProvedThoughTheEndIsDamaged() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop)
        var bytes = try shop.bytes()
        bytes[bytes.count - 3] ^= 1
        try bytes.write(to: URL(fileURLWithPath: shop.path("runs.cpsl")))
        #expect(try shop.run("verify").status == 3)
        let answer = try shop.run("verify", "--as-of", "before-merge")
        #expect(answer.status == 0 && answer.output.contains("intact up to the checkpoint"), "\(answer)")
    }

    @Test func damageBeforeACheckpointIsFound() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop)
        try shop.run("runs")
        var bytes = try shop.bytes()
        bytes[8192 + 200] ^= 1
        try bytes.write(to: URL(fileURLWithPath: shop.path("runs.cpsl")))
        let answer = try shop.run("verify", "--as-of", "before-merge")
        #expect(answer.status == 3 && !answer.output.contains("intact"), "\(answer)")
    }

    @Test(arguments: [
        ["runs", "--since", "yesterdayish"], ["runs", "--until", "2026-13-01"], ["runs", "--label", "team"],
        ["runs", "--status", "asleep"], ["runs", "--limit", "0"], ["runs", "--limit", "x"], ["runs", "--since", "99999999999999w"],
        ["show", "a", "--type", "nonsense"], ["show", "a", "--grep", "("], ["show", "a", "--width", "3"], ["show"],
        ["show", "a", "--colour"], ["tail", "-n", "-1"], ["tail", "--type", "x"], ["export", "--format", "pdf"],
        ["verify", "--as-of", "x", "--require-snapshots"], ["checkpoints", "--limit", "0"], ["du", "--limit", "-2"],
        ["index", "polish"], ["fly"],
    ])
    func aWrongArgumentIsOneSentenceAndStatus64(_ arguments: [String]) throws {
        let shop = try Shop()
        let answer = try Shop.launch(Shop.tool, arguments, folder: shop.folder, input: Data(), environment: [:])
        #expect(answer.status == 64 && answer.output.isEmpty, "\(answer)")
        #expect(answer.errors.hasPrefix("capsule-tool: ") && answer.errors.split(separator: "\n").count == 1, "\(answer)")
        let command = arguments[0] == "fly" ? "" : " \(arguments[0])"
        #expect(answer.errors.hasSuffix("; see 'capsule-tool\(command) --help'\n"), "\(answer)")
    }
}
