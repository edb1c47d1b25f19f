import Foundation
import Testing

@Suite struct ShowTests {
    private let shop: Shop

    init() async throws {
        shop = try Shop()
        try await Auditor.record(in: shop)
    }

    /// A terminal of 80 and of 200 columns, and a pipe.
    @Test(arguments: ["80", "200", "pipe"])
    func aRunIsPrintedAsItWas(_ width: String) async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop, checkpoint: nil)
        let arguments = ["show", "nightly"] + (width == "pipe" ? [] : ["--width", width])
        let answer = try Shop.launch(Shop.tool, arguments, folder: shop.folder, input: Data(), environment: [:])
        #expect(answer.status == 0 && answer.errors.isEmpty, "\(answer)")
        try Auditor.expect(Auditor.masked(answer.output), is: "show-\(width)")
    }

    @Test(arguments: [80, 200])
    func linesFitTheWidth(_ width: Int) throws {
        let answer = try shop.run("show", "nightly", "--width", "\(width)")
        for line in answer.output.split(separator: "\n") {
            let columns = line.unicodeScalars.reduce(0) { $0 + (($1.value >= 0x2E80 && $1.value < 0xA4D0) || $1.value > 0x1F000 ? 2 : 1) }
            #expect(columns <= width, "\(columns): \(line)")
        }
        #expect(answer.output.contains("× 14 grep ok"))
        #expect(answer.output.contains("━") == (width == 200))
    }

    @Test func repeatsAreFoldedAndAllShowsEach() throws {
        let folded = try shop.run("show", "nightly").output
        #expect(folded.contains("× 14 grep ok") && !folded.contains(#""pattern":"a5""#))
        #expect(!folded.contains("━"), "a pipe gets no bars")
        let all = try shop.run("show", "nightly", "--all").output
        #expect(!all.contains("× 14") && all.contains(#""pattern":"a5""#))
        #expect(all.components(separatedBy: "tool.call").count == 16)
    }

    @Test func anAnswerTookTheTimeSinceItsCall() throws {
        let line = try shop.run("show", "nightly", "--type", "tool.result", "--errors").lines.first { $0.contains("bash failed") }
        #expect(line?.contains(" 15.0 s ") == true, "\(line ?? "")")
    }

    @Test func costIsAnExactSum() throws {
        #expect(try shop.run("show", "nightly").output.contains("$0.30000000000000001"))
        let json = try shop.run("show", "nightly", "--json").output
        #expect(json.contains(#""cost_usd": "0.30000000000000001""#))
    }

    @Test func errorsAreThoseThatSaySo() throws {
        let lines = try shop.run("show", "nightly", "--errors").lines
        #expect(lines.last == "4 of 42 events")
        for word in ["bash failed exit 2", "tests blocked", "rate limited 429", "failed tests are red"] {
            #expect(lines.contains { $0.contains("✗") || $0.contains("■") && $0.contains(word) }, "\(word)")
        }
    }

    @Test func filtersAreJoinedByAnd() throws {
        #expect(try shop.run("show", "nightly", "--stage", "plan", "--type", "model.call").lines.last == "2 of 42 events")
        #expect(try shop.run("show", "nightly", "--grep", "RED").lines.last == "3 of 42 events")
        #expect(try shop.run("show", "nightly", "--grep", "計画").lines.last == "1 of 42 events")
        #expect(try shop.run("show", "nightly", "--grep", "^grep$").lines.last == "0 of 42 events", "a body is not one line")
        #expect(try shop.run("show", "nightly", "--type", "tool.*", "--since", "2026-11-23T14:00:40Z").lines.last == "2 of 42 events")
    }

    /// Each of these tries more ways than there are atoms where an engine goes back and tries again.
    @Test(arguments: ["(a+)+$", "(a|aa)+$", "(a*)*b", "((a{0,9}){0,9}){0,9}x"])
    func aPatternThatInvitesEndlessTryingEnds(_ pattern: String) throws {
        let shop = try Shop()
        _ = try shop.start("--name", "long")
        let text = String(repeating: "a", count: 200_000)
        try shop.run("append", "long", "--ndjson", input: #"{"type":"note","body":{"text":"\#(text)!"}}"#)
        #expect(try shop.run("show", "long", "--grep", pattern).status == 0)
    }

    @Test func whatRE2HasNotIsRefusedAndSaid() throws {
        for pattern in ["(?=a)", #"(a)\1"#, "a{1001}", "[z-a]"] {
            let answer = try shop.run("show", "nightly", "--grep", pattern)
            #expect(answer.status == 64 && answer.errors.contains("regular expression of RE2"), "\(answer)")
        }
        #expect(try shop.run("show", "nightly", "--grep", "").status == 0)
    }

    @Test func controlCharactersAreEscapedAndLineFeedsShown() throws {
        let output = try shop.run("show", "nightly").output
        #expect(!output.contains("\u{1B}") && output.contains("\\u{1b}[31mred\\u{7} and⏎next"))
    }

    @Test func oneEventIsShownInFullWhereverItStands() throws {
        for sequence in [0, 3, 36, 41] {
            let answer = try shop.run("show", "nightly#\(sequence)", "--json")
            #expect(answer.output.contains("\"sequence\": \(sequence),"), "\(answer)")
        }
        #expect(try shop.run("show", "nightly#38", "--json").output.contains(#""actor": "coder""#))
        let missing = try shop.run("show", "nightly#42")
        #expect(missing.status == 1 && missing.errors.contains("it has 42"))
    }

    @Test func aTerminalGetsAPagerAndAPipeDoesNot() throws {
        // `script` gives the tool a terminal.
        let pager = "PAGER='sed s/^/paged:/' TERM=xterm script -qec \"$TOOL show nightly --width 80\" /dev/null"
        #expect(try shop.shell(pager).output.contains("paged:run "))
        #expect(try shop.shell(pager.replacingOccurrences(of: "--width", with: "--no-pager --width")).output.hasPrefix("run "))
        #expect(try shop.shell("PAGER='sed s/^/paged:/' $TOOL show nightly").output.hasPrefix("run "))
    }

    @Test func theTimelineInJSONIsOneDocument() throws {
        for more in [[], ["--type", "override"]] {
            let answer = try Shop.launch(Shop.tool, ["show", "nightly", "--json"] + more, folder: shop.folder, input: Data(), environment: [:])
            let value = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
            #expect((value?["timeline"] as? [Any])?.count == (more.isEmpty ? 42 : 0))
            #expect(value?["model_calls"] as? Int == 2 && (value?["labels"] as? [String: String])?["team"] == "core")
        }
    }
}
