import Foundation
import JSONText
import Testing

@testable import ModelPolicy

@Suite struct SnapshotTests {
    private static let example = try? PolicyCompiler.compile(
        workspace: SourceFile(name: examplePath, bytes: bytes(of: examplePath))
    ).snapshot

    @Test func theExampleSnapshotIsWhatItsSourceCompilesTo() throws {
        let snapshot = try #require(Self.example)
        let url = root.appendingPathComponent("Examples/policy/acme-agents.snapshot.json")
        if rewrites { try Data(snapshot.canonicalJSON).write(to: url) }
        #expect(try Array(Data(contentsOf: url)) == snapshot.canonicalJSON, "'make vectors' writes it anew")
        #expect(snapshot.id.description == "sha256:" + Self.frozenID)
    }

    /// Of schema 1: a later compiler gives the same.
    private static let frozenID = "f52ecac588a0da5ed104bab932ba32c44722ac63fcfb0d6af5a8402a98c09bfb"

    @Test(arguments: BuiltinPolicy.allCases)
    func theBuiltInSnapshotsAreFrozen(_ builtin: BuiltinPolicy) throws {
        let url = root.appendingPathComponent("spec/policy/\(builtin.rawValue).json")
        if rewrites { try Data(builtin.canonicalJSON).write(to: url) }
        #expect(try Array(Data(contentsOf: url)) == builtin.canonicalJSON)
        let snapshot = try CompiledSnapshot(canonicalJSON: builtin.canonicalJSON)
        #expect(snapshot.policy == builtin.policy)
        #expect(BuiltinPolicy(id: snapshot.id) == builtin)
        let ids: [BuiltinPolicy: String] = [
            .refuse: "sha256:bd0297c7fe42ea4ec03a53bd7bfab9be6a6f947f701e999a73458c30dd845f77",
            .fallback: "sha256:4692f8290dca1b43fcbcbe19ecdc6f7efad5ca9b054708818ac38f30b2915678",
        ]
        #expect(snapshot.id.description == ids[builtin])
    }

    @Test(arguments: PolicyLayer.allCases)
    func thePublishedSchemaIsWrittenFromTheLanguage(_ layer: PolicyLayer) throws {
        let name = layer == .workspace ? "policy.schema.json" : "policy-spec.schema.json"
        let url = root.appendingPathComponent("spec/policy/\(name)")
        let bytes = Data(PolicyLanguage.jsonSchema(of: layer).encoded(.pretty) + [10])
        if rewrites { try bytes.write(to: url) }
        #expect(try Data(contentsOf: url) == bytes, "'make vectors' writes it anew")
    }

    @Test func theTablesOfTheSpecAreWrittenFromTheLanguage() throws {
        let url = root.appendingPathComponent("spec/policy.md")
        let (begin, end) = ("<!-- tables: written by 'make vectors' -->\n", "<!-- end of tables -->\n")
        let document = try String(contentsOf: url, encoding: .utf8)
        let parts = document.components(separatedBy: begin)
        let rest = parts[1].components(separatedBy: end)
        if rewrites {
            try (parts[0] + begin + PolicyLanguage.markdown + end + rest[1]).write(
                to: url,
                atomically: true,
                encoding: .utf8
            )
        } else {
            #expect(rest[0] == PolicyLanguage.markdown, "'make vectors' writes it anew")
        }
    }

