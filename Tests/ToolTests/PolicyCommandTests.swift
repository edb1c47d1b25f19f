import Foundation
import Testing

@Suite struct PolicyCommandTests {
    @Test func initWritesAPolicyThatStartsARunAndNeverOverAFile() throws {
        let shop = try Shop()
        let answer = try shop.run("policy", "init", "--name", "acme", "--owner", "team")
        #expect(answer.status == 0 && answer.lines.count == 5, "\(answer)")
        #expect(answer.errors.contains("policy/allowed_signers") && answer.errors.contains("ci --no-capsule"))
        #expect(try shop.run("policy", "validate").status == 0)
        #expect(try shop.run("policy", "fmt", "--check").status == 0)
        #expect(try shop.run("start").status == 0)
        let before = try shop.read("model_policy.toml")
        #expect(try shop.run("policy", "init").status == 73)
        #expect(try shop.read("model_policy.toml") == before)
        try shop.folder("other")
        try shop.write("schema: 1\n", to: "other/model_policy.yaml")
        #expect(try shop.run("policy", "init", "other").status == 73)
        #expect(!FileManager.default.fileExists(atPath: shop.path("other/model_policy.toml")))
        #expect(try shop.run("policy", "init", "deep/new", "--json").output.contains("\"snapshot\""))
        #expect(try shop.run("policy", "init", "x", "--name", "No Good").status == 64)
    }

