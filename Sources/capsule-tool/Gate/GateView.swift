import Ledger
import ModelPolicy
import PolicyGate

/// A verdict of the gate, in the forms in which it is told.
struct GateView {
    private let comparison: GateComparison
    private let report: GateReport
    private let recorded: RoutingSimulation?

    init(_ comparison: GateComparison, recorded: RoutingSimulation? = nil) {
        self.comparison = comparison
        report = comparison.report
        self.recorded = recorded
    }

    func tell(_ format: GateFormat) {
        switch format {
        case .human:
            PolicySubject.tell(report.diagnostics)
            for line in human { Output.line(line) }
        case .json: Output.json(json)
        case .sarif: write(.sarif)
        case .github: write(.github)
        case .markdown: for line in markdown { Output.line(line) }
        }
    }

    private func write(_ format: DiagnosticFormat) {
        // Those who read these know the repository, and not the workspace within it.
        let folder = comparison.folder
        let found = report.diagnostics.map { diagnostic in
            var diagnostic = diagnostic
            diagnostic.file = folder + diagnostic.file
            return diagnostic
        }
        Output.bytes(Array(format.text(found, toolVersion: CapsuleLedger.version).utf8))
    }

    /// `acme-agents 1.4.0 → 1.5.0`.
    private var title: String {
        guard let layer = report.layers.first else { return "none that compiles" }
        let new = layer.head.policy
        guard let old = layer.base?.policy else { return "\(new.name) \(new.version), the first policy" }
        let before = old.name == new.name ? old.version : "\(old.name) \(old.version)"
        let after = old.name == new.name ? new.version : "\(new.name) \(new.version)"
        return before == after ? "\(new.name) \(after)" : "\(new.name) \(before) → \(after)"
    }

    private func count(_ number: Int, _ word: String) -> String {
        "\(Human.count(number)) \(word)\(number == 1 ? "" : "s")"
    }

    private var verdict: String {
        let (errors, warnings) = (report.errors.count + report.untold, report.warnings.count)
        let told = warnings > 0 ? ", " + count(warnings, "warning") : ""
        return errors == 0 ? "may be merged\(told)" : "must not be merged: \(count(errors, "fault"))\(told)"
    }

    private var facts: [(String, String)] {
        var facts = [("policy", title), ("base", "\(comparison.base), from \(comparison.start.prefix(12)) on")]
        let changes = report.layers.map { (name($0), $0.own) }.filter { !$0.1.isEmpty }
        let words = changes.map { name, own in
            let looser = own.count { $0.effect == .looser }
            return "\(name) \(count(own.count, "change"))" + (looser > 0 ? ", \(looser) not stricter" : "")
        }
        if !report.layers.isEmpty {
            let isFirst = report.layers[0].base == nil
            facts.append(("meaning", isFirst ? "new" : words.isEmpty ? "the same" : words.joined(separator: "; ")))
        }
        var tests = count(report.scenarios, "scenario")
        if let coverage = report.coverage { tests += ", \(coverage.percent) % of the policy shown" }
        if report.promised > 0 { tests += "; \(Human.count(report.promised)) of the base run too" }
        facts.append(("tests", tests))
        if let mode = report.approvalMode {
            let open = report.approvals.filter { $0.verdict?.isApproved != true }.count
            let words = report.approvals.isEmpty ? "nothing to approve" : open == 0 ? "all there" : "\(open) missing"
            facts.append(("approvals", "\(words) (\(mode))"))
        }
        if let recorded { facts.append(("recorded", recorded.sentence)) }
        return facts
    }

    private func name(_ layer: GateLayer) -> String { layer.spec ?? "workspace" }

    private var human: [String] {
        facts.map { "\($0.padding(11))\(Printable.escape($1))" }
            + [Terminal.styled(verdict, report.isPassed ? .green : .red)]
    }
}

// MARK: Markdown

extension GateView {
    /// The summary for a pull request.
    var markdown: [String] {
        let mark = report.isPassed ? "✅" : "❌"
        var lines = ["## \(mark) Policy: \(Markdown.plain(title)) \(verdict)", ""]
        for (name, fact) in facts.dropFirst() { lines.append("- \(name): \(Markdown.plain(fact))") }
        lines += faults + changes + radius + promises + approvals
        if let recorded { lines += recorded.markdown }
        return lines
    }

    private var faults: [String] {
        guard !report.diagnostics.isEmpty else { return [] }
        var lines = ["", "| | code | place | what is wrong |", "|---|---|---|---|"]
        for fault in report.diagnostics.prefix(100) {
            let sign = fault.severity == .error ? "❌" : "⚠️"
            let place = Markdown.code("\(fault.file):\(fault.span.start.line)")
            let help = fault.help.map { ". " + $0 } ?? ""
            lines.append("| \(sign) | \(fault.code.rawValue) | \(place) | \(Markdown.cell(fault.message + help)) |")
        }
        if report.diagnostics.count > 100 { lines += ["", "… and \(report.diagnostics.count - 100) more"] }
        return lines
    }

