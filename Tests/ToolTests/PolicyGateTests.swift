import Foundation
import Testing

/// One way round the gate, and what stops it.
struct GateAttempt: Sendable, CustomTestStringConvertible {
    var name: String
    /// What stops it, where it is said.
    var code: String
    var file: String
    /// A text of the line; nil for the first.
    var line: String?
    var isInBase = false
    /// Other faults that come with it.
    var besides: Set<String> = []
    /// What is done on `main` before.
    var main: @Sendable (GateShop) throws -> Void = { _ in }
    var attempt: @Sendable (GateShop) throws -> Void

    var testDescription: String { name }

    init(
        _ name: String,
        _ code: String,
        _ file: String = "model_policy.toml",
        _ line: String? = nil,
        isInBase: Bool = false,
        besides: Set<String> = [],
        main: @escaping @Sendable (GateShop) throws -> Void = { _ in },
        _ attempt: @escaping @Sendable (GateShop) throws -> Void
    ) {
        (self.name, self.code, self.file, self.line, self.isInBase) = (name, code, file, line, isInBase)
        (self.besides, self.main, self.attempt) = (besides, main, attempt)
    }
}

@Suite struct PolicyGateTests {
    @Test(arguments: GateAttempt.all) func aWayRoundTheGateIsStoppedAtItsPlace(_ attempt: GateAttempt) throws {
        let gate = try GateShop(main: attempt.main)
        try attempt.attempt(gate)
        if try !gate.sh("git status --porcelain").output.isEmpty { try gate.commit() }
        let verdict = try gate.check()
        #expect(verdict.status == 1)
        #expect(verdict.codes == attempt.besides.union([attempt.code]), "\(verdict.text)")
        let places = verdict.errors.filter { $0.code == attempt.code }
        let file = attempt.file == "APPROVAL" ? try gate.approval() : attempt.file
        let line = try attempt.line.map { try gate.line(of: $0, in: file, base: attempt.isInBase) } ?? 1
        #expect(places.contains { $0.file == file && $0.line == line }, "\(line)\n\(verdict.text)")
    }

    @Test func thereAreTwentyFiveWaysOrMore() {
        #expect(GateAttempt.all.count >= 25)
        #expect(Set(GateAttempt.all.map { $0.name }).count == GateAttempt.all.count)
    }

    @Test func aTighteningWithVersionChangelogScenarioAndApprovalPasses() throws {
        let gate = try GateShop()
        try gate.tighten()
        try gate.commit()
        #expect(try gate.check().codes == ["G301"])
        try gate.approve()
        let verdict = try gate.check()
        #expect(verdict.status == 0 && verdict.errors.isEmpty && verdict.warnings.isEmpty, "\(verdict.text)")
        // By its commit as well as by its files.
        try gate.sh("git checkout -q main")
        let byCommit = try gate.check("--head change")
        #expect(byCommit.status == 0, "\(byCommit.text)")
        #expect(try gate.check("--head main").status == 0)
        // And once merged, the next one is held against it.
        try gate.sh("git merge -q --no-edit change && git checkout -q -b next")
        #expect(try gate.check().status == 0)
    }

    @Test func aLooseningThatTheChangelogAccountsForPassesWithApproval() throws {
        let gate = try GateShop()
        try gate.edit("per_run_usd = \"10.00\"", "per_run_usd = \"20.00\"")
        try gate.raise(entry: "- More: `a run stops at its budget` and `a run goes on below its budget` are at 20.")
        try gate.edit("spent_usd = \"9.9999\"", "spent_usd = \"19.9999\"", in: "policy/tests/budgets.toml")
        try gate.edit("spent_usd = \"9.99\"", "spent_usd = \"19.99\"", in: "policy/tests/budgets.toml")
        try gate.regenerate()
        try gate.commit()
        try gate.approve("linus", "linus@example.com")
        let verdict = try gate.check()
        #expect(verdict.status == 0, "\(verdict.text)")
    }

