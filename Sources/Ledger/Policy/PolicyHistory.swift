import ModelPolicy

/// Who made the policy what it is, as git's commits have it.
///
/// The authors of a layer's content are those of every commit that changed its **meaning** since it was last approved:
/// going through the commits from the oldest, they gather, and are forgotten where what the commit left was approved by
/// enough persons who were not among them. A commit that only moves lines makes nobody an author. Authors are those
/// that commits name, with and without `.mailmap`, and co-authors of `Co-authored-by`; not committers, who may have
/// merged.
///
/// *Why since the last approval, and not the last commit: who writes a change, and has somebody commit a trifle on top,
/// would otherwise approve their own change.*
struct PolicyHistory {
    private let load: PolicyLoad
    private let folder: ApprovalFolder
    private let rules: ApprovalRules
    private let now: PolicyTime
    private let git: GitRepository

    /// So many of the newest commits are looked into; authors of older ones all count as authors.
    static let commits = 100

    init(_ load: PolicyLoad, _ folder: ApprovalFolder, _ rules: ApprovalRules, _ now: PolicyTime) {
        self.load = load
        self.folder = folder
        self.rules = rules
        self.now = now
        git = GitRepository(load.workspace.root)
    }

    func authors(of subject: ApprovalSubject) -> ApprovalAuthors {
        guard !subject.file.hasPrefix("/"), !subject.file.contains("\n") else {
            return .unknown("\(subject.file) is outside the workspace")
        }
        guard let isShallow = git.isShallow else { return .unknown("git has no repository here") }
        guard !isShallow else { return .cutOff }
        guard let changes = PolicyChange.list(git, Self.names(of: subject.file)) else {
            return .unknown("git has no history of \(subject.file)")
        }
        let window = Array(changes.prefix(Self.commits))
        let states = states(of: subject, at: window)
        var gathered = gather(subject, window, states, older: changes.dropFirst(Self.commits).flatMap(\.authors))
        let head = states.first ?? nil
        var found = gathered.removeValue(forKey: window.first?.id ?? "") ?? Gathered()
        if head?.digest != subject.digest {
            guard let user = git.user else {
                return .unknown("\(subject.file) is not committed, and git knows no user")
            }
            found = Gathered(inForce: found.leaving)
            found.inForce.insert(user)
        }
        guard found.inForce.count <= ApprovalLimits.authors else { return .unknown("there are too many authors") }
        return .known(found.inForce.sorted { $0.description < $1.description })
    }

    /// The authors that stand behind what a commit left.
    private struct Gathered {
        var inForce: Set<ApprovalAuthor> = []
        var isApproved = false

        /// Those that stand behind another content made from it.
        var leaving: Set<ApprovalAuthor> { isApproved ? [] : inForce }
    }

    /// From the oldest commit of the window to the newest: each comes after those that it was made from.
    private func gather(
        _ subject: ApprovalSubject,
        _ window: [PolicyChange],
        _ states: [ApprovalSubject?],
        older: [ApprovalAuthor]
    ) -> [String: Gathered] {
        var places: [String: Int] = [:]
        for (index, change) in window.enumerated() { places[change.id] = index }
        var gathered: [String: Gathered] = [:]
        for (index, change) in window.enumerated().reversed() {
            var found = Gathered()
            var isChange = true
            for parent in change.parents {
                guard let place = places[parent], let before = gathered[parent] else {
                    found.inForce.formUnion(older)
                    continue
                }
                let isSame = states[place]?.digest == states[index]?.digest && states[index] != nil
                found.inForce.formUnion(isSame ? before.inForce : before.leaving)
                if isSame { isChange = false }
            }
            if isChange { found.inForce.formUnion(change.authors) }
            if let state = states[index] { found.isApproved = isApproved(state, by: found.inForce) }
            gathered[change.id] = found
        }
        return gathered
    }

