import ArgumentParser
import Ledger

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read the whole capsule and say what is proved, what is not, and what is wrong.",
        discussion: """
            Checks checksums, leaves, commitments, roots, seals, snapshot content and the rules of every run, and judges
            recorded approvals again. Of an approval of which something is not here it says that it was not judged.
            Exit status: 0 nothing contradicts what the capsule says · 1 broken, or an approval that does not follow, or
            with --require-snapshots a run or an event without its snapshot, or with --require-decisions a model call
            that no decision allowed, or a decision that does not replay · 3 damaged, cut short, or not readable by this
            version.
            With --as-of, reads up to a checkpoint and compares the root over the events there with the one that its
            note states; a root that you kept elsewhere says whether the note is the one you knew.
            """
    )

    @OptionGroup var capsule: CapsuleOption

    @Flag(help: "Fail, naming run and event, when a run or an event names no snapshot that is in the file.")
    var requireSnapshots = false

    @Flag(
        help: """
            Fail, naming run and event, when a model call names no decision that allowed it, or a decision is not
            what its inputs give.
            """
    )
    var requireDecisions = false

    @OptionGroup var past: AsOfOption

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        if requireSnapshots || requireDecisions, past.asOf != nil {
            let flag = requireSnapshots ? "--require-snapshots" : "--require-decisions"
            throw ValidationError("\(flag) is about the whole capsule, and goes without --as-of")
        }
    }

    func run() throws {
        guard past.asOf == nil else { return try verifyCheckpoint() }
        let file: CapsuleFile
        do {
            file = try capsule.open()
        } catch let error as CapsuleError where json {
            Output.json([
                "verdict": "unreadable", "sound": false,
                "error": [
                    "code": .string(error.code.rawValue),
                    "offset": error.offset.map { .number(JSONNumber($0)) } ?? .null,
                    "reason": .string(error.reason),
                ],
            ])
            throw error
        }
        let progress = Progress("verifying")
        let result = try CapsuleVerification(file) { progress.update($0, of: $1) }
        progress.finish()
        let audit = requireDecisions && result.isSound ? try LedgerReader(file).auditRouting() : nil
        if json {
            var members = result.value(path: file.path, requireSnapshots: requireSnapshots).object
            members?["decisions"] = audit?.value ?? .null
            Output.json(members.map { .object($0) } ?? .null)
        } else {
            printReport(result, file)
            if let audit { tell(audit) }
        }
        try end(result)
        if let audit, audit.findingCount > 0 {
            let count = audit.findingCount
            throw Failure(.no, "\(count) finding\(count == 1 ? "" : "s") about decisions and model calls")
        }
    }

    private func tell(_ audit: RoutingAudit) {
        let counts =
            "\(Human.count(audit.agreeing)) of \(Human.count(audit.decisions)) replayed to the same bytes; "
            + "\(Human.count(audit.modelCalls)) model call\(audit.modelCalls == 1 ? "" : "s")"
        Output.line("  decisions   \(counts)")
        for finding in audit.findings.prefix(20) {
            Output.line("  \(finding.event): \(Printable.escape(finding.problem.reason)) [\(finding.problem.code)]")
        }
        if audit.findingCount > 20 {
            Output.line("  … and \(audit.findingCount - 20) more; --json lists up to \(RoutingAudit.maximumFindings)")
        }
    }

    /// The exit status: a finding about snapshots makes a capsule broken with or without the flag, which adds that it
    /// be looked for.
    private func end(_ result: CapsuleVerification) throws {
        let report = result.report
        if requireSnapshots, !result.unboundEvents.isEmpty {
            let count = result.unboundEvents.count
            throw Failure(.no, "\(count) event\(count == 1 ? "" : "s") without a snapshot that is in the file")
        }
        switch report.verdict {
        case .intact, .tornTail, .beingWritten:
            if let finding = result.approvals.findings.first {
                throw Failure(.no, "\(finding.event) says that its policy is approved, and \(finding.reason)")
            }
            if let finding = result.policyChanges.findings.first {
                throw Failure(.no, "\(finding.event) brings a policy, and \(finding.reason)")
            }
            if let id = result.malformedSnapshots.first {
                throw Failure(.no, "snapshot \(PolicySnapshot.text(id)) is not canonical JSON")
            }
        case .broken:
            throw Failure(
                .no,
                "the capsule is broken: \(report.error.map { "\($0)" } ?? report.findings.first?.reason ?? "")"
            )
        case .damaged, .cutShort, .unsupported:
            throw Failure(.unreadable, report.error.map { "\($0)" } ?? report.verdict.rawValue)
        }
    }

    private func printReport(_ result: CapsuleVerification, _ file: CapsuleFile) {
        let report = result.report
        let runs = "\(Human.count(report.endedRuns + report.openRuns)) (\(Human.count(report.openRuns)) open)"
        var lines = [
            ("capsule", "\(file.path)  \(file.header.capsule)"),
            ("origin", file.header.origin),
            ("read", "\(Human.bytes(report.end)) in \(Human.count(report.batches, "batch", "batches"))"),
            ("events", "\(Human.count(report.treeSize))"),
            ("runs", runs),
            ("snapshots", "\(Human.count(report.snapshots))"),
            ("root", report.root.hex),
        ]
        lines += result.copies.map { ($0.verb, $0.words) }
        if file.header.generation > 0 { lines.append(("generation", "\(file.header.generation)")) }
        for (name, value) in lines { Output.line("\(name.padding(12))\(Printable.escape(value))") }
        Output.line()
        for line in statements(result) { Output.line(line) }
    }

    /// What was proved, and what could not be.
    private func statements(_ result: CapsuleVerification) -> [String] {
        let report = result.report
        var lines = [Terminal.styled(headline(report), result.isSound ? .green : .red)]
        for finding in report.findings.prefix(20) {
            let place = finding.event.map { "\($0): " } ?? ""
            lines.append("  \(place)\(Printable.escape(finding.reason)) [\(finding.code.rawValue)]")
        }
        if report.findingCount > 20 {
            lines.append("  … and \(report.findingCount - 20) more; --json lists up to 1000")
        }
        for id in result.malformedSnapshots.prefix(20) { lines.append("  snapshot \(id.hex) is not canonical JSON") }
        if result.isSound {
            lines.append("  proved      every checksum, leaf, commitment, root and seal agrees,")
            lines.append("              and every run is bound to a snapshot that is here")
            lines.append("  not proved  that nothing was cut off at the end: compare the root with one kept")
            lines.append("              elsewhere")
        }
        for snapshot in result.snapshots.prefix(20) {
            let title = snapshot.title ?? "a policy without a name"
            let note = snapshot.notCompiled == nil ? "" : "; not a compiled policy, so nothing is routed by it"
            lines.append("  policy      \(Printable.escape(title))  \(PolicySnapshot.text(snapshot.id))\(note)")
        }
        lines += approvals(result.approvals) + changes(result.policyChanges)
        if result.withheldBodies > 0 {
            lines.append("  \(Human.count(result.withheldBodies)) bodies are withheld; their commitments stand")
        }
        if !result.hasNote {
            lines.append("  no note beside the capsule: damage in the last write would look like a torn tail")
        }
        if let copy = report.damagedHeaderCopy { lines.append("  copy \(copy + 1) of the file header is damaged") }
        return lines
    }

    private func approvals(_ audit: ApprovalAudit) -> [String] {
        guard audit.verdicts > 0 else { return [] }
        let counts = "\(Human.count(audit.derived)) of \(Human.count(audit.verdicts))"
        var lines = ["  approvals   \(counts) recorded as approved follow from lists, statements and signatures"]
        lines += listed(audit.findings, "approval-not-derived")
        guard !audit.notJudged.isEmpty else { return lines }
        let (count, isOne) = (Human.count(audit.notJudgedCount), audit.notJudgedCount == 1)
        let words = "  NOT JUDGED  \(count) of them: what \(isOne ? "it says" : "they say") is not proved"
        return lines + [Terminal.styled(words, .yellow)] + listed(audit.notJudged, "approval-not-judged")
    }

    private func changes(_ audit: PolicyChangeAudit) -> [String] {
        guard audit.changes > 0 else { return [] }
        let counts = "\(Human.count(audit.tightening)) of \(Human.count(audit.changes))"
        var lines = ["  changes     \(counts) policies that runs took up without approval only tighten"]
        lines += listed(audit.findings, "policy-loosened")
        guard !audit.notJudged.isEmpty else { return lines }
        let words =
            "  NOT JUDGED  \(Human.count(audit.notJudgedCount)) of them: whether they only tighten is not proved"
        return lines + [Terminal.styled(words, .yellow)] + listed(audit.notJudged, "policy-change-not-judged")
    }

    private func listed(_ findings: [ApprovalAudit.Finding], _ code: String) -> [String] {
        var lines = findings.prefix(20).map { finding in
            let more = finding.events > 1 ? " (and \(finding.events - 1) events like it)" : ""
            return "  \(finding.event): \(Printable.escape(finding.reason))\(more) [\(code)]"
        }
        if findings.count > 20 { lines.append("  … and \(findings.count - 20) more; --json lists all") }
        return lines
    }

    private func headline(_ report: Verifier.Report) -> String {
        switch report.verdict {
        case .intact: "intact"
        case .tornTail:
            "intact up to a torn write, which the next append cuts off: \(report.error.map { "\($0)" } ?? "")"
        case .beingWritten: "intact up to here; a writer is at work"
        case .damaged: "DAMAGED: \(report.error.map { "\($0)" } ?? "")"
        case .broken: "BROKEN\(report.error.map { ": \($0)" } ?? "")"
        case .cutShort: "CUT SHORT: \(report.error.map { "\($0)" } ?? "")"
        case .unsupported: "not readable by this version from here on: \(report.error.map { "\($0)" } ?? "")"
        }
    }
}

