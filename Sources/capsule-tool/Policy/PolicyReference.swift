import ArgumentParser
import Ledger
import ModelPolicy

/// A policy as `diff` and `bump` are told of one: a file, a snapshot in the capsule, or a revision of git.
struct PolicyReference {
    let text: String
    let spec: String?
    let capsule: CapsuleOption
    /// The workspace's policy file, where a revision is to be read of another than the one found here.
    var policy: String?

    /// - Throws: `Failure`, with what was looked for.
    func resolve() throws -> CompiledSnapshot {
        if TextFile(text).exists { return try read(readInput(text, limit: PolicyLimits.snapshotBytes), named: text) }
        if text.hasPrefix("sha256:") { return try stored() }
        if let snapshot = try revision() { return snapshot }
        if let snapshot = try? stored() { return snapshot }
        throw Failure(
            .noCapsule,
            "'\(text)' is no file, no revision of git that has the policy, and no snapshot in the capsule"
        )
    }

    private func stored() throws -> CompiledSnapshot {
        let reader = try openReader(capsule)
        let row = try reader.snapshot(text)
        guard let object = try reader.object(row.id) else {
            throw LedgerError(.unknownSnapshot, "snapshot \(PolicySnapshot.text(row.id)) is no longer where it was")
        }
        return try compiled(object.bytes, named: PolicySnapshot.text(row.id))
    }

    /// `REV:PATH`, from the current folder, or `REV` for the workspace's own policy.
    private func revision() throws -> CompiledSnapshot? {
        if let colon = text.firstIndex(of: ":") {
            let path = String(text[text.index(after: colon)...])
            let git = GitRepository(currentFolder())
            return try git.content(of: path, at: String(text[..<colon])).map { try read($0, named: path) }
        }
        guard let workspace = try? PolicyWorkspace.find(option: policy, directory: currentFolder()) else { return nil }
        let git = GitRepository(workspace.root)
        guard let bytes = git.content(of: workspace.file, at: text) else { return nil }
        var layer: SourceFile?
        if let spec {
            for suffix in ["toml", "yaml", "yml"] where layer == nil {
                let path = "\(PolicyWorkspace.layerFolder)/\(spec).\(suffix)"
                layer = git.content(of: path, at: text).map { SourceFile(name: "\(text):\(path)", bytes: $0) }
            }
        }
        return try whole(SourceFile(name: "\(text):\(workspace.file)", bytes: bytes), layer)
    }

    private func read(_ bytes: [UInt8], named name: String) throws -> CompiledSnapshot {
        let first = bytes.first { $0 > 0x20 }
        if first == UInt8(ascii: "{"), !name.hasSuffix(".yaml"), !name.hasSuffix(".yml") {
            return try compiled(bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes, named: name)
        }
        var layer: SourceFile?
        if let spec {
            let path = FilePath(name).removingLastComponent()
            let workspace = PolicyWorkspace(root: currentFolder().pushing(path), file: name)
            guard let found = workspace.layerPath(spec) else {
                throw Failure(.noCapsule, "there is no \(PolicyWorkspace.layerFolder)/\(spec).toml beside \(name)")
            }
            let file = workspace.root.pushing(FilePath(found)).string
            layer = SourceFile(name: found, bytes: try readInput(file, limit: PolicyLimits.sourceBytes + 1))
        }
        return try whole(SourceFile(name: name, bytes: bytes), layer)
    }

    private func whole(_ file: SourceFile, _ layer: SourceFile?) throws -> CompiledSnapshot {
        let result = PolicyCompiler.compile(workspace: file, spec: layer)
        guard let snapshot = result.snapshot else { throw PolicySubject.failure(result.errors) }
        return snapshot
    }

    private func compiled(_ bytes: some Sequence<UInt8>, named name: String) throws -> CompiledSnapshot {
        do throws(SnapshotError) {
            return try CompiledSnapshot(canonicalJSON: Array(bytes))
        } catch {
            throw Failure(.malformedInput, "\(name) is no compiled policy: \(error)")
        }
    }
}