    private func isApproved(_ state: ApprovalSubject, by authors: Set<ApprovalAuthor>) -> Bool {
        let files = folder.files(for: state)
        guard !files.isEmpty else { return false }
        let evidence = ApprovalEvidence(state, files: files, authors: .known(Array(authors)))
        return ApprovalVerdict(of: [evidence], under: rules, now: now).isApproved
    }

    /// What the layer was at each commit; nil where it did not compile.
    private func states(of subject: ApprovalSubject, at changes: [PolicyChange]) -> [ApprovalSubject?] {
        let base = load.sources.first { $0.layer == .workspace }?.path ?? load.workspace.file
        var names = Self.names(of: base).map { (PolicyLayer.workspace, $0) }
        if subject.layer == .spec { names += Self.names(of: subject.file).map { (PolicyLayer.spec, $0) } }
        let asked = changes.flatMap { change in names.map { "\(change.id):./\($0.1)" } }
        guard let contents = git.contents(asked), contents.count == asked.count else {
            return changes.map { _ in nil }
        }
        var known: [[Digest]: ApprovalSubject?] = [:]
        return changes.indices.map { index in
            var files: [PolicyLayer: SourceFile] = [:]
            for (place, (layer, name)) in names.enumerated() where files[layer] == nil {
                guard let bytes = contents[index * names.count + place] else { continue }
                files[layer] = SourceFile(name: name, bytes: bytes)
            }
            guard let workspace = files[.workspace] else { return nil }
            let key = [workspace, files[.spec]].compactMap { $0.map { Hashing.sha256($0.bytes) } }
            if let state = known[key] { return state }
            let result = PolicyCompiler.compile(workspace: workspace, spec: files[.spec])
            let state = result.approvalSubjects.first { $0.layer == subject.layer }
            known[key] = .some(state)
            return state
        }
    }

    /// The names that a file may have had: a policy may have been converted.
    static func names(of file: String) -> [String] {
        let endings = ["toml", "yaml", "yml"]
        guard let ending = endings.first(where: { file.hasSuffix(".\($0)") }) else { return [file] }
        return [file] + endings.filter { $0 != ending }.map { file.dropLast(ending.count) + $0 }
    }
}

/// A commit that touched a policy, and the nearest such ones that it was made from.
public struct PolicyChange: Sendable, Hashable {
    public var id: String
    public var parents: [String]
    /// Who made it: its author and co-authors.
    public var authors: [ApprovalAuthor]

    /// The commits that touched some files, the newest first, each before those that it was made from.
    ///
    /// - Parameters:
    ///   - files: from the folder of `git`.
    ///   - base: leave out what this revision has already.
    /// - Returns: nil when git has no answer, or no such commit.
    public static func list(_ git: GitRepository, _ files: [String], since base: String? = nil) -> [PolicyChange]? {
        guard base?.hasPrefix("-") != true else { return nil }
        let format = "%H%x1f%P%x1f%an <%ae>%x1f%aN <%aE>%x1f%(trailers:key=Co-authored-by,valueonly,separator=%x1f)"
        let flags = ["--topo-order", "--parents", "--no-show-signature", "--no-color", "--no-notes", "-z"]
        let range = base.map { ["\($0)..HEAD"] } ?? ["HEAD"]
        // Replacements are of this clone alone.
        let log = ["--no-replace-objects", "log"] + flags + ["--format=tformat:\(format)"] + range
        guard let output = git.run(log + ["--"] + files) else { return nil }
        let changes = output.split(separator: 0).map { record -> PolicyChange in
            let fields = String(decoding: record, as: UTF8.self).split(
                separator: "\u{1F}",
                omittingEmptySubsequences: false
            )
            let parents = fields.count > 1 ? fields[1].split(separator: " ").map(String.init) : []
            let authors = fields.dropFirst(2).map { ApprovalAuthor(String($0)) }
            var seen: Set<ApprovalAuthor> = []
            return PolicyChange(
                id: String(fields[0]),
                parents: parents,
                authors: authors.filter { !$0.description.isEmpty && seen.insert($0).inserted }
            )
        }
        return changes.isEmpty && base == nil ? nil : changes
    }
}
