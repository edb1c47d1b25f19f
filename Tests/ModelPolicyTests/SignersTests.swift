import Foundation
import Testing

@testable import ModelPolicy

@Suite struct SignersTests {
    private let shop: KeyShop
    private let message = Array("a statement".utf8)

    init() throws { shop = try KeyShop() }

    /// What we say of a signature of Ada's key, and what OpenSSH says.
    private func verdicts(
        _ list: String,
        as principal: String,
        at time: PolicyTime = KeyShop.now,
        zone: String = "UTC"
    ) throws -> (ours: Bool, theirs: Bool) {
        let signature = try shop.sign(message, by: "ada")
        let key = try SSHSignature(armoured: signature).key
        let found = allowed(list).signers?.admit(key, as: principal, namespace: ApprovalStatement.namespace, at: [time])
        let ours = if case .success = found { true } else { false }
        return (ours, try shop.sshVerifies(signature, of: message, signers: list, as: principal, at: time, zone: zone))
    }

    @Test func weAndOpenSSHReadTheSameLists() throws {
        let (ada, bob) = (try shop.key("ada"), try shop.key("bob"))
        let namespace = ApprovalStatement.namespace
        let cases: [(list: String, principal: String, isTaken: Bool)] = [
            ("ada@example.com \(ada)", "ada@example.com", true),
            ("ada@example.com \(ada) a comment # and more", "ada@example.com", true),
            ("ada@example.com \(ada)\r\n", "ada@example.com", true),
            ("# a list\n\n  \t# another\n  ada@example.com\t \(ada)\n", "ada@example.com", true),
            ("ada@example.com \(bob)\nada@example.com \(ada)", "ada@example.com", true),
            ("ada@example.com \(bob)", "ada@example.com", false),
            ("bob@example.com \(ada)", "ada@example.com", false),
            ("ADA@example.com \(ada)", "ada@example.com", false),
            ("bob@example.com,ada@example.com \(ada)", "ada@example.com", true),
            ("\"ada@example.com\" \(ada)", "ada@example.com", true),
            ("*@example.com \(ada)", "ada@example.com", true),
            ("*@example.com,!ada@* \(ada)", "ada@example.com", false),
            ("!ada@*,*@example.com \(ada)", "ada@example.com", false),
            ("a?a@example.com \(ada)", "ada@example.com", true),
            ("a?@example.com \(ada)", "ada@example.com", false),
            ("* \(ada)", "anybody", true),
            ("ada@example.com namespaces=\"git\" \(ada)", "ada@example.com", false),
            ("ada@example.com namespaces=\"git,\(namespace)\" \(ada)", "ada@example.com", true),
            ("ada@example.com namespaces=\"policy-*\" \(ada)", "ada@example.com", true),
            ("ada@example.com NameSpaces=\"policy-*,!*example\" \(ada)", "ada@example.com", false),
            ("ada@example.com valid-after=\"20261101120000Z\" \(ada)", "ada@example.com", true),
            ("ada@example.com valid-after=\"20261101120001Z\" \(ada)", "ada@example.com", false),
            ("ada@example.com valid-before=\"20261101120000Z\" \(ada)", "ada@example.com", true),
            ("ada@example.com valid-before=\"20261101115959Z\" \(ada)", "ada@example.com", false),
            (
                "ada@example.com valid-after=\"202611011200Z\",valid-before=\"20261102Z\" \(ada)", "ada@example.com",
                true
            ),
            ("ada@example.com valid-after=\"20261102Z\" \(ada)\nada@example.com \(ada)", "ada@example.com", true),
            ("ada@example.com cert-authority \(ada)", "ada@example.com", false),
            ("ada@example.com valid-befor=\"20271102Z\" \(ada)", "ada@example.com", false),
            ("ada@example.com valid-after=\"2026-11-01Z\" \(ada)", "ada@example.com", false),
            ("ada@example.com namespaces=git \(ada)", "ada@example.com", false),
            ("ada@example.com namespaces=\"*\",namespaces=\"*\" \(ada)", "ada@example.com", false),
            ("ada@example.com \(ada.dropLast(4))", "ada@example.com", false),
            ("ada@example.com", "ada@example.com", false),
            ("\(ada)", "ada@example.com", false),
            ("", "ada@example.com", false),
        ]
        for (list, principal, isTaken) in cases {
            let (ours, theirs) = try verdicts(list, as: principal)
            #expect(ours == isTaken, "\(list)")
            #expect(theirs == isTaken, "OpenSSH: \(list)")
        }
    }

