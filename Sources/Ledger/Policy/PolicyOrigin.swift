import ModelPolicy

/// Where the policy of a run came from: the member `policy` of its `run.start`, and of a `snapshot` event.
public struct PolicyOrigin: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        /// Compiled from the files of a workspace.
        case workspace
        /// The files did not load; the snapshot that was bound last in this capsule.
        case lastBound = "last-bound"
        /// The files did not load, and nothing better was there.
        case builtin
    }

    public var kind: Kind
    public var workspace: PolicyWorkspace
    public var sources: [PolicyLoad.Source]
    public var standing: GitRepository.Standing?
    /// The document that says where each rule was written.
    public var sourceMap: Digest?
    public var enforcement: Enforcement?
    /// The verdict on the policy that was found; nil when it names no list of signers.
    public var approvals: ApprovalRecord?

    init(_ kind: Kind, _ load: PolicyLoad) {
        self.kind = kind
        workspace = load.workspace
        sources = load.sources
        let paths = load.sources.map(\.path)
        standing = paths.isEmpty ? nil : GitRepository(load.workspace.root).standing(of: paths)
    }

    var json: JSONValue {
        var members = JSONValue.Members()
        members["origin"] = .string(kind.rawValue)
        members["workspace"] = .string(workspace.root.string)
        members["file"] = .string(workspace.file)
        if let layer = workspace.layer { members["layer"] = .string(layer) }
        for (name, value) in evidence { members[name] = value }
        if let enforcement {
            members["enforcement"] = [
                "routing": .string(enforcement.routing.rawValue), "budgets": .string(enforcement.budgets.rawValue),
                "gates": .string(enforcement.gates.rawValue), "approvals": .string(enforcement.approvals.rawValue),
            ]
        }
        return .object(members)
    }

    /// What a `snapshot` event says of its policy as well.
    var evidence: [(String, JSONValue)] {
        var members: [(String, JSONValue)] = []
        if !sources.isEmpty {
            let list = sources.map { source -> JSONValue in
                [
                    "layer": .string(source.layer.rawValue), "path": .string(source.path),
                    "sha256": .string(source.digest.hex),
                ]
            }
            members.append(("sources", .array(list)))
        }
        if let standing {
            members.append(("commit", .string(standing.commit)))
            members.append(("differs", .bool(standing.differs)))
        }
        if let sourceMap { members.append(("source_map", .string(PolicySnapshot.text(sourceMap)))) }
        if let approvals { members.append(("approvals", approvals.json)) }
        return members
    }
}

extension PolicyWorkspace {
    /// Reads the member `policy` of a `run.start` back; nil when the run's policy has no files.
    init?(startBody: JSONValue) {
        guard let policy = startBody["policy"], let root = policy["workspace"]?.string,
            let file = policy["file"]?.string, FilePath(root).isAbsolute
        else { return nil }
        self.init(root: FilePath(root), file: file, layer: policy["layer"]?.string)
    }
}
