import Foundation
import Testing

@testable import Ledger

/// Who has the file can write into a run that another policy is in force; `verify` compares it with the one before.
@Suite struct PolicyChangeAuditTests {
    private func policy(_ budget: String) throws -> StoredObject {
        try StoredObject(.snapshot, Workbench.routingPolicy(budget).bytes)
    }

    /// A run under a policy, in which others come into force one after the other.
    private func verification(_ first: StoredObject, _ others: [StoredObject]) async throws -> CapsuleVerification {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let start = RunStart(.snapshot(try PolicySnapshot(canonicalJSON: first.bytes)))
        let run = try await ledger.start(start).handle
        for object in others {
            let body: JSONValue = ["snapshot": .string(PolicySnapshot.text(object.id)), "reason": "forged"]
            var draft = EventDraft(.registered(.snapshot), body: body.encoded())
            draft.snapshot = object.id
            try await ledger.forge([draft], in: run, objects: [object])
        }
        await ledger.close()
        return try bench.verification()
    }

    @Test func aPolicyThatOnlyTightensNeedsNoApproval() async throws {
        let policies = try ["2.00", "1.50", "1.00"].map { try policy($0) }
        let found = try await verification(policies[0], Array(policies.dropFirst()))
        #expect(found.isSound && found.policyChanges.changes == 2 && found.policyChanges.tightening == 2)
    }

    @Test func aPolicyThatPermitsMoreWithoutApprovalIsFoundEachTime() async throws {
        let (low, high) = (try policy("1.00"), try policy("2.00"))
        let audit = try await verification(low, [high, low, high]).policyChanges
        #expect(audit.changes == 3 && audit.tightening == 1 && audit.findings.map(\.events) == [2], "\(audit)")
        #expect(audit.findings.first?.reason.contains("budgets.per_run_usd is not stricter") == true, "\(audit)")
        #expect(audit.findings.first?.event.sequence == 1)
    }

    @Test func aSnapshotThatIsNoPolicyDoesNotTightenOne() async throws {
        let (low, none) = (try policy("1.00"), try StoredObject(.snapshot, Array(#"{"a":1}"#.utf8)))
        let audit = try await verification(low, [none, low]).policyChanges
        #expect(audit.changes == 2 && audit.findings.count == 2, "\(audit)")
        let other = try StoredObject(.snapshot, Array(#"{"a":2}"#.utf8))
        let unrouted = try await verification(none, [other]).policyChanges
        #expect(unrouted.tightening == 1, "nothing is routed by either: \(unrouted)")
    }

    @Test func whatWasNotReadIsNotJudgedAndALimitIsSaid() throws {
        let (low, high) = (try policy("1.00"), try policy("2.00"))
        func audit(_ limits: ApprovalAuditLimits, _ changes: [(Digest?, Digest)]) throws -> PolicyChangeAudit {
            var auditor = PolicyChangeAuditor(limits)
            for object in [low, high] {
                auditor.take(try CompiledPolicy(canonicalJSON: object.bytes), id: object.id)
            }
            for (number, change) in changes.enumerated() {
                auditor.take(EventReference(run: .zero, sequence: UInt32(number)), from: change.0, to: change.1)
            }
            return auditor.audit
        }
        let unknown = try audit(.init(), [(nil, low.id), (.zero, low.id), (low.id, low.id)])
        #expect(unknown.changes == 2 && unknown.notJudgedCount == 2 && unknown.findings.isEmpty)
        var few = ApprovalAuditLimits()
        few.records = 1
        let many = try audit(few, [(low.id, high.id), (high.id, low.id), (high.id, low.id)])
        #expect(many.findings.count == 1 && many.notJudged.map(\.events) == [2])
        var short = ApprovalAuditLimits()
        short.policyBytes = low.bytes.count
        #expect(try audit(short, [(low.id, high.id)]).notJudgedCount == 1)
    }
}
