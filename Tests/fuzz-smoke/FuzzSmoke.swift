import ArgumentParser
import Foundation
import FuzzTargets
import ModelPolicy

/// Feeds every parser with the vectors, the examples, and what seeded dice make of them: a smoke test of `make fuzz`
/// that needs no fuzzer, no sanitizer and no build of its own, and does the same on every machine.
///
/// In a process of its own: a parser that traps ends it, and one that takes too much memory is refused it.
@main
struct FuzzSmoke: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fuzz-smoke",
        abstract: "Feed every parser with inputs that are the same each time for a seed."
    )

    @Option(help: "Inputs for each parser, made of those that are given.")
    var runs = 300
    @Option(help: "What the dice begin with.")
    var seed: UInt64 = 1
    @Option(help: "One parser only.")
    var target: String?
    @Flag(help: "Say the number of each input before it is parsed: the last one is the one that traps.")
    var verbose = false
    @Argument(help: "The repository, for vectors and examples.")
    var root: String

    /// Bytes of memory that the process may have: what hostile input makes a parser take has a limit.
    private static let memory = 4 << 30

    func run() throws {
        #if os(Linux)
            // A sanitizer maps terabytes that it does not use.
            if getenv("ASAN_OPTIONS") == nil, getenv("TSAN_OPTIONS") == nil {
                var limit = rlimit(rlim_cur: rlim_t(Self.memory), rlim_max: rlim_t(Self.memory))
                setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
            }
        #endif
        let corpus = try Corpus(root: URL(fileURLWithPath: root))
        for parser in FuzzTarget.allCases where target.map({ $0 == parser.rawValue }) ?? true {
            let seeds = corpus.seeds(for: parser)
            guard !seeds.isEmpty else { throw ValidationError("there is nothing to feed \(parser.rawValue) with") }
            // Before, so that a parser that traps is known.
            say("\(parser.rawValue), \(seeds.count) as they are")
            for (number, bytes) in seeds.enumerated() { feed(parser, bytes, number) }
            say(" and \(runs) made of them from seed \(seed)")
            var mutator = Mutator(seed: seed, seeds)
            for number in 0..<runs { feed(parser, mutator.next(), number) }
            say(": no trap\n")
        }
    }

    private func feed(_ parser: FuzzTarget, _ bytes: [UInt8], _ number: Int) {
        if verbose { say(" \(number)") }
        parser.run(bytes)
    }

    private func say(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }
}

/// Inputs that are well formed, or were once.
struct Corpus {
    private var capsules: [[UInt8]] = []
    private var toml: [[UInt8]] = []
    private var yaml: [[UInt8]] = []
    private var json: [[UInt8]] = []
    private var scenarios: [[UInt8]] = []
    private var scenariosYAML: [[UInt8]] = []
    private var gate: [UInt8] = []
    private var changelog: [UInt8] = []
    private var golden: [UInt8] = []

    init(root: URL) throws {
        capsules = try Self.read(root.appendingPathComponent("spec/vectors"), "cpsl")
        toml = try Self.read(root.appendingPathComponent("Examples/policy"), "toml")
        yaml = try Self.read(root.appendingPathComponent("Tests/ModelPolicyTests"), "yaml")
        json = try Self.read(root.appendingPathComponent("Examples/policy"), "json")
        let folder = root.appendingPathComponent("Examples/policy/policy")
        scenarios = try Self.read(folder.appendingPathComponent("tests"), "toml")
        scenariosYAML = try Self.read(folder.appendingPathComponent("tests"), "yaml")
        func bytes(_ name: String) throws -> [UInt8] {
            Array(try Data(contentsOf: folder.appendingPathComponent(name)))
        }
        (gate, changelog) = (try bytes("gate.toml"), try bytes("CHANGELOG.md"))
        golden = try bytes("decisions.golden")
    }

    private static func read(_ folder: URL, _ suffix: String) throws -> [[UInt8]] {
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        return try files.filter { $0.pathExtension == suffix }.sorted { $0.path < $1.path }
            .map { Array(try Data(contentsOf: $0)) }
    }

    func seeds(for target: FuzzTarget) -> [[UInt8]] {
        switch target {
        case .file, .header, .salvage: capsules
        // Frames, and what stands in a body: the bytes behind the headers of a vector are both.
        case .events, .objects, .lz4: capsules.map { Array($0.dropFirst(8192 + 128)) }.filter { !$0.isEmpty }
        case .note: [Self.note]
        case .checkpoint: [Array("example.com/ledger\n7\nWmH8K1T5z6cXdPJDIUPdQMbLKxGUf69lp9PaXLZRmcg=\n".utf8)]
        case .line: Self.lines
        case .policyTOML: toml
        case .policyYAML: yaml
        case .snapshot, .statement: json
        case .signature: Self.signatures
        case .signers: [Self.signers]
        case .scenariosTOML: scenarios + [Array(PolicyStarter.scenarios.utf8)]
        case .scenariosYAML: scenariosYAML
        case .gate: [gate]
        case .changelog: [changelog]
        case .golden: [golden]
        }
    }