    @Test func validateTellsFaultsInEachFormat() throws {
        let shop = try Shop.withPolicy()
        #expect(try shop.run("policy", "validate").status == 0)
        try shop.edit("models = [\"big\"]", "models = [\"bgi\"]")
        let human = try shop.run("policy", "validate")
        #expect(
            human.status == 1 && human.output.contains("did you mean `big`?") && human.output.contains("^^^^^"),
            "\(human)"
        )
        let json = try #require(try shop.json("policy", "validate", "--format", "json") as? [[String: Any]])
        #expect(json.count == 1 && json[0]["code"] as? String == "P201" && json[0]["line"] as? Int == 23)
        let sarif = try #require(try shop.json("policy", "validate", "--format", "sarif") as? [String: Any])
        #expect(sarif["version"] as? String == "2.1.0")
        #expect(
            try shop.run("policy", "validate", "--format", "github").output.hasPrefix(
                "::error file=model_policy.toml,line=23"
            )
        )
        #expect(try shop.run("policy", "validate", "--format", "xml").status == 64)
        #expect(try shop.run("policy", "validate", "nowhere.toml").status == 66)
        #expect(try shop.run("policy", "validate", "--spec", "NONE").status == 66)
    }

    @Test func validateWithoutAPolicySaysWhatToType() throws {
        let answer = try Shop(capsule: false).run("policy", "validate")
        #expect(answer.status == 66 && answer.errors.contains("policy init"))
    }

    @Test func compileGivesTheSameBytesFromBothForms() throws {
        let shop = try Shop.withPolicy()
        let printed = try shop.run("policy", "compile")
        let id = try shop.run("policy", "compile", "-o", "a.json", "--source-map", "map.json")
        #expect(id.output.hasPrefix("sha256:") && id.lines.count == 1)
        #expect(try shop.read("a.json") == printed.output)
        #expect(try shop.shell("sha256sum a.json").output.prefix(64) == id.output.dropFirst(7).prefix(64))
        #expect(try shop.read("map.json").contains("source_map"))
        #expect(try shop.run("policy", "convert", "model_policy.toml", "-o", "b.yaml").status == 0)
        #expect(try shop.run("policy", "compile", "b.yaml").output == printed.output)
        #expect(try shop.run("policy", "convert", "b.yaml", "-o", "c.toml").status == 0)
        #expect(try shop.run("policy", "compile", "c.toml").output == printed.output)
        #expect(try shop.run("policy", "convert", "b.yaml", "-o", "c.toml").status == 73)
        #expect(try shop.run("policy", "convert", "b.yaml", "-o", "c.yaml").status == 65)
        try shop.write("schema = 1\n[", to: "bad.toml")
        for command in [["compile", "bad.toml"], ["convert", "bad.toml"], ["diff", "bad.toml"]] {
            let answer = try shop.run("policy", command[0], command[1])
            #expect(
                answer.status == 1 && answer.output.isEmpty && answer.errors.contains("P001"),
                "\(command) \(answer)"
            )
        }
        // The snapshot made elsewhere binds a run as before.
        #expect(try shop.run("start", "--snapshot", "a.json").status == 0)
    }

    @Test func explainSaysWhereAValueCameFromAndWhatACodeMeans() throws {
        let shop = try Shop.withPolicy()
        try shop.folder("policy/specs")
        try shop.write("schema = 1\n[budgets]\nper_run_usd = \"2.00\"\n", to: "policy/specs/S.toml")
        let answer = try shop.run("policy", "explain", "budgets.per_run_usd", "--spec", "S")
        #expect(
            answer.output.contains("policy/specs/S.toml:3:1")
                && answer.output.contains("instead of \"10.00\", model_policy.toml:32:1"),
            "\(answer)"
        )
        #expect(try shop.run("policy", "explain", "budgets.warn_at").output.contains("the default"))
        let wrong = try shop.run("policy", "explain", "budgets.per_run_us")
        #expect(wrong.status == 1 && wrong.errors.contains("did you mean 'budgets.per_run_usd'?"))
        let code = try shop.run("policy", "explain", "P201")
        #expect(code.status == 0 && code.output.contains("Fault:") && code.output.contains("Cure:"))
        #expect(((try shop.json("policy", "explain", "budgets", "--json")) as? [Any])?.count ?? 0 >= 3)
        #expect(
            ((try shop.json("policy", "explain", "p114", "--json")) as? [String: Any])?["code"] as? String == "P114"
        )
    }

    @Test func diffComparesFilesSnapshotsAndRevisions() throws {
        let shop = try Shop.withPolicy()
        _ = try shop.shell(
            "git init -q . && git add model_policy.toml && git -c user.name=a -c user.email=a@b commit -qm x"
        )
        _ = try shop.run("start")
        let id = try shop.run("policy", "compile", "--json").output.components(separatedBy: "sha256:")[1].prefix(64)
        let same = try shop.run("policy", "diff", "HEAD", "--exit-code")
        #expect(same.status == 0 && same.output.contains("the same policy"), "\(same)")
        try shop.edit("\"10.00\"", "\"12.00\"")
        for old in ["HEAD", "HEAD:model_policy.toml", "sha256:\(id)", String(id.prefix(8))] {
            let answer = try shop.run("policy", "diff", old, "model_policy.toml")
            #expect(
                answer.status == 0 && answer.output.contains("- budgets.per_run_usd: \"10\" → \"12\"")
                    || answer.output.contains("- budgets.per_run_usd: \"10.00\" → \"12.00\""),
                "\(old) \(answer)"
            )
        }
        #expect(try shop.run("policy", "diff", "HEAD", "--exit-code").status == 1)
        let json = try #require(try shop.json("policy", "diff", "HEAD", "--json") as? [String: Any])
        let change = try #require((json["changes"] as? [[String: Any]])?.first)
        #expect(json["only_tightens"] as? Bool == false && change["effect"] as? String == "looser")
        #expect(change["old"] as? Int == 10_000_000 && change["new"] as? Int == 12_000_000)
        #expect(try shop.run("policy", "diff", "HEAD", "--format", "markdown").output.contains("### budgets"))
        #expect(try shop.run("policy", "diff", "no-such-thing").status == 66)
        #expect(try shop.run("policy", "diff", "policy.json").status == 65)
    }

    @Test func listShowAndCurrentNameThePolicies() throws {
        let shop = try Shop.withPolicy()
        _ = try shop.run("start", "--name", "a")
        _ = try shop.start()
        let list = try shop.run("policy", "list")
        #expect(
            list.output.contains("small") && list.output.contains("(not a compiled policy)")
                || list.output.contains("acme"),
            "\(list)"
        )
        let json = try #require(try shop.json("policy", "list", "--json") as? [[String: Any]])
        #expect(json.map { $0["is_compiled"] as? Bool } == [true, false])
        let ids = json.compactMap { $0["snapshot"] as? String }
        let shown = try shop.run("policy", "show", ids[0])
        #expect(
            shown.status == 0 && shown.output.contains("writer: big") && shown.output.contains("lab/big-1"),
            "\(shown)"
        )
        #expect(try shop.run("policy", "show", ids[1]).status == 1)
        #expect(try shop.run("policy", "show", "sha256:ffff").status == 2)
        #expect(try shop.run("policy", "current").output.contains(ids[0]))
        #expect(try shop.run("policy", "current", "--run", "a").output.contains("small 1.0.0"))
        #expect(((try shop.json("policy", "current", "--json")) as? [String: Any])?["snapshot"] as? String == ids[0])
        #expect(try shop.run("verify").output.contains("not a compiled policy"))
        #expect(try shop.run("verify").status == 0)
    }

    @Test func fmtKeepsTheIDAndSaysWhatItWouldChange() throws {
        let shop = try Shop.withPolicy()
        let id = try shop.run("policy", "compile", "--json").output
        try shop.edit("tier = 2", "tier   =   2   # strong")
        let check = try shop.run("policy", "fmt", "--check")
        #expect(check.status == 1 && check.output.contains("model_policy.toml"), "\(check)")
        #expect(try shop.run("policy", "fmt").status == 0)
        #expect(try shop.run("policy", "fmt", "--check").status == 0)
        #expect(try shop.read("model_policy.toml").contains("= 2  # strong"))
        #expect(try shop.run("policy", "compile", "--json").output == id)
        let piped = try shop.run("policy", "fmt", "-", input: "schema=1\n")
        #expect(piped.status == 0 && piped.output == "schema = 1\n", "\(piped)")
        #expect(try shop.run("policy", "fmt", "nowhere.toml").status == 4)
    }

    @Test func bumpDraftsVersionChangelogAndScenarios() throws {
        let shop = try Shop.withPolicy()
        _ = try shop.shell(
            "git init -q . && git add model_policy.toml && git -c user.name=a -c user.email=a@b commit -qm x"
        )
        #expect(try shop.run("policy", "bump").status == 1)
        try shop.edit("\"10.00\"", "\"12.00\"")
        let dry = try shop.run("policy", "bump", "--dry-run")
        #expect(
            dry.status == 0 && dry.output.contains("1.0.0 → 1.1.0") && dry.output.contains("budgets.per_run_usd"),
            "\(dry)"
        )
        #expect(!FileManager.default.fileExists(atPath: shop.path("policy")))
        let bumped = try shop.run("policy", "bump", "--json")
        #expect(bumped.output.contains("\"version\": \"1.1.0\""), "\(bumped)")
        #expect(try shop.read("model_policy.toml").contains("version = \"1.1.0\""))
        #expect(try shop.read("policy/CHANGELOG.md").contains("## 1.1.0"))
        let drafts = try shop.read("policy/tests/1.1.0.toml")
        #expect(drafts.contains("name   = \"budgets.per_run_usd, since 1.1.0\""), "\(drafts)")
        let tested = try shop.run("policy", "test")
        #expect(tested.status == 0 && tested.output == "✓ 1 scenario passed\n", "\(tested)")
        #expect(try shop.run("policy", "bump", "--base", "nothing").status == 66)
        // Once more, after the drafts were edited and something else was changed.
        try shop.edit("budgets.per_run_usd, since 1.1.0", "twelve dollars", in: "policy/tests/1.1.0.toml")
        try shop.edit("\"12.00\"", "\"13.00\"")
        try shop.edit("models = [\"big\"]", "models = [\"big\"]\n[roles.reader]\nmodels = [\"big\"]")
        #expect(try shop.run("policy", "bump").status == 0)
        let log = try shop.read("policy/CHANGELOG.md")
        #expect(log.components(separatedBy: "## 1.1.0").count == 2 && log.contains("\"10.00\" → \"13.00\""), "\(log)")
        let more = try shop.read("policy/tests/1.1.0.toml")
        #expect(more.contains("twelve dollars") && more.contains("roles.reader.models, since 1.1.0"), "\(more)")
        #expect(!more.contains("budgets.per_run_usd, since"))
    }

    @Test func importRefusesWhatLiteLLMLetsPass() throws {
        let shop = try Shop(capsule: false)
        let good = """
            model_list:
              - model_name: big
                litellm_params:
                  model: anthropic/big-1
                  api_key: os.environ/ANTHROPIC_API_KEY
                  input_cost_per_token: 0.000015
                  output_cost_per_token: 0.000075
                model_info: { max_input_tokens: 200000 }

            """
        try shop.write(good, to: "config.yaml")
        let answer = try shop.run("policy", "import", "--from", "litellm", "config.yaml", "-o", "model_policy.toml")
        #expect(answer.status == 0, "\(answer)")
        #expect(try shop.run("policy", "validate").status == 0)
        #expect(try shop.run("policy", "fmt", "--check").status == 0)
        #expect(
            try shop.run("policy", "import", "--from", "litellm", "config.yaml", "-o", "model_policy.toml").status == 73
        )
        try shop.edit("os.environ/ANTHROPIC_API_KEY", "my-key", in: "config.yaml")
        let bad = try shop.run("policy", "import", "--from", "litellm", "config.yaml")
        #expect(
            bad.status == 1 && bad.output.isEmpty && bad.errors.contains("P404") && !bad.errors.contains("my-key"),
            "\(bad)"
        )
        #expect(try shop.run("policy", "import", "--from", "other", "config.yaml").status == 64)
    }
}
