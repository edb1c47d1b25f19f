import Foundation
import Testing

@testable import Ledger

/// A recorded verdict is judged again from what the capsule holds; each part of it is altered in turn.
@Suite struct ApprovalAuditTests {
    /// A capsule with a run that began under a policy which Ada and Bob signed, with real keys.
    private final class Signed {
        let bench: Workbench
        private(set) var run = RunHandle(RunID(at: .now, random: SystemRandom()))
        private(set) var objects: [StoredObject] = []
        private(set) var events: [RecordedEvent] = []

        /// - Parameter command: what the run executes; long enough, it does not stand in the event.
        init(command: [String]? = nil) async throws {
            bench = try Workbench()
            try shell("mkdir -p policy; for who in ada bob eve; do ssh-keygen -q -t ed25519 -N '' -C '' -f $who; done")
            try shell("for who in ada bob; do echo \"$who@example.com $(cat $who.pub)\"; done > policy/allowed_signers")
            let rules = """
                [enforcement]
                approvals = "enforce"
                [approvals]
                required = 2
                exclude_author = false
                signers = "policy/allowed_signers"
                """
            let text = Workbench.policySource("1.00", rules)
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(bench.folder)/model_policy.toml"))
            let workspace = PolicyWorkspace(root: FilePath(bench.folder), file: "model_policy.toml")
            let load = workspace.load(spec: nil)
            let subject = try #require(load.result?.approvalSubjects.first)
            for name in ["ada", "bob"] { try sign(subject, name) }
            let ledger = try await bench.ledger()
            var start = RunStart(try ledger.bind(load, risk: "high"))
            start.risk = "high"
            start.command = command
            run = try await ledger.start(start).handle
            await ledger.close()
            try read()
        }

        private func read() throws {
            let capsule = try CapsuleFile(bench.path)
            var (objects, events): ([StoredObject], [RecordedEvent]) = ([], [])
            _ = try Verifier(capsule).run(
                event: { leaf, _, event throws(CapsuleError) in
                    events.append(RecordedEvent(event, leafIndex: leaf, hashing: false))
                },
                object: { object throws(CapsuleError) in objects.append(object) }
            )
            (self.objects, self.events) = (objects, events)
        }

        private func shell(_ script: String) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/bin/sh")
            process.arguments = ["-ec", script]
            process.currentDirectoryURL = URL(fileURLWithPath: bench.folder)
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
        }

        private func sign(_ subject: ApprovalSubject, _ name: String) throws {
            let statement = try ApprovalStatement(
                subject,
                approver: "\(name)@example.com",
                authors: [],
                time: Timestamp.now.policyTime
            )
            let folder = "policy/approvals/\(subject.folderName)"
            try shell("mkdir -p \(folder)")
            let file = "\(folder)/\(name).json"
            try Data(statement.canonicalJSON).write(to: URL(fileURLWithPath: "\(bench.folder)/\(file)"))
            try shell("ssh-keygen -q -Y sign -n \(ApprovalStatement.namespace) -f \(name) \(file) 2>/dev/null")
        }

        /// The member `approvals` of the start.
        func record() throws -> JSONValue {
            let start = try #require(events.first { $0.envelope.type == .registered(.runStart) })
            return try #require(start.json?["policy"]?["approvals"])
        }

