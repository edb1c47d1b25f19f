import ModelPolicy

extension GateCheck {
    /// Each changed layer, and each changed file of the gate, is approved by the base's rules.
    mutating func checkApprovals() {
        guard let base, let policy = ruling else { return }
        let mode = policy.enforcement.approvals
        report.approvalMode = mode
        guard mode != .observe else { return }
        let list = policy.approvals.signers.flatMap { rulingSide.file($0) }.flatMap { AllowedSigners.read($0).signers }
        let rules = ApprovalRules(policy.approvals, signers: list)
        for layer in report.layers {
            guard let subject = Self.subject(layer.spec, layer.result),
                subject.digest != Self.subject(layer.spec, layer.spec.map(base.compile) ?? base.workspace)?.digest
            else { continue }
            let place: (String, Int) =
                layer.spec == nil
                ? head.workspace?.sourceMap.places["policy.version"].map { ($0.file, $0.line) } ?? (subject.file, 1)
                : (subject.file, 1)
            judge(GateSubject(subject: subject, isFile: false), rules, mode, place)
        }
        for path in gateFiles(policy) { judge(file: path, rules, mode) }
    }

    private static func subject(_ spec: String?, _ result: CompileResult?) -> ApprovalSubject? {
        result?.approvalSubjects.first { $0.layer == (spec == nil ? .workspace : .spec) }
    }

    /// The lists of signers and the gate's rules.
    private func gateFiles(_ policy: CompiledPolicy) -> [String] {
        let lists = [policy.approvals.signers, head.workspace?.snapshot?.policy.approvals.signers].compactMap(\.self)
        return Set(lists + [PolicyGate.rules]).sorted()
    }

    private mutating func judge(file path: String, _ rules: ApprovalRules, _ mode: EnforcementMode) {
        guard let policy = head.workspace?.snapshot?.policy else { return }
        let (old, new) = (base?.file(path)?.bytes, head.file(path)?.bytes)
        // Other ends of lines are what some checkouts make, and no change.
        guard old.map(Self.lines) != new.map(Self.lines) else { return }
        guard let new else {
            return tell(
                .gateFileNotApproved,
                side: base,
                path: path,
                line: 1,
                severity: mode == .enforce ? .error : .warning,
                "\(path) is gone, and nobody can approve that",
                "put it back"
            )
        }
        let subject = ApprovalSubject(file: path, bytes: new, of: policy)
        judge(GateSubject(subject: subject, isFile: true), rules, mode, (path, Self.firstDifference(old ?? [], new)))
    }

    /// The first line that is not the same, from 1.
    static func firstDifference(_ old: [UInt8], _ new: [UInt8]) -> Int {
        let (before, after) = (lines(old), lines(new))
        let common = zip(before, after).prefix { $0 == $1 }.count
        let last = after.lastIndex { !$0.isEmpty } ?? 0
        return min(common, last) + 1
    }

    /// Lines without their ends.
    static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: 0x0A, omittingEmptySubsequences: false).map { $0.last == 0x0D ? $0.dropLast() : $0 }
    }

    private mutating func judge(
        _ subject: GateSubject,
        _ rules: ApprovalRules,
        _ mode: EnforcementMode,
        _ place: (path: String, line: Int)
    ) {
        let verdict = input.judge(subject, rules)
        report.approvals.append(GateApproval(subject: subject, required: rules.required, verdict: verdict))
        guard verdict?.isApproved != true else { return }
        let severity: Diagnostic.Severity = mode == .enforce ? .error : .warning
        let count = verdict?.counted.count ?? 0
        let file = subject.subject.file
        let author = rules.excludesAuthors ? " who did not make the change" : ""
        let option = subject.isFile ? " --gate-file \(file)" : subject.subject.spec.map { " --spec \($0)" } ?? ""
        tell(
            subject.isFile ? .gateFileNotApproved : .approvalsMissing,
            path: place.path,
            line: place.line,
            severity: severity,
            "\(file) changed, and has \(count) of \(rules.required) approval\(rules.required == 1 ? "" : "s")",
            "'capsule-tool policy approve\(option)' signs it; by the base's rules: "
                + (rules.signers.map { "a signer of \($0.file)" + author } ?? "its list of signers cannot be read")
        )
        for refusal in verdict?.refused ?? [] {
            tell(
                DiagnosticCode(refusal.reason),
                path: refusal.path,
                line: 1,
                severity: severity,
                "this approval of \(file) does not count: \(refusal.detail) [\(refusal.reason.rawValue)]"
            )
        }
    }
}

extension DiagnosticCode {
    /// The code of an approval that does not count.
    init(_ reason: ApprovalRefusal.Reason) {
        self =
            switch reason {
            case .malformedStatement, .missingSignature, .malformedSignature, .unsupportedKey, .unsupportedHash,
                .beyondLimit:
                .approvalUnreadable
            case .wrongNamespace, .tampered: .approvalTampered
            case .wrongSubject: .approvalOfSomethingElse
            case .unknownSigner, .wrongPerson, .namespaceNotAllowed: .approvalNotBySigner
            case .notYetValid, .expired, .datedAhead: .approvalOutOfTime
            case .author, .authorsUnknown: .approvalByAuthor
            case .samePerson: .approvalTwice
            }
    }
}
