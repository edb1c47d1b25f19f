import ModelPolicy

extension GitRepository {
    /// What a name in a tree stands for.
    public struct TreeEntry: Sendable, Equatable {
        public var path: String
        /// As git writes it: `100644` for a file, `120000` for a link.
        public var mode: String

        public var isFile: Bool { mode.hasPrefix("100") }
        public var isLink: Bool { mode == "120000" }
    }

    /// The commit that a revision names; nil where there is none.
    public func commit(_ revision: String) -> String? {
        guard !revision.hasPrefix("-"), !revision.isEmpty else { return nil }
        return line(["rev-parse", "--verify", "--quiet", "--end-of-options", "\(revision)^{commit}"])
    }

    /// The newest commit that both come from; nil where there is none, as in a clone that was cut off.
    public func mergeBase(_ one: String, _ other: String) -> String? { line(["merge-base", one, other]) }

    /// Whether a commit is one of those that another was made from, or that commit itself.
    public func isAncestor(_ commit: String, of other: String) -> Bool {
        run(["merge-base", "--is-ancestor", commit, other]) != nil
    }

    /// Whether the clone was cut off, so that not all commits are here; nil outside a repository.
    public var isShallow: Bool? { line(["rev-parse", "--is-shallow-repository"]).map { $0 != "false" } }

    /// The folder from the root of the repository, with a slash behind it; empty for the root itself.
    public var prefix: String { line(["rev-parse", "--show-prefix"]) ?? "" }

    /// Files with one of some names that git follows, in the folder or below it, named from it.
    ///
    /// - Returns: at most `limit`, in the order of their paths.
    public func files(named names: [String], limit: Int) -> [String] {
        let patterns = names.map { ":(glob)**/\($0)" }
        guard let output = run(["ls-files", "-z", "--"] + patterns) else { return [] }
        return output.split(separator: 0).prefix(limit).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The folder of the repository's files.
    public var top: FilePath? { line(["rev-parse", "--show-toplevel"]).map { FilePath($0) } }

    /// What a commit has under some paths, named from the folder; nil when git has no answer.
    public func entries(at commit: String, under paths: [String]) -> [TreeEntry]? {
        let flags = ["--no-replace-objects", "ls-tree", "-r", "-z", commit, "--"]
        guard let output = run(flags + paths) else { return nil }
        return output.split(separator: 0).compactMap { record in
            let text = String(decoding: record, as: UTF8.self)
            guard let tab = text.firstIndex(of: "\t"), let space = text.firstIndex(of: " ") else { return nil }
            return TreeEntry(path: String(text[text.index(after: tab)...]), mode: String(text[..<space]))
        }
    }

    /// Files of the repository, from its root, that are not as a commit has them: up to another commit, or with those
    /// of the working tree that are not committed.
    public func touched(since commit: String, upTo other: String? = nil) -> [String]? {
        let flags = ["-c", "core.fsmonitor=false", "--no-optional-locks", "diff", "--no-ext-diff", "--no-textconv"]
        guard let output = run(flags + ["--no-renames", "--name-only", "-z", commit] + (other.map { [$0] } ?? []))
        else { return nil }
        return output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether nothing of the working tree differs from the commit that is checked out.
    public var isClean: Bool {
        run(["-c", "core.fsmonitor=false", "--no-optional-locks", "status", "--porcelain", "-z"])?.isEmpty == true
    }

    private func line(_ arguments: [String]) -> String? {
        guard let output = run(arguments) else { return nil }
        let text = String(decoding: output.prefix { $0 != 0x0A }, as: UTF8.self)
        return text.isEmpty ? nil : text
    }
}

extension WorkspaceApprovals {
    /// Judges one layer of a workspace's policy, or one file of the gate.
    ///
    /// - Parameters:
    ///   - isFile: what is approved is a file as it stands; its authors are those of the commits since `base`.
    ///   - base: where the change began.
    /// - Returns: nil where the policy does not load.
    public func judge(
        _ subject: ApprovalSubject,
        isFile: Bool,
        in workspace: PolicyWorkspace,
        by rules: ApprovalRules,
        since base: String,
        now: PolicyTime
    ) -> LayerVerdict? {
        let files = ApprovalFolder(workspace, storage: storage).files(for: subject)
        var authors = ApprovalAuthors.known([])
        if !files.isEmpty, rules.excludesAuthors {
            let load = workspace.load(spec: subject.spec, storage: storage)
            guard load.snapshot != nil else { return nil }
            authors =
                isFile
                ? Self.authors(of: subject.file, GitRepository(workspace.root), since: base)
                : self.authors(of: subject, load, rules, now)
        }
        let evidence = ApprovalEvidence(subject, files: files, authors: authors)
        return ApprovalVerdict(of: [evidence], under: rules, now: now).layers.first
    }

    private static func authors(of file: String, _ git: GitRepository, since base: String) -> ApprovalAuthors {
        // Commits that are not here may have been made by whoever approves.
        guard git.isShallow == false else { return .cutOff }
        guard let changes = PolicyChange.list(git, [file], since: base) else {
            return .unknown("git has no history of \(file)")
        }
        var authors = Set(changes.flatMap(\.authors))
        if git.standing(of: [file])?.differs != false {
            guard let user = git.user else { return .unknown("\(file) is not committed, and git knows no user") }
            authors.insert(user)
        }
        return .known(authors.sorted { $0.description < $1.description })
    }
}

extension ApprovalAuthors {
    static let cutOff = ApprovalAuthors.unknown("the history was cut off; 'git fetch --unshallow' brings the rest")
}

extension GitRepository {
    /// Who would be the author of a commit that is made now.
    var user: ApprovalAuthor? {
        guard let line = run(["var", "GIT_AUTHOR_IDENT"]) else { return nil }
        let text = String(decoding: line, as: UTF8.self)
        return text.lastIndex(of: ">").map { ApprovalAuthor(String(text[...$0])) }
    }
}
