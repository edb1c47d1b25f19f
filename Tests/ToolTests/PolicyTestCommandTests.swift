import Foundation
import Testing

/// `policy test`, as people and CI call it.
@Suite struct PolicyTestCommandTests {
    private static let passing = """
        schema = 1

        [[scenarios]]
        name = "a writer has the big model"
        given = { role = "writer", stage = "plan" }
        expect = { model = "big", rule = "roles.writer.models" }

        """

    private static let failing = """
        schema = 1

        [[scenarios]]
        name = "a writer <is> refused & \\"told\\" # so"
        given = { role = "writer", stage = "plan" }
        expect = { reason = "budget-usd", rule = "roles.writer.models" }

        """

    private func shop(_ scenarios: String?) throws -> Shop {
        let shop = try Shop(capsule: false)
        try shop.write(Policies.small, to: "model_policy.toml")
        guard let scenarios else { return shop }
        try shop.folder("policy/tests")
        try shop.write(scenarios, to: "policy/tests/a.toml")
        return shop
    }

    @Test func whatPassesIsSaidInALine() throws {
        let shop = try shop(Self.passing)
        let answer = try shop.run("policy", "test")
        #expect(answer.status == 0 && answer.output == "✓ 1 scenario passed\n" && answer.errors == "", "\(answer)")
    }

    @Test func aFailureShowsTheWholeDecisionBesideWhatWasExpected() throws {
        let answer = try shop(Self.failing).run("policy", "test")
        #expect(answer.status == 2)
        let lines = answer.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
        #expect(lines[0].hasSuffix("policy/tests/a.toml:4"))
        #expect(lines[1] == "given  role = \"writer\", stage = \"plan\"")
        let cells = lines.map { $0.split(separator: " ").map(String.init) }
        #expect(cells.contains(["✗", "reason", "budget-usd", "—"]), "\(answer.output)")
        #expect(cells.contains(["rule", "roles.writer.models", "roles.writer.models"]))
        #expect(cells.contains(["model", "big"]) && cells.contains(["evidence", "durable"]))
        #expect(lines.last == "✗ 1 of 1 scenario failed")
    }

    @Test func noScenarioAtAllIsAFailure() throws {
        for scenarios in [nil, "schema = 1\n"] {
            let answer = try shop(scenarios).run("policy", "test")
            #expect(answer.status == 2 && answer.output.hasPrefix("✗ no scenario"), "\(answer)")
        }
        let filtered = try shop(Self.passing).run("policy", "test", "--filter", "nothing")
        #expect(filtered.status == 2, "\(filtered)")
    }

