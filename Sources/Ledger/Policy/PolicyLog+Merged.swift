import ModelPolicy

/// How each policy of a log came to the branch itself, and what its approvals were worth there: by the rules and the
/// list of signers of the commit before, as the gate had them, and of the files that came with it.
///
/// *Why not by today's list: who left is not in it any more, and what they approved was approved; who came since did
/// not approve what was merged before.*
struct MergedPolicies {
    /// A commit of the branch that brought a meaning.
    struct Merge {
        var commit: String
        /// The commit that the branch was at before; nil for its first.
        var base: String?
        var id: SnapshotID
    }

    private let git: GitRepository
    private let names: [(PolicyLayer, String)]
    /// By meaning, the newest first.
    private var merges: [SnapshotID: [Merge]] = [:]
    private var compiled: [[Digest]: CompileResult] = [:]

    /// - Parameter names: what the files may be called, of each layer.
    init(_ git: GitRepository, _ names: [(PolicyLayer, String)]) {
        (self.git, self.names) = (git, names)
        let log = [
            "--no-replace-objects", "log", "--first-parent", "--no-show-signature", "--format=%H %P", "HEAD", "--",
        ]
        let output = git.run(log + names.map(\.1)) ?? []
        let lines = String(decoding: output, as: UTF8.self).split(separator: "\n").prefix(PolicyLog.commits)
        let commits = lines.map { $0.split(separator: " ").map(String.init) }.filter { !$0.isEmpty }
        let results = results(at: commits.map { $0[0] })
        var newer: SnapshotID?
        for (words, result) in zip(commits, results) {
            guard let id = result?.snapshot?.id else { continue }
            let merge = Merge(commit: words[0], base: words.count > 1 ? words[1] : nil, id: id)
            // What only lies otherwise was brought by an older commit.
            if newer == id { merges[id]?.removeLast() }
            merges[id, default: []].append(merge)
            newer = id
        }
    }

    /// The commit that brought a meaning which the log comes to next.
    mutating func next(_ id: SnapshotID) -> Merge? {
        guard merges[id]?.isEmpty == false else { return nil }
        return merges[id]?.removeFirst()
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

    /// Judges what was merged.
    ///
    /// - Returns: for each, nil where nothing was asked for: a first policy, or one before which no list was named.
    mutating func judge(_ subjects: [(Merge, ApprovalEvidence)]) -> [LayerVerdict?] {
        let before = results(at: subjects.map { $0.0.base ?? $0.0.commit })
        let rules = zip(subjects, before).map { subject, result in
            subject.0.base == nil ? nil : result?.snapshot?.policy.approvals
        }
        let lists = git.contents(
            zip(subjects, rules).map { "\($0.0.base ?? $0.0.commit):./\($1?.signers ?? "")" }
        )
        let found =
            git.contents(subjects.flatMap { merge, evidence in Self.names(of: evidence, at: merge.commit) }) ?? []
        var rest = found[...]
        return subjects.indices.map { index in
            let (_, evidence) = subjects[index]
            let there = rest.prefix(evidence.files.count * 2)
            rest = rest.dropFirst(there.count)
            guard let stated = rules[index], let path = stated.signers else { return nil }
            let bytes = lists?[index] ?? nil
            let signers = bytes.flatMap {
                AllowedSigners.read(SourceFile(name: path, bytes: $0, format: .toml)).signers
            }
            return Self.verdict(evidence, there: Array(there), ApprovalRules(stated, signers: signers))
        }
    }

    private static func names(of evidence: ApprovalEvidence, at commit: String) -> [String] {
        evidence.files.flatMap { ["\(commit):./\($0.path)", "\(commit):./\($0.path).sig"] }
    }

    /// Of the approvals that came with the commit, when the last of them was signed.
    private static func verdict(
        _ evidence: ApprovalEvidence,
        there: [[UInt8]?],
        _ rules: ApprovalRules
    ) -> LayerVerdict? {
        var evidence = evidence
        evidence.files = zip(evidence.files, stride(from: 0, to: there.count, by: 2)).compactMap { file, place in
            there[place].map { ApprovalFile(path: file.path, statement: $0, signature: there[place + 1]) }
        }
        let times = evidence.files.compactMap { try? ApprovalStatement(canonicalJSON: $0.statement).time }
        return ApprovalVerdict(of: [evidence], under: rules, now: times.max() ?? PolicyTime(seconds: 0)).layers.first
    }
}