    private var changes: [String] {
        report.layers.filter { !$0.own.isEmpty }.flatMap { layer -> [String] in
            let title = layer.spec.map { "Spec \(Markdown.plain($0))" } ?? "Workspace"
            var lines = ["", "### \(title)", "", "| rule | old | new | effect | scenario |", "|---|---|---|---|---|"]
            for change in layer.own.prefix(200) {
                let cells = [change.path, change.oldText ?? "—", change.newText ?? "—"].map(Markdown.code)
                lines.append(
                    Markdown.row(cells + [change.effect.rawValue, scenario(change.path, layer.spec)])
                )
            }
            if layer.own.count > 200 { lines += ["", "… and \(layer.own.count - 200) more"] }
            return lines
        }
    }

    private func scenario(_ path: String, _ spec: String?) -> String {
        switch report.exercises.first(where: { $0.spec == spec && $0.leaf.change.path == path })?.leaf.verdict {
        case .exercised(let name)?: Markdown.code(name)
        case .unexercised?: "none"
        case .notDecisive?: "decides nothing"
        case nil: ""
        }
    }

    private var radius: [String] {
        guard report.isChanged else { return [] }
        let radius = BlastRadius(report.layers)
        func list(_ names: [String]) -> String {
            names.isEmpty
                ? "none" : names.prefix(50).map(Markdown.code).joined(separator: ", ") + (names.count > 50 ? ", …" : "")
        }
        return [
            "", "### Blast radius", "", "- roles: \(list(radius.roles))", "- models: \(list(radius.models))",
            "- specs: \(list(radius.specs))",
        ]
    }

    private var promises: [String] {
        guard !report.promises.isEmpty else { return [] }
        var lines = [
            "", "### Scenarios of the base that are not kept", "", "| scenario | where | fate |", "|---|---|---|",
        ]
        for promise in report.promises.prefix(100) {
            let place = "\(promise.scenario.file):\(promise.scenario.line)"
            lines.append(
                "| \(Markdown.code(promise.scenario.name)) | \(Markdown.code(place)) | \(promise.fate.rawValue) |"
            )
        }
        return lines
    }

    private var approvals: [String] {
        guard !report.approvals.isEmpty else { return [] }
        var lines = ["", "### Approvals", "", "| what | needed | by |", "|---|---|---|"]
        for approval in report.approvals {
            let file = Markdown.code(approval.subject.subject.file)
            let people = approval.verdict?.counted.map { Markdown.cell($0.approver) }.joined(separator: ", ") ?? ""
            lines.append(
                "| \(file) | \(approval.required) | \(people.isEmpty ? "nobody" : people) |"
            )
        }
        return lines
    }
}

// MARK: JSON

extension GateView {
    var json: JSONValue {
        func number(_ number: Int) -> JSONValue { .number(JSONNumber(number)) }
        let document = DiagnosticFormat.json.text(report.diagnostics)
        let radius = BlastRadius(report.layers)
        let texts = { (texts: [String]) in JSONValue.array(texts.map { .string($0) }) }
        var members = JSONValue.Members()
        members["passed"] = .bool(report.isPassed)
        members["folder"] = .string(comparison.folder)
        members["base"] = .string(comparison.base)
        members["base_commit"] = .string(comparison.start)
        members["head_commit"] = comparison.head.map { .string($0) } ?? .null
        members["faults"] = number(report.errors.count)
        members["warnings"] = number(report.warnings.count)
        members["not_told"] = number(report.untold)
        members["diagnostics"] = (try? JSONValue.parse(Array(document.utf8))) ?? .array([])
        members["version_level"] = report.level.map { .string($0.rawValue) } ?? .null
        members["layers"] = .array(report.layers.map(layer))
        members["scenarios"] = number(report.scenarios)
        members["base_scenarios"] = number(report.promised)
        members["coverage_percent"] = report.coverage.map { number($0.percent) } ?? .null
        members["base_scenarios_not_kept"] = .array(
            report.promises.map { promise in
                [
                    "name": .string(promise.scenario.name), "file": .string(promise.scenario.file),
                    "line": number(promise.scenario.line), "fate": .string(promise.fate.rawValue),
                ]
            }
        )
        members["approvals_mode"] = report.approvalMode.map { .string($0.rawValue) } ?? .null
        members["approvals"] = .array(report.approvals.map(approval))
        members["reach"] = [
            "roles": texts(radius.roles), "models": texts(radius.models), "specs": texts(radius.specs),
        ]
        members["recorded"] = recorded?.json ?? .null
        return .object(members)
    }

    private func layer(_ layer: GateLayer) -> JSONValue {
        let changes = layer.own.map { change -> JSONValue in
            [
                "path": .string(change.path), "effect": .string(change.effect.rawValue), "old": change.old ?? .null,
                "new": change.new ?? .null,
            ]
        }
        return [
            "spec": layer.spec.map { .string($0) } ?? .null,
            "base_snapshot": layer.base.map { .string("\($0.id)") } ?? .null, "snapshot": .string("\(layer.head.id)"),
            "base_version": layer.base.map { .string($0.policy.version) } ?? .null,
            "version": .string(layer.head.policy.version), "changes": .array(changes),
        ]
    }

    private func approval(_ approval: GateApproval) -> JSONValue {
        let subject = approval.subject.subject
        return [
            "file": .string(subject.file), "spec": subject.spec.map { .string($0) } ?? .null,
            "digest": .string("\(subject.digest)"), "required": .number(JSONNumber(approval.required)),
            "approved": .bool(approval.verdict?.isApproved ?? false),
            "by": .array((approval.verdict?.counted ?? []).map { .string($0.approver) }),
        ]
    }
}
