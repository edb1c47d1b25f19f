import ModelPolicy

/// Derives one recorded verdict after the other, as far as its limits reach.
struct ApprovalJudge {
    private var stated: [Digest: Stated?] = [:]
    private var lists: [Digest: AllowedSigners?] = [:]
    private let limits: ApprovalAuditLimits
    private var listBytesLeft: Int
    private var comparisonsLeft: Int
    private var checks: SignatureChecks

    init(_ limits: ApprovalAuditLimits) {
        self.limits = limits
        (listBytesLeft, comparisonsLeft) = (limits.listBytes, limits.comparisons)
        checks = SignatureChecks(atMost: limits.signatures)
    }

    /// What a policy states of approvals.
    private struct Stated: Equatable {
        var name: String
        var namesList: Bool
        var required: Int
        var excludesAuthors: Bool
    }

    /// A layer as it is recorded.
    private struct Layer {
        var kind: PolicyLayer
        var digest: SnapshotID
        var counted: [Counted]
        var authors: [ApprovalAuthor]
    }

    private struct Counted {
        var approver: String
        var key: String
        var statement: Digest
        var signature: Digest
    }

    mutating func take(_ policy: CompiledPolicy?, id: Digest) {
        let rules = policy.map { policy in
            Stated(
                name: policy.name,
                namesList: policy.approvals.signers != nil,
                required: policy.approvals.required,
                excludesAuthors: policy.approvals.excludeAuthor
            )
        }
        stated.updateValue(rules, forKey: id)
    }

    /// Whether a policy names a list of signers.
    func names(list policy: Digest) -> Bool { stated[policy]??.namesList ?? false }

    /// - Parameters:
    ///   - first: when it was judged first, in seconds.
    ///   - last: and last.
    /// - Throws: ``ApprovalDoubt`` when the verdict does not follow, or cannot be judged; and what reading throws.
    mutating func check(
        _ claim: ApprovalClaim,
        from first: Int64,
        to last: Int64,
        _ objects: inout ApprovalObjects
    ) throws {
        if let doubt = claim.doubt { throw doubt }
        guard let body = try? JSONValue.parse(claim.record) else {
            throw ApprovalDoubt.notJudged("it is nested too deep")
        }
        let own = try ruling(claim)
        guard body["required"]?.int == own.required, body["exclude_author"]?.bool == own.excludesAuthors else {
            throw ApprovalDoubt.contradicted("its rules are not those that the policy in force states")
        }
        let layers = try Self.layers(body, claim.sources)
        let signers = try signers(claim.list, &objects)
        let rules = ApprovalRules(required: own.required, excludesAuthors: own.excludesAuthors, signers: signers)
        var name = claim.judged.flatMap { stated[$0] }??.name
        if let judged = claim.judged, stated[judged] == .some(nil) {
            throw ApprovalDoubt.contradicted("what was judged is no policy")
        }
        for layer in layers {
            var subject: ApprovalSubject?
            var files: [ApprovalFile] = []
            for approval in layer.counted {
                let title = "of \(approval.approver) on \(layer.kind.rawValue)"
                let statement = try objects.bytes(of: approval.statement, "the statement \(title)")
                let signature = try objects.bytes(of: approval.signature, "the signature \(title)")
                files.append(ApprovalFile(path: approval.approver, statement: statement, signature: signature))
                guard subject == nil, let read = try? ApprovalStatement(canonicalJSON: statement) else { continue }
                // Versions and files may differ; which meaning, and whose, may not.
                if read.subject.digest == layer.digest, read.subject.layer == layer.kind,
                    name ?? read.subject.policyName == read.subject.policyName
                {
                    subject = read.subject
                }
            }
            guard let subject else {
                throw ApprovalDoubt.contradicted("no statement is about \(layer.kind.rawValue), \(layer.digest)")
            }
            name = subject.policyName
            for time in Set([first, last]) { try check(layer, subject, files, rules, at: PolicyTime(seconds: time)) }
        }
    }

    /// The rules that held: of the policy itself at a start, else of the one in force.
    private func ruling(_ claim: ApprovalClaim) throws(ApprovalDoubt) -> Stated {
        guard let ruling = claim.ruling, let known = stated[ruling] else {
            throw .notJudged("the policy whose rules held is not here")
        }
        guard let own = known else { throw .contradicted("what was in force is no policy, and states no rules") }
        guard own.namesList else { throw .contradicted("the policy in force names no list of signers") }
        return own
    }

