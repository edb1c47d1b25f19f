import Foundation
import ModelPolicy
import Testing

@Suite struct PolicyBindingTests {
    @Test func startCompilesThePolicyThatIsFoundUpwardsAndSaysWhereItCameFrom() throws {
        let shop = try Shop.withPolicy()
        _ = try shop.shell(
            "git init -q . && git add model_policy.toml && git -c user.name=a -c user.email=a@b commit -qm x"
        )
        try shop.folder("deep/inside")
        let started = try shop.shell("cd deep/inside && $TOOL start --name a --risk low")
        #expect(started.status == 0, "\(started)")
        let first = try shop.timeline("a")[0]
        let policy = try #require(first.body["policy"] as? [String: Any])
        let commit = try shop.shell("git rev-parse HEAD").output
        #expect(commit == (policy["commit"] as? String ?? "") + "\n")
        #expect(policy["differs"] as? Bool == false && policy["origin"] as? String == "workspace")
        let digest = try shop.shell("sha256sum model_policy.toml").output.prefix(64)
        #expect((policy["sources"] as? [[String: Any]])?.first?["sha256"] as? String == String(digest))
        #expect((policy["enforcement"] as? [String: String])?["routing"] == "enforce")
        #expect(try shop.run("policy", "compile").output.contains("\"name\":\"small\""))
        try shop.edit("per_run_usd = \"10.00\"", "per_run_usd = \"9.00\" # less")
        _ = try shop.run("start", "--name", "b", "--risk", "low")
        #expect((try shop.timeline("b")[0].body["policy"] as? [String: Any])?["differs"] as? Bool == true)
        #expect(try shop.run("verify", "--require-snapshots").status == 0)
    }

