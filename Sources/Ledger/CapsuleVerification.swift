import ModelPolicy

/// Verifies a whole capsule, and that every run is bound to a policy whose content is there.
public struct CapsuleVerification: Sendable {
    public var report: Verifier.Report
    /// Snapshots whose bytes are not canonical JSON, though they hash to their ID.
    public var malformedSnapshots: [Digest]
    /// Every snapshot that is well formed, and the policy that it is.
    public var snapshots: [ResolvedSnapshot]
    /// Bodies that are not there: their commitments were taken as they stand.
    public var withheldBodies: UInt64
    public var events: UInt64
    /// Runs, and events that begin a binding, which name no snapshot that is in the file before them.
    public var unboundEvents: [Finding]
    /// What was recorded of approvals, judged again; nothing is where the capsule is not sound.
    public var approvals = ApprovalAudit()
    /// Where the capsule was copied from, the newest copy last; the first `maximumCopies` of them.
    public var copies: [CopyOrigin]
    /// Policies that came into force in the middle of a run without a recorded approval, compared again with those
    /// before them; nothing is where the capsule is not sound.
    public var policyChanges = PolicyChangeAudit()
    /// Whether a note said what is known to be durable.
    public var hasNote: Bool

    public static let maximumCopies = 100

    /// A snapshot and what it says of itself. One that is no compiled policy is no damage: it may have been made by
    /// another tool.
    public struct ResolvedSnapshot: Sendable, Equatable {
        public var id: Digest
        /// Name and version of the policy; nil where the snapshot does not say.
        public var title: String?
        /// Why nothing is routed by it; nil for a compiled policy.
        public var notCompiled: String?

        fileprivate init(_ snapshot: PolicySnapshot, _ audit: inout ApprovalAuditor) {
            id = snapshot.id
            title = snapshot.title
            do throws(SnapshotError) {
                audit.take(try CompiledPolicy(canonicalJSON: snapshot.bytes), id: id)
            } catch {
                notCompiled = "\(error)"
                audit.take(nil, id: id)
            }
        }
    }

    /// Reads everything that no writer is at work on. Syncs the file first where that is needed, so that nothing is
    /// vouched for that a power loss could still take.
    public init(
        _ capsule: CapsuleFile,
        progress: ((UInt64, UInt64) -> Void)? = nil
    ) throws {
        let note = DurableNote.read(for: capsule.path, header: capsule.header, storage: capsule.storage)
        var verifier = Verifier(capsule, knownDurable: CapsuleSalvage.knownDurable(of: capsule))
        verifier.progress = progress
        // A descriptor for reading may not be allowed to sync everywhere; what is read is then as good as the page
        // cache.
        if let reach = try? DurableReach(of: capsule, from: FileHeader.size), reach.isBeingWritten {
            verifier.limit = reach.limit
        }
        var malformed: [Digest] = []
        var resolved: [ResolvedSnapshot] = []
        var withheld: UInt64 = 0
        var copies: [CopyOrigin] = []
        var audit = ApprovalAuditor { offset in
            var objects: [StoredObject] = []
            try capsule.forEachBatch(at: [offset]) { batch in
                try batch.forEachFrame(event: { _ in }, object: { objects.append($0) })
            }
            return objects
        }
        report = try verifier.run(
            event: { leaf, _, event throws(CapsuleError) in
                if event.isWithheld { withheld += 1 }
                if event.envelope.run.isRunZero, copies.count < Self.maximumCopies {
                    CopyOrigin(RecordedEvent(event, leafIndex: leaf, hashing: false)).map { copies.append($0) }
                }
                guard ApprovalAuditor.mayRecord(event.envelope) else { return }
                audit.take(RecordedEvent(event, leafIndex: leaf, hashing: false))
            },
            object: { object throws(CapsuleError) in
                audit.take(object)
                guard object.kind == .snapshot else { return }
                do throws(LedgerError) {
                    resolved.append(ResolvedSnapshot(try PolicySnapshot(canonicalJSON: object.bytes), &audit))
                } catch {
                    malformed.append(object.id)
                }
            },
            batch: { try audit.endBatch(at: $0) }
        )
        malformedSnapshots = malformed
        snapshots = resolved
        withheldBodies = withheld
        self.copies = copies
        events = report.treeSize
        unboundEvents = report.findings.filter { $0.code == .runSnapshot }
        hasNote = note != nil
        guard isSound else { return }
        approvals = try audit.finish()
        policyChanges = audit.policyChanges
    }

    /// Whether nothing contradicts what the capsule says.
    public var isSound: Bool { report.isSound && malformedSnapshots.isEmpty }
}