    private static let note: [UInt8] = {
        let line = "capsule-note-1 00112233445566778899aabbccddeeff 0000000000000000 0000000000002000 00000000\n"
        return Array(line.utf8) + [UInt8](repeating: 0x20, count: 512 - line.utf8.count)
    }()

    /// An SSH signature of the right form over nothing, by a key of zeroes, as it is and armoured.
    private static let signatures: [[UInt8]] = {
        func field(_ bytes: [UInt8]) -> [UInt8] {
            (0..<4).reversed().map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) } + bytes
        }
        let type = field(Array("ssh-ed25519".utf8))
        let key = type + field([UInt8](repeating: 0, count: 32))
        let names = ["policy-approval@capsule.example", "", "sha512"].flatMap { field(Array($0.utf8)) }
        let signature = field(type + field([UInt8](repeating: 0, count: 64)))
        let blob = Array("SSHSIG".utf8) + [0, 0, 0, 1] + field(key) + names + signature
        let text = Data(blob).base64EncodedString(options: [.lineLength76Characters, .endLineWithLineFeed])
        return [blob, Array("-----BEGIN SSH SIGNATURE-----\n\(text)\n-----END SSH SIGNATURE-----\n".utf8)]
    }()

    private static let signers = Array(
        """
        ada@example.com namespaces="*",valid-after="20260101Z" ssh-ed25519 \
        AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA ada

        """.utf8
    )

    private static let lines = [
        #"{"type":"note","body":{"text":"done"},"key":"k","causes":[1],"time":"2026-11-23T14:00:00Z"}"#,
        #"{"type":"model.call","body":{"model":"m","input_tokens":12,"cost_usd":"0.01"},"actor":"a","expected_sequence":7}"#,
        #"{"type":"com.example.deploy","text":"x","media":"text/plain","trace":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}"#,
    ].map { Array($0.utf8) }
}

/// Makes inputs of others, as fuzzers do: flips, absurd numbers, pieces gone, doubled or from another input.
struct Mutator {
    private var state: UInt64
    private let seeds: [[UInt8]]
    private static let longest = 65_536

    init(seed: UInt64, _ seeds: [[UInt8]]) {
        state = seed
        self.seeds = seeds
    }

    private mutating func below(_ bound: Int) -> Int {
        // SplitMix64.
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ mixed >> 31) >> 33) % max(1, bound)
    }

    mutating func next() -> [UInt8] {
        var bytes = seeds[below(seeds.count)]
        for _ in 0...below(6) { change(&bytes) }
        return Array(bytes.prefix(Self.longest))
    }

    private mutating func range(_ bytes: [UInt8]) -> Range<Int> {
        let start = below(bytes.count)
        return start..<min(bytes.count, start + 1 + below(64))
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        guard !bytes.isEmpty else { return bytes = [UInt8(below(256))] }
        switch below(8) {
        case 0: bytes[below(bytes.count)] ^= 1 << UInt8(below(8))
        case 1: bytes[below(bytes.count)] = UInt8(below(256))
        case 2:
            // A number as a field holds it: nothing, the most, one beside a sign bit.
            let width = [1, 2, 4, 8][below(4)]
            let start = below(bytes.count)
            let fill: [UInt8] = [[0x00, 0x00], [0xFF, 0xFF], [0xFF, 0x7F], [0x00, 0x80]][below(4)]
            for index in start..<min(bytes.count, start + width) {
                bytes[index] = index == start + width - 1 ? fill[1] : fill[0]
            }
        case 3: bytes.removeSubrange(range(bytes))
        case 4: bytes.insert(contentsOf: bytes[range(bytes)], at: below(bytes.count))
        case 5: bytes.removeLast(below(bytes.count))
        case 6:
            let other = seeds[below(seeds.count)]
            guard !other.isEmpty else { return }
            bytes.replaceSubrange(range(bytes), with: other[range(other)])
        default:
            // Depth and length without end, where brackets or quotes mean something.
            let piece = Array(["[", "{\"a\":", "\"", "- ", "\n  ", "&a ", "0"][below(7)].utf8)
            let many = Array(repeatElement(piece, count: 1 + below(300)).joined())
            bytes.insert(contentsOf: many, at: below(bytes.count))
        }
    }
}