    @Test func aFileThatIsLaidOutAnewNeedsNothing() throws {
        let gate = try GateShop()
        let before = try gate.sh("$TOOL policy compile --json").output
        let coverage = "$TOOL policy test --coverage --json"
        func percent() throws -> Int? {
            let json = try JSONSerialization.jsonObject(with: Data(try gate.sh(coverage).output.utf8)) as? [String: Any]
            return (json?["coverage"] as? [String: Any])?["percent"] as? Int
        }
        let shown = try percent()
        try gate.sh("$TOOL policy convert model_policy.toml -o model_policy.yaml && git rm -q model_policy.toml")
        try gate.shop.write("# moved\n\n" + GateTexts.scenarios, to: "policy/tests/writer.toml")
        try gate.shop.write("# lines\n\n" + GateTexts.spec, to: "policy/specs/SPEC-1.toml")
        try gate.commit()
        let verdict = try gate.check()
        #expect(verdict.status == 0 && verdict.errors.isEmpty, "\(verdict.text)")
        #expect(try gate.sh("$TOOL policy compile --json").output == before)
        #expect(try percent() == shown && shown != nil)
    }

    @Test func aFirstPolicyIsHeldToItsScenariosAlone() throws {
        let gate = try GateShop(main: { gate in
            try gate.sh("mkdir .git/kept && mv model_policy.toml policy .git/kept")
        })
        try gate.sh("mv .git/kept/* . && git add -A && git commit -qm first")
        #expect(try gate.check().status == 0)
        try gate.sh("rm policy/tests/*.toml")
        #expect(try gate.check().codes.contains("G201"))
    }

    @Test func aChangeOfTheGateItselfIsToldAndNeedsASigner() throws {
        let gate = try GateShop()
        try gate.sh("ssh-keygen -q -t ed25519 -N '' -f .git/keys/new")
        try gate.sh("echo \"new@example.com $(cut -d' ' -f1,2 .git/keys/new.pub)\" >> policy/allowed_signers")
        try gate.folder(".github/workflows")
        try gate.shop.write("on: push\n", to: ".github/workflows/ci.yml")
        try gate.commit()
        try gate.approve("grace", "grace@example.com", "--gate-file policy/allowed_signers")
        let verdict = try gate.check()
        #expect(verdict.status == 0, "\(verdict.text)")
        #expect(Set(verdict.warnings.map(\.code)) == ["G403", "G405"])
        // Their signature is of these bytes and no others.
        try gate.edit("new@example.com", "newer@example.com", in: "policy/allowed_signers")
        try gate.commit()
        #expect(try gate.check().codes == ["G302"])
    }

    @Test func whereApprovalsOnlyWarnTheyStopNothing() throws {
        let gate = try GateShop(main: { try $0.edit("approvals = \"enforce\"", "approvals = \"warn\"") })
        try gate.tighten()
        try gate.commit()
        let verdict = try gate.check()
        #expect(verdict.status == 0 && verdict.warnings.map(\.code) == ["G301"], "\(verdict.text)")
    }

    @Test func theVerdictIsWrittenForPeopleScannersAndPullRequests() throws {
        let gate = try GateShop()
        try gate.edit("per_run_usd = \"10.00\"", "per_run_usd = \"20.00\"")
        let line = try gate.line(of: "per_run_usd", in: "model_policy.toml")
        let human = try gate.shop.shell("$TOOL policy check --base main")
        #expect(human.errors.contains("error[G203]") && human.output.contains("must not be merged"))
        let annotations = try gate.shop.shell("$TOOL policy check --base main --github").output
        #expect(annotations.contains("::error file=model_policy.toml,line=\(line),"))
        let sarif = try gate.shop.shell("$TOOL policy check --base main --sarif").output
        let runs =
            (try JSONSerialization.jsonObject(with: Data(sarif.utf8)) as? [String: Any])?["runs"] as? [[String: Any]]
        #expect((runs?[0]["results"] as? [[String: Any]])?.contains { $0["ruleId"] as? String == "G101" } == true)
        let summary = try gate.shop.shell("$TOOL policy check --base main --markdown").output
        for part in ["| `budgets.per_run_usd` | `\"10.00\"` | `\"20.00\"` | looser |", "### Blast radius", "`writer`"] {
            #expect(summary.contains(part), "\(summary)")
        }
        #expect(try gate.shop.shell("$TOOL policy explain G203").status == 0)
    }

