import ArgumentParser
import Ledger
import ModelPolicy

extension PolicyCommand {
    struct Log: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "log",
            abstract: "List the policies that this repository had, with commits, approvals, and runs under each.",
            discussion: """
                One line for each meaning, newest first, with the commit that brought it. 'approved by' are those who
                had signed when it came to the branch that is checked out, by the rules and the list of signers that the
                branch had before, and at that commit's time; 'today' those who count now. Where it came without a merge
                commit, approvals count that came before the policy changed again: git does not tell which commits came
                together. Runs are those of the capsule, where there is one.
                Exit status: 0 · 66 no policy, or no history of it.
                """
        )

        @OptionGroup var capsule: CapsuleOption

        @Option(
            help: ArgumentHelp("The policy file, instead of the workspace's.", valueName: "file"),
            completion: .file(extensions: ["toml", "yaml", "yml"])
        )
        var policy: String?

        @Option(help: ArgumentHelp("List what held for this spec.", valueName: "spec"))
        var spec: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let workspace = try PolicyWorkspace.find(option: policy, directory: currentFolder())
            let today = workspace.load(spec: spec).snapshot?.policy.approvals
            let rules = today.flatMap { approvals in
                approvals.signers.map { ApprovalRules(approvals, signers: SignersFile($0, in: workspace).signers) }
            }
            guard let log = PolicyLog(workspace, spec: spec, rules: rules, now: Timestamp.now.policyTime) else {
                throw Failure(.noCapsule, "git has no history of \(workspace.file) in \(workspace.root)")
            }
            if log.isCutOff {
                complain("the history was cut off, so older policies are missing; 'git fetch --unshallow' brings them")
            }
            let runs = try usedBy()
            if json { return Output.json(.array(log.entries.map { value($0, runs) })) }
            var columns = Columns([
                ("version", .left), ("date", .left), ("commit", .left), ("by", .left), ("approved by", .left),
                ("today", .left), ("runs", .right), ("snapshot", .left),
            ])
            for entry in log.entries {
                columns.add([
                    entry.version, String(entry.date.prefix(10)), String(entry.commit.prefix(12)),
                    entry.authors.first?.description ?? "", approvers(entry.approvalWhenMerged).joined(separator: ", "),
                    approvers(entry.approval).joined(separator: ", "),
                    runs.map { Human.count($0["\(entry.id)"]?.count ?? 0) } ?? "", "\(entry.id)",
                ])
            }
            for line in columns.lines(width: nil) { Output.line(line) }
            if log.unreadable > 0 { complain("\(log.unreadable) commits have a policy with errors, and are left out") }
        }

        private func approvers(_ verdict: LayerVerdict?) -> [String] { verdict?.counted.map(\.approver) ?? [] }

        /// Runs by snapshot; nil where there is no capsule.
        private func usedBy() throws -> [String: [RunRow]]? {
            let path: FilePath
            do { path = try capsule.path() } catch let error as LedgerError where error.code == .noCapsule {
                // Whoever names a capsule wants to know that it is not there.
                guard capsule.capsule == nil else { throw error }
                return nil
            }
            let reader = try LedgerReader(try CapsuleFile(path))
            var used: [String: [RunRow]] = [:]
            for row in try reader.index.snapshots() {
                used[PolicySnapshot.text(row.id)] = try reader.index.runs(RunQuery(snapshot: row.id))
            }
            return used
        }

        private func value(_ entry: PolicyLog.Entry, _ runs: [String: [RunRow]]?) -> JSONValue {
            let used = runs.map { $0["\(entry.id)"] ?? [] }
            return [
                "version": .string(entry.version), "name": .string(entry.name), "snapshot": .string("\(entry.id)"),
                "commit": .string(entry.commit), "date": .string(entry.date),
                "authors": .array(entry.authors.map { .string($0.description) }),
                "approved": entry.approval.map { .bool($0.isApproved) } ?? .null,
                "approved_by": .array(approvers(entry.approval).map { .string($0) }),
                "merge_commit": entry.mergeCommit.map { .string($0) } ?? .null,
                "approved_when_merged": entry.approvalWhenMerged.map { .bool($0.isApproved) } ?? .null,
                "approved_by_when_merged": .array(approvers(entry.approvalWhenMerged).map { .string($0) }),
                "runs": used.map { rows in .array(rows.map { .string("\($0.id)") }) } ?? .null,
            ]
        }
    }
}