    @Test func theLimitsAreThoseOfTheSpec() throws {
        let spec = try text(of: "spec/policy.md")
        let limits: [(String, Int)] = [
            ("sourceBytes", PolicyLimits.sourceBytes), ("snapshotBytes", PolicyLimits.snapshotBytes),
            ("depth", PolicyLimits.depth), ("lineBytes", PolicyLimits.lineBytes), ("modes", PolicyLimits.modes),
            ("dottedKeys", PolicyLimits.dottedKeys), ("entries", PolicyLimits.entries),
            ("nodes", PolicyLimits.nodes), ("nameBytes", PolicyLimits.nameBytes), ("textBytes", PolicyLimits.textBytes),
            ("diagnostics", PolicyLimits.diagnostics), ("tokens", PolicyLimits.tokens),
        ]
        for (name, value) in limits { #expect(spec.contains("| `\(name)` | \(value) |"), "\(name)") }
        let approvals: [(String, Int)] = [
            ("signatureBytes", ApprovalLimits.signatureBytes), ("keyBytes", ApprovalLimits.keyBytes),
            ("modulusBytes", ApprovalLimits.modulusBytes), ("nameBytes", ApprovalLimits.nameBytes),
            ("statementBytes", ApprovalLimits.statementBytes), ("approvals", ApprovalLimits.approvals),
            ("authors", ApprovalLimits.authors), ("signersBytes", ApprovalLimits.signersBytes),
            ("signersLines", ApprovalLimits.signersLines), ("signers", ApprovalLimits.signers),
            ("patterns", ApprovalLimits.patterns), ("wildcards", ApprovalLimits.wildcards),
            ("clockSeconds", Int(ApprovalLimits.clockSeconds)),
        ]
        for (name, value) in approvals { #expect(spec.contains("| `\(name)` | \(value) |"), "\(name)") }
        for reason in ApprovalRefusal.Reason.allCases { #expect(spec.contains("`\(reason.rawValue)`"), "\(reason)") }
        for text in [ApprovalStatement.namespace, ApprovalStatement.predicateType, ApprovalStatement.type] {
            #expect(spec.contains("`\(text)`"))
        }
    }

    @Test func everyMemberTakenOutOrReplacedIsAnErrorOrAPolicy() throws {
        let json = try JSONValue.parse(try #require(Self.example).canonicalJSON)
        var refused = 0
        for mutant in Self.mutants(json) {
            let bytes = try CanonicalJSON.encode(mutant)
            do throws(SnapshotError) {
                let policy = try CompiledPolicy(canonicalJSON: bytes)
                #expect(policy.canonicalJSON == bytes)
            } catch {
                refused += 1
            }
        }
        #expect(refused > 300)
    }

    /// The tree with one node removed, or replaced by values of other types.
    private static func mutants(_ value: JSONValue) -> [JSONValue] {
        var found: [JSONValue] = [.null, "x", 0, -1, [], [:], .bool(true), 99_999_999_999_999]
        if let members = value.object {
            for member in members {
                var without = members
                without[member.key] = nil
                found.append(.object(without))
                var more = members
                more.append("zz", 1)
                found.append(.object(more))
                for mutant in mutants(member.value) {
                    var changed = members
                    changed[member.key] = mutant
                    found.append(.object(changed))
                }
            }
        }
        if let items = value.array {
            for (index, item) in items.enumerated() {
                for mutant in mutants(item) {
                    var changed = items
                    changed[index] = mutant
                    found.append(.array(changed))
                }
            }
        }
        return found
    }

    @Test(arguments: [
        ("", SnapshotError.Code.notCanonical), ("{}", .missing), (#"{"schema":2}"#, .unknownSchema),
        (#"{"schema":1}"#, .missing), (#"{ "schema":1}"#, .notCanonical), ("[1]", .missing),
        (#"{"schema":"1"}"#, .invalid),
    ])
    func bytesThatAreNoSnapshotAreRefused(_ text: String, _ code: SnapshotError.Code) {
        #expect { try CompiledPolicy(canonicalJSON: Array(text.utf8)) } throws: { ($0 as? SnapshotError)?.code == code }
    }

    @Test func idsReadBack() throws {
        let id = try #require(Self.example?.id)
        #expect(SnapshotID(id.description) == id)
        for text in ["", "sha256:", "sha256:" + String(repeating: "A", count: 64), "md5:00"] {
            #expect(SnapshotID(text) == nil)
        }
    }
}

@Suite struct ValueTests {
    @Test func timesReadBackAndOddOnesAreRefused() {
        for seconds: Int64 in [0, 951_782_400, 1_793_491_200, 253_402_300_799, 4_107_542_400] {
            let time = PolicyTime(seconds: seconds)
            #expect(PolicyTime(time.description) == time)
        }
        #expect(PolicyTime("2026-11-01")?.description == "2026-11-01T00:00:00Z")
        #expect(PolicyTime("2026-11-01T01:30:00+01:30")?.description == "2026-11-01T00:00:00Z")
        for text in [
            "2026-13-01", "2026-02-29", "2026-1-1", "2026-11-01T00:00:00", "2026-11-01T24:00:00Z", "x",
            "2026-11-01T00:00:00.5Z",
        ] {
            #expect(PolicyTime(text) == nil, "\(text)")
        }
    }

    @Test func moneyIsCheckedAndWrittenExactly() {
        #expect(USD(picodollars: 25_000_000_000_000).description == "25.00")
        #expect(USD(picodollars: 15_000_000).description == "0.000015")
        #expect(USD(picodollars: -1).description == "-0.000000000001")
        #expect(USD(picodollars: .max).adding(USD(picodollars: 1)) == nil)
        #expect(USD(picodollars: .max).multiplied(by: 2) == nil)
        #expect(USD(microdollars: .max) == nil)
        #expect(USD(picodollars: .max).multiplied(by: Ratio(millionths: 1_000_000)).picodollars == .max)
        #expect(USD(picodollars: 10).multiplied(by: Ratio(millionths: 800_000)).picodollars == 8)
    }

    @Test func numbersOfYAMLsCoreSchema() {
        func kind(_ text: String) -> String { YAMLCoreSchema.value(of: text).kind }
        for text in ["1", "-12", "+3", "0x1F", "0o17"] { #expect(kind(text) == "an integer", "\(text)") }
        for text in ["1.5", ".5", "5.", "1e3", "-1.5E-3", ".inf", "-.INF", ".nan"] {
            #expect(kind(text) == "a number with a fraction", "\(text)")
        }
        for text in ["off", "yes", "2:30", "1_000", "0b1", "1.2.3", ".", "-", "+", "e3", "1e", "2026-11-01"] {
            #expect(kind(text) == "text", "\(text)")
        }
    }

    @Test func theNearestWordIsSuggested() {
        func nearest(_ word: String, _ words: [String]) -> String? {
            var left = 100
            return Suggestion.nearest(to: word, among: words, comparisonsLeft: &left)
        }
        #expect(nearest("anthopic", ["anthropic", "openai"]) == "anthropic")
        #expect(nearest("warn-at", ["warn_at", "stop_at"]) == "warn_at")
        #expect(nearest("zz", ["anthropic"]) == nil)
        #expect(nearest("tokens", ["tokeen", "toks"]) == "tokeen")
    }

    @Test(arguments: [
        "sk-ant-api03-abcDEF123456", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "AKIAIOSFODNN7EXAMPLE",
        "https://user:hunter2@host.example", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0", "-----BEGIN PRIVATE KEY-----",
        "a8F3kQ9zLm2Xw7Rt5Yv1Bn6Cd4Ej0GhU",
    ])
    func whatLooksLikeASecretIsFound(_ text: String) {
        #expect(SecretPattern.matches(text))
    }

    @Test(arguments: [
        "ANTHROPIC_API_KEY", "platform-security", "https://api.anthropic.example/v1", "claude-opus-4-1-20250805",
        "policy/allowed_signers", "qwen3-coder-30b-a3b-instruct", "sk-learn",
    ])
    func ordinaryWordsAreNoSecrets(_ text: String) {
        #expect(!SecretPattern.matches(text))
    }
}
