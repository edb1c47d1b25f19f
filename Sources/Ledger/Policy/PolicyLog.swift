import ModelPolicy

/// The policies that a repository had, as its commits tell: one entry for each meaning, newest first.
public struct PolicyLog: Sendable {
    public struct Entry: Sendable {
        public var version: String
        public var name: String
        public var id: SnapshotID
        /// The commit that brought it.
        public var commit: String
        /// The commit's own time, RFC 3339 with its offset.
        public var date: String
        public var authors: [ApprovalAuthor]
        /// Those who approve it and count, by the rules and the list of signers of today; nil where there are none.
        public var approval: LayerVerdict?
        /// The commit that brought it to the branch itself: a merge, or its author's; nil where it was never there.
        public var mergeCommit: String?
        /// Those who had approved it when it was merged and count, by the rules and the list of the branch before; nil
        /// where none were asked for. Where the branch was moved on without a merge, approvals count that came to it
        /// before the meaning changed again.
        public var approvalWhenMerged: LayerVerdict?
    }

    public let entries: [Entry]
    /// Commits whose policy has errors.
    public let unreadable: Int
    /// Whether the clone was cut off, so that older policies are not here, and the oldest one seems to be of whoever
    /// made the commit where it begins.
    public let isCutOff: Bool

    /// So many commits are looked into, the newest first.
    public static let commits = 1000

    /// Reads the log of a workspace's policy, or of what holds for a spec.
    ///
    /// - Returns: nil when git has no answer.
    public init?(_ workspace: PolicyWorkspace, spec: String?, rules: ApprovalRules?, now: PolicyTime) {
        let git = GitRepository(workspace.root)
        var names = PolicyHistory.names(of: workspace.file).map { (PolicyLayer.workspace, $0) }
        if let spec {
            let layer = "\(PolicyWorkspace.layerFolder)/\(spec).toml"
            names += PolicyHistory.names(of: layer).map { (PolicyLayer.spec, $0) }
        }
        guard let changes = PolicyChange.list(git, names.map(\.1)) else { return nil }
        let window = Array(changes.prefix(Self.commits))
        guard let dates = Self.dates(git, window),
            let contents = git.contents(window.flatMap { change in names.map { "\(change.id):./\($0.1)" } })
        else { return nil }
        let folder = ApprovalFolder(workspace)
        var (entries, unreadable): ([Entry], Int) = ([], 0)
        var evidences: [ApprovalEvidence?] = []
        for (index, change) in window.enumerated() {
            var files: [PolicyLayer: SourceFile] = [:]
            for (place, (layer, name)) in names.enumerated() where files[layer] == nil {
                files[layer] = contents[index * names.count + place].map { SourceFile(name: name, bytes: $0) }
            }
            guard let source = files[.workspace] else { continue }
            let result = PolicyCompiler.compile(workspace: source, spec: files[.spec])
            guard let snapshot = result.snapshot else {
                unreadable += 1
                continue
            }
            var entry = Entry(
                version: snapshot.policy.version,
                name: snapshot.policy.name,
                id: snapshot.id,
                commit: change.id,
                date: dates[index],
                authors: change.authors
            )
            let evidence = result.approvalSubjects.last.map { subject in
                ApprovalEvidence(subject, files: folder.files(for: subject), authors: .known(change.authors))
            }
            if let rules, let evidence {
                entry.approval = ApprovalVerdict(of: [evidence], under: rules, now: now).layers.first
            }
            // A commit that only lays the file out anew brought nothing: the older one did.
            if entries.last?.id == entry.id {
                entries.removeLast()
                evidences.removeLast()
            }
            entries.append(entry)
            evidences.append(evidence)
        }
        Self.judgeMerges(&entries, evidences, git, names)
        (self.entries, self.unreadable) = (entries, unreadable)
        isCutOff = git.isShallow != false
    }

    private static func judgeMerges(
        _ entries: inout [Entry],
        _ evidences: [ApprovalEvidence?],
        _ git: GitRepository,
        _ names: [(PolicyLayer, String)]
    ) {
        var merged = MergedPolicies(git, names)
        var subjects: [(place: Int, merge: MergedPolicies.Merge, evidence: ApprovalEvidence)] = []
        for place in entries.indices {
            guard let merge = merged.merge(of: entries[place].id, from: entries[place].commit) else { continue }
            entries[place].mergeCommit = merge.commit
            if let evidence = evidences[place] { subjects.append((place, merge, evidence)) }
        }
        let verdicts = merged.judge(subjects.map { ($0.merge, $0.evidence) })
        for (subject, verdict) in zip(subjects, verdicts) { entries[subject.place].approvalWhenMerged = verdict }
    }

    private static func dates(_ git: GitRepository, _ changes: [PolicyChange]) -> [String]? {
        var dates: [String] = []
        // So many that the command line stays short.
        for start in stride(from: 0, to: changes.count, by: 200) {
            let ids = changes[start..<min(start + 200, changes.count)].map(\.id)
            let flags = ["--no-replace-objects", "show", "--no-patch", "--no-show-signature", "--format=%cI"]
            guard let output = git.run(flags + ids) else { return nil }
            dates += String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
        }
        return dates.count == changes.count ? dates : nil
    }
}
