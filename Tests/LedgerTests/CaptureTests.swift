import Testing

@testable import ModelPolicy
@testable import Ledger

@Suite struct CaptureTests {
    private struct Secrets: SecretSource {
        func environment() -> [String: String] {
            ["LAB_API_KEY": "k-12345678", "HOME": "/home/ada", "SHORT_KEY": "abc", "TWO_KEY": "k-12345678-long"]
        }
        func files(in workspace: FilePath) -> [(name: String, text: String)] {
            [(".env", "# none\nDB_PASSWORD='hunter2222'\n"), ("notes.txt", "hunter3333")]
        }
    }

    private func body(_ mode: CaptureMode) async throws -> JSONValue {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let policy = try Workbench.routingPolicy("1.00", "[capture]\nmode = \"\(mode.rawValue)\"")
        let run = try await bench.start(ledger, policy)
        let place = try await ledger.route(Workbench.request, in: run, key: nil).sequence
        var call = ModelCall(model: "big")
        (call.decision, call.prompt, call.output, call.summary) = (place, Array("in".utf8), Array("out".utf8), "s")
        let receipt = try await ledger.record(call, in: run)
        await ledger.close()
        let events = try bench.reader().timeline(of: run.id).events
        #expect(try bench.audit(run.id).findings.isEmpty)
        return try #require(events[Int(receipt.event.sequence)].json)
    }

    @Test(arguments: CaptureMode.allCases)
    func eachModeKeepsWhatItSaysAndNoMore(_ mode: CaptureMode) async throws {
        let members = Set(try await body(mode).object?.map(\.key) ?? [])
        let kept: [CaptureMode: Set<String>] = [
            .none: [], .hash: ["prompt", "output"], .summary: ["prompt", "output", "summary"],
            .promptsOnly: ["prompt", "output", "summary", "prompt_text"],
            .fullIO: ["prompt", "output", "summary", "prompt_text", "output_text"],
        ]
        #expect(members.subtracting(["model"]) == kept[mode])
    }

    @Test(arguments: CaptureMode.allCases)
    func aCallThatSaysMoreThanTheModeKeepsIsRefused(_ mode: CaptureMode) async throws {
        let bench = try Workbench()
        let ledger = try await bench.ledger()
        let policy = try Workbench.routingPolicy("1.00", "[capture]\nmode = \"\(mode.rawValue)\"")
        let run = try await bench.start(ledger, policy)
        let digest = "sha256:" + String(repeating: "0", count: 64)
        let texts = ["prompt": digest, "output": digest, "summary": "s", "prompt_text": "p", "output_text": "o"]
        for (member, least) in CaptureRule.content {
            let line: JSONValue = ["model": "big", member: .string(texts[member] ?? "")]
            let draft = EventDraft(.registered(.modelCall), body: line.encoded())
            let before = try bench.reader().run("\(run.id)").events
            if CaptureRule(mode).keeps(least) {
                _ = try await ledger.append([draft], to: run, durability: .written)
            } else {
                await #expect(throws: LedgerError(.overCapture, "")) {
                    try await ledger.append([Workbench.note("x"), draft], to: run, durability: .written)
                }
                #expect(try bench.reader().run("\(run.id)").events == before, "nothing of it was written")
            }
        }
        let hidden = EventDraft(.registered(.modelCall), body: Array(#"{"model":"big","messages":["hi"]}"#.utf8))
        await #expect(throws: LedgerError(.bodyInvalid, "")) {
            try await ledger.append([hidden], to: run, durability: .written)
        }
        await ledger.close()
    }

    @Test func secretsAreTakenOutBeforeAnythingIsWritten() async throws {
        let bench = try Workbench()
        let ledger = try await CapsuleLedger(appendingTo: bench.path, secrets: Secrets())
        let policy = try Workbench.routingPolicy("1.00", "[redaction]\non_ingest = true")
        var start = RunStart(.snapshot(policy))
        start.command = ["curl", "-H", "k-12345678"]
        let run = try await ledger.start(start).handle
        let bodies = [
            #"{"text":"a k-12345678 b k-12345678-long c \u006b-12345678"}"#, #"{"text":"abc stays, /home/ada too"}"#,
            #"{"path":"a/.env","content":"X=1","text":"kept: no"}"#, #"{"text":"hunter3333"}"#,
        ]
        for body in bodies {
            let draft = EventDraft(.custom("com.example.x"), body: Array(body.utf8))
            _ = try await ledger.append([draft], to: run, durability: .written)
        }
        var request = Workbench.request
        request.by = "me, k-12345678"
        let call = try await ledger.route(request, in: run, key: nil)
        var answer = Settlement(of: call.sequence, .completed)
        answer.finishReason = "k-12345678"
        _ = try await ledger.settle(answer, in: run, key: nil)
        await ledger.close()
        let events = try bench.reader().timeline(of: run.id).events
        let text = events.compactMap(\.inlineBody).map { String(decoding: $0, as: UTF8.self) }
        #expect(!text.contains { $0.contains("12345678") })
        #expect(text[1] == #"{"text":"a [redacted:LAB_API_KEY] b [redacted:TWO_KEY] c [redacted:LAB_API_KEY]"}"#)
        #expect(text[2] == bodies[1], "what has no secret stays byte for byte")
        #expect(text[3] == #"{"path":"a/.env","content":"[redacted:file]","text":"[redacted:file]"}"#)
        #expect(text[4] == bodies[3], "no pattern names that file")
        #expect(try bench.audit(run.id).findings.isEmpty)
    }

    @Test func contentsOfFilesThatAPatternNamesAreSecrets() {
        let rules = Redaction(environment: [], files: [".env"], onIngest: true)
        let redactor = Redactor(rules, environment: [:], files: Secrets().files(in: "/"))
        #expect(redactor.redacted("is hunter2222 it") == "is [redacted:.env] it")
        #expect(redactor.redacted("hunter3333") == nil)
    }

    @Test(arguments: [
        ("*_KEY", "A_KEY", true), ("*_KEY", "A_KEYS", false), ("*", "", true), ("a?c", "abc", true), ("a?c", "ac", false),
        ("*a*a*a*a*a*b", String(repeating: "a", count: 2000), false), ("", "", true), ("é*", "éa", true),
    ])
    func patternsMatchWholeNames(_ pattern: String, _ name: String, _ matches: Bool) {
        #expect(Glob.matches(pattern, name) == matches)
    }
}