extension String {
    /// Padded with spaces to a width.
    func padding(_ width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}

extension CapsuleVerification {
    func value(path: FilePath, requireSnapshots: Bool) -> JSONValue {
        let findings: [JSONValue] = report.findings.map { finding in
            [
                "code": .string(finding.code.rawValue), "run": finding.event.map { .string("\($0.run)") } ?? .null,
                "sequence": finding.event.map { .number(JSONNumber($0.sequence)) } ?? .null,
                "reason": .string(finding.reason),
            ]
        }
        let error: JSONValue =
            report.error.map { error in
                [
                    "code": .string(error.code.rawValue),
                    "offset": error.offset.map { .number(JSONNumber($0)) } ?? .null,
                    "reason": .string(error.reason),
                ]
            } ?? .null
        return [
            "capsule": .string(path.string), "verdict": .string(report.verdict.rawValue), "sound": .bool(isSound),
            "error": error, "findings": .array(findings), "finding_count": .number(JSONNumber(report.findingCount)),
            "malformed_snapshots": .array(malformedSnapshots.map { .string(PolicySnapshot.text($0)) }),
            "snapshots_required": .bool(requireSnapshots),
            "events_without_snapshot": .number(JSONNumber(unboundEvents.count)),
            "batches": .number(JSONNumber(report.batches)), "events": .number(JSONNumber(report.treeSize)),
            "root": .string(report.root.hex), "end": .number(JSONNumber(report.end)),
            "length": .number(JSONNumber(report.length)), "open_runs": .number(JSONNumber(report.openRuns)),
            "ended_runs": .number(JSONNumber(report.endedRuns)), "snapshots": .number(JSONNumber(report.snapshots)),
            "withheld_bodies": .number(JSONNumber(withheldBodies)), "copied_from": .array(copies.map(\.value)),
            "policies": .array(
                snapshots.map { snapshot in
                    [
                        "snapshot": .string(PolicySnapshot.text(snapshot.id)),
                        "policy": snapshot.title.map { .string($0) } ?? .null,
                        "compiled": .bool(snapshot.notCompiled == nil),
                        "reason": snapshot.notCompiled.map { .string($0) } ?? .null,
                    ]
                }
            ),
            "approvals": [
                "verdicts": .number(JSONNumber(approvals.verdicts)), "derived": .number(JSONNumber(approvals.derived)),
                "findings": .array(approvals.findings.map(Self.value)),
                "not_judged_count": .number(JSONNumber(approvals.notJudgedCount)),
                "not_judged": .array(approvals.notJudged.map(Self.value)),
            ],
            "policy_changes": [
                "changes": .number(JSONNumber(policyChanges.changes)),
                "tightening": .number(JSONNumber(policyChanges.tightening)),
                "findings": .array(policyChanges.findings.map(Self.value)),
                "not_judged_count": .number(JSONNumber(policyChanges.notJudgedCount)),
                "not_judged": .array(policyChanges.notJudged.map(Self.value)),
            ],
            "damaged_header_copy": report.damagedHeaderCopy.map { .number(JSONNumber($0 + 1)) } ?? .null,
        ]
    }

    private static func value(_ finding: ApprovalAudit.Finding) -> JSONValue {
        [
            "event": .string("\(finding.event)"), "events": .number(JSONNumber(finding.events)),
            "reason": .string(finding.reason),
        ]
    }
}
