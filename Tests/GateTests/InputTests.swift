import ModelPolicy
import Testing

@testable import PolicyGate

@Suite struct InputTests {
    @Test func versionsAreOrderedAsSemverOrdersThem() {
        let sorted = [
            "0.9.9", "1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2",
            "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0",
        ].compactMap(SemanticVersion.init)
        #expect(sorted.count == 14)
        for (place, version) in sorted.enumerated() {
            for later in sorted[(place + 1)...] { #expect(version < later && !(later < version)) }
        }
        #expect(SemanticVersion("1.0.0+a") == SemanticVersion("1.0.0+b"))
        for bad in ["1.0", "v1.0.0", "1.0.0-", "01.0.0", "", "1.0.0-01"] { #expect(SemanticVersion(bad) == nil) }
    }

    @Test(arguments: [
        ("1.4.2", "1.4.3", [PolicyBump.Level.patch]), ("1.4.2", "1.5.0", [.patch, .minor]),
        ("1.4.2", "2.0.0", [.patch, .minor, .major]), ("0.4.2", "0.5.0", [.patch, .minor, .major]),
        ("0.4.2", "0.4.3", [.patch]), ("1.4.2", "1.4.2", []), ("1.4.2", "1.4.1", []),
        ("2.0.0-rc.1", "2.0.0-rc.2", [.patch, .minor, .major]), ("1.4.2", "2.0.0-rc.1", [.patch, .minor, .major]),
        ("1.4.2", "1.4.3-rc.1", [.patch]),
    ])
    func aVersionIsRaisedByALevel(_ old: String, _ new: String, _ levels: [PolicyBump.Level]) throws {
        let (before, after) = (try #require(SemanticVersion(old)), try #require(SemanticVersion(new)))
        #expect(PolicyBump.Level.allCases.filter { $0.isMet(from: before, to: after) } == levels)
    }

    @Test func aChangelogIsReadByItsHeadings() {
        let text = """
            # Changelog
            ## [2.0.0] - 2026-11-01
            - `a claim` no longer holds.
            ## v1.5.0
            ```
            ## 1.4.0
            ```
            <!-- ## 1.3.0
            ## 1.2.0 -->
            ### Details
            ## 1.1.0 (then)
            """
        let log = PolicyChangelog(Array(text.utf8))
        #expect(log.entries.map(\.version) == ["2.0.0", "1.5.0", "1.1.0"])
        #expect(log.entries.map(\.line) == [2, 4, 11])
        #expect(log.entry("2.0.0")?.names("a claim") == true && log.entry("2.0.0")?.names("a") == false)
        #expect(log.entry("2.0.0")?.names("a claim [risk=high]") == true)
        #expect(log.entry("1.1.0")?.saysSomething == false && log.entry("1.4.0") == nil)
        #expect(PolicyChangelog(Array("## 1.0.0\r\n- x\r\n".utf8)).entry("1.0.0")?.saysSomething == true)
    }

    @Test func aLongerListOfChecksOrFileOfRulesThanIsReadIsAFault() {
        func read(_ text: String) -> (rules: GateRules?, codes: [DiagnosticCode]) {
            let (rules, found) = GateRules.read(SourceFile(name: "policy/gate.toml", bytes: Array(text.utf8)))
            return (rules, found.map(\.code))
        }
        func list(_ count: Int) -> String {
            "schema = 1\nchecks = [\((0..<count).map { "\"c\($0)\"" }.joined(separator: ", "))]\n"
        }
        #expect(read(list(GateLimits.entries)).rules?.checks.count == PolicyGate.checks.count + GateLimits.entries)
        #expect(read(list(GateLimits.entries + 1)).codes == [.beyondLimit])
        let line = "# " + String(repeating: "x", count: 125) + "\n"
        let lines = String(repeating: line, count: GateLimits.textBytes / line.utf8.count - 1)
        let good = "schema = 1\n\(lines)#"
        #expect(read(good.padded(to: GateLimits.textBytes)).rules != nil)
        #expect(read(good.padded(to: GateLimits.textBytes + 1)).codes == [.beyondLimit])
    }

    @Test func aLongerChangelogThanIsReadHasNoEntryThere() {
        let (heading, newest) = ("\n## 1.0.0\n\n- x", "## 2.0.0\n\n- The newest stands first.\n")
        func log(_ length: Int) -> PolicyChangelog {
            PolicyChangelog(Array((newest.padded(to: length - heading.utf8.count) + heading).utf8))
        }
        #expect(log(GateLimits.textBytes).entry("1.0.0")?.saysSomething == true)
        let long = log(GateLimits.textBytes + heading.utf8.count)
        #expect(long.entry("1.0.0") == nil && long.entry("2.0.0")?.saysSomething == true)
    }

    @Test func theRulesOfTheGateAreReadOrTheirFaultsTold() {
        func read(_ text: String) -> (GateRules?, [Diagnostic]) {
            let (rules, found) = GateRules.read(SourceFile(name: "policy/gate.toml", bytes: Array(text.utf8)))
            return (rules, found)
        }
        let good = "schema = 1\nmin_coverage = 95\ngolden = \"policy/golden\"\nchecks = [\".ci/\"]\n"
        #expect(read(good).0?.minCoverage == 95 && read(good).0?.golden == "policy/golden")
        #expect(read(good).0?.checks == PolicyGate.checks + [".ci/"])
        #expect(read("schema = 1\n").0 == GateRules())
        for bad in [
            "min_coverage = 95\n", "schema = 2\n", "schema = 1\nmin_coverage = 101\n",
            "schema = 1\nmin_coverage = \"9\"\n",
            "schema = 1\ngolden = \"../x\"\n", "schema = 1\ngolden = \"/x\"\n", "schema = 1\nchecks = [1]\n",
            "schema = 1\nmin_coverge = 1\n", "schema = 1\nmin_coverage = -1\n",
        ] {
            let (rules, found) = read(bad)
            #expect(rules == nil && found.map(\.code) == [.gateRules], "\(bad) \(found)")
        }
        // One fault is one message.
        #expect(read("schema 1\nmin_coverage = 5\n").1.count == 1)
        #expect(read("schema 1\nmin_coverge = 5\n").1.map(\.code).contains(.gateRules))
        #expect(read("schema = 1\nmin_coverge = 1\n").1.first?.help?.contains("min_coverage") == true)
        // Whatever the bytes are.
        let bytes = Array(good.utf8)
        for end in bytes.indices {
            _ = GateRules.read(SourceFile(name: "gate.toml", bytes: Array(bytes[..<end])))
            var flipped = bytes
            flipped[end] ^= 0x80
            _ = GateRules.read(SourceFile(name: "gate.toml", bytes: flipped))
        }
    }
}

extension String {
    /// With letters behind it up to so many bytes.
    fileprivate func padded(to count: Int) -> String { self + String(repeating: "x", count: count - utf8.count) }
}
