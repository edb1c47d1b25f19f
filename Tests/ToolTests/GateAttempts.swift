import Foundation

/// Ways round the gate: each is a change that somebody might hope to merge.
extension GateAttempt {
    static let all = ofVersion + ofScenarios + ofApprovals + ofSigners + ofFiles

    private static let policy = "model_policy.toml"
    private static let changelog = "policy/CHANGELOG.md"
    private static let budgets = "policy/tests/budgets.toml"
    private static let writer = "policy/tests/writer.toml"

    private static let ofVersion = [
        GateAttempt("changes the version in a comment only", "G101", policy, "version =", besides: ["G206", "G208", "G301"]) { gate in
            try gate.tighten()
            try gate.edit("version = \"1.1.0\"", "version = \"1.0.0\" # 1.1.0")
        },
        GateAttempt("goes back to a lower version", "G103", policy, "version =", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.edit("version = \"1.1.0\"", "version = \"0.9.0\"")
            try gate.edit("## 1.1.0", "## 0.9.0", in: changelog)
        },
        GateAttempt("raises a patch for a value that changed", "G102", policy, "version =", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.edit("version = \"1.1.0\"", "version = \"1.0.1\"")
            try gate.edit("## 1.1.0", "## 1.0.1", in: changelog)
        },
        GateAttempt("renames a role with a minor version", "G102", policy, "version =", besides: ["G203"]) { gate in
            try gate.edit("[roles.reviewer]", "[roles.critic]")
            try gate.sh("sed -i 's/\"reviewer\"/\"critic\"/' policy/tests/*.toml")
            try gate.raise(entry: "- A better name.")
            try gate.regenerate()
            try gate.commit()
            try gate.approve()
        },
        GateAttempt("writes build metadata instead of a version", "G101", policy, "version =", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.edit("version = \"1.1.0\"", "version = \"1.0.0+1\"")
            try gate.edit("## 1.1.0", "## 1.0.0+1", in: changelog)
        },
        GateAttempt("writes the changelog of another version", "G104", changelog, "## 1.0.1", besides: ["G206", "G208", "G301"]) { gate in
            try gate.tighten()
            try gate.edit("## 1.1.0", "## 1.0.1", in: changelog)
        },
        GateAttempt("hides the changelog's entry in a comment", "G104", changelog, "## 1.0.0", besides: ["G206", "G208", "G301"]) { gate in
            try gate.tighten()
            try gate.edit("## 1.1.0", "<!--\n## 1.1.0\n-->", in: changelog)
        },
        GateAttempt("writes an empty entry", "G105", changelog, "## 1.1.0", besides: ["G206", "G208", "G301"]) { gate in
            try gate.tighten()
            try gate.shop.write("# Changelog\n\n## 1.1.0\n\n---\n\n## 1.0.0\n\n- The first.\n", to: changelog)
        },
        GateAttempt("takes the version that main has meanwhile", "G101", policy, "version =", besides: ["G206"]) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.approve()
            try gate.sh("git checkout -q main")
            try gate.edit("owner = \"platform\"", "owner = \"security\"")
            try gate.edit("version = \"1.0.0\"", "version = \"1.1.0\"")
            try gate.sh("git commit -qam other && git checkout -q change")
            try gate.edit("`a run goes on below its budget`", "another", in: changelog)
        },
        GateAttempt("hides a change in a spec's layer", "G101", policy, "version =", besides: ["G203", "G301"]) { gate in
            try gate.edit("per_run_usd = \"5.00\"", "per_run_usd = \"9.00\"", in: "policy/specs/SPEC-1.toml")
        },
        GateAttempt("deletes a spec's layer, and what it tightened", "G101", policy, "version =", besides: ["G203"]) { gate in
            try gate.sh("git rm -q policy/specs/SPEC-1.toml")
        },
    ]

    private static let ofScenarios = [
        GateAttempt("deletes a scenario that holds", "G207", budgets, "a run stops at its budget", isInBase: true) { gate in
            try gate.sh("sed -i '/a run stops/,/budget-usd/d; 0,/scenarios/{/scenarios/d}' \(budgets)")
        },
        GateAttempt("deletes a file of scenarios", "G207", "policy/tests/failures.toml", "a provider comes back", isInBase: true, besides: ["G204"]) { gate in
            try gate.sh("git rm -q policy/tests/failures.toml")
        },
        GateAttempt("expects less of a scenario that holds", "G208", budgets, "a run stops at its budget") { gate in
            try gate.edit("expect = { result = \"refused\", reason = \"budget-usd\" }", "expect = { result = \"refused\" }", in: budgets)
        },
        GateAttempt("gives a scenario something harmless", "G208", budgets, "a run stops at its budget") { gate in
            try gate.edit("spent_usd = \"9.9999\"", "spent_usd = \"99.9999\"", in: budgets)
        },
        GateAttempt("edits what the base promised, and says nothing of it", "G206", budgets, "a run goes on", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.edit("`a run goes on below its budget`", "another", in: changelog)
        },
        GateAttempt("regenerates the golden file instead of a scenario", "G203", policy, "# more", besides: ["G301"]) { gate in
            try gate.edit("models = [\"big\"]", "models = [\"big\", \"spare\"] # more")
            try gate.raise(entry: "- A fallback for the reviewer.")
            try gate.regenerate()
        },
        GateAttempt("leaves the golden file as it was", "G205", "policy/golden.txt", "high risk, durable", besides: ["G202", "G203", "G301"]) { gate in
            try gate.edit("models = [\"big\", \"spare\"]", "models = [\"spare\", \"big\"]")
            try gate.raise(entry: "- Another order.")
        },
        GateAttempt("changes a value that no scenario shows", "G203", policy, "context_tokens = 2000", besides: ["G301"]) { gate in
            try gate.sh("sed -i '0,/context_tokens = 1000/s//context_tokens = 2000/' model_policy.toml")
            try gate.raise(entry: "- More context.")
        },
        GateAttempt("lets a scenario fail", "G202", budgets, "a run goes on below") { gate in
            try gate.edit("expect = { result = \"model\" }", "expect = { result = \"model\", model = \"spare\" }", in: budgets)
        },
        GateAttempt("skips a scenario", "T001", budgets, "skip = true") { gate in
            try gate.edit("name = \"a run stops at its budget\"", "name = \"a run stops at its budget\"\nskip = true", in: budgets)
        },
        GateAttempt("empties a matrix", "T008", writer, "matrix = { stage") { gate in
            try gate.edit("stage = [\"plan\", \"implement\"]", "stage = []", in: writer)
        },
        GateAttempt("shortens a matrix", "G207", writer, "a reviewer has one model", isInBase: true) { gate in
            try gate.edit("stage = [\"plan\", \"implement\"]", "stage = [\"plan\"]", in: writer)
        },
        GateAttempt("leaves no scenario at all", "G201", policy, "version =", besides: ["G205", "G207"]) { gate in
            try gate.sh("git rm -q policy/tests/*.toml")
        },
        GateAttempt("adds a role that nobody tests", "G204", policy, "# idle", besides: ["G203", "G301"], main: { gate in
            try gate.edit("min_coverage = 70", "min_coverage = 100", in: "policy/gate.toml")
        }) { gate in
            try gate.edit("[risk.high]", "[roles.idle]\nmodels = [\"big\"] # idle\n\n[risk.high]")
            try gate.raise(entry: "- A role for later.")
        },
    ]

    private static let ofApprovals = [
        GateAttempt("sets its own approvals to warn", "G301", policy, "version =") { gate in
            try gate.edit("approvals = \"enforce\"", "approvals = \"warn\"")
            try gate.raise(entry: "- Approvals warn.")
        },
        GateAttempt("asks for authors' own approval", "G308", "APPROVAL", besides: ["G301"]) { gate in
            try gate.edit("exclude_author = true", "exclude_author = false")
            try gate.raise(entry: "- Authors may approve.")
            try gate.commit()
            try gate.approve("ada", "ada@example.com")
        },
        GateAttempt("approves its own change under a second address", "G308", "APPROVAL", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.approve("ada", "ada@home.example")
        },
        GateAttempt("has a co-author approve", "G308", "APPROVAL", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.sh("git add -A && git commit -q -m 'ours\n\nCo-authored-by: Grace <grace@example.com>'")
            try gate.approve()
        },
        GateAttempt("has somebody else commit a trifle on top", "G308", "APPROVAL", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.edit("owner = \"platform\"", "owner = \"security\"")
            try gate.commit(as: "Linus <linus@example.com>")
            try gate.approve("ada", "ada@example.com")
        },
        GateAttempt("signs with a key that expired", "G307", "APPROVAL", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.approve("gone", "gone@example.com")
        },
        GateAttempt("brings the approval of another layer", "G305", "APPROVAL", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.approve("grace", "grace@example.com", "--spec SPEC-1")
            try gate.approve("linus", "linus@example.com")
            try gate.sh(
                """
                spec=$(dirname $(git ls-files '*/grace@example.com.json')) all=$(dirname $(git ls-files '*/linus@example.com.json'))
                git rm -q $all/linus*; mkdir -p $all; git mv $spec/* $all
                """
            )
        },
        GateAttempt("edits a statement after it was signed", "G304", "APPROVAL", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.approve()
            try gate.sh("sed -i 's/\"version\":\"1.1.0\"/\"version\":\"1.1.1\"/' \(try gate.approval())")
        },
        GateAttempt("brings a statement without a signature", "G303", "APPROVAL", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.approve()
            try gate.sh("git rm -q \(try gate.approval(".json.sig"))")
        },
        GateAttempt("changes more after the approval", "G301", policy, "version =", besides: ["G203"]) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.approve()
            try gate.edit("evidence = \"durable\"", "evidence = \"durable\"\ndeny_modes = []")
            try gate.edit("tier = 2\ncontext_tokens = 1000\nprice_per_mtok = { input = 1.00, output = 2.00 }\n\n[roles.writer]", "tier = 3\ncontext_tokens = 1000\nprice_per_mtok = { input = 1.00, output = 2.00 }\n\n[roles.writer]")
        },
        GateAttempt("has one person sign twice where two are asked", "G309", "APPROVAL", besides: ["G301"], main: { gate in
            try gate.edit("required = 1", "required = 2")
            // One more key of the same person.
            try gate.sh("echo \"grace@example.com $(cut -d' ' -f1,2 .git/keys/mallory.pub)\" >> policy/allowed_signers")
        }) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.approve()
            try gate.sh("f=\(try gate.approval()); git mv $f $(dirname $f)/a.json; git mv $f.sig $(dirname $f)/a.json.sig")
            try gate.approve("mallory", "grace@example.com")
        },
    ]

    private static let ofSigners = [
        GateAttempt("adds its own signer", "G302", "policy/allowed_signers", "mallory@example.com") { gate in
            try gate.sh("echo \"mallory@example.com $(cut -d' ' -f1,2 .git/keys/mallory.pub)\" >> policy/allowed_signers")
        },
        GateAttempt("adds its own signer and signs", "G306", "APPROVAL", besides: ["G301", "G302"]) { gate in
            try gate.tighten()
            try gate.sh("echo \"mallory@example.com $(cut -d' ' -f1,2 .git/keys/mallory.pub)\" >> policy/allowed_signers")
            try gate.commit()
            try gate.approve("mallory", "mallory@example.com")
        },
        GateAttempt("names another list of signers", "G306", "APPROVAL", besides: ["G301", "G302"]) { gate in
            try gate.sh("echo \"mallory@example.com $(cut -d' ' -f1,2 .git/keys/mallory.pub)\" > policy/friends")
            try gate.edit("signers = \"policy/allowed_signers\"", "signers = \"policy/friends\"")
            try gate.raise(entry: "- Friends.")
            try gate.commit()
            try gate.approve("mallory", "mallory@example.com")
        },
        GateAttempt("brings back a signer who was removed", "G306", "APPROVAL", besides: ["G301"]) { gate in
            try gate.tighten()
            try gate.commit()
            try gate.approve()
            try gate.sh("git checkout -q main && sed -i '/^grace/d' policy/allowed_signers && git commit -qam out && git checkout -q change")
        },
        GateAttempt("deletes the list of signers", "G302", "policy/allowed_signers", isInBase: true) { gate in
            try gate.sh("git rm -q policy/allowed_signers")
        },
        GateAttempt("puts a link in the place of the signers", "G003", "policy/allowed_signers", besides: ["G302"]) { gate in
            try gate.sh("mv policy/allowed_signers .git/signers && ln -s ../.git/signers policy/allowed_signers")
        },
        GateAttempt("lowers the coverage that is asked for", "G302", "policy/gate.toml", "min_coverage") { gate in
            try gate.edit("min_coverage = 70", "min_coverage = 1", in: "policy/gate.toml")
        },
        GateAttempt("takes the golden file out of the rules", "G302", "policy/gate.toml", "min_coverage") { gate in
            try gate.edit("golden = \"policy/golden.txt\"\n", "", in: "policy/gate.toml")
        },
        GateAttempt("deletes the rules of the gate", "G302", "policy/gate.toml", isInBase: true) { gate in
            try gate.sh("git rm -q policy/gate.toml")
        },
    ]

    private static let ofFiles = [
        GateAttempt("moves the policy", "G001", policy) { gate in
            try gate.sh("mkdir elsewhere && git mv model_policy.toml elsewhere")
        },
        GateAttempt("deletes the policy", "G001", policy) { gate in try gate.sh("git rm -q model_policy.toml") },
        GateAttempt("puts a twin in YAML beside the policy", "G002", "model_policy.yaml") { gate in
            try gate.sh("$TOOL policy convert model_policy.toml -o model_policy.yaml")
        },
        GateAttempt("puts a twin beside a spec's layer", "G002", "policy/specs/SPEC-1.yaml", besides: ["G101", "G203"]) { gate in
            try gate.shop.write("schema: 1\nbudgets: { per_run_usd: \"9.00\" }\n", to: "policy/specs/SPEC-1.yaml")
        },
        GateAttempt("puts a link in the place of the policy", "G003", policy) { gate in
            try gate.sh("mv model_policy.toml .git/policy.toml && ln -s .git/policy.toml model_policy.toml")
        },
        GateAttempt("puts a link in the place of the scenarios", "G003", "policy/tests", besides: ["G201", "G205", "G207"]) { gate in
            try gate.sh("mv policy/tests .git/tests && ln -s ../.git/tests policy/tests")
        },
        GateAttempt("names a model that is not there", "P201", policy, "models = [\"bgi\"") { gate in
            try gate.edit("models = [\"big\"]", "models = [\"bgi\"]")
        },
        GateAttempt("says a key twice", "P004", policy, "per_run_usd = \"99.00\"") { gate in
            try gate.edit("per_run_usd = \"10.00\"", "per_run_usd = \"10.00\"\nper_run_usd = \"99.00\"")
        },
        GateAttempt("adds a layer that loosens", "P302", "policy/specs/SPEC-2.toml", "per_run_usd") { gate in
            try gate.shop.write("schema = 1\n[budgets]\nper_run_usd = \"50.00\"\n", to: "policy/specs/SPEC-2.toml")
        },
        GateAttempt("breaks the rules of the gate", "G004", "policy/gate.toml", "min_coverge", besides: ["G302"]) { gate in
            try gate.edit("min_coverage", "min_coverge", in: "policy/gate.toml")
        },
    ]
}
