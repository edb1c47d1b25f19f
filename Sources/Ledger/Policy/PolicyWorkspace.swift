import ModelPolicy

/// The files of a policy: the workspace's own, and the one of a spec.
public struct PolicyWorkspace: Sendable, Equatable {
    /// The workspace: the folder of its policy file. Paths are named from here.
    public var root: FilePath
    /// The policy file, from the root.
    public var file: String
    /// A spec's file that was named explicitly; nil looks for it in `layerFolder`.
    public var layer: String?

    /// What the policy file of a workspace is called; one of these.
    public static let names = ["model_policy.toml", "model_policy.yaml", "model_policy.yml"]
    /// Where a spec's file is, from the root: `policy/specs/SPEC-KIT-977.toml`, or `.yaml` or `.yml`.
    public static let layerFolder = "policy/specs"

    public init(root: FilePath, file: String, layer: String? = nil) {
        self.root = root
        self.file = file
        self.layer = layer
    }

    /// Finds the policy: `option` names the file; without it the names are looked for upwards from `directory`, as git
    /// looks for its folder.
    ///
    /// - Throws: `LedgerError.noPolicy` when nothing is found, or more than one in a folder.
    public static func find(
        option: String?,
        layer: String? = nil,
        directory: FilePath,
        storage: any Storage = PosixStorage()
    ) throws(LedgerError) -> PolicyWorkspace {
        let layer = layer.map { directory.pushing(FilePath($0)).lexicallyNormalized().string }
        if let option {
            let path = directory.pushing(FilePath(option)).lexicallyNormalized()
            guard let name = path.lastComponent?.string else { throw LedgerError(.noPolicy, "'\(option)' is no file") }
            return PolicyWorkspace(root: path.removingLastComponent(), file: name, layer: layer)
        }
        var folder = directory
        while true {
            let present = Set((try? storage.names(in: folder)) ?? [])
            let found = names.filter(present.contains)
            guard found.count < 2 else {
                throw LedgerError(
                    .noPolicy,
                    "\(folder) holds \(found.joined(separator: " and ")); keep one, or name one with --policy"
                )
            }
            if let name = found.first { return PolicyWorkspace(root: folder, file: name, layer: layer) }
            guard folder.removeLastComponent() else { break }
        }
        throw LedgerError(
            .noPolicy,
            "no model_policy.toml in \(directory) or above; 'capsule-tool policy init' writes one, --policy names one, "
                + "--snapshot takes one that was compiled before"
        )
    }

    /// Reads and compiles the policy that is in force for a spec.
    public func load(spec: String?, storage: any Storage = PosixStorage()) -> PolicyLoad {
        var load = PolicyLoad(workspace: self)
        var files = [(PolicyLayer.workspace, file)]
        if let path = layerPath(spec, storage) { files.append((.spec, path)) }
        var texts: [PolicyLayer: SourceFile] = [:]
        for (layer, name) in files {
            do {
                let bytes = try Self.read(root.pushing(FilePath(name)), storage)
                texts[layer] = SourceFile(name: shownName(name), bytes: bytes)
                load.sources.append(
                    PolicyLoad.Source(layer: layer, path: shownName(name), digest: Hashing.sha256(bytes))
                )
            } catch {
                load.problems.append("\(error)")
            }
        }
        guard load.problems.isEmpty, let workspace = texts[.workspace] else { return load }
        load.result = PolicyCompiler.compile(workspace: workspace, spec: texts[.spec])
        return load
    }

    /// The file of a spec, from the root or absolute; nil when there is none.
    public func layerPath(_ spec: String?, _ storage: any Storage = PosixStorage()) -> String? {
        if let layer { return layer }
        guard let spec, Self.isFileName(spec) else { return nil }
        let present = Set((try? storage.names(in: root.appending(Self.layerFolder))) ?? [])
        return ["toml", "yaml", "yml"].map { "\(spec).\($0)" }.first(where: present.contains)
            .map { "\(Self.layerFolder)/\($0)" }
    }

    /// A spec's name comes from anywhere, and must not lead out of its folder.
    private static func isFileName(_ spec: String) -> Bool {
        !spec.isEmpty && !spec.hasPrefix(".") && spec.utf8.count <= Limits.nameBytes
            && spec.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "\\") }
    }

    private func shownName(_ name: String) -> String {
        var path = FilePath(name)
        return path.removePrefix(root) ? path.string : name
    }

    static func read(_ path: FilePath, _ storage: any Storage) throws -> [UInt8] {
        let file = try storage.open(path, for: .reading)
        defer { file.close() }
        // One byte too many tells the compiler that the file is too long.
        return try file.bytes(at: 0, count: PolicyLimits.sourceBytes + 1)
    }
}

/// What reading a policy gave.
public struct PolicyLoad: Sendable {
    public struct Source: Sendable, Equatable {
        public var layer: PolicyLayer
        public var path: String
        public var digest: Digest
    }

    public var workspace: PolicyWorkspace
    public var sources: [Source] = []
    /// Files that could not be read.
    public var problems: [String] = []
    /// Nil when a file could not be read.
    public var result: CompileResult?

    init(workspace: PolicyWorkspace) { self.workspace = workspace }

    /// Nil when the policy does not load.
    public var snapshot: CompiledSnapshot? { problems.isEmpty ? result?.snapshot : nil }

    /// Why it does not load, in a sentence.
    public var fault: String? {
        if let problem = problems.first { return problem }
        guard let errors = result?.errors, let first = errors.first else { return nil }
        let more = errors.count > 1 ? ", and \(errors.count - 1) more" : ""
        return "\(first.file):\(first.span.start.line): \(first.message) [\(first.code.rawValue)]\(more)"
    }
}
