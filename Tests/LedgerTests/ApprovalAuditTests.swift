import Foundation
import Testing

@testable import Ledger

/// A recorded verdict is judged again from what the capsule holds; each part of it is altered in turn.
@Suite struct ApprovalAuditTests {
    /// A capsule with a run that began under a policy which Ada and Bob signed, with real keys.
    private final class Signed {
        let bench: Workbench
        private(set) var objects: [StoredObject] = []
        private(set) var events: [RecordedEvent] = []

        init() async throws {
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
            _ = try await ledger.start(start)
            await ledger.close()
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

        /// What the audit says of the capsule with some parts replaced.
        func audit(
            replacing old: String = "",
            with new: String = "",
            objects change: (StoredObject) throws -> StoredObject? = { $0 }
        ) throws -> ApprovalAudit {
            var audit = ApprovalAudit()
            for object in objects {
                if let changed = try change(object) { audit.take(changed) }
                guard object.kind == .snapshot else { continue }
                audit.take(try CompiledPolicy(canonicalJSON: object.bytes), id: object.id)
            }
            for var event in events {
                let text = String(decoding: event.inlineBody ?? [], as: UTF8.self)
                if !old.isEmpty, event.envelope.type == .registered(.runStart) { try #require(text.contains(old)) }
                event.content = .inline(Array(text.replacing(old, with: new).utf8))
                if old.isEmpty { event.content = .inline(Array(text.utf8)) }
                audit.take(event)
            }
            audit.finish()
            return audit
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
        #expect(try reason(#""key":"SHA256:"#, #""key":"SHA256:x"#)?.contains("does not count") == true)
        #expect(try reason(#""layer":"workspace""#, #""layer":"spec""#)?.contains("no statement") == true)
        #expect(try reason(#""statement":"sha256:"#, #""statement":"sha255:"#)?.contains("not here") == true)
        #expect(try reason(#""signers":"sha256:"#, #""signers":"sha255:"#)?.contains("list of signers") == true)
        #expect(try reason(#""digest":"sha256:"#, #""digest":"sha255:"#)?.contains("digest") == true)
        // What says that it is not approved claims nothing.
        #expect(try signed.audit(replacing: #""approved":true"#, with: #""approved":false"#).verdicts == 0)
    }

    @Test func aVerdictWhoseDocumentsAreOthersOrGoneDoesNotFollow() async throws {
        let signed = try await Signed()
        func isSignature(_ object: StoredObject) -> Bool { object.bytes.starts(with: Array("-----BEGIN SSH".utf8)) }
        let documents = signed.objects.filter { $0.kind == .document && ($0.media == .text || isSignature($0)) }
        #expect(documents.count == 3, "a list and two signatures")
        for gone in signed.objects where gone.kind == .document {
            let audit = try signed.audit { $0 == gone ? nil : $0 }
            let isMap = gone.media == .json && !gone.bytes.starts(with: Array(#"{"_type""#.utf8))
            #expect(audit.findings.isEmpty == isMap, "\(audit.findings)")
        }
        // The same names over other bytes, as a file would have that was made so.
        for altered in documents {
            let audit = try signed.audit { object in
                guard object == altered else { return object }
                var other = object
                let middle = object.bytes.count / 2
                other.bytes[middle] = object.bytes[middle] == 0x41 ? 0x42 : 0x41
                return other
            }
            #expect(audit.derived == 0 && audit.findings.count == 1)
        }
        let list = try signed.audit { object in
            var other = object
            if object.media == .text, !isSignature(object) {
                let text = String(decoding: object.bytes, as: UTF8.self)
                other.bytes = Array(text.replacing("bob@example.com", with: "ada@example.com").utf8)
            }
            return other
        }
        #expect(list.findings.first?.reason.contains("too few") == true, "\(list.findings)")
    }

    @Test func manyRunsUnderOnePolicyAreJudgedOnceAndCountedEach() async throws {
        let signed = try await Signed()
        var audit = ApprovalAudit()
        for object in signed.objects {
            audit.take(object)
            if object.kind == .snapshot { audit.take(try CompiledPolicy(canonicalJSON: object.bytes), id: object.id) }
        }
        for _ in 0..<5000 { for event in signed.events { audit.take(event) } }
        audit.finish()
        #expect(audit.verdicts == 5000 && audit.derived == 5000)
    }
}
