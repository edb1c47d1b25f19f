import ModelPolicy

/// How each policy of a log came to the branch itself, and what its approvals were worth there: by the rules and the
/// list of signers of the commit before, as the gate had them, of the files that came with it, and at its time.
///
/// *Why not by today's list: who left is not in it any more, and what they approved was approved; who came since did
/// not approve what was merged before. Why the commit's time, and not the statement's: that is the signer's claim, and
/// the gate did not go by it.*
struct MergedPolicies {
    /// A commit of the branch that brought a meaning.
    struct Merge {
        var commit: String
        /// The commits of the branch at which its approvals may have come, its own first.
        var stretch: [Commit]
    }

    /// A commit of the branch, and when it was made.
    struct Commit {
        var id: String
        var time: PolicyTime
        /// From what it was made, among the commits that touch what is looked at.
        var parents: [String]
    }

    private let git: GitRepository
    private let names: [(PolicyLayer, String)]
    /// The branch itself, the newest first, and what its policy means at each.
    private var line: [Commit] = []
    private var meanings: [SnapshotID?] = []
    /// Where in the line a commit came to the branch.
    private var places: [String: Int] = [:]
    private var compiled: [[Digest]: CompileResult] = [:]

    /// So many commits are looked at, of all branches.
    private static let graphCommits = 100_000
    /// So many commits after one that brought a meaning are looked at for its approvals.
    private static let stretchCommits = 50

    /// - Parameter names: what the files may be called, of each layer.
    init(_ git: GitRepository, _ names: [(PolicyLayer, String)]) {
        (self.git, self.names) = (git, names)
        let flags = ["--topo-order", "--parents", "--full-history", "--no-show-signature", "--no-color"]
        let log = ["--no-replace-objects", "log", "--max-count=\(Self.graphCommits)", "--format=%H %ct %P"]
        let output = git.run(log + flags + ["HEAD", "--"] + names.map(\.1) + [ApprovalFolder.name]) ?? []
        var graph: [String: Commit] = [:]
        var next: String?
        for record in String(decoding: output, as: UTF8.self).split(separator: "\n") {
            let words = record.split(separator: " ").map(String.init)
            guard words.count >= 2, let time = Int64(words[1]) else { continue }
            let commit = Commit(id: words[0], time: PolicyTime(seconds: time), parents: Array(words.dropFirst(2)))
            graph[commit.id] = commit
            next = next ?? commit.id
        }
        while let commit = next.flatMap({ graph[$0] }) {
            line.append(commit)
            next = commit.parents.first
        }
        // The oldest of the branch that was made from a commit brought it.
        for place in line.indices.reversed() {
            var open = [line[place].id]
            while let id = open.popLast() {
                guard places[id] == nil, let commit = graph[id] else { continue }
                places[id] = place
                open += commit.parents
            }
        }
        line.removeLast(max(0, line.count - PolicyLog.commits))
        meanings = results(at: line.map(\.id)).map { $0?.snapshot?.id }
    }

    /// How a meaning came to the branch.
    ///
    /// - Returns: nil when the branch itself never had it: what brought the commit left another one.
    func merge(of id: SnapshotID, from commit: String) -> Merge? {
        guard let place = places[commit], place < line.count, meanings[place] == id else { return nil }
        var stretch = [line[place]]
        // A merge brings what it brings. Where the branch was only moved on, git does not tell which commits came
        // together.
        if line[place].parents.count < 2 {
            let later = line.indices[..<place].reversed().prefix { meanings[$0] == id }
            stretch += later.prefix(Self.stretchCommits).map { line[$0] }
        }
        return Merge(commit: line[place].id, stretch: stretch)
    }

    /// What the policies were at some commits; nil where there were none.
    private mutating func results(at commits: [String]) -> [CompileResult?] {
        let asked = commits.flatMap { commit in names.map { "\(commit):./\($0.1)" } }
        guard let contents = git.contents(asked), contents.count == asked.count else { return commits.map { _ in nil } }
        return commits.indices.map { index in
            var files: [PolicyLayer: SourceFile] = [:]
            for (place, (layer, name)) in names.enumerated() where files[layer] == nil {
                files[layer] = contents[index * names.count + place].map { SourceFile(name: name, bytes: $0) }
            }
            guard let workspace = files[.workspace] else { return nil }
            let key = [workspace, files[.spec]].compactMap { $0.map { Hashing.sha256($0.bytes) } }
            if let known = compiled[key] { return known }
            let result = PolicyCompiler.compile(workspace: workspace, spec: files[.spec])
            compiled[key] = result
            return result
        }
    }

    /// Judges what was merged. Costs two processes of git for each that approvals were asked for, and more where they
    /// came later.
    ///
    /// - Returns: for each, nil where nothing was asked for: a first policy, or one before which no list was named or
    ///   approvals were only observed.
    mutating func judge(_ subjects: [(Merge, ApprovalEvidence)]) -> [LayerVerdict?] {
        let rules = results(at: subjects.map { "\($0.0.commit)^" }).map { result -> Approvals? in
            guard let policy = result?.snapshot?.policy, policy.enforcement.approvals != .observe else { return nil }
            return policy.approvals.signers == nil ? nil : policy.approvals
        }
        let lists = git.contents(zip(subjects, rules).map { "\($0.0.commit)^:./\($1?.signers ?? "")" })
        return subjects.indices.map { index in
            let (merge, evidence) = subjects[index]
            guard let stated = rules[index], let path = stated.signers else { return nil }
            let signers = (lists?[index] ?? nil).flatMap {
                AllowedSigners.read(SourceFile(name: path, bytes: $0, format: .toml)).signers
            }
            return verdict(evidence, merge.stretch, ApprovalRules(stated, signers: signers))
        }
    }

    /// The verdict at the first commit at which it is approved, else at the last.
    private func verdict(_ evidence: ApprovalEvidence, _ stretch: [Commit], _ rules: ApprovalRules) -> LayerVerdict? {
        var evidence = evidence
        var verdict: LayerVerdict?
        for commit in stretch {
            let files = files(of: evidence.subject, at: commit.id)
            // The same files are worth no more later.
            if verdict != nil, files == evidence.files { continue }
            evidence.files = files
            verdict = ApprovalVerdict(of: [evidence], under: rules, now: commit.time).layers.first
            if verdict?.isApproved == true { break }
        }
        return verdict
    }

    /// The approvals of a layer that a commit has.
    private func files(of subject: ApprovalSubject, at commit: String) -> [ApprovalFile] {
        let folder = ApprovalFolder.path(for: subject)
        let names = (git.entries(at: commit, under: ["\(folder)/"]) ?? []).filter(\.isFile).map(\.path)
        let statements = names.filter { name in
            let last = name.dropFirst(folder.utf8.count + 1)
            return last.hasSuffix(".json") && !last.hasPrefix(".") && !last.contains("/")
        }
        let read = statements.prefix(ApprovalLimits.approvals + 1)
        let contents = git.contents(read.flatMap { ["\(commit):./\($0)", "\(commit):./\($0).sig"] }) ?? []
        return zip(read, stride(from: 0, to: contents.count, by: 2)).map { name, place in
            ApprovalFile(path: name, statement: contents[place] ?? [], signature: contents[place + 1])
        }
    }
}
