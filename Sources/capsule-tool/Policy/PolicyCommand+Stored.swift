import ArgumentParser
import Ledger
import ModelPolicy

extension PolicyCommand {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List the policies in the capsule, in the order in which they came."
        )

        @OptionGroup var capsule: CapsuleOption

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let reader = try openReader(capsule)
            let policies = try reader.index.snapshots().map { row in
                (row, try reader.object(row.id).map { StoredPolicy($0.bytes, row.id) })
            }
            if json {
                return Output.json(
                    .array(
                        policies.map { row, policy in
                            var members = policy?.members ?? JSONValue.Members()
                            members["runs"] = .number(JSONNumber(row.runs))
                            members["first_used"] = row.firstSeen.map { .string("\($0)") } ?? .null
                            return .object(members)
                        }
                    )
                )
            }
            guard !policies.isEmpty else { return complain("no policies") }
            var columns = Columns([
                ("policy", .left), ("version", .left), ("owner", .left), ("runs", .right), ("first used", .left),
                ("snapshot", .left),
            ])
            for (row, policy) in policies {
                columns.add([
                    policy?.name ?? "(not a compiled policy)", policy?.compiled?.version ?? "",
                    policy?.compiled?.owner ?? "", Human.count(row.runs),
                    row.firstSeen.map { String($0.text(fractionDigits: 0)) } ?? "", PolicySnapshot.text(row.id),
                ])
            }
            for line in columns.lines(width: nil) { Output.line(line) }
            warn(reader)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show a policy of the capsule: what each role may use, what a run may spend, what is kept."
        )

        @OptionGroup var capsule: CapsuleOption

        @Argument(help: "The snapshot's ID or a unique prefix of it; 'snapshot show' prints its bytes.")
        var id: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let reader = try openReader(capsule)
            let row = try reader.snapshot(id)
            guard let object = try reader.object(row.id) else {
                throw LedgerError(.unknownSnapshot, "snapshot \(PolicySnapshot.text(row.id)) is no longer where it was")
            }
            let policy = StoredPolicy(object.bytes, row.id)
            if json {
                var members = policy.members
                members["compiled"] = (try? JSONValue.parse(object.bytes)) ?? .null
                return Output.json(.object(members))
            }
            guard let compiled = policy.compiled else {
                throw Failure(
                    .no,
                    "snapshot \(PolicySnapshot.text(row.id)) is no compiled policy: \(policy.reason ?? ""); "
                        + "'capsule-tool snapshot show' prints it"
                )
            }
            for line in PolicyView(compiled, id: PolicySnapshot.text(row.id)).lines { Output.line(line) }
            warn(reader)
        }
    }

    struct Current: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "current",
            abstract: "Say which policy a run that begins here would be under, or which one a run is under.",
            discussion: "Exit status: 0 · 1 the policy has errors · 66 there is none."
        )

        @OptionGroup var capsule: CapsuleOption
        @OptionGroup var subject: PolicySubject

        @Option(
            name: .customLong("run"),
            help: ArgumentHelp("Look at the policy that this run is under.", valueName: "run")
        )
        var runName: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            if let runName {
                let reader = try openReader(capsule)
                let row = try reader.run(runName)
                guard let object = try reader.object(row.snapshot) else {
                    throw LedgerError(.unknownSnapshot, "the snapshot of run \(row.id) is not here")
                }
                return tell(StoredPolicy(object.bytes, row.snapshot), from: "run \(row.id)")
            }
            let workspace = try subject.workspace()
            let (_, snapshot) = try subject.compileWhole()
            let stored = try StoredPolicy(
                snapshot.canonicalJSON,
                PolicySnapshot(canonicalJSON: snapshot.canonicalJSON).id
            )
            tell(stored, from: workspace.root.pushing(FilePath(workspace.file)).string)
        }

        private func tell(_ policy: StoredPolicy, from source: String) {
            if json {
                var members = policy.members
                members["from"] = .string(source)
                return Output.json(.object(members))
            }
            let name = policy.compiled.map { "\($0.name) \($0.version)" } ?? "not a compiled policy"
            Output.line(Printable.escape("\(name)  \(PolicySnapshot.text(policy.id))"))
            if let owner = policy.compiled?.owner { Output.line(Printable.escape("owner  \(owner)")) }
            Output.line(Printable.escape("from   \(source)"))
        }
    }
}

/// A snapshot, and the policy that it is, if it is one.
struct StoredPolicy {
    let id: Digest
    let compiled: CompiledPolicy?
    /// Why it is no compiled policy.
    let reason: String?
    let name: String?

    init(_ bytes: [UInt8], _ id: Digest) {
        self.id = id
        do throws(SnapshotError) {
            let policy = try CompiledPolicy(canonicalJSON: bytes)
            (compiled, reason, name) = (policy, nil, policy.name)
        } catch {
            (compiled, reason) = (nil, "\(error)")
            name = (try? JSONValue.parse(bytes))?["policy"]?["name"]?.string
        }
    }

    var members: JSONValue.Members {
        var members = JSONValue.Members()
        members["snapshot"] = .string(PolicySnapshot.text(id))
        members["name"] = name.map { .string($0) } ?? .null
        members["version"] = compiled.map { .string($0.version) } ?? .null
        members["owner"] = compiled.map { .string($0.owner) } ?? .null
        members["is_compiled"] = .bool(compiled != nil)
        return members
    }
}
