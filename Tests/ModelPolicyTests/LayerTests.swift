import Foundation
import JSONText
import Testing

@testable import ModelPolicy

@Suite struct LayerTests {
    /// A workspace that permits its keys to be tightened, or set.
    private func layered(allow: String = "", tighten: String = "", _ base: String = "", spec: String) -> CompileResult {
        let overrides = "[overrides]\nallow = [\(allow)]\ntighten_only = [\(tighten)]\n"
        return compile(small + overrides + base, spec: "schema = 1\n" + spec)
    }

    @Test func tablesMergeAndListsReplace() throws {
        let result = PolicyCompiler.compile(
            workspace: SourceFile(name: examplePath, bytes: try bytes(of: examplePath)),
            spec: SourceFile(name: specPath, bytes: try bytes(of: specPath))
        )
        let policy = try #require(result.snapshot?.policy)
        #expect(policy.roles["architect"]?.models == ["opus", "gpt-high"])
        #expect(policy.roles["architect"]?.require.tierAtLeast == 3)
        #expect(policy.roles["architect"]?.require.contextTokensAtLeast == 100_000)
        #expect(policy.budgets.perRun?.description == "10.00")
        #expect(policy.budgets.tokens["implement"] == 3000)
        #expect(policy.budgets.tokens["plan"] == 8000)
        #expect(policy.escalations.map(\.id) == ["reflex-exhausted", "architect-unsure", "implementer-stuck"])
        #expect(policy.escalations[1].confidenceBelow?.description == "0.8")
        #expect(policy.escalations[1].toTierAtLeast == 3)
        #expect(policy.redaction.files == [".env", "credentials", "secrets"])
    }

    @Test(arguments: [
        ("[budgets]\nper_run_usd = 5", "[budgets]\nper_run_usd = 4", "[budgets]\nper_run_usd = 6", "budgets"),
        ("", "[budgets]\nwarn_at = 0.5", "[budgets]\nwarn_at = 0.9", "budgets"),
        (
            "[budgets]\ntokens = { plan = 9 }", "[budgets]\ntokens = { plan = 8 }", "[budgets]\ntokens = { plan = 10 }",
            "budgets.tokens"
        ),
        ("[capture]\nmode = \"full_io\"", "[capture]\nmode = \"hash\"", "[capture]\nmode = \"none\"", "capture"),
        ("", "[capture]\nmode = \"summary\"", "[capture]\nmode = \"prompts_only\"", "capture.mode"),
        ("", "[risk.low]\nevidence = \"durable\"", "[risk.high]\nevidence = \"written\"", "risk"),
        ("", "[roles.writer.require]\ntier_at_least = 2", "[roles.other]\nmodels = [\"big\"]", "roles.*"),
        (
            "[roles.writer.require]\ntier_at_least = 2", "[roles.writer.require]\nlocality = \"cloud\"",
            "[roles.writer.require]\ntier_at_least = 1", "roles.*.require"
        ),
        (
            "[enforcement]\nrouting = \"warn\"", "[enforcement]\nrouting = \"enforce\"",
            "[enforcement]\nrouting = \"observe\"", "enforcement"
        ),
        ("[gates.g.m]\nat_most = 5", "[gates.g.m]\nat_most = 4\nsamples = 9", "[gates.g.m]\nat_most = 6", "gates"),
        (
            "[redaction]\nfiles = [\"a\"]", "[redaction]\nfiles = [\"b\", \"a\"]\non_ingest = true",
            "[redaction]\nfiles = [\"b\"]", "redaction"
        ),
        ("[approvals]\nrequired = 2", "[approvals]\nrequired = 3", "[approvals]\nexclude_author = false", "approvals"),
        ("", "[gates.g.m]\nat_least = 1", "[approvals]\nsigners = \"x\"", "gates\", \"approvals"),
    ])
    func aKeyThatMayOnlyTightenRefusesEachLooserValue(
        _ base: String,
        _ stricter: String,
        _ looser: String,
        _ key: String
    ) {
        let price = "\n[models.big.price_per_mtok]\ninput = 1\noutput = 1\n"
        let good = layered(tighten: "\"\(key)\"", base + price, spec: stricter)
        #expect(told(good) == [])
        let bad = layered(tighten: "\"\(key)\"", base + price, spec: looser)
        #expect(bad.errors.map(\.code) == [.changeLoosens], "\(told(bad))")
        #expect(bad.errors.allSatisfy { $0.layer == .spec && $0.file == "spec.toml" })
    }

    @Test func whatIsNotAllowedIsRefusedAtItsKey() {
        let result = layered(allow: "\"redaction\"", spec: "[capture]\nmode = \"hash\"\n[policy]\nowner = \"me\"")
        #expect(told(result).map { String($0.prefix(8)) } == ["P301 3:1", "P301 4:2"])
        #expect(told(layered(allow: "\"capture.mode\"", spec: "[capture]\nmode = \"hash\"")) == [])
    }

    @Test func tightenOnlyGoesBeforeAllow() {
        let result = layered(allow: "\"capture\"", tighten: "\"capture\"", spec: "[capture]\nmode = \"full_io\"")
        #expect(result.errors.map(\.code) == [.changeLoosens])
    }

