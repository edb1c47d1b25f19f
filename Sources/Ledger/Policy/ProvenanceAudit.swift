import ModelPolicy

/// Whether the policies of runs were compiled from what a protected branch has: from a commit of it, of which the files
/// give the very snapshot; and what else somebody should read of the runs.
///
/// It is handed the events of the capsule, each run's in their order.
public struct ProvenanceAudit {
    /// What was found at one event.
    public struct Finding: Sendable {
        public enum Problem: Sendable, Equatable {
            /// The policy is not from the branch, and why, in a sentence.
            case notFromBranch(String)
            /// The policy did not load: what was done, and why.
            case fellBack(action: String, reason: String)
            /// Somebody set a rule aside.
            case override(rule: String, by: String, reason: String)
            /// Somebody let budgets and gates stop nothing.
            case brokeGlass(by: String, reason: String)
        }

        public var event: EventReference
        public var run: String
        public var problem: Problem
    }

    public private(set) var findings: [Finding] = []
    /// All that was found, kept or not.
    public private(set) var findingCount = 0
    /// Policies of runs that were looked at, at a start or when they were taken up.
    public private(set) var policies = 0
    /// Those that are from the branch.
    public private(set) var proved = 0
    public private(set) var runs = 0

    public static let maximumFindings = 1000

    private let git: GitRepository
    private let branch: String
    private let tip: String
    private let files: [String]
    private var names: [RunID: String] = [:]
    private var specs: [RunID: String] = [:]
    private var known: [Claim: String?] = [:]

    /// What an event says of where a snapshot came from.
    private struct Claim: Hashable {
        var snapshot: String
        var commit: String
        var spec: String?
        var sources: [[String]]
    }

    /// - Parameters:
    ///   - root: the workspace, in its repository.
    ///   - files: what its policy may be called: a policy of another name is one that no gate looks at.
    ///   - branch: as it is named to people.
    ///   - tip: the branch's newest commit.
    public init(root: FilePath, files: [String], branch: String, tip: String) {
        git = GitRepository(root)
        (self.files, self.branch, self.tip) = (files, branch, tip)
    }

    /// Takes in the next event.
    public mutating func take(_ event: RecordedEvent) {
        guard case .registered(let type) = event.envelope.type else { return }
        switch type {
        case .runStart:
            runs += 1
            names[event.envelope.run] = event.json?["name"]?.string
            specs[event.envelope.run] = event.json?["spec"]?.string
            check(event, event.json?["policy"], snapshot: PolicySnapshot.text(event.envelope.snapshot))
        case .snapshot:
            check(event, event.json, snapshot: event.json?["snapshot"]?.string ?? "")
        case .policyFailure:
            let action = event.json?["action"]?.string ?? "fallback"
            note(event, .fellBack(action: action, reason: event.json?["reason"]?.string ?? ""))
        case .override:
            let body = event.json
            let (by, reason) = (body?["by"]?.string ?? "nobody", body?["reason"]?.string ?? "")
            let isGlass = body?["break_glass"]?.bool == true
            let rule = body?["rule"]?.string ?? "a rule"
            note(event, isGlass ? .brokeGlass(by: by, reason: reason) : .override(rule: rule, by: by, reason: reason))
        default: break
        }
        guard event.envelope.seal != nil else { return }
        names[event.envelope.run] = nil
        specs[event.envelope.run] = nil
    }

    private mutating func check(_ event: RecordedEvent, _ policy: JSONValue?, snapshot: String) {
        // What is built in is nobody's to change, and what was bound before is looked at where it was bound first.
        if let origin = policy?["origin"]?.string, origin != PolicyOrigin.Kind.workspace.rawValue { return }
        policies += 1
        guard let problem = problem(policy, snapshot, spec: specs[event.envelope.run]) else { return proved += 1 }
        note(event, .notFromBranch(problem))
    }