    @Test func aTimeWithoutZoneIsTakenSoThatOpenSSHTakesWhatWeTakeWhereverItRuns() throws {
        let ada = try shop.key("ada")
        for option in ["valid-after=\"20261101\"", "valid-before=\"20261101\""] {
            let list = "ada@example.com \(option) \(ada)"
            #expect(allowed(list).diagnostics.map(\.code) == [.signerLocalTime])
            var taken = 0
            for hours in stride(from: -16, through: 16, by: 1) {
                let time = PolicyTime(seconds: PolicyTime("2026-11-01T00:00:00Z")!.seconds + Int64(hours) * 3600)
                for zone in hours.isMultiple(of: 4) ? ["Etc/GMT+12", "UTC", "Etc/GMT-14"] : [] {
                    let (ours, theirs) = try verdicts(list, as: "ada@example.com", at: time, zone: zone)
                    #expect(!ours || theirs, "\(option) at \(time) in \(zone)")
                    taken += ours ? 1 : 0
                }
            }
            #expect(taken > 0)
        }
    }

    @Test func faultsAreToldAtTheirPlaces() throws {
        let ada = try shop.key("ada")
        let found = allowed("# ours\nada@example.com,é valid-after=\"20261101Z\",valid-befor=\"x\" \(ada)\nbob\n")
        #expect(found.signers == nil)
        #expect(
            found.diagnostics.map { "\($0.code.rawValue) \($0.file):\($0.span.start.line):\($0.span.start.column)" }
                == [
                    "P502 policy/allowed_signers:2:43", "P501 policy/allowed_signers:3:4",
                ]
        )
        #expect(found.diagnostics[0].help == "did you mean `valid-before`?")
    }

    @Test func noTextTraps() throws {
        let ada = try shop.key("ada")
        let list = "\"a,b\" namespaces=\"x,y\",valid-after=\"20261101\" \(ada) c\n*@x cert-authority \(ada)\n"
        let bytes = Array(list.utf8)
        for count in 0...bytes.count {
            _ = AllowedSigners.read(SourceFile(name: "s", bytes: Array(bytes.prefix(count))))
        }
        for index in bytes.indices {
            for byte in [0, 0x22, 0x2C, 0x0A, 0x20, 0xFF, 0x80] as [UInt8] {
                var changed = bytes
                changed[index] = byte
                _ = AllowedSigners.read(SourceFile(name: "s", bytes: changed))
            }
        }
    }

    @Test func limitsHold() throws {
        let ada = try shop.key("ada")
        let line = "ada@example.com \(ada)\n"
        #expect(allowed(String(repeating: line, count: ApprovalLimits.signers)).signers != nil)
        #expect(allowed(String(repeating: line, count: ApprovalLimits.signers + 1)).signers == nil)
        let names = (0..<ApprovalLimits.patterns).map { "n\($0)" }
        func list(_ names: some Sequence<String>) -> String {
            // Several lines, none too long.
            let names = Array(names)
            return stride(from: 0, to: names.count, by: 500).map {
                names[$0..<min($0 + 500, names.count)].joined(separator: ",") + " \(ada)\n"
            }.joined()
        }
        #expect(allowed(list(names)).signers != nil)
        #expect(allowed(list(names + ["x"])).signers == nil)
        let wild = (0..<ApprovalLimits.wildcards).map { "*n\($0)" }
        #expect(allowed(list(wild)).signers != nil)
        #expect(allowed(list(wild + ["*"])).signers == nil)
        let name = String(repeating: "a", count: ApprovalLimits.nameBytes)
        #expect(allowed("\(name) \(ada)").signers != nil)
        #expect(allowed("\(name)a \(ada)").signers == nil)
        #expect(allowed(String(repeating: "\n", count: ApprovalLimits.signersLines)).signers == nil)
        #expect(
            allowed(String(repeating: " ", count: ApprovalLimits.signersBytes + 1)).diagnostics.map(\.code) == [
                .beyondLimit
            ]
        )
    }

    /// Every pattern and every text of up to five letters, against the definition.
    @Test func patternsMatchAsTheyAreDefined() {
        func defined(_ text: ArraySlice<UInt8>, _ pattern: ArraySlice<UInt8>) -> Bool {
            guard let first = pattern.first else { return text.isEmpty }
            if first == UInt8(ascii: "*") {
                return defined(text, pattern.dropFirst()) || !text.isEmpty && defined(text.dropFirst(), pattern)
            }
            guard let letter = text.first, first == UInt8(ascii: "?") || first == letter else { return false }
            return defined(text.dropFirst(), pattern.dropFirst())
        }
        func words(_ letters: String, _ length: Int) -> [[UInt8]] {
            var all: [[UInt8]] = [[]]
            var last = all
            for _ in 0..<length {
                last = last.flatMap { word in letters.utf8.map { word + [$0] } }
                all += last
            }
            return all
        }
        let texts = words("ab", 5)
        for pattern in words("ab*?", 4) {
            for text in texts where SignerPattern.matches(text, pattern) != defined(text[...], pattern[...]) {
                Issue.record("\(String(decoding: text, as: UTF8.self)) and \(String(decoding: pattern, as: UTF8.self))")
            }
        }
    }
}
