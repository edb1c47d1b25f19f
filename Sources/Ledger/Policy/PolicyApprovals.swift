import ModelPolicy

/// Says whether a policy was agreed to by those who must.
///
/// The one place where approvals come in: at a start, and in the middle of a run, where a change that loosens needs
/// some.
public protocol PolicyApprovals: Sendable {
    /// Judges the policy of a workspace.
    ///
    /// - Parameter rules: what to hold it to; nil takes what the policy itself states, with the list of signers that
    ///   is in the workspace.
    /// - Returns: nil when it names no list of signers and no rules are given, or does not load.
    func judge(_ load: PolicyLoad, by rules: ApprovalRules?, now: PolicyTime) -> ApprovalRecord?
}

/// Knows of no approval, so that nothing loosens and nothing that enforces approvals begins.
public struct NoApprovals: PolicyApprovals {
    public init() {}
    public func judge(_ load: PolicyLoad, by rules: ApprovalRules?, now: PolicyTime) -> ApprovalRecord? { nil }
}

/// Judges by what is in the repository: the signed statements in `policy/approvals`, the list of signers, and the
/// commits that git has of the files.
public struct WorkspaceApprovals: PolicyApprovals {
    let storage: any Storage

    public init(storage: any Storage = PosixStorage()) { self.storage = storage }

    public func judge(_ load: PolicyLoad, by rules: ApprovalRules?, now: PolicyTime) -> ApprovalRecord? {
        guard let snapshot = load.snapshot, let result = load.result else { return nil }
        var list: SignersFile?
        if rules == nil {
            guard let path = snapshot.policy.approvals.signers else { return nil }
            list = SignersFile(path, in: load.workspace, storage)
        }
        let rules = rules ?? ApprovalRules(snapshot.policy.approvals, signers: list?.signers)
        let folder = ApprovalFolder(load.workspace, storage: storage)
        let evidence = result.approvalSubjects.map { subject in
            let files = folder.files(for: subject)
            // Who made a change that nobody approved need not be known.
            let authors = files.isEmpty || !rules.excludesAuthors ? .known([]) : authors(of: subject, load, rules, now)
            return ApprovalEvidence(subject, files: files, authors: authors)
        }
        let verdict = ApprovalVerdict(of: evidence, under: rules, now: now)
        return ApprovalRecord(verdict, of: snapshot.id, list: list)
    }

    /// Who made a layer what it is, as ``PolicyHistory`` tells it. Costs a few processes of git, and the compilation of
    /// what its commits left.
    public func authors(
        of subject: ApprovalSubject,
        _ load: PolicyLoad,
        _ rules: ApprovalRules,
        _ now: PolicyTime
    ) -> ApprovalAuthors {
        let folder = ApprovalFolder(load.workspace, storage: storage)
        return PolicyHistory(load, folder, rules, now).authors(of: subject)
    }
}

/// The list of signers as it was found in a workspace.
public struct SignersFile: Sendable {
    public let path: String
    /// Nil when it cannot be read.
    public let bytes: [UInt8]?
    /// Nil when it cannot be read, or has an error.
    public let signers: AllowedSigners?
    public let diagnostics: [Diagnostic]

    /// Reads the list that a policy names, from the root of its workspace.
    public init(_ path: String, in workspace: PolicyWorkspace, _ storage: any Storage = PosixStorage()) {
        self.path = path
        bytes = try? PolicyWorkspace.read(workspace.root.pushing(FilePath(path)), storage)
        guard let bytes else {
            (signers, diagnostics) = (nil, [])
            return
        }
        (signers, diagnostics) = AllowedSigners.read(SourceFile(name: path, bytes: bytes, format: .toml))
    }

    /// Why nobody is on the list, in a sentence; nil when it could be read.
    public var fault: String? {
        guard bytes != nil else { return "\(path) cannot be read" }
        guard signers == nil, let first = diagnostics.first(where: { $0.severity == .error }) else { return nil }
        return "\(first.file):\(first.span.start.line): \(first.message) [\(first.code.rawValue)]"
    }
}

/// The folder of a workspace in which approvals are: `policy/approvals/DIGEST/*.json`, each with a `.sig` beside it.
///
/// What a file is called means nothing; what counts is in it.
public struct ApprovalFolder: Sendable {
    /// From the root of the workspace.
    public static let name = "policy/approvals"

    private let root: FilePath
    private let storage: any Storage

    public init(_ workspace: PolicyWorkspace, storage: any Storage = PosixStorage()) {
        root = workspace.root
        self.storage = storage
    }

    /// The folder of a layer's approvals, from the root.
    public static func path(for subject: ApprovalSubject) -> String { "\(name)/\(subject.folderName)" }

    /// The statements that are there for a layer, in the order of their names, with their signatures.
    public func files(for subject: ApprovalSubject) -> [ApprovalFile] {
        let folder = Self.path(for: subject)
        let names = (try? storage.names(in: root.pushing(FilePath(folder)))) ?? []
        let statements = names.filter { $0.hasSuffix(".json") && !$0.hasPrefix(".") }.sorted()
        return statements.prefix(ApprovalLimits.approvals + 1).map { name in
            let path = "\(folder)/\(name)"
            return ApprovalFile(
                path: path,
                statement: read(path, ApprovalLimits.statementBytes) ?? [],
                signature: read("\(path).sig", ApprovalLimits.signatureBytes)
            )
        }
    }

    /// One byte too many tells the reader that the file is too long.
    private func read(_ path: String, _ limit: Int) -> [UInt8]? {
        guard let file = try? storage.open(root.pushing(FilePath(path)), for: .reading) else { return nil }
        defer { file.close() }
        return try? file.bytes(at: 0, count: limit + 1)
    }
}