    private mutating func problem(_ policy: JSONValue?, _ snapshot: String, spec: String?) -> String? {
        guard let sources = policy?["sources"]?.array, !sources.isEmpty else {
            return "the event does not say which files the policy was compiled from"
        }
        guard let commit = policy?["commit"]?.string else {
            return "the event names no commit: the policy's files were in no repository"
        }
        if policy?["differs"]?.bool != false { return "its files were not as commit \(commit.prefix(12)) has them" }
        let claim = Claim(
            snapshot: snapshot,
            commit: commit,
            spec: spec,
            sources: sources.map { source in ["layer", "path", "sha256"].map { source[$0]?.string ?? "" } }
        )
        if let verdict = known[claim] { return verdict }
        let verdict = check(claim)
        known[claim] = .some(verdict)
        return verdict
    }

    private func check(_ claim: Claim) -> String? {
        let commit = claim.commit
        guard commit.utf8.count >= 40, commit.allSatisfy(\.isHexDigit), git.commit(commit) == commit else {
            return "commit \(commit.prefix(12)) is not in this repository"
        }
        guard git.isAncestor(commit, of: tip) else { return "commit \(commit.prefix(12)) is not on \(branch)" }
        if let problem = misplaced(claim) { return problem }
        var texts: [PolicyLayer: SourceFile] = [:]
        for source in claim.sources {
            let (path, digest) = (source[1], source[2])
            guard let layer = PolicyLayer(rawValue: source[0]), !path.contains("\n"),
                let bytes = git.contents(["\(commit):./\(path)"])?.first ?? nil
            else { return "commit \(commit.prefix(12)) has no \(path)" }
            guard Hashing.sha256(bytes).hex == digest else {
                return "\(path) of commit \(commit.prefix(12)) is not the file that was compiled"
            }
            texts[layer] = SourceFile(name: path, bytes: bytes)
        }
        guard let workspace = texts[.workspace],
            let compiled = PolicyCompiler.compile(workspace: workspace, spec: texts[.spec]).snapshot
        else { return "the files of commit \(commit.prefix(12)) do not compile" }
        guard "\(compiled.id)" == claim.snapshot else {
            return "the files of commit \(commit.prefix(12)) give another policy, \(compiled.id)"
        }
        return nil
    }

    /// Whether the policy was compiled from other files than those that hold on the branch for a run of this spec.
    private func misplaced(_ claim: Claim) -> String? {
        let paths = Dictionary(claim.sources.map { ($0[0], $0[1]) }) { first, _ in first }
        guard let policy = paths[PolicyLayer.workspace.rawValue], files.contains(policy) else {
            return "\(paths[PolicyLayer.workspace.rawValue] ?? "its policy") is not the workspace's policy, \(files[0])"
        }
        let layer = paths[PolicyLayer.spec.rawValue]
        let own = claim.spec.map { spec in
            ["toml", "yaml", "yml"].map { "\(PolicyWorkspace.layerFolder)/\(spec).\($0)" }
        }
        if let layer, own?.contains(layer) != true { return "\(layer) is not the layer of the run's spec" }
        guard layer == nil, let own, own.allSatisfy({ !$0.contains("\n") }) else { return nil }
        guard let found = git.contents(own.map { "\(claim.commit):./\($0)" }), found.contains(where: { $0 != nil })
        else { return nil }
        return "the layer of spec \(claim.spec ?? "") was left out"
    }

    private mutating func note(_ event: RecordedEvent, _ problem: Finding.Problem) {
        findingCount += 1
        guard findings.count < Self.maximumFindings else { return }
        let run = names[event.envelope.run] ?? "\(event.envelope.run)"
        findings.append(Finding(event: event.envelope.reference, run: run, problem: problem))
    }
}

extension LedgerReader {
    /// Looks where the policies of all runs came from.
    ///
    /// Costs a few processes of git for each policy and commit that runs name.
    public func auditProvenance(
        root: FilePath,
        files: [String],
        branch: String,
        tip: String
    ) throws -> ProvenanceAudit {
        var audit = ProvenanceAudit(root: root, files: files, branch: branch, tip: tip)
        try forEachEvent { event in audit.take(event) }
        return audit
    }
}
