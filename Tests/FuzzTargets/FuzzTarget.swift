import Capsule
import JSONText
import Ledger
import ModelPolicy
import PolicyGate
import PolicyTests

/// Parsers that take bytes from strangers, each as a fuzzer calls it: whatever the bytes, it returns.
public enum FuzzTarget: String, CaseIterable, Sendable {
    /// A whole file, as it is.
    case file
    /// The file header, with the rest of the file behind it.
    case header
    /// Frames of a batch of events whose checksums are right: envelopes, bodies, seals.
    case events
    /// Frames of a batch of objects whose checksums are right: snapshots, chunks, manifests, notes.
    case objects
    /// A compressed body under a right header.
    case lz4
    /// The note beside a capsule.
    case note
    /// A checkpoint note.
    case checkpoint
    /// What a salvage makes of a file.
    case salvage
    /// A line of an event stream, and its body against the schema.
    case line
    case policyTOML = "policy-toml"
    case policyYAML = "policy-yaml"
    /// A compiled policy made elsewhere.
    case snapshot
    /// An SSH signature, armoured and not, over a statement that may be the same bytes.
    case signature
    case signers
    /// The statement of an approval.
    case statement
    /// Scenarios of a policy; those that can be read are run.
    case scenariosTOML = "scenarios-toml"
    case scenariosYAML = "scenarios-yaml"
    /// The gate's rules for tests.
    case gate
    case changelog
    case golden

    public func run(_ bytes: [UInt8]) {
        switch self {
        case .file: Self.read(bytes)
        case .header: Self.read(Self.withHeader(bytes))
        case .events: Self.read(Self.capsule(frames: bytes, .timeline))
        case .objects: Self.read(Self.capsule(frames: bytes, .objects))
        case .lz4: Self.readUnchecked(bytes)
        case .note: _ = DurableNote(bytes).map(\.encoded)
        case .checkpoint: _ = CheckpointNote(bytes).map(\.bytes)
        case .salvage: Self.salvage(bytes)
        case .line: bytes.withUnsafeBytes { _ = try? EventLine.parse($0, run: .zero) }
        case .policyTOML: Self.compile(bytes, .toml)
        case .policyYAML: Self.compile(bytes, .yaml)
        case .snapshot: _ = try? CompiledSnapshot(canonicalJSON: bytes).policy
        case .signature: Self.verify(bytes)
        case .signers: _ = AllowedSigners.read(SourceFile(name: "allowed_signers", bytes: bytes)).signers
        case .statement: _ = try? ApprovalStatement(canonicalJSON: bytes).canonicalJSON
        case .scenariosTOML: Self.test(bytes, .toml)
        case .scenariosYAML: Self.test(bytes, .yaml)
        case .gate: _ = GateRules.read(SourceFile(name: "gate.toml", bytes: bytes)).rules
        case .changelog: _ = PolicyChangelog(bytes).entries.map(\.saysSomething)
        case .golden: _ = try? GoldenFile(text: bytes).text
        }
    }

    // MARK: Capsules

    private static func read(_ bytes: [UInt8]) {
        guard let capsule = try? CapsuleFile("x.cpsl", storage: OneFile(bytes)) else { return }
        _ = try? Verifier(capsule).run()
    }

    /// A body's checksum would keep the fuzzer out: it is not looked at.
    private static func readUnchecked(_ bytes: [UInt8]) {
        Mutant.active = .hasNoBodyChecksum
        defer { Mutant.active = [] }
        var file = sample
        let start = Int(FileHeader.size) + BatchHeader.size
        for (index, byte) in bytes.prefix(file.count - start).enumerated() { file[start + index] = byte }
        read(file)
    }

    private static func salvage(_ bytes: [UInt8]) {
        let storage = OneFile(bytes)
        guard let old = try? CapsuleFile("x.cpsl", storage: storage), let header = try? plainHeader() else { return }
        _ = try? CapsuleCopy.run(from: old, to: "y.cpsl", header: header, purpose: .salvage, storage: storage) { _ in
            ([], Array("{}".utf8))
        }
    }

    private static func plainHeader() throws -> FileHeader {
        try FileHeader(
            capsule: CapsuleID(words: (1, 2)),
            created: Timestamp(nanoseconds: 0),
            origin: "example.com/fuzz"
        )
    }

    private static func withHeader(_ bytes: [UInt8]) -> [UInt8] {
        Array(bytes.prefix(Int(FileHeader.size))) + sample.dropFirst(min(bytes.count, Int(FileHeader.size)))
    }

    /// A capsule of one batch of text that compresses.
    private static let sample: [UInt8] = {
        let text = String(repeating: "a body that compresses well, ", count: 40)
        return capsule(frames: [0, 80, 0] + Array(text.utf8), .timeline)
    }()

    /// A capsule whose first batch holds frames of these bytes. A frame begins with its kind, its auxiliary number and
    /// the length of its content in two bytes.
    private static func capsule(frames bytes: [UInt8], _ kind: BatchHeader.Kind) -> [UInt8] {
        guard let header = try? plainHeader() else { return [] }
        var body = BatchBody(kind)
        var rest = bytes[...]
        while rest.count >= 4, body.frames < 64 {
            let (code, auxiliary) = (rest.removeFirst(), rest.removeFirst())
            let length = Int(rest.removeFirst()) << 8 | Int(rest.removeFirst())
            let content = Array(rest.prefix(length))
            rest = rest.dropFirst(content.count)
            body.addRawFrame(kind: code, flags: auxiliary >> 7, auxiliary: UInt16(auxiliary & 0x7F), content: content)
        }
        guard !body.isEmpty else { return header.encoded() }
        let encoder = BatchEncoder(header: header, position: BatchPosition(startOf: header))
        encoder.append(body, treeSize: UInt64(body.frames), root: .zero, durableLength: FileHeader.size)
        return header.encoded() + encoder.output
    }

    // MARK: Policies

    private static func compile(_ bytes: [UInt8], _ format: SourceFile.Format) {
        let source = SourceFile(name: "model_policy", bytes: bytes, format: format)
        let result = PolicyCompiler.compile(workspace: source)
        if let snapshot = result.snapshot { _ = try? CompiledSnapshot(canonicalJSON: snapshot.canonicalJSON) }
    }

    // MARK: Tests of a policy

    private static let starter: CompiledPolicy? = {
        let text = PolicyStarter.policy(name: "fuzz", owner: "nobody")
        return PolicyCompiler.compile(workspace: SourceFile(name: "model_policy.toml", bytes: Array(text.utf8)))
            .snapshot?.policy
    }()

    private static func test(_ bytes: [UInt8], _ format: SourceFile.Format) {
        guard let starter else { return }
        let suite = ScenarioReader.read([SourceFile(name: "tests", bytes: bytes, format: format)], for: starter)
        _ = PolicyTestRun(suite.scenarios, under: ScenarioDecider(starter)).isPassed
        _ = GoldenFile(suite.cases, under: ScenarioDecider(starter)).text
    }

    // MARK: Approvals

    private static func verify(_ bytes: [UInt8]) {
        let namespace = ApprovalStatement.namespace
        if let signature = try? SSHSignature(armoured: bytes) { try? signature.verify(bytes, namespace: namespace) }
        if let signature = try? SSHSignature(blob: bytes) { try? signature.verify([], namespace: namespace) }
    }
}
