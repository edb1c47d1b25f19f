import ModelPolicy

extension RunPolicies {
    /// Judges a policy by the rules of the one in force and by the list that the run began with: what is judged states
    /// neither.
    func judge(_ load: PolicyLoad, _ current: CompiledPolicy, signers: Digest?) -> ApprovalRecord? {
        guard let signers, let path = current.approvals.signers,
            let object = (try? reader()?.object(signers)).flatMap(\.self)
        else { return nil }
        let file = SourceFile(name: path, bytes: object.bytes, format: .toml)
        let rules = ApprovalRules(current.approvals, signers: AllowedSigners.read(file).signers)
        return approvals.judge(load, by: rules, now: Timestamp.now.policyTime)
    }

    /// A policy that enforces approvals begins no run by hand, unless a run of this capsule showed that it is approved:
    /// a snapshot does not say what its layers were, and so not what was signed.
    ///
    /// - Throws: `LedgerError.policyNotApproved`.
    func checkApproved(byHand policy: RunStart.Policy) throws {
        let id: Digest
        let found: CompiledPolicy?
        switch policy {
        case .stored(let stored): (id, found) = (stored, compiled(stored))
        case .snapshot(let snapshot):
            (id, found) = (snapshot.id, try? CompiledPolicy(canonicalJSON: snapshot.bytes))
        }
        guard let found, found.enforcement.approvals == .enforce, BuiltinPolicy(id: found.snapshotID) == nil else {
            return
        }
        let earlier = storage is PosixStorage ? try Self.lastBound(in: path) : []
        guard !earlier.contains(where: { $0.isApproved && $0.snapshot.id == found.snapshotID }) else { return }
        throw LedgerError(
            .policyNotApproved,
            "\(found.name) \(found.version) enforces approvals, and no run of this capsule shows that "
                + "\(PolicySnapshot.text(id)) has them; begin the run from the policy's files"
        )
    }

    /// The snapshots that runs of the capsule are under, those of the newest runs first.
    static func lastBound(in path: FilePath) throws -> [BoundPolicy.Earlier] {
        let reader = try LedgerReader(CapsuleFile(path))
        var starts = RunStarts(reader)
        var places: [Digest: Int] = [:]
        var found: [BoundPolicy.Earlier?] = []
        for row in try reader.index.runs(RunQuery(limit: lookedAt)) {
            let record = try starts.body(of: row)?["policy"]?["approvals"]
            let isApproved =
                record?["approved"]?.bool == true && record?["snapshot"]?.string == PolicySnapshot.text(row.snapshot)
            if let place = places[row.snapshot] {
                if isApproved { found[place]?.isApproved = true }
                continue
            }
            places[row.snapshot] = found.count
            let snapshot = try reader.object(row.snapshot).flatMap { try? CompiledSnapshot(canonicalJSON: $0.bytes) }
            found.append(snapshot.map { BoundPolicy.Earlier(snapshot: $0, isApproved: isApproved) })
        }
        return found.compactMap(\.self)
    }

    /// So many of the newest runs are looked at for a snapshot to fall back to.
    private static let lookedAt = 100
}