    @Test func aSpecCannotLoosenWhatGovernsIt() {
        for key in ["overrides", "policy", "overrides.allow", "schema", "*"] {
            #expect(layered(allow: "\"\(key)\"", spec: "").errors.map(\.code) == [.patternMatchesNothing])
        }
    }

    @Test func aFaultOfTheWorkspaceIsToldThoughTheSpecCoversIt() {
        let result = compile(
            small.with("models = [\"big\"]", "models = [\"bgi\"]") + "[overrides]\nallow = [\"roles\"]\n",
            spec: "schema = 1\n[roles.writer]\nmodels = [\"big\"]\n"
        )
        #expect(result.errors.map(\.code) == [.undefinedName])
    }

    @Test func explainSaysWhereAValueCameFromAndWhatOthersSaid() throws {
        let result = PolicyCompiler.compile(
            workspace: SourceFile(name: examplePath, bytes: try bytes(of: examplePath)),
            spec: SourceFile(name: specPath, bytes: try bytes(of: specPath))
        )
        let warn = try #require(result.explain("budgets.warn_at").first)
        #expect(warn.effective.text == "0.5")
        #expect(warn.effective.place?.file == specPath)
        #expect(warn.overridden.map(\.text) == ["0.8", "0.8"])
        #expect(warn.overridden.map { $0.place?.layer } == [.workspace, nil])
        let models = try #require(result.explain("roles.architect.models").first)
        #expect(models.overridden.map(\.text) == ["[\"opus\", \"sonnet\"]"])
        let timeout = try #require(result.explain("providers.openai.timeout").first)
        #expect(timeout.effective.place == nil)
        #expect(timeout.effective.text == "\"2m\"")
        #expect(result.explain("roles.*.models").count == 3)
        #expect(result.explain("nothing").isEmpty)
        #expect(result.nearestPath(to: "budgets.warn_att") == "budgets.warn_at")
    }

    @Test func aLayersStatementChangesOnlyWithWhatTheLayerSays() throws {
        let base = small + "[overrides]\nallow = [\"redaction\"]\n"
        let spec = "schema = 1\n[redaction]\nfiles = [\"b\", \"a\"]\n"
        let first = compile(base, spec: spec)
        let moved = compile(
            base.with("tier = 2", "tier = 3"),
            spec: "# moved\n" + spec.with("[\"b\", \"a\"]", "[\"a\", \"b\"]")
        )
        #expect(
            first.statement(of: .spec).map { String(decoding: $0, as: UTF8.self) }
                == #"{"redaction":{"files":["a","b"]},"schema":1}"#
        )
        #expect(moved.statement(of: .spec) == first.statement(of: .spec))
        #expect(moved.statement(of: .workspace) != first.statement(of: .workspace))
        #expect(compile(small).statement(of: .spec) == nil)
        #expect(compile("").statement(of: .workspace) == nil)
    }

    @Test func theSourceMapNamesTheLineOfEachRuleAndReadsBack() throws {
        let result = PolicyCompiler.compile(workspace: SourceFile(name: examplePath, bytes: try bytes(of: examplePath)))
        let map = result.sourceMap
        let lines = try text(of: examplePath).components(separatedBy: "\n")
        let place = try #require(map.places["roles.implementer.modes.reflex.gate"])
        #expect(lines[place.line - 1].hasPrefix("gate"))
        #expect(map.places["escalations.architect-unsure"] != nil)
        #expect(map.places["providers.openai.timeout"] == nil)
        #expect(try SourceMap(canonicalJSON: map.canonicalJSON) == map)
    }
}

@Suite struct DiffTests {
    private func policy(_ text: String) throws -> CompiledPolicy { try #require(compile(text).snapshot?.policy) }

    @Test func everyLeafThatChangesIsNamedWithBothValues() throws {
        let old = try policy(small)
        let new = try policy(small.with("tier = 2", "tier = 3").with("1.0.0", "1.1.0") + "[budgets]\nwarn_at = 0.5\n")
        let diff = PolicyDiff(from: old, to: new)
        #expect(diff.changes.map(\.path) == ["policy.version", "models.big.tier", "budgets.warn_at"])
        #expect(diff.changes.map(\.effect) == [.neutral, .looser, .stricter])
        #expect(diff.changes.last?.oldText == "0.8")
        #expect(diff.changes.last?.newText == "0.5")
        #expect(diff.groups.map(\.group) == ["policy", "models", "budgets"])
        #expect(!diff.onlyTightens)
        #expect(PolicyDiff(from: old, to: old).isEmpty)
    }

    @Test func anotherOrderOfEscalationsIsAChange() throws {
        let first =
            "[[escalations]]\nid = \"a\"\nrole = \"writer\"\nwhen = { failed_attempts = 2 }\nto = { then = \"human\" }\n"
        let second = first.replacingOccurrences(of: "\"a\"", with: "\"b\"")
        let diff = PolicyDiff(from: try policy(small + first + second), to: try policy(small + second + first))
        #expect(diff.changes.map(\.path) == ["escalations"])
    }

    @Test func whatOnlyTightensIsKnown() throws {
        let old = try policy(small)
        let tighter = try policy(small + "[capture]\nmode = \"hash\"\n[budgets]\ntokens = { plan = 5 }\n")
        #expect(PolicyDiff(from: old, to: tighter).onlyTightens)
        #expect(!PolicyDiff(from: tighter, to: old).onlyTightens)
    }
}
