import Foundation
import Testing

@Suite struct StreamTests {
    private func lines(_ count: Int, _ prefix: String) -> String {
        (0..<count).map { #"{"type":"note","key":"\#(prefix)-\#($0)","body":{"text":"\#(prefix) \#($0)"}}"# }.joined(separator: "\n") + "\n"
    }

    @Test func twoProcessesAppendToOneRunAndNothingIsLost() throws {
        let shop = try Shop()
        let run = try shop.start()
        try shop.write(lines(5000, "a"), to: "a.ndjson")
        try shop.write(lines(5000, "b"), to: "b.ndjson")
        let answer = try shop.shell("$TOOL append \(run) --ndjson --quiet < a.ndjson & $TOOL append \(run) --ndjson --quiet < b.ndjson & wait")
        #expect(answer.lines.count == 2 && answer.errors.isEmpty, "\(answer)")
        #expect(try shop.run("verify").status == 0)
        let shown = try shop.run("show", run, "--type", "note", "--json").output
        #expect(shown.components(separatedBy: #""type": "note""#).count == 10_001)
    }

    @Test func aStreamThatIsSentTwiceIsWrittenOnce() throws {
        let shop = try Shop()
        let run = try shop.start()
        #expect(try shop.run("append", run, "--ndjson", input: lines(100, "x")).errors.hasPrefix("100 events appended"))
        let again = try shop.run("append", run, "--ndjson", input: lines(101, "x"))
        #expect(again.errors.hasPrefix("1 event appended, 100 there already"), "\(again)")
    }

    @Test func aReceiptIsPrintedWhileTheStreamIsStillOpen() throws {
        let shop = try Shop()
        let run = try shop.start()
        // The second line is written only after the first receipt was read: it ends if receipts wait for the end.
        let answer = try shop.shell(
            """
            coproc T { timeout 60 $TOOL append \(run) --ndjson 2>errors; }
            for n in 1 2 3; do
                echo '{"type":"note","body":{"text":"'$n'"}}' >&${T[1]}
                read -r -t 50 receipt <&${T[0]} || { echo none; exit; }
                echo "$receipt"
                $TOOL verify --json | grep -o '"events": [0-9]*'
            done
            """)
        #expect(answer.lines == (1...3).flatMap { ["\(run)#\($0)", "\"events\": \($0 + 2)"] }.map { Substring($0) }, "\(answer)")
    }

    @Test func receiptsAsJSONSayWhichLineTheyAreOf() throws {
        let shop = try Shop()
        let run = try shop.start()
        let answer = try shop.run("append", run, "--ndjson", "--json", input: "\n" + lines(2, "x"))
        let values = try answer.lines.map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:] }
        #expect(values.count == 3 && values[0]["line"] as? Int == 2 && values[1]["sequence"] as? Int == 2, "\(answer)")
        #expect(values[2]["appended"] as? Int == 2 && values[2]["complete"] as? Bool == true, "\(answer)")
        #expect(try shop.run("append", run, "--ndjson", "--quiet", input: lines(2, "y")).output.hasPrefix("2 events appended"))
    }

    @Test func whatStandsBeforeARefusedBoundaryIsWrittenOnce() throws {
        let shop = try Shop()
        let run = try shop.start()
        let note = #"{"type":"note","body":{"text":"a"}}"#
        let checkpoint = #"{"type":"checkpoint","body":{},"expected_sequence":77}"#
        let answer = try shop.run("append", run, "--ndjson", input: [note, checkpoint, note].joined(separator: "\n"))
        #expect(answer.status == 2 && answer.errors.contains("line 2") && answer.lines == ["\(run)#1"], "\(answer)")
        #expect(try shop.run("show", run, "--type", "note", "--json").output.components(separatedBy: #""type": "note""#).count == 2)
    }

    @Test func withATypeEachLineIsABody() throws {
        let shop = try Shop()
        let run = try shop.start()
        #expect(try shop.run("append", run, "--ndjson", "--type", "com.example.row", input: "{\"a\":1}\n\n[2]\n").status == 0)
        #expect(try shop.run("show", "\(run)#2", "--body").output == "[2]")
    }

    @Test func aReaderThatGoesAwayIsNoError() throws {
        let shop = try Shop()
        let run = try shop.start()
        try shop.run("append", run, "--ndjson", input: lines(20_000, "x"))
        let answer = try shop.shell("set -o pipefail 2>/dev/null; $TOOL show \(run) --json | head -c 100 >/dev/null; echo done")
        #expect(answer.output == "done\n" && answer.errors.isEmpty, "\(answer)")
    }

    @Test func controlCharactersFromTheFileAreEscaped() throws {
        let shop = try Shop()
        let run = try shop.start()
        try shop.run("append", run, "--type", "note", "--body", #"{"text":"\u001b[31mred\u0007"}"#)
        let shown = try shop.run("show", run).output
        #expect(!shown.contains("\u{1B}") && shown.contains("\\u{1b}[31mred"))
    }

    @Test func theCapsuleIsFoundUpwardsAndByTheVariable() throws {
        let shop = try Shop()
        _ = try shop.start("--name", "here")
        #expect(try shop.shell("mkdir -p a/b && cd a/b && $TOOL runs").output.contains("here"))
        #expect(try shop.shell("cd / && CAPSULE_FILE=\(shop.path("runs.cpsl")) $TOOL runs").output.contains("here"))
    }

    @Test func helpNamesEveryExitStatus() throws {
        let shop = try Shop(capsule: false)
        let help = try shop.run("--help")
        #expect(help.status == 0)
        for status in ["0 done", "1 no", "2 refused", "3 the capsule", "4 the system", "5 another", "64 usage", "65 malformed", "66 no capsule", "73 the file"] {
            #expect(help.output.replacingOccurrences(of: "\n", with: " ").replacingOccurrences(of: "  ", with: " ").contains(status), "\(status)")
        }
        for shell in ["bash", "zsh", "fish"] {
            #expect(try shop.run("--generate-completion-script", shell).output.contains("capsule-tool"))
        }
    }
}
