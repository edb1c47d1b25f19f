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
        let answer = try shop.shell("$TOOL append \(run) --ndjson < a.ndjson & $TOOL append \(run) --ndjson < b.ndjson & wait")
        #expect(answer.lines.count == 2 && answer.errors.isEmpty, "\(answer)")
        #expect(try shop.run("verify").status == 0)
        let shown = try shop.run("show", run, "--type", "note", "--json").output
        #expect(shown.components(separatedBy: #""type": "note""#).count == 10_001)
    }

    @Test func aStreamThatIsSentTwiceIsWrittenOnce() throws {
        let shop = try Shop()
        let run = try shop.start()
        #expect(try shop.run("append", run, "--ndjson", input: lines(100, "x")).output.hasPrefix("100 events appended"))
        let again = try shop.run("append", run, "--ndjson", input: lines(101, "x"))
        #expect(again.output.hasPrefix("1 event appended, 100 there already"), "\(again)")
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
