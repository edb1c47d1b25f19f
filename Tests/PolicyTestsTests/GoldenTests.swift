import Testing

@testable import ModelPolicy
@testable import PolicyTests

@Suite struct GoldenTests {
    @Test func itReadsBackAndIsTheSameEachTime() throws {
        let example = try Example.read()
        let golden = GoldenFile(example.suite.cases, under: ScenarioDecider(example.policy))
        #expect(golden.entries.count == example.suite.cases.count && golden.entries.count > 100)
        #expect(try GoldenFile(text: Array(golden.text.utf8)) == golden)
        #expect(golden.text == GoldenFile(example.suite.cases, under: ScenarioDecider(example.policy)).text)
    }

    @Test func aChangeIsToldCaseByCase() throws {
        let example = try Example.read()
        let old = GoldenFile(example.suite.cases, under: ScenarioDecider(example.policy))
        let changed = try compiled(
            example.text.replacing("models  = [\"opus\", \"sonnet\"]", with: "models  = [\"sonnet\", \"opus\"]")
        )
        let new = GoldenFile(example.suite.cases.dropLast(), under: ScenarioDecider(changed))
        let changes = new.changes(from: old)
        #expect(changes.last?.new == nil && changes.last?.name == example.suite.cases.last?.name)
        #expect(changes.dropLast().allSatisfy { $0.name.contains("role=architect") && $0.old != nil && $0.new != nil })
        #expect(changes.count > 6)
        #expect(old.changes(from: old) == [])
    }

    @Test(arguments: ["", "golden = 1\n", "# x\ngolden = 1\nname\n", "\u{FEFF}"])
    func whatIsNoGoldenFileIsSaid(_ text: String) {
        #expect(throws: GoldenFile.Fault.self) { try GoldenFile(text: Array(text.utf8)) }
    }

    @Test func aCheckoutThatChangesTheEndsOfLinesChangesNoDecision() throws {
        let example = try Example.read()
        let golden = GoldenFile(example.suite.cases, under: ScenarioDecider(example.policy))
        #expect(try GoldenFile(text: Array(golden.text.replacing("\n", with: "\r\n").utf8)) == golden)
        let text = golden.text.replacing("\n    opus", with: "\nopus").replacing("\n", with: "\r\n")
        #expect(throws: GoldenFile.Fault.malformed(line: 4)) { try GoldenFile(text: Array(text.utf8)) }
    }

    @Test func anEditByHandIsSeenAtItsLine() throws {
        let example = try Example.read()
        let golden = GoldenFile(example.suite.cases, under: ScenarioDecider(example.policy))
        let text = golden.text.replacing("\n    opus", with: "\nopus")
        #expect(throws: GoldenFile.Fault.malformed(line: 4)) { try GoldenFile(text: Array(text.utf8)) }
    }
}