    @Test func whatCannotRunIsToldApartFromWhatFails() throws {
        let bad = try shop(Self.passing.replacingOccurrences(of: "\"big\"", with: "\"bgi\"")).run("policy", "test")
        #expect(bad.status == 1 && bad.output == "", "\(bad)")
        #expect(
            bad.errors.contains("T004") && bad.errors.contains("policy/tests/a.toml:6:20")
                && bad.errors.contains("did you mean `big`?")
        )
        let good = try shop(Self.passing)
        #expect(try good.run("policy", "test", "nowhere.toml").status == 1)
        #expect(try good.run("policy", "test", "--policy", "nowhere.toml").status == 1)
        #expect(try good.run("policy", "test", "--golden", "g.txt").status == 1, "no grid is declared")
        try good.edit("tier = 2", "tier = 0")
        #expect(try good.run("policy", "test").status == 1)
        #expect(try Shop(capsule: false).run("policy", "test").status == 1)
        for wrong in [["--update"], ["--min-coverage", "101"], ["--min-coverage", "1", "--filter", "a"]] {
            let answer = try Shop.launch(
                Shop.tool,
                ["policy", "test"] + wrong,
                folder: good.folder,
                input: Data(),
                environment: [:]
            )
            #expect(answer.status == 64, "\(answer)")
        }
    }

    @Test func filesAndFoldersMayBeNamedAndOthersAreNotRead() throws {
        let shop = try shop(Self.passing)
        try shop.write("this is no TOML", to: "policy/tests/notes.txt")
        try shop.write("this is no TOML", to: "policy/tests/.hidden.toml")
        try shop.folder("more")
        try shop.write(Self.passing.replacingOccurrences(of: "a writer", with: "another"), to: "more/b.toml")
        #expect(try shop.run("policy", "test").status == 0)
        #expect(try shop.run("policy", "test", "more").output == "✓ 1 scenario passed\n")
        #expect(try shop.run("policy", "test", "more", "policy/tests/a.toml").output == "✓ 2 scenarios passed\n")
        #expect(
            try shop.run("policy", "test", "more", "policy/tests", "--filter", "another").output
                == "✓ 1 scenario passed\n"
        )
    }

    @Test func otherProgramsReadTheReports() throws {
        let shop = try shop(Self.failing)
        let json = try JSONSerialization.jsonObject(with: Data(shop.run("policy", "test", "--json").output.utf8))
        let report = try #require(json as? [String: Any])
        #expect(report["passed"] as? Bool == false && report["failed"] as? Int == 1)
        let result = try #require((report["results"] as? [[String: Any]])?.first)
        #expect(result["file"] as? String == "policy/tests/a.toml" && result["line"] as? Int == 4)
        let parts = result["parts"] as? [[String: Any]] ?? []
        #expect(parts.contains { $0["key"] as? String == "reason" && $0["met"] as? Bool == false })

        let junit = try shop.run("policy", "test", "--format", "junit")
        #expect(junit.status == 2)
        try shop.write(junit.output, to: "junit.xml")
        let read = try shop.shell(
            """
            python3 -c '
            import xml.etree.ElementTree as e
            r = e.parse("junit.xml").getroot()
            c = r.find("testsuite/testcase")
            print(r.get("tests"), r.get("failures"), c.get("line"), c.get("name"), len(c.find("failure").text) > 50)'
            """
        )
        #expect(read.output == "1 1 4 a writer <is> refused & \"told\" # so True\n", "\(read)")

        let tap = try shop.run("policy", "test", "--format", "tap").output
        #expect(
            tap.hasPrefix("TAP version 14\n1..1\nnot ok 1 - a writer <is> refused & \"told\" \\# so\n  ---\n"),
            "\(tap)"
        )
    }

    @Test func coverageIsMeasuredDraftedAndAskedFor() throws {
        let shop = try shop(Self.passing)
        let low = try shop.run("policy", "test", "--min-coverage", "90")
        #expect(low.status == 2 && low.output.contains("and 90 % is asked for"), "\(low)")
        #expect(try shop.run("policy", "test", "--coverage").status == 0)
        let drafts = low.output.components(separatedBy: "\n\n[[scenarios]]").dropFirst()
            .map { "[[scenarios]]" + ($0.components(separatedBy: "\n✗").first ?? "") }
        #expect(drafts.count > 5)
        try shop.write("schema = 1\n\n" + drafts.joined(separator: "\n\n") + "\n", to: "policy/tests/drafts.toml")
        let full = try shop.run("policy", "test", "--min-coverage", "100")
        #expect(full.status == 0 && full.output.contains("100 %"), "\(full)")
    }

    @Test func aGoldenFileIsHeldToAndWrittenAnew() throws {
        let grid =
            "\n[[grids]]\nname = \"all\"\nmatrix = { role = [\"writer\"], stage = [\"plan\", \"implement\"], risk = [\"high\", \"low\"] }\n"
        let shop = try shop(Self.passing + grid)
        let none = try shop.run("policy", "test", "--golden", "golden.txt")
        #expect(none.status == 2 && none.output.contains("--update writes it"), "\(none)")
        #expect(try shop.run("policy", "test", "--golden", "golden.txt", "--update").status == 0)
        let written = try shop.read("golden.txt")
        #expect(written.split(separator: "\n").count == 10)
        #expect(try shop.run("policy", "test", "--golden", "golden.txt").status == 0)
        try shop.edit("[risk.low]\nevidence = \"written\"", "[risk.low]\nevidence = \"durable\"")
        let otherwise = try shop.run("policy", "test", "--golden", "golden.txt")
        #expect(otherwise.status == 2)
        #expect(
            otherwise.output.contains("all [role=writer, stage=plan, risk=low]\n    - big · primary"),
            "\(otherwise.output)"
        )
        #expect(!otherwise.output.contains("risk=high]"))
        #expect(try shop.read("golden.txt") == written)
        #expect(try shop.run("policy", "test", "--golden", "golden.txt", "--update").status == 0)
        #expect(try shop.read("golden.txt") != written)
        try shop.write("nonsense\n", to: "golden.txt")
        #expect(try shop.run("policy", "test", "--golden", "golden.txt").output.contains("line 1"))
    }

    @Test func whatInitWritesPasses() throws {
        let shop = try Shop(capsule: false)
        #expect(try shop.run("policy", "init", "--name", "acme").status == 0)
        let answer = try shop.run("policy", "test")
        #expect(answer.status == 0, "\(answer)")
        #expect(try shop.run("policy", "fmt", "--check", "policy/tests/scenarios.toml").status == 0)
    }

    @Test func theExampleHoldsWithItsGoldenFile() throws {
        let shop = try Shop(capsule: false)
        let example = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Examples/policy")
        _ = try shop.shell("cp -R '\(example.path)/.' .")
        let answer = try shop.run(
            "policy",
            "test",
            "--min-coverage",
            "100",
            "--golden",
            "policy/decisions.golden"
        )
        #expect(answer.status == 0, "\(answer)")
        #expect(try shop.run("policy", "test", "--spec", "payments").status == 0)
        #expect(try shop.run("policy", "test", "--spec", "nothing").status == 1)
    }

    /// Waits for what it has caused, and never for a time.
    @Test func watchRunsAgainWhenAFileChanges() throws {
        let shop = try shop(Self.passing)
        let answer = try shop.shell(
            """
            "$TOOL" policy test --watch > out.txt 2>&1 & pid=$!
            seen() { for i in $(seq 600); do grep -q "$1" out.txt && return 0; sleep 0.1; done; return 1; }
            seen watching || echo "no first run"
            sed -i 's/model = "big"/reason = "context"/' policy/tests/a.toml
            seen '1 of 1' || echo "no second run"
            kill -INT $pid
            for i in $(seq 600); do kill -0 $pid 2>/dev/null || break; sleep 0.1; done
            kill -KILL $pid 2>/dev/null
            wait $pid; echo "ended $?"
            """
        )
        #expect(answer.output == "ended 130\n", "\(answer)")
    }
}
