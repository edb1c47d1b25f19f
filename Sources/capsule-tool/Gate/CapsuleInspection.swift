import Ledger
import ModelPolicy
import PolicyGate

/// What a capsule shows of the runs that it recorded.
struct CapsuleInspection {
    private let path: String
    private let problems: [String]
    private let audit: RoutingAudit?
    private let provenance: ProvenanceAudit?
    private let branch: String

    init(_ option: CapsuleOption, _ workspace: GateWorkspace, _ branch: String, _ tip: String) throws {
        self.branch = branch
        let found = try option.path()
        path = found.string
        var (problems, audit, provenance): ([String], RoutingAudit?, ProvenanceAudit?) = ([], nil, nil)
        do {
            let file = try option.open()
            problems = Self.problems(try CapsuleVerification(file))
            if problems.isEmpty {
                let reader = try LedgerReader(file)
                let found = try reader.auditRouting()
                problems = found.findings.prefix(20).map { "\($0.event): \($0.problem.reason) [\($0.problem.code)]" }
                let more = found.findingCount - 20
                if more > 0 { problems.append("\(more) more about decisions and calls") }
                audit = found
                provenance = try reader.auditProvenance(
                    root: workspace.root,
                    files: workspace.names,
                    branch: branch,
                    tip: tip
                )
            }
        } catch let error as CapsuleError {
            problems = ["\(error)"]
        }
        (self.problems, self.audit, self.provenance) = (problems, audit, provenance)
    }

    private static func problems(_ result: CapsuleVerification) -> [String] {
        var problems: [String] = []
        if !result.unboundEvents.isEmpty {
            problems.append("\(result.unboundEvents.count) events without a snapshot that is in the file")
        }
        if !result.isSound {
            let report = result.report
            let first = report.error.map { "\($0)" } ?? report.findings.first?.reason ?? report.verdict.rawValue
            problems.append("it is not sound: \(first)")
        }
        problems += result.approvals.findings.prefix(20).map { finding in
            "\(finding.event) says that its policy is approved, and \(finding.reason) [approval-not-derived]"
        }
        problems += result.approvals.notJudged.prefix(20).map { finding in
            "the approval of \(named(finding)) could not be judged: \(finding.reason) [approval-not-judged]"
        }
        problems += result.policyChanges.findings.prefix(20).map { finding in
            "\(named(finding)) brings a policy, and \(finding.reason) [policy-loosened]"
        }
        problems += result.policyChanges.notJudged.prefix(20).map { finding in
            "whether the policy of \(named(finding)) only tightens could not be judged: \(finding.reason) "
                + "[policy-change-not-judged]"
        }
        return problems
    }

    private static func named(_ finding: ApprovalAudit.Finding) -> String {
        let more = finding.events > 1 ? ", and \(finding.events - 1) events like it," : ""
        return "\(finding.event)\(more)"
    }

    /// Faults and warnings; a capsule has no lines, so all are at its first.
    var diagnostics: [Diagnostic] {
        problems.map { fault(.capsuleNotSound, $0) } + ordered.map { fault($0.0, $0.1) }
    }

    var isPassed: Bool { !diagnostics.contains { $0.severity == .error } }

    private func fault(_ code: DiagnosticCode, _ message: String) -> Diagnostic {
        let place = SourcePlace(line: 1, column: 1)
        return Diagnostic(code, file: path, text: nil, span: SourceSpan(start: place, end: place), message)
    }

    /// What provenance found: faults first, then the broken glass, then overrides and fallbacks.
    private var ordered: [(DiagnosticCode, String)] {
        let order: [DiagnosticCode] = [.snapshotNotFromBranch, .glassBroken, .ruleSetAside, .policyFellBack]
        let told = (provenance?.findings ?? []).map { finding -> (DiagnosticCode, String) in
            let place = "\(finding.event) of \(finding.run)"
            switch finding.problem {
            case .notFromBranch(let reason):
                return (.snapshotNotFromBranch, "\(place): the policy is not from \(branch): \(reason)")
            case .fellBack(let action, let reason): return (.policyFellBack, "\(place): \(action): \(reason)")
            case .override(let rule, let by, let reason):
                return (.ruleSetAside, "\(place): \(by) set \(rule) aside: \(reason)")
            case .brokeGlass(let by, let reason): return (.glassBroken, "\(place): \(by) broke the glass: \(reason)")
            }
        }
        return order.flatMap { code in told.filter { $0.0 == code } }
    }

    private var facts: [(String, String)] {
        var facts = [("capsule", path)]
        if let audit {
            facts.append(
                (
                    "decisions",
                    "\(Human.count(audit.agreeing)) of \(Human.count(audit.decisions)) replayed to the same bytes; "
                        + "\(Human.count(audit.modelCalls)) model calls"
                )
            )
        }
        if let provenance {
            facts.append(
                (
                    "policies",
                    "\(Human.count(provenance.proved)) of \(Human.count(provenance.policies)) from \(branch), "
                        + "in \(Human.count(provenance.runs)) runs"
                )
            )
        }
        return facts
    }

    var lines: [String] {
        var lines = [""] + facts.map { "\($0.padding(11))\(Printable.escape($1))" }
        for fault in diagnostics.prefix(100) {
            let text = Printable.escape("\(fault.severity.rawValue)[\(fault.code.rawValue)]: \(fault.message)")
            lines.append(Terminal.styled(text, fault.severity == .error ? .red : .yellow))
        }
        if diagnostics.count > 100 { lines.append("… and \(diagnostics.count - 100) more; --json lists them") }
        let verdict = isPassed ? "the runs are accounted for" : "the runs are not accounted for"
        return lines + [Terminal.styled(verdict, isPassed ? .green : .red)]
    }

    var markdown: [String] {
        var lines = ["", "## \(isPassed ? "✅" : "❌") Runs: \(isPassed ? "accounted for" : "not accounted for")", ""]
        for (name, fact) in facts { lines.append("- \(name): \(Markdown.plain(fact))") }
        guard !diagnostics.isEmpty else { return lines }
        lines += ["", "| | code | what |", "|---|---|---|"]
        for fault in diagnostics.prefix(100) {
            let sign = fault.severity == .error ? "❌" : "⚠️"
            lines.append("| \(sign) | \(fault.code.rawValue) | \(Markdown.cell(fault.message)) |")
        }
        if diagnostics.count > 100 { lines += ["", "… and \(diagnostics.count - 100) more"] }
        return lines
    }

    var json: JSONValue {
        func number(_ number: Int) -> JSONValue { .number(JSONNumber(number)) }
        return [
            "path": .string(path), "passed": .bool(isPassed), "sound": .bool(problems.isEmpty),
            "decisions": audit.map { number($0.decisions) } ?? .null,
            "replayed": audit.map { number($0.agreeing) } ?? .null,
            "runs": provenance.map { number($0.runs) } ?? .null,
            "policies": provenance.map { number($0.policies) } ?? .null,
            "policies_from_branch": provenance.map { number($0.proved) } ?? .null,
            "findings": .array(
                diagnostics.map { fault in
                    [
                        "code": .string(fault.code.rawValue), "severity": .string(fault.severity.rawValue),
                        "message": .string(fault.message),
                    ]
                }
            ),
        ]
    }
}
