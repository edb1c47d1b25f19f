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

    /// The newest version that a run has been under, whatever its policies were called; nil where it was under none but
    /// what is built in.
    ///
    /// *Why of all, and not of the one in force: a version that only tightens may be lower, and would open the way for
    /// those above it. Why whatever the name: a name says nothing of what is permitted.* Costs reading the run, and is
    /// asked only where an approved policy would loosen.
    func newestVersion(of run: RunID) -> Version? {
        guard let reader = reader(), let batches = try? reader.index.batchOffsets(of: run) else { return nil }
        var snapshots: Set<Digest> = []
        try? RunEvents(run, in: reader.capsule, batches: batches).forEach(hashing: false) { event in
            snapshots.insert(event.envelope.snapshot)
        }
        let policies = snapshots.compactMap(compiled).filter { BuiltinPolicy(id: $0.snapshotID) == nil }
        return policies.compactMap(Version.init).max(by: <)
    }
}
