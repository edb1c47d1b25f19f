import Foundation
import ModelPolicy
import Testing

/// A repository with a policy, people with keys, and a capsule.
private final class ApprovalShop {
    let shop: Shop

    init(
        mode: String = "enforce",
        required: Int = 1,
        more: String = "",
        signers: [String] = ["ada", "bob", "carl"]
    ) throws {
        shop = try Shop()
        try shop.write(
            Policies.small + """
                [enforcement]
                approvals = "\(mode)"

                [approvals]
                required = \(required)
                signers = "policy/allowed_signers"
                \(more)
                """,
            to: "model_policy.toml"
        )
        try shop.folder("policy/specs")
        try shop.folder("keys")
        for name in ["ada", "bob", "carl", "eve"] {
            try #require(try shop.shell("ssh-keygen -q -t ed25519 -N '' -C '' -f keys/\(name)").status == 0)
        }
        try shop.write(try signers.map(line).joined(), to: "policy/allowed_signers")
        try shop.write("keys\n*.cpsl*\n", to: ".gitignore")
        try git("init -q -b main . && git config user.name Nobody && git config user.email nobody@example.com")
        try commit("one", by: "ada")
    }

    func line(_ name: String) throws -> String { "\(name)@example.com \(try shop.read("keys/\(name).pub"))" }

    func git(_ command: String) throws {
        let answer = try shop.shell("git \(command)")
        try #require(answer.status == 0, "\(answer)")
    }

    func commit(_ message: String, by name: String) throws {
        try git(
            "add -A && git -c user.name=\(name) -c user.email=\(name)@example.com commit -q --allow-empty -m '\(message)'"
        )
    }

    @discardableResult
    func approve(_ name: String, _ more: String = "") throws -> Shop.Answer {
        try shop.shell("$TOOL policy approve --key keys/\(name) \(more)")
    }

    struct Layer {
        var isApproved: Bool
        var counted: [String]
        /// `reason approver` of each that does not count.
        var refused: [String]
        var authors: [String]
    }

    func layers(_ more: String = "") throws -> [Layer] {
        let answer = try shop.shell("$TOOL policy approvals --json \(more)")
        let document = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any],
            "\(answer)"
        )
        #expect(answer.status == (document["approved"] as? Bool == true ? 0 : 1))
        return (document["layers"] as? [[String: Any]] ?? []).map { layer in
            Layer(
                isApproved: layer["approved"] as? Bool ?? false,
                counted: (layer["counted"] as? [[String: Any]] ?? []).compactMap { $0["approver"] as? String },
                refused: (layer["not_counted"] as? [[String: Any]] ?? []).map {
                    "\($0["reason"] ?? "") \($0["approver"] as? String ?? "")"
                },
                authors: (layer["authors"] as? [String] ?? []).sorted()
            )
        }
    }

    func workspace() throws -> Layer { try #require(try layers().first) }
}

@Suite struct PolicyApprovalTests {
    @Test func aPolicyThatWarnsBeginsWithAWarningUntilSomebodyElseSigns() throws {
        let place = try ApprovalShop(mode: "warn")
        let first = try place.shop.run("start", "--name", "a")
        #expect(first.status == 0 && first.errors.contains("0 of 1 approval"), "\(first)")
        let approved = try place.approve("bob")
        #expect(approved.status == 0 && approved.errors.contains("is approved"), "\(approved)")
        let second = try place.shop.run("start", "--name", "b")
        #expect(second.status == 0 && second.errors.isEmpty, "\(second)")
        func record(_ run: String) throws -> [String: Any] {
            let policy = try place.shop.timeline(run)[0].body["policy"] as? [String: Any]
            return try #require(policy?["approvals"] as? [String: Any])
        }
        #expect(try record("a")["approved"] as? Bool == false)
        #expect(try place.shop.run("show", "a").output.contains("approval not approved\n"))
        #expect(try place.shop.run("show", "b").output.contains("approval approved by bob@example.com\n"))
        let verdict = try record("b")
        #expect(verdict["approved"] as? Bool == true)
        let layer = try #require((verdict["layers"] as? [[String: Any]])?.first)
        let counted = try #require((layer["counted"] as? [[String: Any]])?.first)
        let folder = "policy/approvals/\(String((layer["digest"] as? String ?? "").dropFirst(7)))"
        let files = [
            "signers": "policy/allowed_signers", "statement": "\(folder)/*.json", "signature": "\(folder)/*.sig",
        ]
        for (member, file) in files {
            let digest = try place.shop.shell("sha256sum \(file)").output.prefix(64)
            #expect((counted[member] ?? verdict[member]) as? String == "sha256:\(digest)", "\(member)")
        }
        #expect(try place.shop.run("verify", "--require-snapshots").status == 0)
    }