    @Test func aCloneThatWasCutOffIsNoPass() throws {
        let gate = try GateShop()
        try gate.tighten()
        try gate.commit()
        try gate.approve()
        // The commit that they have in common is here, and others between are not.
        try gate.sh("git checkout -q --detach main && git merge -q --no-ff -m merge change && git branch merged")
        try gate.sh("git clone -q --depth 2 --no-single-branch -b merged file://$PWD cut")
        for command in ["policy check --base origin/main", "ci --no-capsule"] {
            let answer = try gate.shop.shell("cd cut && $TOOL \(command)")
            #expect(answer.status == 66 && answer.errors.contains("--unshallow"), "\(answer)")
        }
        // With all of it, the same passes.
        let whole = try gate.shop.shell("cd cut && git fetch -q --unshallow && $TOOL ci --no-capsule")
        #expect(whole.status == 0, "\(whole)")
    }

    @Test func aWorkspaceInAFolderIsToldByPathsOfTheRepository() throws {
        let gate = try GateShop(main: { gate in
            try gate.sh("mkdir -p apps/agent && mv model_policy.toml policy apps/agent")
        })
        let lost = try gate.shop.shell("$TOOL policy check --base main")
        #expect(lost.status == 66 && lost.errors.contains("apps/agent/model_policy.toml"), "\(lost)")
        try gate.edit("models = [\"big\"]", "models = [\"bgi\"]", in: "apps/agent/model_policy.toml")
        for start in ["cd apps/agent &&", "FOLDER=apps/agent"] {
            let script = start.hasPrefix("cd") ? "$TOOL ci --no-capsule" : "sh \(CIToolTests.examples)/ci.sh"
            let answer = try gate.shop.shell("export GITHUB_ACTIONS=true CAPSULE_TOOL=$TOOL; \(start) \(script)")
            #expect(
                answer.status == 1 && answer.output.contains("::error file=apps/agent/model_policy.toml,"),
                "\(answer)"
            )
        }
        let sarif = try gate.shop.shell("cd apps/agent && $TOOL policy check --base main --sarif")
        #expect(sarif.output.contains("\"apps/agent/model_policy.toml\""))
    }

    @Test func moreFilesThanAreLookedAtIsNoPass() throws {
        let gate = try GateShop()
        try gate.sh("mkdir policy/more && cd policy/more && seq 10000 | xargs touch")
        let answer = try gate.shop.shell("$TOOL policy check --base main")
        #expect(answer.status == 65 && answer.errors.contains("more than 10000 files"), "\(answer)")
        try gate.sh("git add policy/more && git commit -qm many && rm -r policy/more")
        let base = try gate.shop.shell("$TOOL policy check --base change")
        #expect(base.status == 65 && base.errors.contains("more than 10000 files"), "\(base)")
    }

    @Test func whatCannotBeComparedIsNoPass() throws {
        let gate = try GateShop()
        #expect(try gate.shop.shell("$TOOL policy check --base nowhere").status == 66)
        #expect(try gate.shop.shell("$TOOL policy check --base main --head nowhere").status == 66)
        try gate.sh("git checkout -q --orphan other && git commit -qm other")
        #expect(try gate.shop.shell("$TOOL policy check --base main").status == 66)
        let shop = try Shop(capsule: false)
        #expect(try shop.run("policy", "check", "--base", "main").status == 66)
    }
}

extension GateShop {
    func folder(_ name: String) throws { try shop.folder(name) }
}
