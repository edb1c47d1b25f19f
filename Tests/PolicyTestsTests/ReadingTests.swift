import Testing

@testable import ModelPolicy
@testable import PolicyTests

@Suite struct ReadingTests {
    @Test(arguments: DiagnosticCode.ofScenarios)
    func eachCodeHasAnExampleThatGivesItAndACure(_ code: DiagnosticCode) throws {
        let guide = code.guide
        #expect(!guide.title.isEmpty)
        #expect(codes(try read(guide.fault)) == [code.rawValue])
        #expect(codes(try read(guide.cure)) == [])
    }

    private static let head = "schema = 1\n[[scenarios]]\nname = \"a\"\n"

    @Test func aMisspeltRoleIsToldAtItsPlaceWithTheOneThatWasMeant() throws {
        let suite = try read(Self.head + "given = { role = \"wirter\" }\nexpect = { model = \"big\" }\n")
        let told = DiagnosticFormat.human.text(suite.diagnostics)
        #expect(told.hasPrefix("error[T004]: the policy has no role `wirter`\n --> tests.toml:4:18\n"), "\(told)")
        #expect(
            told.contains("  |                  ^^^^^^^^\n") && told.contains("help: did you mean `writer`?"),
            "\(told)"
        )
    }

    @Test(arguments: [
        ("given = { rle = \"writer\" }", "T001"), ("given = { role = \"writer\", stage = \"pln\" }", "T004"),
        ("given = { role = \"writer\", mode = \"quik\" }", "T004"), ("given = { role = 3 }", "T003"),
        ("given = { role = \"writer\", confidence = 1.1 }", "T003"),
        ("given = { role = \"writer\", failed = { bgi = \"1s\" } }", "T004"),
        ("given = { role = \"writer\", failing = { lap = { failures = 1 } } }", "T004"),
        ("given = { role = \"writer\", gates = { g = {} } }", "T004"),
        ("given = { role = \"writer\", fired = [\"none\"] }", "T004"),
        ("given = { role = \"writer\", answer = \"perhaps\" }", "T003"),
        ("given = { role = \"writer\", answer = { model = \"bgi\" } }", "T004"),
        ("given = { role = \"writer\", spent_usd = \"lots\" }", "T003"),
        ("given = { role = \"writer\", now = \"noon\" }", "T003"),
        ("given = { role = \"writer\", overrides = [{ rule = \"budgets\" }] }", "T003"),
        ("given = { role = \"writer\", alerted = [\"warn budgets.per_run_usd\"] }", "T003"),
        ("given = [1]", "T003"), ("use = [\"fixture\"]\ngiven = { role = \"writer\" }", "T004"),
        ("use = 1\ngiven = { role = \"writer\" }", "T003"),
        ("given = { role = \"writer\" }\nmatrix = { risk = \"high\" }", "T008"),
        ("given = { role = \"writer\" }\nmatrix = { risk = [] }", "T008"),
        ("given = { role = \"writer\" }\nmatrix = { risk = [\"high\", \"high\"] }", "T008"),
        ("given = { role = \"writer\" }\nmatrix = { rsik = [\"high\"] }", "T001"),
        ("given = { role = \"writer\" }\nexpect_by = { risk = { high = { model = \"big\" } } }", "T008"),
    ])
    func oneFaultIsOneError(_ lines: String, _ code: String) throws {
        let text = Self.head + lines + "\nexpect = { model = \"big\" }\n"
        let found = codes(try read(text))
        #expect(Set(found) == [code], "\(found)")
    }

    @Test(arguments: [
        ("expect = { modl = \"big\" }", "T001"), ("expect = { model = \"bgi\" }", "T004"),
        ("expect = { rule = \"roles.wirter.models\" }", "T004"), ("expect = { reason = \"tired\" }", "T003"),
        ("expect = { cause = [\"primary\"] }", "T003"), ("expect = { alerts = [\"warn money\"] }", "T003"),
        ("expect = { permits_call = \"yes\" }", "T003"), ("expect = {}", "T007"),
    ])
    func whatIsExpectedIsCheckedLikewise(_ lines: String, _ code: String) throws {
        let text = Self.head + "given = { role = \"writer\" }\n" + lines + "\n"
        #expect(codes(try read(text)).contains(code))
        #expect(try read(text).scenarios.isEmpty || code != "T007")
    }

    @Test func anUnknownNameIsWhatAScenarioMayBeAbout() throws {
        let suite = try read(
            Self.head + "given = { role = \"pilot\" }\nexpect = { reason = \"unknown-role\", rule = \"roles\" }\n"
        )
        #expect(codes(suite) == [])
        #expect(PolicyTestRun(suite.scenarios, under: ScenarioDecider(try guidePolicy())).isPassed)
    }

    @Test func tomlAndYAMLSayTheSame() throws {
        let toml = """
            schema = 1

            [fixtures.quick]
            role = "writer"
            mode = "quick"

            [[scenarios]]
            name = "quick"
            use = ["quick"]
            given = { failed = { tiny = "10s" }, input_tokens = "none" }
            matrix = { risk = ["high", "low"], confidence = [0.5] }
            expect = { mode = "quick" }
            expect_by = { risk = { high = { evidence = "durable" } } }
            """
        let yaml = """
            schema: 1
            scenarios:
              - expect_by: { risk: { high: { evidence: durable } } }
                expect: { mode: quick }
                matrix: { confidence: [0.5], risk: [high, low] }
                given: { input_tokens: none, failed: { tiny: 10s } }
                use: [quick]
                name: quick
            fixtures:
              quick: { mode: quick, role: writer }
            """
        let (left, right) = (try read(toml), try read(yaml, .yaml))
        #expect(codes(left) == [] && codes(right) == [])
        #expect(
            left.scenarios.map(\.name) == ["quick [risk=high, confidence=0.5]", "quick [risk=low, confidence=0.5]"]
        )
        #expect(left.scenarios.map(\.name) == right.scenarios.map(\.name))
        #expect(left.scenarios.map(\.given) == right.scenarios.map(\.given))
        #expect(left.scenarios.map(\.expect) == right.scenarios.map(\.expect))
    }

    @Test func laterFixturesAndTheScenarioItselfAreOverEarlierOnes() throws {
        let policy = try Example().policy
        let suite = try read(
            """
            schema = 1
            [fixtures.a]
            role = "judge"
            gates.reflex_promotion.success_parity = { value = 0.9, samples = 3 }
            [fixtures.b]
            gates.reflex_promotion.success_parity.value = 0.1
            gates.reflex_promotion.p95_latency_ms = { value = 5 }
            [[scenarios]]
            name = "x"
            use = ["a", "b"]
            given = { gates.reflex_promotion.p95_latency_ms.value = 7 }
            expect = { model = "opus" }
            """,
            for: policy
        )
        // A measure names its value; a fixture that changes another part of it names the value too.
        #expect(codes(suite) == [])
        let gate = suite.scenarios.first?.given[.gates]?["reflex_promotion"]
        #expect(gate?["success_parity"]?["value"]?.int == 100_000)
        #expect(gate?["success_parity"]?["samples"]?.int == 3)
        #expect(gate?["p95_latency_ms"]?["value"]?.int == 7_000_000)
    }

    @Test func namesAreUniqueAcrossFiles() throws {
        let text = Self.head + "given = { role = \"writer\" }\nexpect = { model = \"big\" }\n"
        let files = ["a.toml", "b.toml"].map { SourceFile(name: $0, bytes: Array(text.utf8)) }
        let suite = ScenarioReader.read(files, for: try guidePolicy())
        #expect(suite.diagnostics.map(\.file) == ["b.toml"] && codes(suite) == ["T005"])
    }

    /// Every prefix of a good file, and every file with one byte changed, is read without a trap.
    @Test func hostileBytesGiveDiagnostics() throws {
        let example = try Example()
        let decider = ScenarioDecider(example.policy)
        for file in try Example.files("policy/tests") {
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<60 {
                var bytes = file.bytes
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                if Bool.random() {
                    bytes[place] = UInt8.random(in: 0...255)
                } else {
                    bytes.removeLast(bytes.count - place)
                }
                let changed = SourceFile(name: file.name, bytes: bytes)
                let suite = ScenarioReader.read([changed], for: example.policy)
                // What was read can be run, whatever it has become.
                #expect(PolicyTestRun(suite.scenarios, under: decider).results.count == suite.scenarios.count)
            }
        }
    }

    @Test func aMatrixThatWouldNotFitIsRefusedBeforeItIsExpanded() throws {
        let values = (0..<150).map { "\($0)" }.joined(separator: ", ")
        let axes = ["failed_attempts", "settled", "input_tokens", "spent_usd"].map { "\($0) = [\(values)]" }
        let suite = try read(
            Self.head
                + "given = { role = \"writer\" }\nexpect = { model = \"big\" }\nmatrix = { \(axes.joined(separator: ", ")) }\n"
        )
        #expect(codes(suite) == ["T006"] && suite.scenarios.isEmpty)
    }
}