    @Test func whatIsWrittenTheRealSSHKeygenVerifies() throws {
        let place = try ApprovalShop()
        try place.approve("bob")
        let verify =
            "ssh-keygen -Y verify -n \(ApprovalStatement.namespace) -I bob@example.com -f policy/allowed_signers"
        #expect(
            try place.shop.shell(
                "cd policy/approvals/* && f=$(ls *.json) && cd - && cd . && \(verify) -s policy/approvals/*/$f.sig < policy/approvals/*/$f"
            ).status == 0
        )
    }

    @Test func thePrintedLineSignsAsTheCommandDoes() throws {
        let place = try ApprovalShop()
        let printed = try place.approve("bob", "--print")
        #expect(printed.status == 0 && printed.lines.count == 1 && printed.output.hasPrefix("ssh-keygen -Y sign "))
        #expect(try place.workspace().refused == ["missing-signature bob@example.com"])
        #expect(try place.shop.shell(printed.output).status == 0)
        #expect(try place.workspace().isApproved)
    }

    @Test func aPolicyThatEnforcesBindsNoRunOfHighRiskWithoutApproval() throws {
        let place = try ApprovalShop()
        let shop = place.shop
        let answer = try shop.run("start", "--name", "a")
        #expect(answer.status == 78 && answer.output.isEmpty && answer.errors.contains("not approved"), "\(answer)")
        let runs = try #require(try shop.json("runs", "--json") as? [[String: Any]])
        let refused = try #require(runs[0]["run"] as? String)
        let timeline = try shop.timeline(refused)
        #expect(timeline.map(\.type) == ["run.start", "policy.failure", "run.end"])
        #expect(
            timeline[1].body["cause"] as? String == "not-approved"
                && timeline[0].snapshot == "\(BuiltinPolicy.refuse.id)"
        )
        #expect(try shop.run("record", "--", "touch", "ran").status == 78)
        #expect(!FileManager.default.fileExists(atPath: shop.path("ran")))
        // Nothing approved was bound before.
        #expect(try shop.run("start", "--risk", "low").errors.contains("builtin-fallback"))
        try place.approve("bob")
        #expect(try shop.run("start", "--name", "a").status == 0)
        let good = try shop.timeline("a")[0].snapshot
        // A change that nobody signed: what was approved goes on for low risk.
        try shop.edit("\"10.00\"", "\"1000.00\"")
        let low = try shop.run("start", "--name", "low", "--risk", "low")
        #expect(low.status == 0 && low.errors.contains("bound last"), "\(low)")
        #expect(try shop.timeline("low")[0].snapshot == good)
        #expect(try shop.run("verify", "--require-snapshots").status == 0)
    }

    @Test func whatWasNeverApprovedIsNotFallenBackTo() throws {
        let place = try ApprovalShop(mode: "observe")
        #expect(try place.shop.run("start", "--risk", "low").status == 0)
        try place.shop.edit("approvals = \"observe\"", "approvals = \"enforce\"")
        #expect(try place.shop.run("start", "--risk", "low").errors.contains("builtin-fallback"))
    }

    @Test func aSnapshotByHandNeedsARunThatShowedItsApproval() throws {
        let place = try ApprovalShop()
        _ = try place.shop.shell("$TOOL policy compile > compiled.json")
        let before = try place.shop.run("start", "--snapshot", "compiled.json")
        #expect(before.status == 2 && before.errors.contains("policy-not-approved"), "\(before)")
        try place.approve("bob")
        #expect(try place.shop.run("start").status == 0)
        #expect(try place.shop.run("start", "--snapshot", "compiled.json").status == 0)
    }

    @Test func anAuthorDoesNotApproveTheirOwnChange() throws {
        let place = try ApprovalShop()
        let own = try place.approve("ada")
        #expect(own.status == 1 && own.errors.contains("[author]"), "\(own)")
        #expect(try place.workspace().refused == ["author ada@example.com"])
        #expect(try place.shop.run("start").status == 78)
    }

    @Test func aTrifleOnTopMakesNobodyElseTheAuthor() throws {
        let place = try ApprovalShop()
        try place.approve("bob")
        try place.commit("approved", by: "ada")
        try place.shop.edit("\"10.00\"", "\"1000.00\"")
        try place.commit("all of it", by: "bob")
        try place.shop.edit("version = \"1.0.0\"", "version = \"1.0.1\"")
        try place.commit("a trifle", by: "carl")
        try place.approve("bob")
        try place.approve("carl")
        #expect(try place.workspace().refused == ["author bob@example.com", "author carl@example.com"])
        // Ada's commit was approved before, so she is no author of this change.
        try place.approve("ada")
        #expect(try place.workspace().counted == ["ada@example.com"])
    }

    @Test func coAuthorsAndMappedAddressesAreAuthors() throws {
        let place = try ApprovalShop()
        try place.shop.edit("\"10.00\"", "\"11.00\"")
        try place.commit("with others\n\nCo-authored-by: B <BOB@example.com>", by: "eve")
        try place.approve("bob")
        #expect(try place.workspace().refused == ["author bob@example.com"])
        // Another address of Carl's.
        try place.shop.write("Carl <carl@example.com> <eve@example.com>\n", to: ".mailmap")
        try place.approve("carl")
        #expect(try place.workspace().refused == ["author bob@example.com", "author carl@example.com"])
    }

    @Test func anotherLayoutKeepsApprovalsAndMakesNobodyAnAuthor() throws {
        let place = try ApprovalShop()
        try place.approve("bob")
        try place.shop.write("# moved\n\n" + (try place.shop.read("model_policy.toml")), to: "model_policy.toml")
        #expect(try place.workspace().counted == ["bob@example.com"])
        try place.commit("moved", by: "bob")
        #expect(try place.workspace().counted == ["bob@example.com"])
        try place.git("mv model_policy.toml old.toml")
        _ = try place.shop.shell("$TOOL policy convert old.toml -o model_policy.yaml")
        try place.git("rm -q -f old.toml")
        try place.commit("converted", by: "bob")
        let layer = try place.workspace()
        #expect(layer.counted == ["bob@example.com"] && layer.authors == ["ada <ada@example.com>"], "\(layer)")
    }

    @Test func whatIsNotCommittedIsTheCurrentUsers() throws {
        let place = try ApprovalShop()
        try place.shop.edit("\"10.00\"", "\"11.00\"")
        try place.git("config user.email carl@example.com")
        try place.approve("carl")
        try place.approve("bob")
        let layer = try place.workspace()
        #expect(layer.counted == ["bob@example.com"] && layer.refused == ["author carl@example.com"], "\(layer)")
    }

    @Test func whereGitCannotTellNobodyCounts() throws {
        let place = try ApprovalShop()
        try place.approve("bob")
        try place.commit("approved", by: "ada")
        try place.git("clone -q --depth 1 file://\(place.shop.folder) shallow")
        let shallow = try place.shop.shell("cd shallow && $TOOL policy approvals")
        #expect(
            shallow.status == 1 && shallow.output.contains("authors-unknown") && shallow.output.contains("unshallow"),
            "\(shallow)"
        )
        _ = try place.shop.shell("rm -rf .git")
        #expect(try place.workspace().refused == ["authors-unknown bob@example.com"])
        try place.shop.edit("signers =", "exclude_author = false\nsigners =")
        try place.approve("bob")
        #expect(try place.workspace().isApproved)
    }

    @Test func twoAreTwoPersons() throws {
        let place = try ApprovalShop(required: 2)
        try place.approve("bob")
        #expect(try !place.workspace().isApproved)
        try place.shop.write(
            try place.shop.read("policy/allowed_signers") + "robert@example.com \(try place.shop.read("keys/bob.pub"))",
            to: "policy/allowed_signers"
        )
        try place.approve("bob", "--principal robert@example.com")
        #expect(try place.workspace().refused == ["same-person robert@example.com"])
        #expect(try place.approve("bob").status == 2)
        try place.approve("carl")
        #expect(try place.workspace().isApproved)
    }

    @Test func aSpecIsApprovedForItself() throws {
        let place = try ApprovalShop()
        let shop = place.shop
        try shop.write("schema = 1\n[budgets]\nper_run_usd = \"2.00\"\n", to: "policy/specs/SPEC-1.toml")
        try place.commit("a spec", by: "ada")
        try place.approve("bob")
        #expect(try place.layers("--spec SPEC-1").map(\.isApproved) == [true, false])
        #expect(try shop.run("start", "--spec", "SPEC-1").status == 78)
        try place.approve("bob", "--spec SPEC-1")
        #expect(try place.layers("--spec SPEC-1").map(\.isApproved) == [true, true])
        #expect(try shop.run("start", "--spec", "SPEC-1").status == 0)
        // Leave for one spec is none for another that says the same.
        _ = try shop.shell("cp policy/specs/SPEC-1.toml policy/specs/SPEC-2.toml")
        try place.commit("another", by: "ada")
        #expect(try place.layers("--spec SPEC-2")[1].refused == ["wrong-subject bob@example.com"])
        // A change of the workspace asks for nothing of the spec.
        try shop.edit("owner = \"team\"", "owner = \"crew\"")
        try place.commit("owner", by: "ada")
        #expect(try place.layers("--spec SPEC-1").map(\.isApproved) == [false, true])
    }

    @Test func aRunTakesUpWhatLoosensOnlyWhenItIsApprovedByThoseItBeganWith() throws {
        let place = try ApprovalShop(mode: "warn")
        let shop = place.shop
        try place.approve("bob")
        for run in ["a", "b"] { #expect(try shop.run("start", "--name", run).status == 0) }
        try shop.edit("\"10.00\"", "\"20.00\"")
        try place.commit("more", by: "ada")
        // An agent that signs with a key of its own, and lists it.
        let list = try shop.read("policy/allowed_signers")
        try shop.write(list + (try place.line("eve")), to: "policy/allowed_signers")
        #expect(try place.approve("eve").status == 0)
        _ = try shop.run("stage", "a", "plan")
        let kept = try #require(try shop.timeline("a").first { $0.type == "policy.kept" })
        #expect(kept.body["cause"] as? String == "loosens")
        let verdict = try #require(kept.body["approvals"] as? [String: Any])
        let reasons = (verdict["layers"] as? [[String: Any]])?[0]["not_counted"] as? [[String: Any]]
        #expect(verdict["approved"] as? Bool == false && reasons?[0]["reason"] as? String == "unknown-signer")
        // One that asks for no approval, and one that names another list.
        let whole = try shop.read("model_policy.toml")
        for edit in [
            "exclude_author = false\nsigners = \"policy/mine\"",
            "signers = \"policy/allowed_signers\"\nexclude_author = false",
        ] {
            try shop.write(
                whole.replacingOccurrences(of: "signers = \"policy/allowed_signers\"", with: edit),
                to: "model_policy.toml"
            )
            try shop.write(try place.line("eve"), to: "policy/mine")
            try place.approve("eve", "--principal eve@example.com")
            _ = try shop.run("checkpoint", "a")
        }
        #expect(try shop.timeline("a").filter { $0.type == "policy.kept" }.count == 3)
        try shop.write(whole, to: "model_policy.toml")
        // And one of those who may.
        try shop.write(list, to: "policy/allowed_signers")
        try place.approve("carl")
        _ = try shop.run("stage", "b", "plan")
        let taken = try #require(try shop.timeline("b").first { $0.type == "snapshot" })
        #expect(taken.body["reason"] as? String == "the policy's files were changed, and are approved")
        #expect((taken.body["approvals"] as? [String: Any])?["approved"] as? Bool == true)
        #expect(try shop.timeline("b").last?.snapshot == taken.body["snapshot"] as? String)
        #expect(try shop.run("verify").status == 0)
    }

    @Test func aHighVersionThatNobodySignedKeepsNoApprovedOneOut() throws {
        let place = try ApprovalShop(mode: "enforce")
        let shop = place.shop
        try place.approve("bob")
        let own = try shop.read("model_policy.toml")
        #expect(try shop.run("start", "--name", "a").status == 0)
        // What only tightens is taken up without a signature, whatever it is called.
        try shop.edit("\"10.00\"", "\"5.00\"")
        try shop.edit("version = \"1.0.0\"", "version = \"999.0.0\"")
        _ = try shop.run("stage", "a", "plan")
        let tight = try #require(try shop.timeline("a").first { $0.type == "snapshot" })
        #expect(tight.body["approvals"] == nil)
        // The next version, approved, comes in all the same.
        try shop.write(own, to: "model_policy.toml")
        try shop.edit("\"10.00\"", "\"20.00\"")
        try shop.edit("version = \"1.0.0\"", "version = \"1.1.0\"")
        try place.commit("more", by: "ada")
        try place.approve("bob")
        _ = try shop.run("checkpoint", "a")
        let taken = try shop.timeline("a").filter { $0.type == "snapshot" }
        #expect(taken.count == 2 && (taken.last?.body["approvals"] as? [String: Any])?["approved"] as? Bool == true)
        // And its own version counts from there on.
        try shop.write(own, to: "model_policy.toml")
        try shop.edit("\"10.00\"", "\"30.00\"")
        try place.commit("most", by: "ada")
        try place.approve("bob")
        _ = try shop.run("checkpoint", "a")
        #expect(try shop.timeline("a").last { $0.type == "policy.kept" }?.body["cause"] as? String == "older")
        #expect(try shop.run("verify").status == 0)
    }

    @Test func whatTheLedgerAloneWritesIsRefusedByItsName() throws {
        let place = try ApprovalShop(mode: "warn")
        let shop = place.shop
        try place.approve("bob")
        #expect(try shop.run("start", "--name", "a").status == 0)
        for type in ["policy.kept", "policy.failure", "snapshot", "routing.decision", "budget.alert", "run.start"] {
            let answer = try shop.run("append", "a", "--type", type, "--body", "{}")
            #expect(answer.status == 2 && answer.errors.contains("[reserved-type]"), "\(answer)")
        }
        let stream = try shop.run("append", "a", "--ndjson", input: #"{"type":"policy.kept","body":{}}"#)
        #expect(stream.status != 0 && stream.errors.contains("[reserved-type]"), "\(stream)")
        #expect(try shop.run("verify").status == 0)
    }

    @Test func anOlderPolicyThatWasApprovedIsNotPutBackInTheMiddleOfARun() throws {
        let place = try ApprovalShop(mode: "enforce")
        let shop = place.shop
        // Version 1.0.0 permits ten dollars and is approved; 1.1.0 permits five.
        try place.approve("bob")
        let loose = try shop.read("model_policy.toml")
        try shop.edit("\"10.00\"", "\"5.00\"")
        try shop.edit("version = \"1.0.0\"", "version = \"1.1.0\"")
        try place.commit("less", by: "ada")
        try place.approve("bob")
        #expect(try shop.run("start", "--name", "a").status == 0)
        try shop.write(loose, to: "model_policy.toml")
        _ = try shop.run("stage", "a", "plan")
        let kept = try #require(try shop.timeline("a").first { $0.type == "policy.kept" })
        #expect(kept.body["cause"] as? String == "older", "\(kept.body)")
        #expect((kept.body["approvals"] as? [String: Any])?["approved"] as? Bool == true)
        #expect((kept.body["reason"] as? String)?.contains("1.1.0") == true)
        // Nor after a step that tightens, and says that it is older still.
        let tight = loose.replacingOccurrences(of: "\"10.00\"", with: "\"4.00\"")
        try shop.write(tight.replacingOccurrences(of: "\"1.0.0\"", with: "\"0.1.0\""), to: "model_policy.toml")
        _ = try shop.run("checkpoint", "a")
        #expect(
            try shop.timeline("a").last { $0.type == "snapshot" } != nil,
            "what tightens is taken up, whatever it says"
        )
        try shop.write(loose, to: "model_policy.toml")
        _ = try shop.run("stage", "a", "implement")
        #expect(try shop.timeline("a").last { $0.type == "policy.kept" }?.body["cause"] as? String == "older")
        // The same meaning under a higher version is taken up, once it is approved.
        try shop.edit("version = \"1.0.0\"", "version = \"1.2.0\"")
        try place.commit("more again", by: "ada")
        try place.approve("bob")
        _ = try shop.run("checkpoint", "a")
        let last = try shop.timeline("a").last { $0.type == "snapshot" }
        #expect(last?.body["reason"] as? String == "the policy's files were changed, and are approved")
        #expect(try shop.run("verify").status == 0)
    }

    @Test func aFaultInTheListIsToldAtItsPlaceAndNobodyCounts() throws {
        let place = try ApprovalShop()
        try place.approve("bob")
        try place.shop.write(
            try place.line("bob") + "carl@example.com ssh-ed25519 nonsense\n",
            to: "policy/allowed_signers"
        )
        let answer = try place.shop.run("policy", "approvals")
        #expect(
            answer.status == 1 && answer.errors.contains("policy/allowed_signers:2:30")
                && answer.errors.contains("P504"),
            "\(answer)"
        )
        let refused = try place.shop.run("start")
        #expect(refused.status == 78 && refused.errors.contains("policy/allowed_signers:2"), "\(refused)")
    }

    @Test func whatIsMissingIsSaidWithTheNextStep() throws {
        let place = try ApprovalShop(signers: ["bob"])
        let stranger = try place.approve("eve")
        #expect(stranger.status == 2 && stranger.errors.contains("does not list the key"), "\(stranger)")
        let nowhere = try place.shop.run("policy", "approve", "--key", "nowhere")
        #expect(nowhere.status == 66 && nowhere.errors.contains("no key nowhere"))
        let keyless = try place.shop.run("policy", "approve", environment: ["HOME": place.shop.folder])
        #expect(keyless.status == 66 && keyless.errors.contains("--key"), "\(keyless)")
        let claimed = try place.approve("eve", "--principal bob@example.com")
        #expect(claimed.status == 1 && claimed.errors.contains("unknown-signer"), "\(claimed)")
        let shop = try Shop.withPolicy()
        let listless = try shop.run("policy", "approvals")
        #expect(listless.status == 66 && listless.errors.contains("signers ="), "\(listless)")
    }

    @Test func whereApprovalsAreEnforcedAnOverrideCountsOnlyWhenSomebodyListedSignedIt() throws {
        let place = try ApprovalShop()
        try place.shop.edit("\"10.00\"", "\"0.00\"")
        try place.commit("less", by: "ada")
        try place.approve("bob")
        try #require(try place.shop.run("start", "--name", "r", "--stage", "plan").status == 0)
        try #require(try place.shop.run("start", "--name", "s", "--stage", "plan").status == 0)
        func override(_ run: String, _ more: String) throws -> Shop.Answer {
            let words = "$TOOL override \(run) budgets.per_run_usd --amount 1.00 --reason needed"
            return try place.shop.shell("\(words) \(more)")
        }
        func route(_ run: String) throws -> Int32 {
            try place.shop.shell(
                "$TOOL route --run \(run) --role writer --input-tokens 10 --max-output-tokens 10"
            ).status
        }
        #expect(try route("r") == 1)
        let plain = try override("r", "--by bob@example.com")
        #expect(plain.status == 2 && plain.errors.contains("nobody signed it"), "\(plain)")
        let other = try override("r", "--by bob@example.com --sign --key keys/carl")
        #expect(other.status == 2 && other.errors.contains("does not speak for bob@example.com"), "\(other)")
        let stranger = try override("r", "--by eve@example.com --sign --key keys/eve")
        #expect(stranger.status == 2, "\(stranger)")
        #expect(try route("r") == 1)
        let signed = try override("r", "--by bob@example.com --sign --key keys/bob")
        #expect(signed.status == 0, "\(signed)")
        #expect(try route("r") == 0)

        // Written by hand: the same signature in another run, and once more in its own.
        let events = try place.shop.timeline("r")
        let body = try #require(events.last { $0.type == "override" }?.body)
        let text = String(decoding: try JSONSerialization.data(withJSONObject: body), as: UTF8.self)
        try place.shop.write(text, to: "override.json")
        for run in ["r", "s"] {
            let answer = try place.shop.shell("$TOOL append \(run) --type override --body-file override.json")
            #expect(answer.status == 0, "\(answer)")
        }
        #expect(try route("s") == 1)
        let budget = try place.shop.shell(
            "$TOOL route --run r --role writer --input-tokens 10 --max-output-tokens 10 --json"
        )
        #expect(budget.output.contains("\"limit_usd\": \"1.00\""), "\(budget)")
        #expect(try place.shop.run("verify", "--require-decisions").status == 0)
    }
}
