import Foundation
import Testing

@Suite struct CIToolTests {
    static let examples = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Examples/ci").path

    /// A repository whose approvals only warn, with a capsule, on `main`.
    private static func gate() throws -> GateShop {
        let gate = try GateShop(main: { gate in
            try gate.edit("approvals = \"enforce\"", "approvals = \"warn\"")
            try gate.shop.write("runs.cpsl*\nsummary*\n", to: ".gitignore")
        })
        try gate.sh("git checkout -q main && $TOOL init && git tag before")
        return gate
    }

    private static func findings(
        _ gate: GateShop,
        _ more: String = ""
    ) throws -> (status: Int32, codes: [String], text: String) {
        let answer = try gate.shop.shell("$TOOL ci --json \(more)")
        let json = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        let capsule = json?["capsule"] as? [String: Any]
        let codes = (capsule?["findings"] as? [[String: Any]] ?? []).compactMap { $0["code"] as? String }
        return (answer.status, codes, answer.output)
    }

    @Test func runsUnderThePolicyOfTheBranchPassAndOthersAreNamed() throws {
        let gate = try Self.gate()
        try gate.sh("$TOOL start --name good --risk low; $TOOL start --name spec --spec SPEC-1 --risk low")
        #expect(try Self.findings(gate).codes == [])
        // Files that differ from the commit; a commit of another branch; a snapshot that was brought by hand.
        try gate.edit("per_run_usd = \"10.00\"", "per_run_usd = \"9.00\"")
        try gate.sh("$TOOL start --name edited --risk low; git checkout -q -b side; git commit -qam side")
        try gate.sh("$TOOL start --name side --risk low; $TOOL policy compile -o summary.json; git checkout -q main")
        try gate.sh("$TOOL start --name brought --risk low --snapshot summary.json")
        let found = try Self.findings(gate)
        #expect(found.status == 1 && found.codes == ["G502", "G502", "G502"], "\(found.text)")
        for words in ["of edited", "is not on main", "of brought"] { #expect(found.text.contains(words), "\(words)") }
        // Once merged, what ran under it is accounted for.
        try gate.sh("git merge -q side")
        let later = try Self.findings(gate, "--base before").codes
        #expect(later == ["G502", "G502"])
    }

    @Test func filesThatTheGateNeverLookedAtAreNoPolicyOfTheBranch() throws {
        let gate = try Self.gate()
        try gate.sh("sed 's/10.00/99.00/' model_policy.toml > loose.toml && printf 'schema = 1\n' > layer.toml")
        try gate.sh("git add -f loose.toml layer.toml && git commit -qm elsewhere")
        try gate.sh("$TOOL start --name other --risk low --policy loose.toml")
        try gate.sh("$TOOL start --name layered --risk low --spec SPEC-1 --policy-layer layer.toml")
        try gate.sh("$TOOL start --name foreign --risk low --spec SPEC-2 --policy-layer policy/specs/SPEC-1.toml")
        try gate.sh(
            "mv policy/specs .git/specs; $TOOL start --name bare --risk low --spec SPEC-1; mv .git/specs policy"
        )
        let found = try Self.findings(gate)
        #expect(found.status == 1 && found.codes == ["G502", "G502", "G502", "G502"], "\(found.text)")
        for words in ["loose.toml is not the workspace", "layer.toml is not the layer", "of foreign", "was left out"] {
            #expect(found.text.contains(words), "\(words)\n\(found.text)")
        }
    }

    @Test func aClaimThatTheRepositoryDoesNotBearOutIsNoProof() throws {
        let gate = try Self.gate()
        try gate.sh("$TOOL start --name a --risk low")
        // The same capsule, held against a repository with another history.
        try gate.sh(
            "git checkout -q --orphan new && git commit -qm new && git branch -qM new main && git branch -qD change && git tag -d before"
        )
        try gate.sh("git reflog expire --expire=now --all && git gc -q --prune=now")
        let found = try Self.findings(gate)
        #expect(found.codes == ["G502"] && found.text.contains("is not in this repository"), "\(found.text)")
    }

    @Test func overridesAndFallbacksAreListedTheBrokenGlassFirst() throws {
        let gate = try Self.gate()
        try gate.sh(
            """
            $TOOL start --name a --risk low
            $TOOL override a budgets.per_run_usd --amount 1 --by ada --reason 'one more'
            $TOOL override a budgets.per_run_usd --break-glass --by grace --reason 'all is lost'
            echo nonsense >> model_policy.toml; $TOOL start --name b --risk low; git checkout -q model_policy.toml
            """
        )
        let found = try Self.findings(gate)
        #expect(found.status == 0 && found.codes == ["G505", "G504", "G503"], "\(found.text)")
        let text = try gate.sh("$TOOL ci").output
        #expect(text.contains("grace broke the glass: all is lost"))
    }

    @Test func withoutACapsuleItFailsUnlessToldThatThereIsNone() throws {
        let gate = try Self.gate()
        try gate.sh("rm runs.cpsl*")
        let answer = try gate.shop.shell("$TOOL ci")
        #expect(answer.status == 66 && answer.errors.contains("--no-capsule"))
        #expect(try gate.shop.shell("$TOOL ci --no-capsule").status == 0)
        #expect(try gate.shop.shell("$TOOL ci --no-capsule --branch nowhere").status == 66)
    }

    @Test func aCapsuleThatWasTamperedWithFails() throws {
        let gate = try Self.gate()
        try gate.sh("$TOOL start --name a --risk low; $TOOL stage a plan")
        var bytes = try gate.shop.bytes()
        bytes[bytes.count - 40] ^= 1
        try bytes.write(to: URL(fileURLWithPath: gate.shop.path("runs.cpsl")))
        let found = try Self.findings(gate)
        #expect(found.status != 0 && found.codes.first == "G501", "\(found.text)")
    }

    @Test func onGitHubFaultsAreAnnotationsAndTheSummaryIsOnThePage() throws {
        let gate = try Self.gate()
        try gate.sh("git checkout -q -b pull && sed -i 's/10.00/11.00/' model_policy.toml")
        let answer = try gate.shop.shell(
            """
            export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=summary.md GITHUB_BASE_REF=main
            $TOOL ci --no-capsule --summary summary-2.md
            """
        )
        #expect(answer.status == 1 && answer.output.contains("::error file=model_policy.toml,line="))
        let summary = try gate.shop.read("summary.md")
        let other = try gate.shop.read("summary-2.md")
        #expect(summary.contains("### Blast radius") && summary == other)
    }

    @Test func theExamplesStopABadChangeAndPassAGoodOne() throws {
        let gate = try GateShop()
        let script = "CAPSULE_TOOL=$TOOL sh \(Self.examples)/ci.sh"
        try gate.sh(
            "cp \(Self.examples)/pre-commit .git/hooks/pre-commit && export CAPSULE_TOOL=$TOOL && git commit -q --allow-empty -m hook"
        )
        #expect(try gate.shop.shell(script).status == 0)
        try gate.tighten()
        try gate.sh("CAPSULE_TOOL=$TOOL git commit -qam tighten")
        #expect(try gate.shop.shell(script).status == 1)
        try gate.shop.shell("$TOOL policy approve --key \(try GateShop.keys)/grace --principal grace@example.com")
        try gate.sh("git add policy/approvals && CAPSULE_TOOL=$TOOL git commit -qm approval")
        let good = try gate.shop.shell(script)
        #expect(good.status == 0, "\(good)")
        #expect(try gate.sh("git status --porcelain").output.isEmpty)
        try gate.edit("models = [\"big\"]", "models = [\"bgi\"]")
        #expect(try gate.shop.shell("CAPSULE_TOOL=$TOOL git commit -qam broken").status != 0)
        #expect(try gate.shop.shell(script).status == 1)
    }
}
