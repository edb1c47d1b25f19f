import ArgumentParser
import Ledger
import ModelPolicy
import PolicyGate

struct CICommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ci",
        abstract:
            "What a pipeline asks: may the policy be merged, and were recorded runs under policies that were.",
        discussion: """
            Runs 'policy check', then looks at the capsule: it must verify as with --require-snapshots and
            --require-decisions, and each run's policy must be compiled from files of a commit of the protected branch.
            Runs whose policy did not load, and overrides, are listed.

            The base is --base, else what GitHub or GitLab say the change is to be merged into, else the protected
            branch; on that branch itself the newest commit is held against the one before. On GitHub, faults are
            annotations, and the summary goes to the job's page; --summary writes it to a file anywhere.

            Exit status: 0 all is well (there may be warnings) · 1 something is not · 66 no policy, no such revision, or
            no capsule; --no-capsule says that there is none.
            """
    )

    @Option(help: ArgumentHelp("The branch that the change is to be merged into.", valueName: "rev"))
    var base: String?

    @Option(help: ArgumentHelp("The protected branch.", valueName: "branch"))
    var branch = "main"

    @OptionGroup var capsule: CapsuleOption

    @Flag(help: "There is no capsule: look at the policy alone.")
    var noCapsule = false

    @Option(
        help: ArgumentHelp("The policy file, instead of the workspace's.", valueName: "file"),
        completion: .file(extensions: ["toml", "yaml", "yml"])
    )
    var policy: String?

    @Option(help: ArgumentHelp("Write the summary, in Markdown, to this file.", valueName: "file"))
    var summary: String?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if noCapsule, capsule.capsule != nil { throw ValidationError("--no-capsule and --capsule exclude each other") }
    }

    func run() throws {
        let revisions = try GateRevisions(base: base, branch: branch)
        let comparison = try GateComparison(base: revisions.base, head: nil, policy: policy)
        var inspection: CapsuleInspection?
        if !noCapsule {
            do {
                inspection = try CapsuleInspection(capsule, comparison.workspace, branch, revisions.tip)
            } catch let error as LedgerError where error.code == .noCapsule {
                // What is known of the policy is told first.
                try tell(comparison, nil)
                throw Failure(.noCapsule, "\(error); where there is none, say --no-capsule")
            }
        }
        try tell(comparison, inspection)
        if !comparison.report.isPassed || inspection?.isPassed == false { endQuietly(.no) }
    }

    private func tell(_ comparison: GateComparison, _ inspection: CapsuleInspection?) throws {
        let view = GateView(comparison)
        let findings = inspection?.diagnostics ?? []
        let isGitHub = Terminal.environment("GITHUB_ACTIONS") == "true"
        if json {
            var members = view.json.object ?? JSONValue.Members()
            let isPassed = comparison.report.isPassed && inspection?.isPassed ?? true
            members["passed"] = .bool(isPassed)
            members["policy_passed"] = .bool(comparison.report.isPassed)
            members["capsule"] = inspection?.json ?? .null
            Output.json(.object(members))
        } else {
            view.tell(.human)
            if let inspection { inspection.lines.forEach(Output.line) }
            if isGitHub {
                view.tell(.github)
                Output.bytes(Array(DiagnosticFormat.github.text(findings).utf8))
            }
        }
        let lines = view.markdown + (inspection?.markdown ?? [])
        let text = Array((lines.joined(separator: "\n") + "\n").utf8)
        if let summary { try TextFile(summary).replace(with: text) }
        if isGitHub, let page = Terminal.environment("GITHUB_STEP_SUMMARY"), !page.isEmpty {
            // A summary that cannot be shown is no reason to fail.
            do { try TextFile(page).append(text) } catch { complain("warning: \(error)") }
        }
    }
}

/// The revisions that a pipeline is about.
struct GateRevisions {
    let base: String
    /// The protected branch's newest commit.
    let tip: String

    /// - Throws: `Failure` where there is no such branch.
    init(base: String?, branch: String) throws {
        let git = try GateComparison.repository()
        let names = ["origin/\(branch)", branch]
        guard let name = names.first(where: { git.commit($0) != nil }), let tip = git.commit(name) else {
            throw Failure(
                .noCapsule,
                "there is no branch '\(branch)' here; --branch names the protected one, and in CI the checkout must "
                    + "bring it (GitHub: fetch-depth: 0)"
            )
        }
        self.tip = tip
        if let named = base ?? Self.ofPipeline(git) {
            self.base = named
            return
        }
        // On the branch itself, with nothing changed since, its newest commit is what is to be looked at.
        let isNewest = git.commit("HEAD") == tip && git.touched(since: "HEAD")?.isEmpty == true
        self.base = isNewest && git.commit("HEAD^1") != nil ? "HEAD^1" : name
    }

    /// The branch that the pipeline's own variables name, as far as it is here.
    private static func ofPipeline(_ git: GitRepository) -> String? {
        for name in [
            "GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "CHANGE_TARGET",
            "BITBUCKET_PR_DESTINATION_BRANCH",
        ] {
            guard let branch = Terminal.environment(name), !branch.isEmpty else { continue }
            return git.commit("refs/remotes/origin/\(branch)") != nil ? "origin/\(branch)" : branch
        }
        return nil
    }
}
