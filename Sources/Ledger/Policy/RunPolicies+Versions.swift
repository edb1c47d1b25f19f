import ModelPolicy

extension RunPolicies {
    /// A version that a run has been under.
    struct Version {
        var text: String
        private let order: SemanticVersion

        fileprivate init?(_ policy: CompiledPolicy) {
            guard let order = SemanticVersion(policy.version) else { return nil }
            (text, self.order) = (policy.version, order)
        }

        fileprivate static func < (left: Version, right: Version) -> Bool { left.order < right.order }

        /// Whether a policy is of an older version. One whose version cannot be told is.
        static func > (left: Version, right: CompiledPolicy) -> Bool {
            SemanticVersion(right.version).map { $0 < left.order } ?? true
        }
    }

    /// The newest version that somebody answers for.
    enum NewestVersion {
        /// The run was under none but what is built in.
        case none
        case some(Version)
        /// What the run was under cannot be read, so nothing is known to be newer.
        case notRead
    }

    /// The newest version that a run began under or took up with approvals, whatever its policies were called.
    ///
    /// *Why of all, and not of the one in force: a version that only tightens may be lower, and would open the way for
    /// those above it. Why not of what only tightens: nobody signed it, and a number that is high enough would keep
    /// the run from every version to come. Why whatever the name: a name says nothing of what is permitted.* Costs
    /// reading the run, and is asked only where an approved policy would loosen.
    func newestVersion(of run: RunID) -> NewestVersion {
        guard let reader = reader(), let snapshots = try? answeredFor(in: run, reader), !snapshots.isEmpty else {
            return .notRead
        }
        var newest: Version?
        for id in snapshots {
            guard let policy = compiled(id) else {
                // What is there and is no policy has no version.
                if isNoPolicy(id) { continue }
                return .notRead
            }
            guard BuiltinPolicy(id: policy.snapshotID) == nil else { continue }
            guard let version = Version(policy) else { return .notRead }
            if newest.map({ $0 < version }) ?? true { newest = version }
        }
        return newest.map(NewestVersion.some) ?? .none
    }

    private func answeredFor(in run: RunID, _ reader: LedgerReader) throws -> Set<Digest> {
        var snapshots: Set<Digest> = []
        let batches = try reader.index.batchOffsets(of: run)
        try RunEvents(run, in: reader.capsule, batches: batches).forEach(hashing: false) { event in
            switch event.envelope.type {
            case .registered(.runStart): snapshots.insert(event.envelope.snapshot)
            case .registered(.snapshot):
                // What cannot be read may have been approved.
                let body = try reader.json(of: event)
                guard body == nil || body?["approvals"]?["approved"]?.bool == true else { break }
                snapshots.insert(event.envelope.snapshot)
            default: break
            }
        }
        return snapshots
    }
}
