import ModelPolicy

/// One side of a comparison: the policy, its layers and scenarios, the changelog and the gate's rules.
public struct GateSide: Sendable {
    public let tree: GateTree
    /// The policy file; nil where there is none, or more than one.
    public let policy: SourceFile?
    /// Files that stand where the policy is to be.
    let policyNames: [String]
    /// Layers by spec; those with two files are left out.
    let specs: [String: SourceFile]
    /// The files of each spec.
    let specNames: [String: [String]]
    let scenarios: [SourceFile]
    let specScenarios: [String: [SourceFile]]
    let changelog: SourceFile?
    let rulesFile: SourceFile?
    /// The workspace's policy without layers; nil where there is no file.
    public let workspace: CompileResult?
    /// Wanted files that could not be read.
    let unreadable: [String]

    /// - Parameter names: what the policy may be called, in one of its formats.
    public init(_ tree: GateTree, names: [String]) {
        self.tree = tree
        policyNames = names.filter { tree.kinds[$0] != nil }
        let specNames = Self.byStem(tree, PolicyGate.specsFolder)
        let tests = Self.files(tree, in: PolicyTests.folder)
        let specTests = Self.byStem(tree, PolicyTests.folder + "/specs")
        let wanted =
            policyNames + specNames.values.flatMap(\.self) + tests + specTests.values.flatMap(\.self)
            + [PolicyGate.changelog, PolicyGate.rules]
        let contents = tree.contents(wanted)
        unreadable = wanted.filter { tree.kinds[$0] == .file && contents[$0] == nil }
        func source(_ path: String) -> SourceFile? { contents[path].map { SourceFile(name: path, bytes: $0) } }
        policy = policyNames.count == 1 ? source(policyNames[0]) : nil
        self.specNames = specNames
        specs = specNames.filter { $0.value.count == 1 }.compactMapValues { source($0[0]) }
        scenarios = tests.compactMap(source)
        specScenarios = specTests.mapValues { $0.compactMap(source) }
        changelog = source(PolicyGate.changelog)
        rulesFile = source(PolicyGate.rules)
        workspace = policy.map { PolicyCompiler.compile(workspace: $0) }
    }

    /// The rules that the side states, or those that hold where nothing is stated.
    public var rules: GateRules { rulesFile.flatMap { GateRules.read($0).rules } ?? GateRules() }

    /// Files that the side names: its list of signers, its golden file.
    public var named: [String] {
        [workspace?.snapshot?.policy.approvals.signers, rules.golden].compactMap(\.self)
    }

    /// The policy that is in force for a spec: with its layer, where it has one.
    func compile(spec: String) -> CompileResult? {
        guard let policy else { return nil }
        return specs[spec].map { PolicyCompiler.compile(workspace: policy, spec: $0) } ?? workspace
    }

    /// A file of the tree.
    public func file(_ path: String) -> SourceFile? {
        if let known = [policy, changelog, rulesFile].compactMap(\.self).first(where: { $0.name == path }) {
            return known
        }
        if let known = (scenarios + specs.values + specScenarios.values.flatMap(\.self)).first(where: {
            $0.name == path
        }) {
            return known
        }
        return tree.contents([path])[path].map { SourceFile(name: path, bytes: $0) }
    }

    private static let endings = [".toml", ".yaml", ".yml"]

    /// Files of the policy's formats right in a folder, in the order of their names.
    private static func files(_ tree: GateTree, in folder: String) -> [String] {
        tree.kinds.keys.filter { path in
            guard path.hasPrefix(folder + "/"), endings.contains(where: path.hasSuffix) else { return false }
            let name = path.dropFirst(folder.count + 1)
            return !name.contains("/") && !name.hasPrefix(".")
        }.sorted()
    }

    private static func byStem(_ tree: GateTree, _ folder: String) -> [String: [String]] {
        Dictionary(grouping: files(tree, in: folder)) { path in
            let name = path.dropFirst(folder.count + 1)
            return String(name[..<(name.lastIndex(of: ".") ?? name.endIndex)])
        }
    }
}
