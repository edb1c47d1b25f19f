import Ledger
import PolicyGate

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A workspace in a repository, and the trees of it that the gate compares.
struct GateWorkspace {
    let root: FilePath
    let git: GitRepository
    /// What the policy may be called.
    let names: [String]
    /// The file to look at where the policy is found now; the first of the names where it is not.
    let file: String

    /// Finds the workspace, also one whose policy the change took away.
    ///
    /// - Throws: `Failure` outside a repository, or where neither side has a policy.
    init(option: String?, base: String?) throws {
        let folder = currentFolder()
        let outer = GitRepository(folder)
        guard let top = outer.top else {
            throw Failure(
                .noCapsule,
                "\(folder) is in no git repository, and the gate compares with one of its commits"
            )
        }
        if let option {
            let path = folder.pushing(FilePath(option)).lexicallyNormalized()
            let name = path.lastComponent?.string ?? option
            self.init(path.removingLastComponent(), Self.twins(of: name), name)
            return
        }
        // Never above the repository: what is there is nobody's change.
        var candidate = folder
        while true {
            let here = GateWorkspace(candidate, PolicyWorkspace.names, PolicyWorkspace.names[0])
            let present = PolicyWorkspace.names.filter { TextFile(candidate.appending($0).string).exists }
            if let first = present.first {
                self.init(candidate, PolicyWorkspace.names, first)
                return
            }
            if let base, let found = here.git.entries(at: base, under: PolicyWorkspace.names), !found.isEmpty {
                self = here
                return
            }
            guard Self.canonical(candidate) != Self.canonical(top), candidate.removeLastComponent() else { break }
        }
        let below = outer.files(named: PolicyWorkspace.names, limit: 3)
        let help =
            below.isEmpty
            ? "'capsule-tool policy init' writes one"
            : "--policy names one, or run this in its folder: \(below.joined(separator: ", "))"
        throw Failure(
            .noCapsule,
            "no model_policy.toml in \(folder) or above it in this repository, nor in the base; \(help)"
        )
    }

    private init(_ root: FilePath, _ names: [String], _ file: String) {
        (self.root, self.names, self.file) = (root, names, file)
        git = GitRepository(root)
    }

    /// The same in another folder, such as that of a clone.
    func moved(to folder: FilePath) -> GateWorkspace { GateWorkspace(folder, names, file) }

    private static func canonical(_ path: FilePath) -> String {
        guard let real = realpath(path.string, nil) else { return path.string }
        defer { free(real) }
        return String(cString: real)
    }

    private static func twins(of name: String) -> [String] {
        let endings = [".toml", ".yaml", ".yml"]
        guard let ending = endings.first(where: name.hasSuffix) else { return [name] }
        return [name] + endings.filter { $0 != ending }.map { name.dropLast(ending.count) + $0 }
    }

    private func wanted(_ more: [String]) -> [String] { names + [PolicyGate.folder] + more }

    /// A revision's side.
    ///
    /// - Parameter more: files elsewhere, such as the list of signers.
    func side(at commit: String, more: [String] = []) throws -> GateSide {
        guard let entries = git.entries(at: commit, under: wanted(more)) else {
            throw Failure(.system, "git does not say what \(commit) holds")
        }
        try Self.check(entries.count)
        var kinds: [String: GateTree.Kind] = [:]
        for entry in entries { kinds[entry.path] = entry.isFile ? .file : entry.isLink ? .link : .other }
        let tree = GateTree(kinds: kinds) { [git] paths in
            git.contents(paths.map { "\(commit):./\($0)" }) ?? paths.map { _ in nil }
        }
        let side = GateSide(tree, names: names)
        let lists = Self.elsewhere(side, more)
        return lists.isEmpty ? side : try self.side(at: commit, more: more + lists)
    }

    /// The side of the files as they lie in the folder.
    func side(more: [String] = []) throws -> GateSide {
        var kinds: [String: GateTree.Kind] = [:]
        for name in names + more { kinds[name] = Self.kind(root.appending(name).string) }
        try walk(PolicyGate.folder, &kinds, depth: 0)
        let tree = GateTree(kinds: kinds) { [root] paths in
            paths.map { try? readInput(root.appending($0).string, limit: Limits.objectBytes) }
        }
        let side = GateSide(tree, names: names)
        let lists = Self.elsewhere(side, more)
        return lists.isEmpty ? side : try self.side(more: more + lists)
    }

    /// Files that the side names and that were not looked for.
    private static func elsewhere(_ side: GateSide, _ known: [String]) -> [String] {
        side.named.filter { path in
            !path.hasPrefix(PolicyGate.folder + "/") && !known.contains(path)
        }
    }

    private func walk(_ folder: String, _ kinds: inout [String: GateTree.Kind], depth: Int) throws {
        let path = root.appending(folder)
        switch Self.kind(path.string) {
        case nil: return
        case .other? where depth < PolicyLimits.depth: break
        case let kind?:
            kinds[folder] = kind
            return
        }
        for name in ((try? PosixStorage().names(in: path)) ?? []).sorted() where name != "." && name != ".." {
            let child = "\(folder)/\(name)"
            if Self.isFolder(root.appending(child).string) {
                try walk(child, &kinds, depth: depth + 1)
            } else {
                kinds[child] = Self.kind(root.appending(child).string)
            }
            try Self.check(kinds.count)
        }
    }

    private static func check(_ count: Int) throws {
        guard count <= GateLimits.files else {
            throw Failure(.malformedInput, "more than \(GateLimits.files) files in \(PolicyGate.folder)")
        }
    }

    private static func mode(_ path: String) -> mode_t? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & S_IFMT : nil
    }

    private static func isFolder(_ path: String) -> Bool { mode(path) == S_IFDIR }

    private static func kind(_ path: String) -> GateTree.Kind? {
        switch mode(path) {
        case nil: nil
        case S_IFREG?: .file
        case S_IFLNK?: .link
        default: .other
        }
    }
}
