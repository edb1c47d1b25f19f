import Ledger
import ModelPolicy
import PolicyGate

/// A change of a workspace, held against a revision.
struct GateComparison {
    let report: GateReport
    /// The revision as it was named.
    let base: String
    /// Where the change began.
    let start: String
    /// The commit that is looked at; nil for the files as they lie in the folder.
    let head: String?
    let workspace: GateWorkspace
    /// The workspace from the root of the repository, with a slash behind it; empty for the root itself.
    let folder: String

    /// - Parameters:
    ///   - base: the branch that the change is to be merged into.
    ///   - head: a revision; nil for the files as they lie in the folder.
    init(base: String, head: String?, policy: String?) throws {
        let outer = try Self.repository()
        guard let tip = outer.commit(base) else {
            throw Failure(
                .noCapsule,
                "there is no revision '\(base)' here; 'git fetch' brings what a remote has"
            )
        }
        if let head {
            guard let commit = outer.commit(head) else {
                throw Failure(.noCapsule, "there is no revision '\(head)' here")
            }
            let copy = try DetachedCopy(outer, commit)
            defer { copy.remove() }
            let workspace = try GateWorkspace(option: policy, base: tip)
            try self.init(base, tip, commit, workspace, in: copy.folder(of: workspace))
            return
        }
        let workspace = try GateWorkspace(option: policy, base: tip)
        try self.init(base, tip, nil, workspace, in: workspace)
    }

    /// The repository of the current folder, with all of its history.
    static func repository() throws -> GitRepository {
        let git = GitRepository(currentFolder())
        guard git.top != nil else {
            throw Failure(.noCapsule, "this is no git repository, and the gate compares with one of its commits")
        }
        // Where commits are missing, so may be where the change began, and who wrote it.
        guard git.isShallow == false else {
            throw Failure(
                .noCapsule,
                "this clone was cut off, so where a change began and who wrote it cannot be told; "
                    + "'git fetch --unshallow' brings the rest (GitHub: fetch-depth: 0; GitLab: GIT_DEPTH: 0)"
            )
        }
        return git
    }

    private init(
        _ base: String,
        _ tip: String,
        _ head: String?,
        _ found: GateWorkspace,
        in workspace: GateWorkspace
    ) throws {
        let git = workspace.git
        guard let start = git.mergeBase(tip, head ?? "HEAD") else {
            throw Failure(.noCapsule, "'\(base)' and this have no commit in common, so there is nothing to compare")
        }
        let old = try workspace.side(at: start)
        let rules = start == tip ? old : try workspace.side(at: tip)
        let now = Timestamp.now.policyTime
        let input = GateInput(
            base: old,
            rules: rules,
            head: try workspace.side(more: old.named + rules.named),
            touched: git.touched(since: start) ?? []
        ) { subject, rules in
            WorkspaceApprovals().judge(
                subject.subject,
                isFile: subject.isFile,
                in: PolicyWorkspace(root: workspace.root, file: workspace.file),
                by: rules,
                since: start,
                now: now
            )
        }
        report = GateCheck.run(input)
        (self.base, self.start, self.head, self.workspace) = (base, start, head, found)
        folder = found.git.prefix
    }
}

/// A copy of a repository in which a commit is checked out, for a look at another revision than the one in the folder.
/// It shares the objects, and is removed after use.
private struct DetachedCopy {
    private let scratch: ScratchFolder
    private let top: FilePath

    init(_ git: GitRepository, _ commit: String) throws {
        guard let top = git.top else { throw Failure(.system, "git does not say where the repository is") }
        scratch = try ScratchFolder()
        self.top = top
        let clone = ["clone", "--quiet", "--shared", "--no-checkout", "--", top.string, scratch.path]
        let quiet = ["-c", "core.hooksPath=/dev/null", "-c", "advice.detachedHead=false"]
        let copy = GitRepository(FilePath(scratch.path))
        guard git.run(quiet + clone) != nil, copy.run(quiet + ["checkout", "--quiet", "--detach", commit]) != nil else {
            remove()
            throw Failure(.system, "git cannot check \(commit) out")
        }
    }

    func folder(of workspace: GateWorkspace) -> GateWorkspace {
        var relative = workspace.root
        _ = relative.removePrefix(top)
        let path = FilePath(scratch.path)
        return workspace.moved(to: relative.isAbsolute ? path : path.pushing(relative))
    }

    func remove() { scratch.remove() }
}