    @Test func theSamePolicyTwiceIsStoredOnce() throws {
        let shop = try Shop.withPolicy()
        for _ in 0..<3 { #expect(try shop.run("start").status == 0) }
        let list = try shop.json("snapshot", "list", "--json") as? [[String: Any]]
        #expect(list?.count == 1 && list?[0]["runs"] as? Int == 3)
    }

    @Test func theSpecsFileIsLaidOverAndItsNameLeadsNowhereElse() throws {
        let shop = try Shop.withPolicy()
        try shop.folder("policy/specs")
        try shop.write("schema = 1\n[budgets]\nper_run_usd = \"2.00\"\n", to: "policy/specs/SPEC-1.toml")
        try shop.write("schema = 1\n[budgets]\nper_run_usd = \"200.00\"\n", to: "loose.toml")
        _ = try shop.run("start", "--name", "s", "--spec", "SPEC-1")
        _ = try shop.run("start", "--name", "t", "--spec", "../../loose")
        let (s, t) = (try shop.timeline("s")[0], try shop.timeline("t")[0])
        #expect(s.snapshot != t.snapshot)
        #expect(((s.body["policy"] as? [String: Any])?["sources"] as? [Any])?.count == 2)
        #expect(((t.body["policy"] as? [String: Any])?["sources"] as? [Any])?.count == 1)
        // A file that loosens does not load, whoever names it.
        #expect(try shop.run("start", "--policy-layer", "loose.toml").status == 78)
    }

    @Test func anAgentThatEditsItsPolicyInTheMiddleGainsNothing() throws {
        let shop = try Shop.withPolicy()
        _ = try shop.run("start", "--name", "a")
        let bound = try shop.timeline("a")[0].snapshot
        let whole = try shop.read("model_policy.toml")
        let edits: [(String) -> String] = [
            { $0.replacingOccurrences(of: "\"10.00\"", with: "\"1000.00\"") },
            { $0.replacingOccurrences(of: "[budgets]\nper_run_usd = \"10.00\"\n", with: "") },
            { $0 + "[enforcement]\nrouting = \"observe\"\n" },
            { $0 + "[capture]\nmode = \"none\"\n" },
            { $0.replacingOccurrences(of: "tighten_only = [\"budgets\"]", with: "tighten_only = []") },
            { $0.replacingOccurrences(of: "evidence = \"durable\"", with: "evidence = \"written\"") },
            { _ in "schema = 1\nnonsense" },
            { _ in "" },
        ]
        for (number, edit) in edits.enumerated() {
            let changed = edit(whole)
            #expect(changed != whole)
            try shop.write(changed, to: "model_policy.toml")
            let answer =
                number.isMultiple(of: 2) ? try shop.run("stage", "a", "plan") : try shop.run("checkpoint", "a")
            #expect(answer.status == 0, "\(answer)")
        }
        try FileManager.default.removeItem(atPath: shop.path("model_policy.toml"))
        _ = try shop.run("append", "a", "--ndjson", input: #"{"type":"stage","body":{"name":"plan"}}"# + "\n")
        let timeline = try shop.timeline("a")
        #expect(timeline.allSatisfy { $0.snapshot == bound })
        let kept = timeline.filter { $0.type == "policy.kept" }
        #expect(kept.count == edits.count + 1)
        #expect(
            kept.map { $0.body["cause"] as? String } == Array(repeating: "loosens", count: 6)
                + Array(repeating: "does-not-load", count: 3)
        )
        // Nor by moving elsewhere, or by a snapshot of its own.
        try shop.write(whole.replacingOccurrences(of: "\"10.00\"", with: "\"1000.00\""), to: "other.toml")
        try shop.write(try shop.run("policy", "compile", "other.toml").output, to: "other.json")
        let forced = try shop.run("checkpoint", "a", "--snapshot", "other.json")
        #expect(forced.status == 2 && forced.errors.contains("budgets.per_run_usd"), "\(forced)")
        #expect(try shop.run("verify").status == 0)
    }

    @Test func aChangeThatOnlyTightensComesIntoForceAtTheNextBoundary() throws {
        let shop = try Shop.withPolicy()
        _ = try shop.run("start", "--name", "a")
        try shop.edit("\"10.00\"", "\"5.00\"")
        _ = try shop.run("stage", "a", "plan")
        try shop.write("# moved\n" + (try shop.read("model_policy.toml")), to: "model_policy.toml")
        _ = try shop.run("stage", "a", "implement")
        let timeline = try shop.timeline("a")
        #expect(timeline.map(\.type) == ["run.start", "snapshot", "stage", "stage"])
        #expect(
            timeline[1].body["snapshot"] as? String == timeline[2].snapshot
                && timeline[0].snapshot != timeline[2].snapshot
        )
        #expect(
            timeline[1].body["previous"] as? String == timeline[0].snapshot && timeline[1].body["source_map"] != nil
        )
        // And back again is looser.
        try shop.edit("\"5.00\"", "\"10.00\"")
        _ = try shop.run("checkpoint", "a")
        #expect(try shop.timeline("a").map(\.type).suffix(2) == ["policy.kept", "checkpoint"])
    }

    @Test func aRunOfHighRiskIsRefusedWhenThePolicyDoesNotLoad() throws {
        let shop = try Shop.withPolicy()
        try shop.edit("models = [\"big\"]", "models = [\"bgi\"]")
        let answer = try shop.run("start", "--name", "a")
        #expect(answer.status == 78 && answer.output.isEmpty && answer.errors.contains("P201"), "\(answer)")
        let runs = try #require(try shop.json("runs", "--json") as? [[String: Any]])
        let run = try #require(runs[0]["run"] as? String)
        #expect(runs[0]["outcome"] as? String == "refused")
        #expect(runs[0]["snapshot"] as? String == "\(BuiltinPolicy.refuse.id)")
        #expect(try shop.timeline(run).map(\.type) == ["run.start", "policy.failure", "run.end"])
        let recorded = try shop.run("record", "--", "touch", "ran")
        #expect(recorded.status == 78 && !FileManager.default.fileExists(atPath: shop.path("ran")))
        // The name is free for the run that is begun when the policy has been repaired.
        try shop.edit("models = [\"bgi\"]", "models = [\"big\"]")
        #expect(try shop.run("start", "--name", "a").status == 0)
        #expect(try shop.run("verify", "--require-snapshots").status == 0)
    }

    @Test func aRunOfLowRiskTakesWhatWasBoundLastElseTheFallback() throws {
        let shop = try Shop.withPolicy()
        let good = try shop.read("model_policy.toml")
        try shop.write("schema = 1\n[", to: "model_policy.toml")
        let first = try shop.run("start", "--name", "a", "--risk", "low")
        #expect(first.status == 0 && first.errors.contains("builtin-fallback"), "\(first)")
        #expect(try shop.timeline("a")[0].snapshot == "\(BuiltinPolicy.fallback.id)")
        try shop.write(good, to: "model_policy.toml")
        _ = try shop.run("start", "--name", "b", "--risk", "low")
        try shop.write("schema = 1\n[", to: "model_policy.toml")
        _ = try shop.run("start", "--name", "refused")
        let second = try shop.run("start", "--name", "c", "--risk", "low")
        #expect(second.status == 0 && second.errors.contains("bound last"), "\(second)")
        #expect(try shop.timeline("c")[0].snapshot == (try shop.timeline("b")[0].snapshot))
        #expect(try shop.timeline("c")[1].body["action"] as? String == "last-bound")
    }

    @Test func aPolicyOfTomorrowBindsNothing() throws {
        let shop = try Shop.withPolicy()
        try shop.edit("owner = \"team\"", "owner = \"team\"\neffective = 9999-01-01")
        let answer = try shop.run("start", "--risk", "low")
        #expect(answer.status == 2 && answer.errors.contains("9999-01-01"), "\(answer)")
        #expect((try shop.json("runs", "--json") as? [Any])?.isEmpty == true)
    }

    @Test func withoutAPolicyNothingStarts() throws {
        let shop = try Shop()
        let answer = try shop.run("start", "--risk", "low")
        #expect(answer.status == 66 && answer.errors.contains("policy init"), "\(answer)")
        #expect(try shop.run("start", "--policy", "nowhere.toml").status == 78)
    }

    @Test func aLogIsWrittenOnlyWhenAskedFor() throws {
        let shop = try Shop.withPolicy()
        #expect(try shop.run("start").errors.isEmpty)
        #expect(try shop.run("start", "--verbose").errors.contains("capsule.policy"))
        _ = try shop.run("start", "--log-file", "log.ndjson")
        let lines = try shop.read("log.ndjson").split(separator: "\n")
        #expect(lines.count >= 2)
        for line in lines { #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) } }
        let passed = try shop.run("record", "--", "echo", "--verbose")
        #expect(passed.output == "--verbose\n")
    }
}
