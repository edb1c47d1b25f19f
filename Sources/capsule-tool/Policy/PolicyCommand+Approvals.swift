import ArgumentParser
import Ledger
import ModelPolicy

/// A policy and the rules by which its approvals are judged.
struct ApprovalSetting {
    let load: PolicyLoad
    let snapshot: CompiledSnapshot
    let subjects: [ApprovalSubject]
    let list: SignersFile
    let rules: ApprovalRules
    let now: PolicyTime

    /// - Throws: `Failure`: status 1 when the policy has errors, 66 when it names no list of signers.
    init(_ subject: PolicySubject) throws {
        let workspace = try subject.workspace()
        load = workspace.load(spec: subject.spec)
        let (result, snapshot) = try subject.compileWhole()
        self.snapshot = snapshot
        subjects = result.approvalSubjects
        guard let path = snapshot.policy.approvals.signers else {
            throw Failure(
                .noCapsule,
                "\(workspace.file) names no list of signers; write [approvals] signers = \"policy/allowed_signers\", "
                    + "and list there who may approve"
            )
        }
        list = SignersFile(path, in: workspace)
        rules = ApprovalRules(snapshot.policy.approvals, signers: list.signers)
        now = Timestamp.now.policyTime
    }

    func judge() throws -> ApprovalVerdict {
        guard let record = WorkspaceApprovals().judge(load, by: rules, now: now) else {
            throw Failure(.no, load.fault ?? "the policy cannot be judged")
        }
        return record.verdict
    }

    /// Says what is wrong with the list of signers.
    func tellOfList() {
        if !list.diagnostics.isEmpty { PolicySubject.tell(list.diagnostics) }
        if let fault = list.fault { complain("nobody can approve: \(fault)") }
    }
}

extension PolicyCommand {
    struct ShowApprovals: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approvals",
            abstract: "Say who approved the policy, layer by layer, and why other approvals do not count.",
            discussion: """
                The rules are those that the policy states: [approvals], and the list of signers that it names.
                Approvals are in policy/approvals; 'policy approve' adds one.

                Exit status: 0 each layer has enough · 1 one has not, or the policy has errors · 66 no policy, or it
                names no list of signers.
                """
        )

        @OptionGroup var subject: PolicySubject

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let setting = try ApprovalSetting(subject)
            let verdict = try setting.judge()
            if json {
                Output.json(document(verdict, setting))
            } else {
                setting.tellOfList()
                ApprovalView(verdict, mode: setting.snapshot.policy.enforcement.approvals).lines.forEach(Output.line)
            }
            if !verdict.isApproved { endQuietly(.no) }
        }

        private func document(_ verdict: ApprovalVerdict, _ setting: ApprovalSetting) -> JSONValue {
            var members = JSONValue.Members()
            members["approved"] = .bool(verdict.isApproved)
            members["snapshot"] = .string("\(setting.snapshot.id)")
            members["enforcement"] = .string(setting.snapshot.policy.enforcement.approvals.rawValue)
            members["required"] = .number(JSONNumber(verdict.rules.required))
            members["exclude_author"] = .bool(verdict.rules.excludesAuthors)
            members["signers"] = .string(setting.list.path)
            members["signers_fault"] = setting.list.fault.map { .string($0) } ?? .null
            members["layers"] = .array(verdict.layers.map(Self.layer))
            return .object(members)
        }

        private static func layer(_ layer: LayerVerdict) -> JSONValue {
            [
                "layer": .string(layer.subject.layer.rawValue), "file": .string(layer.subject.file),
                "spec": layer.subject.spec.map { .string($0) } ?? .null, "digest": .string("\(layer.subject.digest)"),
                "folder": .string(ApprovalFolder.path(for: layer.subject)), "approved": .bool(layer.isApproved),
                "counted": .array(
                    layer.counted.map { approval in
                        [
                            "approver": .string(approval.approver), "key": .string(approval.fingerprint),
                            "key_type": .string(approval.keyType), "time": .string("\(approval.time)"),
                            "file": .string(approval.file.path),
                        ]
                    }
                ),
                "not_counted": .array(
                    layer.refused.map { refusal in
                        [
                            "file": .string(refusal.path), "reason": .string(refusal.reason.rawValue),
                            "detail": .string(refusal.detail),
                            "approver": refusal.approver.map { .string($0) } ?? .null,
                        ]
                    }
                ),
                "authors": .array(layer.authors.map { .string($0.description) }),
            ]
        }
    }
}

/// A verdict for people.
struct ApprovalView {
    private let verdict: ApprovalVerdict
    private let mode: EnforcementMode

    init(_ verdict: ApprovalVerdict, mode: EnforcementMode) {
        self.verdict = verdict
        self.mode = mode
    }

    var lines: [String] {
        var table = Columns([("layer", .left), ("needed", .right), ("given", .right), ("by", .left), ("digest", .left)])
        for layer in verdict.layers {
            table.add([
                layer.subject.file, "\(layer.required)", "\(layer.counted.count)",
                layer.counted.map(\.approver).joined(separator: ", "), "\(layer.subject.digest)",
            ])
        }
        var lines = table.lines(width: nil)
        let refused = verdict.layers.flatMap(\.refused)
        if !refused.isEmpty {
            var reasons = Columns([("does not count", .left), ("reason", .left), ("", .left)])
            for refusal in refused {
                let name = refusal.path.split(separator: "/").last.map(String.init) ?? refusal.path
                reasons.add([refusal.approver ?? name, refusal.reason.rawValue, refusal.detail])
            }
            lines += [""] + reasons.lines(width: nil)
        }
        let standing = verdict.isApproved ? "approved" : "not approved: \(verdict.shortfall ?? "")"
        return lines + ["", Printable.escape("\(standing) (approvals: \(mode))")]
    }
}