        /// The ID of the policy that the run is under.
        func snapshot() throws -> String { try #require(try record()["snapshot"]?.string) }

        /// Writes an event as whoever has the file can.
        func forge(_ type: RegisteredType, _ body: JSONValue, _ objects: [StoredObject] = []) async throws {
            var draft = EventDraft(.registered(type), body: body.encoded())
            if type == .snapshot { draft.snapshot = body["snapshot"]?.string.flatMap(PolicySnapshot.digest) }
            let ledger = try await bench.ledger()
            try await ledger.forge([draft], in: run, objects: objects)
            await ledger.close()
        }

        /// What the audit says of the capsule with some parts replaced, the events repeated, all in one batch.
        func audit(
            replacing old: String = "",
            with new: String = "",
            times: Int = 1,
            limits: ApprovalAuditLimits = .init(),
            events change: (RecordedEvent) -> RecordedEvent = { $0 },
            objects alter: (StoredObject) throws -> StoredObject? = { $0 }
        ) throws -> ApprovalAudit {
            let altered = try objects.compactMap(alter)
            var auditor = ApprovalAuditor(limits) { _ in altered }
            for object in altered {
                auditor.take(object)
                guard object.kind == .snapshot else { continue }
                auditor.take(try CompiledPolicy(canonicalJSON: object.bytes), id: object.id)
            }
            for time in 0..<times {
                for var event in events where ApprovalAuditor.mayRecord(event.envelope) {
                    if case .inline(let bytes) = event.content, !old.isEmpty {
                        let text = String(decoding: bytes, as: UTF8.self)
                        if event.envelope.type == .registered(.runStart) { try #require(text.contains(old)) }
                        let changed = text.replacing(old, with: new.replacing("TIME", with: "\(time)"))
                        event.content = .inline(Array(changed.utf8))
                    }
                    auditor.take(change(event))
                }
            }
            try auditor.endBatch(at: 0)
            return try auditor.finish()
        }
    }

    @Test func whatWasApprovedFollowsFromTheCapsule() async throws {
        let signed = try await Signed()
        let audit = try signed.audit()
        #expect(audit.verdicts == 1 && audit.derived == 1 && audit.findings.isEmpty, "\(audit.findings)")
        let verification = try signed.bench.verification()
        #expect(verification.isSound && verification.approvals.derived == 1)
        #expect(verification.approvals.findings.isEmpty)
    }

    @Test func aVerdictOfWhichAnyPartIsAlteredDoesNotFollow() async throws {
        let signed = try await Signed()
        func reason(_ old: String, _ new: String) throws -> String? {
            let audit = try signed.audit(replacing: old, with: new)
            #expect(audit.derived == 0 || audit.findings.isEmpty)
            return audit.findings.first?.reason
        }
        #expect(try reason(#""required":2"#, #""required":1"#)?.contains("rules") == true)
        #expect(try reason(#""exclude_author":false"#, #""exclude_author":true"#)?.contains("rules") == true)
        #expect(try reason(#""approver":"ada@example.com""#, #""approver":"eve@example.com""#)?.contains("eve") == true)
        #expect(
            try reason(#""approver":"ada@example.com""#, #""approver":"bob@example.com""#)?.contains("twice") == true
        )
        #expect(try reason(#""key":"SHA256:"#, #""key":"SHA256:x"#)?.contains("does not count") == true)
        #expect(try reason(#""layer":"workspace""#, #""layer":"spec""#)?.contains("its layers") == true)
        #expect(try reason(#""layers":["#, #""layers":[{"layer":"spec"},"#)?.contains("its layers") == true)
        #expect(try reason(#""statement":"sha256:"#, #""statement":"sha255:"#)?.contains("no statement") == true)
        #expect(try reason(#""signers":"sha256:"#, #""signers":"sha255:"#)?.contains("list of signers") == true)
        #expect(try reason(#""digest":"sha256:"#, #""digest":"sha255:"#)?.contains("digest") == true)
        let id = try signed.snapshot()
        let other = PolicySnapshot.text(Hashing.sha256(Array("another".utf8)))
        #expect(try reason(#""snapshot":"\#(id)""#, #""snapshot":"\#(other)""#)?.contains("began under") == true)
        // What says that it is not approved claims nothing.
        #expect(try signed.audit(replacing: #""approved":true"#, with: #""approved":false"#).verdicts == 0)
    }

    @Test func whatIsNotHereIsNotJudgedAndWhatIsAlteredDoesNotFollow() async throws {
        let signed = try await Signed()
        func isSignature(_ object: StoredObject) -> Bool { object.bytes.starts(with: Array("-----BEGIN SSH".utf8)) }
        let documents = signed.objects.filter { $0.kind == .document && ($0.media == .text || isSignature($0)) }
        #expect(documents.count == 3, "a list and two signatures")
        for gone in signed.objects where gone.kind == .document || gone.kind == .snapshot {
            let audit = try signed.audit(objects: { $0 == gone ? nil : $0 })
            let isMap =
                gone.kind == .document && gone.media == .json
                && !gone.bytes.starts(with: Array(#"{"_type""#.utf8))
            #expect(audit.findings.isEmpty && audit.verdicts == 1)
            #expect(audit.notJudgedCount == (isMap ? 0 : 1) && audit.derived == (isMap ? 1 : 0), "\(audit)")
            if !isMap { #expect(audit.notJudged[0].reason.contains("is not here"), "\(audit)") }
        }
        // The same names over other bytes, as a file would have that was made so.
        for altered in documents {
            let audit = try signed.audit(objects: { object in
                guard object == altered else { return object }
                var other = object
                let middle = object.bytes.count / 2
                other.bytes[middle] = object.bytes[middle] == 0x41 ? 0x42 : 0x41
                return other
            })
            #expect(audit.derived == 0 && audit.findings.count == 1)
        }
        let list = try signed.audit(objects: { object in
            var other = object
            if object.media == .text, !isSignature(object) {
                let text = String(decoding: object.bytes, as: UTF8.self)
                other.bytes = Array(text.replacing("bob@example.com", with: "ada@example.com").utf8)
            }
            return other
        })
        #expect(list.findings.first?.reason.contains("too few") == true, "\(list.findings)")
    }

    @Test func inTheMiddleOfARunTheListAndTheRulesOfItsOwnPolicyHold() async throws {
        let signed = try await Signed()
        let (id, record) = (try signed.snapshot(), try signed.record())
        let other = PolicySnapshot.text(Hashing.sha256(Array("another".utf8)))
        var bare = try #require(record.object)
        bare["signers"] = nil
        func kept(_ approvals: JSONValue, kept: String? = nil, found: String? = nil) -> JSONValue {
            [
                "cause": "older", "reason": "forged", "kept": .string(kept ?? id), "found": .string(found ?? id),
                "approvals": approvals,
            ]
        }
        var loose = bare
        loose["required"] = 1
        var foreign = bare
        foreign["snapshot"] = .string(other)
        let forged: [(RegisteredType, JSONValue, String?)] = [
            (.policyKept, kept(.object(bare)), nil),
            (.policyKept, kept(record), "list of signers of its own"),
            (.policyKept, kept(.object(bare), kept: other), "policy that was in force"),
            (.policyKept, kept(.object(bare), found: other), "what the event is about"),
            (.policyKept, kept(.object(loose)), "rules"),
            (.snapshot, ["snapshot": .string(id), "previous": .string(other), "approvals": .object(bare)], "in force"),
            (.snapshot, ["snapshot": .string(id), "approvals": .object(bare)], "in force"),
            (.snapshot, ["snapshot": .string(id), "previous": .string(id), "approvals": .object(foreign)], "about"),
        ]
        for (type, body, _) in forged { try await signed.forge(type, body) }
        let verification = try signed.bench.verification()
        let audit = verification.approvals
        #expect(verification.isSound && audit.verdicts == 1 + forged.count && audit.derived == 2, "\(audit)")
        #expect(audit.notJudged.isEmpty)
        // Events that say the same wrong thing are one finding.
        for words in forged.compactMap(\.2) {
            #expect(audit.findings.contains { $0.reason.contains(words) }, "\(words): \(audit.findings)")
        }
        #expect(audit.findings.reduce(0) { $0 + $1.events } == forged.count - 1)
    }

    @Test func whatTheLedgerAloneWritesNobodyAppends() async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let run = try await ledger.start(RunStart(.snapshot(try Workbench.policy()))).handle
        for type in RegisteredType.allCases where type.isWrittenByLedger {
            await #expect(throws: LedgerError(.reservedType, ""), "\(type.name)") {
                let draft = EventDraft(.registered(type), body: Array("{}".utf8))
                _ = try await ledger.append([Workbench.note("x"), draft], to: run, durability: .written)
            }
        }
        await ledger.close()
        #expect(try bench.verification().events == 2, "none of what came with them was written either")
    }

    @Test func aStartTooLongForItsEventIsJudgedLikeAnyOther() async throws {
        let signed = try await Signed(
            command: ["true"] + (0..<3000).map { String(repeating: "x", count: 100) + "\($0)" }
        )
        let start = try #require(signed.events.first { $0.envelope.type == .registered(.runStart) })
        guard case .blob = start.content else {
            Issue.record("the body stands in its event")
            return
        }
        let audit = try signed.bench.verification().approvals
        #expect(audit.verdicts == 1 && audit.derived == 1, "\(audit)")
        let reader = try signed.bench.reader()
        let summary = try RunSummary(try reader.events(of: reader.run("\(signed.run.id)")), reader)
        #expect(summary.start?["policy"]?["approvals"]?["approved"]?.bool == true)
        // The policy is looked at in the middle of such a run too, by whoever did not start it.
        let file = "\(signed.bench.folder)/model_policy.toml"
        let text = try String(contentsOfFile: file, encoding: .utf8)
        try Data(text.replacing("\"1.00\"", with: "\"2.00\"").utf8).write(to: URL(fileURLWithPath: file))
        let ledger = try await signed.bench.ledger()
        _ = try await ledger.checkpoint(label: nil, in: signed.run)
        await ledger.close()
        let types = try signed.bench.reader().timeline(of: signed.run.id).events.map(\.envelope.type)
        #expect(types.contains(.registered(.policyKept)))
        // Where a part of it is gone, or it is longer than is read, nothing is said to follow.
        for kind in [FrameKind.chunk, .manifest] {
            let gone = try signed.audit(objects: { $0.kind == kind ? nil : $0 })
            #expect(gone.notJudgedCount == 1 && gone.derived == 0 && gone.findings.isEmpty, "\(gone)")
        }
        var limits = ApprovalAuditLimits()
        limits.bodyBytes = 1000
        #expect(try signed.audit(limits: limits).notJudgedCount == 1)
    }

    @Test func anErasedStartMayHaveRecordedAnApprovalOnlyWhereThePolicyNamesAList() async throws {
        func withheld(_ event: RecordedEvent) -> RecordedEvent {
            var event = event
            event.content = .withheld
            return event
        }
        let signed = try await Signed()
        let audit = try signed.audit(events: withheld)
        #expect(audit.notJudgedCount == 1 && audit.derived == 0, "\(audit)")
        #expect(audit.notJudged.first?.reason.contains("withheld") == true)
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        _ = try await bench.start(ledger, Workbench.routingPolicy("0.07"))
        await ledger.close()
        var auditor = ApprovalAuditor { _ in [] }
        _ = try Verifier(CapsuleFile(bench.path)).run(
            event: { leaf, _, event throws(CapsuleError) in
                auditor.take(withheld(RecordedEvent(event, leafIndex: leaf, hashing: false)))
            },
            batch: { try auditor.endBatch(at: $0) }
        )
        #expect(try auditor.finish().verdicts == 0)
    }

    @Test func manyRunsUnderOnePolicyAreJudgedOnceAndCountedEach() async throws {
        let signed = try await Signed()
        let audit = try signed.audit(times: 5000)
        #expect(audit.verdicts == 5000 && audit.derived == 5000)
    }

    @Test func beyondALimitNothingIsJudgedAndAllIsSaid() async throws {
        let signed = try await Signed()
        // Three verdicts that differ, of the same documents.
        func audit(_ limits: ApprovalAuditLimits) throws -> ApprovalAudit {
            try signed.audit(
                replacing: #""approved":true"#,
                with: #""approved":true,"x":TIME"#,
                times: 3,
                limits: limits
            )
        }
        #expect(try audit(ApprovalAuditLimits()).derived == 3)
        // The limit, at most so many, and how many verdicts that reaches.
        let cases: [(WritableKeyPath<ApprovalAuditLimits, Int>, Int, Int)] = [
            (\.records, 1, 1), (\.records, 0, 0), (\.objects, 0, 0), (\.batches, 1, 3), (\.batches, 0, 0),
            (\.listBytes, 1, 0), (\.signatures, 2, 3), (\.signatures, 1, 0), (\.comparisons, 1, 1),
            (\.comparisons, 0, 0), (\.heldBytes, 0, 3), (\.runs, 0, 3),
        ]
        for (limit, most, reached) in cases {
            var limits = ApprovalAuditLimits()
            limits[keyPath: limit] = most
            let audit = try audit(limits)
            #expect(audit.verdicts == 3 && audit.findings.isEmpty)
            #expect(audit.derived == reached && audit.notJudgedCount == 3 - reached, "\(limit) \(most): \(audit)")
        }
    }

    @Test func theSameSignatureIsCheckedOnceHoweverManyRecordIt() async throws {
        let signed = try await Signed()
        var limits = ApprovalAuditLimits()
        limits.signatures = 2
        let audit = try signed.audit(
            replacing: #""approved":true"#,
            with: #""approved":true,"x":TIME"#,
            times: 300,
            limits: limits
        )
        #expect(audit.derived == 300, "\(audit.notJudged)")
    }
}
