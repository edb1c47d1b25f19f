import ModelPolicy

/// What a change is held against, and who judges its approvals.
public struct GateInput: Sendable {
    /// Where the change began; nil compares with nothing.
    public var base: GateSide?
    /// Whose rules hold: the newest state of the branch that the change is to be merged into. *Why not where the change
    /// began: a branch of last year would bring back the signers of last year.*
    public var rules: GateSide?
    public var head: GateSide
    /// Files of the repository that the change touched, from its root.
    public var touched: [String]
    /// Judges one layer or file of the head; nil where it cannot be judged.
    public var judge: @Sendable (GateSubject, ApprovalRules) -> LayerVerdict?

    public init(
        base: GateSide?,
        rules: GateSide?,
        head: GateSide,
        touched: [String] = [],
        judge: @escaping @Sendable (GateSubject, ApprovalRules) -> LayerVerdict? = { _, _ in nil }
    ) {
        (self.base, self.rules, self.head, self.touched, self.judge) = (base, rules, head, touched, judge)
    }
}

/// What needs approval.
public struct GateSubject: Sendable, Hashable {
    public var subject: ApprovalSubject
    /// Whether it is a file of the gate, signed as it stands, and no layer.
    public var isFile: Bool
}

/// Holds a change against its base.
///
/// Cost: two compilations for each spec, each scenario decided once or twice, and for each changed value one policy
/// laid out and scenarios decided until one fails.
public struct GateCheck {
    let input: GateInput
    /// Nil where there is no policy to compare with.
    let base: GateSide?
    let head: GateSide
    var report = GateReport()
    private var counts: [DiagnosticCode: Int] = [:]

    public static func run(_ input: GateInput) -> GateReport {
        var check = GateCheck(input)
        check.run()
        return check.report
    }

    private init(_ input: GateInput) {
        self.input = input
        head = input.head
        base = input.base.flatMap { $0.workspace?.snapshot == nil ? nil : $0 }
    }

    /// The policy whose rules hold; nil for a first one, which is its own.
    var ruling: CompiledPolicy? {
        guard base != nil else { return nil }
        return (input.rules?.workspace?.snapshot ?? input.base?.workspace?.snapshot)?.policy
    }

    /// The tree whose lists and rules hold.
    var rulingSide: GateSide {
        guard let base else { return head }
        return input.rules?.workspace?.snapshot == nil ? base : input.rules ?? base
    }

    private mutating func run() {
        checkFiles()
        if let base = input.base, self.base == nil, !base.policyNames.isEmpty {
            tell(
                .gateBaseUnread,
                path: head.policy?.name ?? base.policyNames[0],
                line: 1,
                "the base's policy cannot be read, so this one is checked as a first one"
            )
        }
        guard let result = head.workspace else { return }
        report.diagnostics += result.diagnostics
        let rules = readRules()
        report.rules = rules
        compareLayers()
        if result.snapshot != nil {
            checkVersion()
            checkScenarios(rules)
        }
        checkApprovals()
        checkGate(rules)
        report.sort()
    }

    /// A policy that is there once, as files.
    private mutating func checkFiles() {
        let wanted = [PolicyGate.changelog, PolicyGate.rules, PolicyGate.folder, PolicyGate.specsFolder]
        let signers = [ruling?.approvals.signers, head.workspace?.snapshot?.policy.approvals.signers]
        for path in head.tree.kinds.keys.sorted() where head.tree.kinds[path] != .file {
            let isWanted =
                head.policyNames.contains(path) || path.hasPrefix(PolicyGate.folder + "/") || wanted.contains(path)
                || signers.contains(path)
            guard isWanted else { continue }
            tell(
                .gateLink,
                path: path,
                line: 1,
                "`\(path)` is \(head.tree.kinds[path] == .link ? "a link" : "no file")",
                "put the file itself here"
            )
        }
        for path in head.unreadable { tell(.gateLink, path: path, line: 1, "`\(path)` cannot be read") }
        if head.policyNames.isEmpty, let old = input.base?.policyNames.first {
            tell(
                .gatePolicyGone,
                side: input.base,
                path: old,
                line: 1,
                "the base has this policy, and the change has none here",
                "put it back; 'policy convert' changes its format in place"
            )
        }
        if head.policyNames.count > 1 {
            tellTwice(head.policyNames, "both are policies of this workspace")
        }
        for (spec, names) in head.specNames.sorted(by: { $0.key < $1.key }) where names.count > 1 {
            tellTwice(names, "both are layers of spec \(spec)")
        }
    }

    private mutating func tellTwice(_ names: [String], _ words: String) {
        let known = input.base?.tree.kinds ?? [:]
        let added = names.first { known[$0] == nil } ?? names[1]
        let other = names.first { $0 != added } ?? names[0]
        tell(.gateFileTwice, path: added, line: 1, "\(words): `\(other)` and `\(added)`", "keep one")
    }

    /// The base's rules for tests; what is wrong with those of the head is told.
    private mutating func readRules() -> GateRules {
        if let file = head.rulesFile { report.diagnostics += GateRules.read(file).diagnostics }
        return rulingSide.rules
    }
}

// MARK: Telling

extension GateCheck {
    mutating func add(_ diagnostic: Diagnostic) {
        counts[diagnostic.code, default: 0] += 1
        guard counts[diagnostic.code, default: 0] <= GateLimits.faultsOfKind else { return report.untold += 1 }
        report.diagnostics.append(diagnostic)
    }

    /// Tells a fault of a line.
    mutating func tell(
        _ code: DiagnosticCode,
        side: GateSide? = nil,
        path: String,
        line: Int,
        column: Int = 1,
        width: Int? = nil,
        severity: Diagnostic.Severity? = nil,
        _ message: String,
        _ help: String? = nil
    ) {
        let text = (side ?? head).file(path)?.bytes
        let start = SourcePlace(line: max(line, 1), column: max(column, 1))
        let end = SourcePlace(line: start.line, column: start.column + (width ?? 1))
        add(
            Diagnostic(
                code,
                file: path,
                text: text,
                span: SourceSpan(start: start, end: end),
                severity: severity,
                message,
                help
            )
        )
    }

    /// Tells a fault of a rule, where it is written in the head; where it no longer is, at the nearest that is.
    mutating func tell(
        _ code: DiagnosticCode,
        rule: String,
        in result: CompileResult?,
        severity: Diagnostic.Severity? = nil,
        _ message: String,
        _ help: String? = nil
    ) {
        let places = result?.sourceMap.places ?? [:]
        var steps = rule.split(separator: ".").map(String.init)
        while !steps.isEmpty, places[steps.joined(separator: ".")] == nil { steps.removeLast() }
        // A default is written nowhere.
        let found = places[steps.joined(separator: ".")] ?? places["policy.version"]
        guard let place = found else {
            return tell(code, path: head.policy?.name ?? "", line: 1, severity: severity, message, help)
        }
        tell(
            code,
            path: place.file,
            line: place.line,
            column: place.column,
            width: steps.last?.unicodeScalars.count,
            severity: severity,
            message,
            help
        )
    }
}
