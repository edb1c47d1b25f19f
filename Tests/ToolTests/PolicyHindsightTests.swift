import Foundation
import Testing

/// What recorded runs say of another policy, and of the policies that were.
@Suite struct PolicyHindsightTests {
    private static func gate() throws -> GateShop {
        let gate = try GateShop(main: { gate in
            try gate.edit("approvals = \"enforce\"", "approvals = \"warn\"")
            try gate.edit("budgets = \"enforce\"", "budgets = \"warn\"")
            try gate.edit("models = [\"big\"]", "models = [\"big\"]\n")
            try gate.shop.write("runs.cpsl*\n", to: ".gitignore")
        })
        try gate.sh(
            """
            $TOOL init; $TOOL start --name a --risk low --stage plan
            for task in 1 2 3; do
                place=$($TOOL route --run a --role writer --task $task --input-tokens 100 --max-output-tokens 50 | head -n 1)
                $TOOL settle $place --input-tokens 100 --output-tokens 50
            done
            $TOOL start --name b --risk low --stage plan --spec SPEC-1
            $TOOL route --run b --role reviewer --task 1 --input-tokens 100 --max-output-tokens 50
            """
        )
        return gate
    }

    private static func json(_ gate: GateShop, _ command: String) throws -> [String: Any] {
        let answer = try gate.shop.shell("$TOOL \(command)")
        return try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any])
    }

    @Test func aSimulationOfTheSamePolicyChangesNothing() throws {
        let gate = try Self.gate()
        let total = try #require(try Self.json(gate, "policy simulate --json")["total"] as? [String: Any])
        #expect(total["decisions"] as? Int == 4 && total["changed"] as? Int == 0, "\(total)")
        #expect(total["reserved_usd_before"] as? String == total["reserved_usd_after"] as? String)
        #expect(total["settled_calls"] as? Int == 3)
        #expect(total["settled_usd_before"] as? String == "0.0006" && total["settled_usd_after"] as? String == "0.0006")
    }

    @Test func aSimulationCountsWhatChangesAndWhatItCosts() throws {
        let gate = try Self.gate()
        // Ten times dearer, and the other model first for writers.
        try gate.sh(
            "sed 's/output = 2.00/output = 20.00/; s/\\[\"big\", \"spare\"\\]/[\"spare\", \"big\"]/' model_policy.toml > new.toml"
        )
        let found = try Self.json(gate, "policy simulate --policy new.toml --json")
        let roles = try #require(found["by_role"] as? [String: [String: Any]])
        #expect(roles["writer"]?["changed"] as? Int == 3 && roles["reviewer"]?["changed"] as? Int == 0)
        #expect(roles["writer"]?["settled_usd_before"] as? String == "0.0006")
        #expect(roles["writer"]?["settled_usd_after"] as? String == "0.0033")
        let example = try #require((found["examples"] as? [[String: Any]])?.first)
        #expect((example["recorded"] as? [String: Any])?["model"] as? String == "big")
        #expect((example["now"] as? [String: Any])?["model"] as? String == "spare")
        #expect(found["changed_runs"] as? Int == 1)
        #expect(try gate.shop.shell("$TOOL policy simulate --policy new.toml --exit-code").status == 1)
        // Money for none: each would be refused where budgets are enforced.
        try gate.sh("rm policy/specs/SPEC-1.toml")
        try gate.sh(
            "sed 's/per_run_usd = \"10.00\"/per_run_usd = \"0.00\"/; s/budgets = \"warn\"/budgets = \"enforce\"/' model_policy.toml > none.toml"
        )
        let none = try Self.json(gate, "policy simulate --policy none.toml --json")
        #expect((none["total"] as? [String: Any])?["refused"] as? Int ?? 0 >= 3, "\(none)")
        let text = try gate.sh("$TOOL policy simulate --policy none.toml").output
        #expect(text.contains("recorded") && text.contains("budget-usd"))
    }

    @Test func aSpecIsSimulatedUnderItsLayer() throws {
        let gate = try Self.gate()
        try gate.shop.write("schema = 1\n[roles.reviewer]\nmodels = [\"spare\"]\n", to: "policy/specs/SPEC-1.toml")
        let found = try Self.json(gate, "policy simulate --json")
        let roles = try #require(found["by_role"] as? [String: [String: Any]])
        #expect(roles["reviewer"]?["changed"] as? Int == 1 && roles["writer"]?["changed"] as? Int == 0)
    }

    @Test func readinessSaysWhatEnforcingWouldHaveRefused() throws {
        let gate = try Self.gate()
        try gate.sh(
            "sed -i 's/per_run_usd = \"10.00\"/per_run_usd = \"0.0003\"/' model_policy.toml; rm policy/specs/SPEC-1.toml"
        )
        try gate.sh(
            """
            $TOOL start --name poor --risk low --stage plan
            for task in 1 2 3; do $TOOL route --run poor --role writer --task $task --input-tokens 100 --max-output-tokens 50; done
            """
        )
        let answer = try gate.shop.shell("$TOOL policy readiness --json")
        #expect(answer.status == 1)
        let json = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        let parts = try #require(json?["parts"] as? [String: [String: Any]])
        // Two calls of 0.0002 and more do not fit 0.0003.
        #expect(parts["budgets"]?["would_refuse"] as? Int == 2, "\(parts)")
        #expect((parts["budgets"]?["reasons"] as? [String: Int])?["budget-usd"] == 2)
        #expect(parts["approvals"]?["would_refuse"] as? Int == 3 && parts["routing"]?["would_refuse"] as? Int == 0)
    }

    @Test func theLogTellsEachMeaningOnceWithItsApprovalsAndRuns() throws {
        let gate = try Self.gate()
        try gate.tighten()
        try gate.commit()
        try gate.approve()
        try gate.shop.write("# a comment\n" + (try gate.shop.read("model_policy.toml")), to: "model_policy.toml")
        try gate.commit()
        let answer = try gate.sh("$TOOL policy log --json")
        let log = try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [[String: Any]])
        #expect(log.map { $0["version"] as? String } == ["1.1.0", "1.0.0"])
        #expect(log[0]["approved_by"] as? [String] == ["grace@example.com"] && log[0]["approved"] as? Bool == true)
        #expect((log[1]["runs"] as? [String])?.count == 1 && (log[0]["runs"] as? [String])?.isEmpty == true)
        #expect(log[1]["approved"] as? Bool == false)
        let commits = try gate.sh("git log --format=%H -- model_policy.toml").lines.map(String.init)
        #expect(log[0]["commit"] as? String == commits[1])
    }

    @Test func theLogJudgesByTheListThatAVersionWasMergedUnderAndByTodays() throws {
        let gate = try Self.gate()
        try gate.sh("git checkout -q change && git merge -q main")
        try gate.tighten()
        try gate.commit()
        try gate.approve()
        try gate.sh("git checkout -q main && git merge -q --no-ff -m merge change")
        let merge = try gate.sh("git rev-parse HEAD").lines[0]
        // Grace leaves; somebody new approves what was merged long ago.
        let list = try gate.shop.read("policy/allowed_signers")
        let others = list.split(separator: "\n").filter { !$0.hasPrefix("grace") }.joined(separator: "\n") + "\n"
        try gate.shop.write(others, to: "policy/allowed_signers")
        try gate.sh("git commit -qam 'grace left'")
        try gate.approve("linus", "linus@example.com")
        let answer = try gate.sh("$TOOL policy log --json")
        let log = try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [[String: Any]])
        #expect(log[0]["approved_by_when_merged"] as? [String] == ["grace@example.com"], "\(answer)")
        #expect(log[0]["approved_when_merged"] as? Bool == true && log[0]["merge_commit"] as? String == String(merge))
        #expect(log[0]["approved_by"] as? [String] == ["linus@example.com"])
        #expect(log[1]["approved_when_merged"] is NSNull, "a first policy asks for nothing")
        let text = try gate.sh("$TOOL policy log").output
        #expect(text.contains("approved by") && text.contains("today"), "\(text)")
    }

    private static func log(_ gate: GateShop) throws -> [[String: Any]] {
        let answer = try gate.sh("$TOOL policy log --json")
        return try #require(try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [[String: Any]])
    }

    private static func shop(_ mode: String, _ more: (GateShop) throws -> Void = { _ in }) throws -> GateShop {
        try GateShop(main: { gate in
            try gate.edit("approvals = \"enforce\"", "approvals = \"\(mode)\"")
            try more(gate)
        })
    }

    @Test(arguments: [
        "git merge -q --ff-only change", "git merge -q --squash change && git commit -q -m squashed",
        "git merge -q --no-ff -m merge change",
    ])
    func approvalsThatCameWithAVersionCountHoweverItWasMerged(_ merge: String) throws {
        let gate = try Self.shop("enforce")
        try gate.tighten()
        try gate.commit()
        try gate.approve()
        try gate.sh("git checkout -q main && \(merge)")
        let brought = try gate.sh("git log --first-parent --format=%H -- model_policy.toml").lines[0]
        // What is gone today was there then.
        try gate.sh("git rm -rq policy/approvals && git commit -q -m 'approvals are gone'")
        let log = try Self.log(gate)
        #expect(log[0]["merge_commit"] as? String == String(brought))
        #expect(log[0]["approved_by_when_merged"] as? [String] == ["grace@example.com"], "\(log)")
        #expect(log[0]["approved_when_merged"] as? Bool == true && log[0]["approved"] as? Bool == false)
    }

    @Test func anApprovalWhoseKeyEndedBeforeTheMergeDidNotCountThere() throws {
        let gate = try Self.shop("enforce") { gate in
            let key = "grace@example.com ssh-ed25519"
            let dated = "grace@example.com valid-before=\"20900101Z\" ssh-ed25519"
            try gate.edit(key, dated, in: "policy/allowed_signers")
        }
        try gate.tighten()
        try gate.commit()
        try gate.approve()
        let later = "GIT_COMMITTER_DATE='4070908800 +0000'"
        try gate.sh("git checkout -q main && \(later) git merge -q --no-ff -m merge change")
        let log = try Self.log(gate)
        #expect(log[0]["approved"] as? Bool == true && log[0]["approved_when_merged"] as? Bool == false, "\(log)")
        #expect((log[0]["approved_by_when_merged"] as? [String])?.isEmpty == true)
    }

    @Test func aMergeBroughtWhatItLeftAndNotWhatWasTriedOnTheWay() throws {
        let gate = try Self.shop("observe")
        try gate.tighten()
        try gate.commit()
        try gate.sh("git revert --no-edit HEAD")
        try gate.raise(to: "1.2.0")
        try gate.commit()
        try gate.sh("git checkout -q main && git merge -q --no-ff -m merge change")
        let commits = try gate.sh("git log --first-parent --format=%H").lines.map(String.init)
        let log = try Self.log(gate)
        #expect(log.map { $0["version"] as? String } == ["1.2.0", "1.0.0", "1.1.0", "1.0.0"])
        #expect(log.map { $0["merge_commit"] as? String } == [commits[0], nil, nil, commits[1]], "\(log)")
        #expect(log[0]["approved_when_merged"] is NSNull, "where approvals are observed, none are asked for")
    }

    @Test func aLogOfACloneThatWasCutOffSaysSo() throws {
        let gate = try Self.shop("observe")
        try gate.tighten()
        try gate.commit()
        #expect(try gate.sh("$TOOL policy log").errors.isEmpty)
        let answer = try gate.sh("git clone -q --depth 1 \"file://$PWD\" cut && cd cut && $TOOL policy log")
        #expect(answer.errors.contains("cut off") && answer.lines.count == 2, "\(answer)")
    }
}