    private mutating func signers(
        _ list: ApprovalClaim.List,
        _ objects: inout ApprovalObjects
    ) throws -> AllowedSigners {
        switch list {
        case .none: throw ApprovalDoubt.contradicted("no list of signers is recorded")
        case .notRead: throw ApprovalDoubt.notJudged("the list that its run began with cannot be read")
        case .recorded(let id):
            if let known = lists[id] {
                guard let known else { throw ApprovalDoubt.contradicted("the list of signers has errors") }
                return known
            }
            let bytes = try objects.bytes(of: id, "the list of signers \(PolicySnapshot.text(id))")
            guard bytes.count <= listBytesLeft else {
                throw ApprovalDoubt.notJudged("there are more lists of signers than are read")
            }
            listBytesLeft -= bytes.count
            let read = AllowedSigners.read(SourceFile(name: "allowed_signers", bytes: bytes, format: .toml)).signers
            lists.updateValue(read, forKey: id)
            guard let read else { throw ApprovalDoubt.contradicted("the list of signers has errors") }
            return read
        }
    }

    private mutating func check(
        _ layer: Layer,
        _ subject: ApprovalSubject,
        _ files: [ApprovalFile],
        _ rules: ApprovalRules,
        at time: PolicyTime
    ) throws(ApprovalDoubt) {
        guard comparisonsLeft > 0 else { throw .notJudged("there are more verdicts than are judged") }
        let evidence = ApprovalEvidence(subject, files: files, authors: .known(layer.authors))
        let judged = ApprovalVerdict(of: [evidence], under: rules, now: time, checks: &checks)
        guard !checks.isExhausted, let verdict = judged.layers.first else {
            throw .notJudged("there are more than \(limits.signatures) different signatures")
        }
        let authors = rules.excludesAuthors ? min(verdict.authors.count, ApprovalLimits.authors) : 0
        comparisonsLeft -= (authors + files.count) * max(rules.signers?.signers.count ?? 0, 1)
        let shown = layer.kind.rawValue
        guard verdict.isApproved else {
            let refusal = verdict.refused.first.map { ": \($0.detail) [\($0.reason.rawValue)]" } ?? ""
            throw .contradicted("too few approvals of \(shown) count when judged again\(refusal)")
        }
        let given = Set(verdict.counted.map { "\($0.approver) \($0.fingerprint)" })
        if let other = layer.counted.first(where: { !given.contains("\($0.approver) \($0.key)") }) {
            throw .contradicted("\(other.approver) \(other.key) is recorded on \(shown), and does not count")
        }
    }
}

// MARK: What is recorded

extension ApprovalJudge {
    /// The layers of a record, each checked for its form: whatever is wrong with it no ledger wrote.
    private static func layers(_ body: JSONValue, _ sources: [String]?) throws(ApprovalDoubt) -> [Layer] {
        let list = body["layers"]?.array ?? []
        let names = list.map { $0["layer"]?.string ?? "" }
        guard names == ["workspace"] || names == ["workspace", "spec"] else {
            throw .contradicted("its layers are not the workspace, and perhaps a spec")
        }
        if let sources, Set(sources) != Set(names) {
            throw .contradicted("its layers are not those of the policy's files")
        }
        var layers: [Layer] = []
        for layer in list { layers.append(try Self.layer(layer)) }
        return layers
    }

    private static func layer(_ layer: JSONValue) throws(ApprovalDoubt) -> Layer {
        let shown = layer["layer"]?.string ?? ""
        guard let kind = PolicyLayer(rawValue: shown), let digest = layer["digest"]?.string.flatMap({ SnapshotID($0) })
        else { throw .contradicted("\(shown) has no digest") }
        let counted = layer["counted"]?.array ?? []
        guard counted.count <= ApprovalRecord.mostCounted else {
            throw .contradicted("\(shown) has more approvals than are recorded")
        }
        let authors = (layer["authors"]?.array ?? []).compactMap(\.string)
        guard authors.count <= ApprovalRecord.mostAuthors else {
            throw .contradicted("\(shown) has more authors than are recorded")
        }
        var approvers: Set<String> = []
        var found: [Counted] = []
        for approval in counted {
            let approver = approval["approver"]?.string ?? "somebody"
            func named(_ member: String) -> Digest? { approval[member]?.string.flatMap(PolicySnapshot.digest) }
            guard let statement = named("statement"), let signature = named("signature") else {
                throw .contradicted("it names no statement or no signature of \(approver) on \(shown)")
            }
            guard approvers.insert(approver).inserted else {
                throw .contradicted("\(approver) is recorded twice on \(shown)")
            }
            let key = approval["key"]?.string ?? ""
            found.append(Counted(approver: approver, key: key, statement: statement, signature: signature))
        }
        return Layer(kind: kind, digest: digest, counted: found, authors: authors.map(ApprovalAuthor.init))
    }
}
