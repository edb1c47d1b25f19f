import Foundation
import Testing

@testable import ModelPolicy

@Suite struct ApprovalTests {
    private let shop: KeyShop
    private let subject: ApprovalSubject

    init() throws {
        shop = try KeyShop()
        subject = try #require(compile(small).approvalSubjects.first)
    }

    private func judge(
        _ files: [ApprovalFile],
        _ signers: String,
        required: Int = 1,
        authors: ApprovalAuthors = .known([]),
        excludes: Bool = true,
        now: PolicyTime = KeyShop.now,
        of subject: ApprovalSubject? = nil
    ) -> LayerVerdict {
        let rules = ApprovalRules(required: required, excludesAuthors: excludes, signers: allowed(signers).signers)
        let evidence = ApprovalEvidence(subject ?? self.subject, files: files, authors: authors)
        return ApprovalVerdict(of: [evidence], under: rules, now: now).layers[0]
    }

    private func author(_ text: String) -> ApprovalAuthors { .known([ApprovalAuthor(text)]) }

    @Test func aStatementIsCanonicalAndReadBackAsItWas() throws {
        let statement = try ApprovalStatement(
            subject,
            approver: "ada@example.com",
            authors: ["Bob <b@x>"],
            time: KeyShop.now
        )
        #expect(try ApprovalStatement(canonicalJSON: statement.canonicalJSON) == statement)
        let text = String(decoding: statement.canonicalJSON, as: UTF8.self)
        #expect(
            text == """
                {"_type":"https://in-toto.io/Statement/v1","predicate":{"approver":"ada@example.com","authors":["Bob <b@x>"],\
                "layer":"workspace","policy":{"name":"small","version":"1.0.0"},"time":"2026-11-01T12:00:00Z"},\
                "predicateType":"https://capsule.example/policy-approval/v1",\
                "subject":[{"digest":{"sha256":"\(subject.folderName)"},"name":"model_policy.toml"}]}
                """
        )
        let variants = [
            text + "\n", text.replacingOccurrences(of: ":[{", with: ": [{"),
            text.replacingOccurrences(of: "\"layer\"", with: "\"x\":1,\"layer\""),
            text.replacingOccurrences(of: "v1\",\"pred", with: "v2\",\"pred"), "{}", "", "[]",
            text.replacingOccurrences(of: "workspace", with: "run"),
            text.replacingOccurrences(of: "12:00:00Z", with: "12:00:00+00:00"),
            text.replacingOccurrences(of: "ada@", with: "\u{202E}"),
        ]
        for variant in variants where variant != text {
            #expect(throws: ApprovalStatementError.self) { try ApprovalStatement(canonicalJSON: Array(variant.utf8)) }
        }
        for count in 0..<text.utf8.count {
            #expect(throws: ApprovalStatementError.self) {
                try ApprovalStatement(canonicalJSON: Array(text.utf8.prefix(count)))
            }
        }
    }

    @Test func anotherLayoutKeepsTheSubjectAndAnotherMeaningDoesNot() throws {
        let moved = compile("# a remark\n\n" + small).approvalSubjects
        #expect(moved.map(\.digest) == [subject.digest])
        #expect(compile(small.with("tier = 2", "tier = 3")).approvalSubjects.map(\.digest) != [subject.digest])
    }

    @Test func aPersonOfTheListApproves() throws {
        let verdict = judge([try shop.approve(subject, by: "ada")], try shop.signers("ada"), authors: author("bob@x"))
        #expect(verdict.isApproved && verdict.counted.map(\.approver) == ["ada@example.com"] && verdict.refused.isEmpty)
    }

    @Test func eachWayNotToCountHasItsReason() throws {
        let (ada, list) = (try shop.key("ada"), try shop.signers("ada"))
        let good = try shop.approve(subject, by: "ada")
        var unsigned = good
        unsigned.signature = nil
        var noise = good
        noise.signature = Array("x".utf8)
        var changed = good
        changed.statement = Array(
            String(decoding: good.statement, as: UTF8.self).replacingOccurrences(of: "12:00:00", with: "12:00:01").utf8
        )
        var other = subject
        other.digest = SnapshotID(ofSnapshot: [1])
        var spec = subject
        (spec.layer, spec.spec) = (.spec, "SPEC-1")
        var foreign = good
        foreign.signature = try shop.sign(good.statement, by: "ada", namespace: "git")
        let later = PolicyTime(seconds: KeyShop.now.seconds + ApprovalLimits.clockSeconds + 1)
        let cases: [(ApprovalFile, String, ApprovalRefusal.Reason)] = [
            (ApprovalFile(path: "x", statement: [1], signature: good.signature), list, .malformedStatement),
            (unsigned, list, .missingSignature), (noise, list, .malformedSignature), (foreign, list, .wrongNamespace),
            (changed, list, .tampered), (try shop.approve(other, by: "ada"), list, .wrongSubject),
            (try shop.approve(spec, by: "ada"), list, .wrongSubject),
            (good, try shop.signers("bob"), .unknownSigner), (good, "", .unknownSigner),
            (good, "broken", .unknownSigner),
            (try shop.approve(subject, by: "ada", as: "bob@example.com"), try shop.signers("ada", "bob"), .wrongPerson),
            (good, "ada@example.com namespaces=\"git\" \(ada)", .namespaceNotAllowed),
            (good, "ada@example.com valid-after=\"20261102Z\" \(ada)", .notYetValid),
            (good, "ada@example.com valid-before=\"20261031Z\" \(ada)", .expired),
            (try shop.approve(subject, by: "ada", at: later), list, .datedAhead),
            (try shop.approve(subject, by: "ada", authors: ["Ada@Example.com"]), list, .author),
        ]
        for (file, list, reason) in cases {
            let verdict = judge([file], list)
            #expect(!verdict.isApproved && verdict.refused.map(\.reason) == [reason], "\(reason): \(verdict.refused)")
        }
        #expect(judge([good], list, authors: .unknown("no git")).refused.map(\.reason) == [.authorsUnknown])
        #expect(judge([good], list, authors: .unknown("no git"), excludes: false).isApproved)
    }

    @Test func theKeyMustBeValidWhenItSignedAndNow() throws {
        let ada = try shop.key("ada")
        let file = try shop.approve(subject, by: "ada")
        let list = "ada@example.com valid-before=\"20261231Z\" \(ada)"
        #expect(judge([file], list).isApproved)
        #expect(judge([file], list, now: PolicyTime("2027-01-01")!).refused.map(\.reason) == [.expired])
        // Dated back, to a time before the key ended.
        #expect(
            judge([file], "ada@example.com valid-after=\"20261102Z\" \(ada)", now: PolicyTime("2026-12-01")!).refused
                .map(\.reason) == [.notYetValid]
        )
    }

    @Test func eachPersonCountsOnce() throws {
        let (one, two, bob) = (try shop.key("ada"), try shop.key("ada2"), try shop.key("bob"))
        let twoKeys = [
            try shop.approve(subject, by: "ada"), try shop.approve(subject, by: "ada2", as: "ada@example.com"),
        ]
        let twoNames = [
            try shop.approve(subject, by: "ada"), try shop.approve(subject, by: "ada", as: "countess@example.com"),
        ]
        let lists: [([ApprovalFile], String)] = [
            (twoKeys, "ada@example.com \(one)\nada@example.com \(two)"),
            (twoNames, "ada@example.com \(one)\ncountess@example.com \(one)"),
            (twoNames, "ada@example.com,countess@example.com \(one)"),
            (twoNames, "*@example.com \(one)"),
            // By way of a third line.
            (
                [twoKeys[0], try shop.approve(subject, by: "ada2", as: "countess@example.com")],
                "ada@example.com \(one)\ncountess@example.com \(two)\nADA@example.com,countess@example.com \(try shop.key("third"))"
            ),
        ]
        // A key that can sign under any name may be Ada's own.
        let anyName = [twoKeys[0], try shop.approve(subject, by: "ada2", as: "countess@example.com")]
        let more = lists + [(anyName, "ada@example.com \(one)\n*@Example.com,countess@example.com \(two)")]
        for (files, list) in more {
            let verdict = judge(files, list, required: 2)
            #expect(verdict.counted.count == 1 && verdict.refused.map(\.reason) == [.samePerson], "\(list)")
            #expect(judge(files, list, required: 1).isApproved)
        }
        let both = [twoKeys[0], try shop.approve(subject, by: "bob")]
        #expect(judge(both, "ada@example.com \(one)\nbob@example.com \(bob)", required: 2).isApproved)
        #expect(!judge(both, "ada@example.com \(one)\nbob@example.com \(bob)", required: 3).isApproved)
        #expect(judge(both, "ada@example.com \(one)\nbob@example.com,*@other \(bob)", required: 2).isApproved)
    }

    @Test(arguments: [
        "ada@example.com", "ADA@EXAMPLE.COM", "Ada Lovelace <ada@example.com>", "Somebody <countess@example.com>",
        "ada <other@elsewhere>", "second@example.org",
    ])
    func whoMadeTheChangeDoesNotCountUnderAnyNameOfTheirs(_ name: String) throws {
        let list = """
            ada@example.com,countess@example.com,ada \(try shop.key("ada"))
            second@example.org \(try shop.key("ada"))
            \(try shop.signers("bob"))
            """
        let file = try shop.approve(subject, by: "ada")
        #expect(judge([file], list, authors: author(name)).refused.map(\.reason) == [.author])
        #expect(judge([file], list, authors: author(name), excludes: false).isApproved)
        #expect(judge([file], list, authors: author("Bob <bob@example.com>")).isApproved)
    }

    @Test func nobodyOutsideTheListMakesAnAuthorOfAnother() throws {
        let stranger = try shop.approve(subject, by: "eve", authors: ["ada@example.com"])
        let verdict = judge([try shop.approve(subject, by: "ada"), stranger], try shop.signers("ada"))
        #expect(verdict.isApproved && verdict.refused.map(\.reason) == [.unknownSigner])
    }

    @Test func theOrderOfFilesChangesNothing() throws {
        var files = try ["ada", "bob", "carl"].map { try shop.approve(subject, by: $0) }
        files.append(try shop.approve(subject, by: "eve"))
        let list = try shop.signers("ada", "bob", "carl")
        let first = judge(files, list, required: 2, authors: author("bob@example.com"))
        #expect(first.isApproved)
        for _ in 0..<10 {
            #expect(judge(files.shuffled(), list, required: 2, authors: author("bob@example.com")) == first)
        }
    }

    @Test func aPolicyIsApprovedWhenEachOfItsLayersIs() throws {
        var spec = subject
        (spec.layer, spec.spec, spec.digest) = (.spec, "SPEC-1", SnapshotID(ofSnapshot: [2]))
        let rules = ApprovalRules(required: 1, excludesAuthors: true, signers: allowed(try shop.signers("ada")).signers)
        let whole = ApprovalEvidence(subject, files: [try shop.approve(subject, by: "ada")], authors: .known([]))
        let open = ApprovalEvidence(spec, files: [], authors: .known([]))
        let closed = ApprovalEvidence(spec, files: [try shop.approve(spec, by: "ada")], authors: .known([]))
        #expect(ApprovalVerdict(of: [whole, closed], under: rules, now: KeyShop.now).isApproved)
        #expect(!ApprovalVerdict(of: [whole, open], under: rules, now: KeyShop.now).isApproved)
        #expect(!ApprovalVerdict(of: [], under: rules, now: KeyShop.now).isApproved)
    }

    @Test func moreFilesThanAreLookedAtAreNamed() throws {
        let good = try shop.approve(subject, by: "ada")
        let files = (0...ApprovalLimits.approvals).map {
            ApprovalFile(path: "\(1000 + $0)", statement: [], signature: nil)
        }
        let verdict = judge(files + [good], try shop.signers("ada"))
        #expect(!verdict.isApproved && verdict.refused.filter { $0.reason == .beyondLimit }.count == 2)
    }
}
