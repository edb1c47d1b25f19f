import Foundation
import Testing

/// Each bad input gets one clear error, its documented status, and no change to the file.
@Suite struct BadInputTests {
    /// The tool refuses with this status and these words, on one line, and leaves the capsule as it was.
    private func expectRefusal(
        _ shop: Shop, _ status: Int32, _ words: String, _ arguments: [String], input: String = ""
    ) throws {
        let before = try? shop.bytes()
        let answer = try Shop.launch(
            Shop.tool, arguments, folder: shop.folder, input: Data(input.utf8), environment: [:])
        #expect(answer.status == status, "\(answer)")
        #expect(answer.errors.contains(words), "\(answer)")
        #expect(answer.errors.hasPrefix("capsule-tool: ") && answer.errors.split(separator: "\n").count == 1, "\(answer)")
        #expect((try? shop.bytes()) == before)
    }

    private func damage(_ shop: Shop, _ change: (inout Data) -> Void) throws {
        var bytes = try shop.bytes()
        change(&bytes)
        try bytes.write(to: URL(fileURLWithPath: shop.path("runs.cpsl")))
    }

    @Test func whatIsNotACapsuleIsSaidToBeNone() throws {
        let shop = try Shop(capsule: false)
        try shop.write(String(repeating: "text\n", count: 4000), to: "runs.cpsl")
        for command in [["verify"], ["runs"], ["start", "--snapshot", "policy.json"]] {
            try expectRefusal(shop, 3, "not-a-capsule", command)
        }
    }

    @Test func aNewerFormatIsSaidToBeNewer() throws {
        let shop = try Shop()
        // The vector has its checksum right.
        let vector = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("spec/vectors/newer-format.cpsl")
        try Data(contentsOf: vector).write(to: URL(fileURLWithPath: shop.path("runs.cpsl")))
        try expectRefusal(shop, 3, "newer-format", ["verify"])
        try expectRefusal(shop, 3, "newer-format", ["start", "--snapshot", "policy.json"])
    }

    @Test func aTruncatedHeaderIsSaidToBeDamaged() throws {
        let shop = try Shop()
        try damage(shop) { $0 = $0.prefix(100) }
        try expectRefusal(shop, 3, "header-damaged", ["verify"])
        try expectRefusal(shop, 3, "header-damaged", ["start", "--snapshot", "policy.json"])
    }

    @Test func oneDamagedHeaderCopyIsReadFromTheOtherAndSaid() throws {
        let shop = try Shop()
        try damage(shop) { $0[50] ^= 1 }
        let answer = try shop.run("verify")
        #expect(answer.status == 0)
        #expect(answer.errors.contains("copy 1 of the file header is damaged"))
    }

    @Test func aDamagedBatchIsRefusedForReadingAndWriting() throws {
        let shop = try Shop()
        let run = try shop.start()
        try shop.run("end", run)
        try damage(shop) { $0[8192 + 140] ^= 1 }
        let verdict = try shop.run("verify")
        #expect(verdict.status == 3 && verdict.output.contains("DAMAGED") && verdict.errors.contains("8192"))
        try expectRefusal(shop, 3, "damaged", ["start", "--snapshot", "policy.json"])
    }

    @Test func damageInTheLastBatchIsNotTakenForATornTail() throws {
        let shop = try Shop()
        let run = try shop.start()
        try shop.run("end", run)
        try damage(shop) { $0[$0.count - 3] ^= 1 }
        try expectRefusal(shop, 3, "damaged", ["start", "--snapshot", "policy.json"])
        #expect(try shop.run("verify").status == 3)
    }

    @Test func aSnapshotThatDoesNotHashToItsIDIsFound() throws {
        let vector = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("spec/vectors/object-id.cpsl")
        let shop = try Shop(capsule: false)
        try Data(contentsOf: vector).write(to: URL(fileURLWithPath: shop.path("runs.cpsl")))
        let answer = try shop.run("verify")
        #expect(answer.status == 1 && answer.errors.contains("object-mismatch"))
        try expectRefusal(shop, 3, "object-mismatch", ["start", "--snapshot", "policy.json"])
    }

    @Test func appendsToUnknownAndEndedRunsAreRefused() throws {
        let shop = try Shop()
        let run = try shop.start()
        try shop.run("end", run)
        let note = ["--type", "note", "--body", #"{"text":"x"}"#]
        try expectRefusal(shop, 2, "unknown-run", ["append", "ffffffff"] + note)
        try expectRefusal(shop, 2, "run-ended", ["append", run] + note)
        try expectRefusal(shop, 2, "run-ended", ["end", run, "--outcome", "failed"])
        #expect(try shop.run("end", run).status == 0)
    }

    @Test func anExclusiveRunNeedsItsToken() throws {
        let shop = try Shop()
        let answer = try shop.run("start", "--snapshot", "policy.json", "--exclusive")
        let (run, token) = (String(answer.lines[0]), String(answer.lines[1]))
        let note = ["--type", "note", "--body", #"{"text":"x"}"#]
        try expectRefusal(shop, 2, "token-required", ["append", run] + note)
        try expectRefusal(shop, 2, "wrong-token", ["append", run, "--token", "abc"] + note)
        #expect(try shop.run("append", run, "--token", token, "--type", "note", "--body", #"{"text":"x"}"#).status == 0)
    }

    @Test func aBodyOverTheLimitIsRefused() throws {
        let shop = try Shop()
        let run = try shop.start()
        try shop.shell("head -c 67108865 /dev/zero > big")
        try expectRefusal(shop, 65, "67108864 bytes", ["append", run, "--type", "com.example.big", "--body-file", "big", "--media", "application/octet-stream"])
    }

    @Test func aBadLineInAStreamIsNamedAndWhatCameBeforeIsKept() throws {
        let shop = try Shop()
        let run = try shop.start()
        let good = #"{"type":"note","body":{"text":"a"}}"#
        let answer = try shop.run("append", run, "--ndjson", input: [good, good, #"{"type":"note","body":{"#, good].joined(separator: "\n"))
        #expect(answer.status == 65)
        #expect(answer.errors.contains("line 3"))
        #expect(answer.errors.hasPrefix("2 events appended"))
        #expect(try shop.run("show", run, "--json").output.components(separatedBy: #""type": "note""#).count == 3)
    }

    @Test func aRefusedLineInAStreamIsNamedAndWhatCameBeforeIsKept() throws {
        let shop = try Shop()
        let run = try shop.start()
        let lines = [#"{"type":"note","key":"k","body":{"text":"a"}}"#, #"{"type":"note","body":{"text":"b"}}"#, #"{"type":"note","key":"k","body":{"text":"c"}}"#]
        let answer = try shop.run("append", run, "--ndjson", input: lines.joined(separator: "\n"))
        #expect(answer.status == 2 && answer.errors.contains("line 3") && answer.errors.hasPrefix("2 events appended"), "\(answer)")
    }

    @Test func aReadOnlyFileIsSaidToBeSo() throws {
        let shop = try Shop()
        let run = try shop.start()
        let before = try shop.bytes()
        // Root may write to anything, so somebody else tries.
        let drop = getuid() == 0 ? "cp $TOOL ./tool; chmod 755 . ./tool; setpriv --reuid 65534 --clear-groups ./tool" : "$TOOL"
        let answer = try shop.shell("chmod 444 runs.cpsl; \(drop) append \(run) --type note --body '{\"text\":\"x\"}'")
        #expect(answer.status == 4 && answer.errors.contains("cannot open"), "\(answer)")
        #expect(try shop.bytes() == before)
    }

    @Test func aFullDiskIsToldAndLeavesAFileThatVerifies() throws {
        let shop = try Shop(capsule: false)
        try shop.shell("head -c 300000 /dev/urandom | base64 -w 0 > noise")
        let answer = try shop.shell(
            """
            mkdir small; unshare -rm sh -c '
            mount -t tmpfs -o size=128k tmpfs small && cp policy.json small && cd small && "$TOOL" init >/dev/null &&
            RUN=$("$TOOL" start --snapshot policy.json) && before=$(sha256sum < runs.cpsl) &&
            "$TOOL" append $RUN --type com.example.noise --media text/plain --body-file ../noise; echo status $?
            test "$before" = "$(sha256sum < runs.cpsl)" && echo unchanged
            "$TOOL" verify | grep -c intact
            "$TOOL" append $RUN --type note --body "{\\"text\\":\\"small\\"}" && echo again'
            """)
        #expect(answer.output.contains("status 4\nunchanged\n1\n"), "\(answer)")
        #expect(answer.output.contains("again"), "\(answer)")
        #expect(answer.errors.contains("No space left"), "\(answer)")
    }

    @Test func noCapsuleIsSaidWithWhatToType() throws {
        let shop = try Shop(capsule: false)
        try expectRefusal(shop, 66, "capsule-tool init", ["runs"])
        try expectRefusal(shop, 66, "--capsule", ["runs", "--capsule", "none.cpsl"])
    }

    @Test func ofTwoInitsAtOnceOneWins() throws {
        let shop = try Shop(capsule: false)
        let answer = try shop.shell("for i in 1 2 3 4 5 6 7 8; do ($TOOL init >/dev/null 2>&1; echo $?) & done; wait")
        #expect(answer.lines.sorted() == ["0"] + Array(repeating: "73", count: 7), "\(answer)")
        #expect(try shop.run("verify").status == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: shop.folder).filter { $0.contains(".new-") } == [])
    }

    @Test func aRunWithoutSnapshotCannotStart() throws {
        let shop = try Shop()
        #expect(try shop.run("start").status == 66)
        try shop.write("{\"b\":1, \"a\":2}", to: "loose.json")
        try expectRefusal(shop, 65, "canonical", ["start", "--snapshot", "loose.json"])
        try expectRefusal(shop, 2, "unknown-snapshot", ["start", "--snapshot", "sha256:ffff"])
    }

    @Test func requireSnapshotsNamesRunAndEvent() throws {
        let vector = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("spec/vectors/snapshot-missing.cpsl")
        let shop = try Shop(capsule: false)
        try Data(contentsOf: vector).write(to: URL(fileURLWithPath: shop.path("runs.cpsl")))
        let answer = try shop.run("verify", "--require-snapshots")
        #expect(answer.status == 1)
        #expect(answer.output.contains("019b0000-0000-7000-8000-000000000001#0"), "\(answer)")
        #expect(answer.errors.contains("1 event without a snapshot"), "\(answer)")
    }

    @Test func aBadKeyInAStreamIsBlamedOnItsLine() throws {
        let shop = try Shop()
        let run = try shop.start()
        let lines = [#"{"type":"com.x.y"}"#, #"{"type":"com.x.y"}"#, #"{"type":"com.x.y","key":""}"#]
        let answer = try shop.run("append", run, "--ndjson", input: lines.joined(separator: "\n"))
        #expect(answer.status == 65 && answer.errors.contains("line 3") && answer.errors.hasPrefix("2 events"), "\(answer)")
    }

    @Test func aRunIsEndedByEndOnly() throws {
        let shop = try Shop()
        let run = try shop.start()
        try expectRefusal(shop, 2, "capsule-tool end", ["append", run, "--type", "run.end"])
        #expect(try shop.run("end", run, "--outcome", "failed").status == 0)
    }

    @Test func aLinkUnderTheNoteIsNotWrittenThrough() throws {
        let shop = try Shop()
        let run = try shop.start()
        for target in ["victim", "/nonexistent/x"] {
            try shop.shell("echo precious > victim; rm runs.cpsl.note; ln -s \(target) runs.cpsl.note")
            try expectRefusal(shop, 4, "runs.cpsl.note", ["append", run, "--type", "com.x.y"])
            #expect(try shop.bytes("victim") == Data("precious\n".utf8))
        }
    }

    @Test func aNameThatLooksLikeAnEventIsFoundAndSaidToBeOne() throws {
        let shop = try Shop()
        _ = try shop.start("--name", "b#0")
        _ = try shop.start("--name", "a")
        let plain = try shop.run("show", "b#0")
        #expect(plain.output.contains("b#0") && plain.errors.isEmpty)
        _ = try shop.start("--name", "a#0")
        let answer = try shop.run("show", "a#0")
        #expect(answer.output.contains("a#0") && answer.errors.contains("taken as the name of a run"), "\(answer)")
        #expect(try shop.run("append", "a#0", "--type", "note", "--text", "x").status == 0)
        #expect(try shop.run("tail", "a#0").output.contains("note"))
    }

    @Test func aNameThatIsTheBeginningOfAnotherRunsIDWinsAndIsSaid() throws {
        let shop = try Shop()
        let first = try shop.start()
        let name = String(first.prefix(20))
        let second = try shop.start("--name", name)
        for command in [["show"], ["tail"], ["export"]] {
            let answer = try Shop.launch(
                Shop.tool, command + [name], folder: shop.folder, input: Data(), environment: [:])
            #expect(answer.status == 0 && (answer.output.contains(second) || command == ["tail"]), "\(answer)")
            #expect(answer.errors.contains("taken as the name of run \(second)") && answer.errors.contains(first))
        }
        let answer = try shop.run("append", name, "--type", "note", "--text", "x")
        #expect(answer.output == "\(second)#1\n" && answer.errors.contains("taken as the name"), "\(answer)")
        #expect(try shop.run("append", first, "--type", "note", "--text", "x").errors.isEmpty)
    }

    @Test(arguments: [
        (["runs", "--since", "2026-12-02", "--until", "2026-12-01"], "--since is not before --until"),
        (["runs", "--since", "3000-01-01"], "lies outside of 1677-09-21 to 2262-04-11"),
        (["runs", "--until", "1600-01-01T00:00:00Z"], "lies outside"),
        (["runs", "--since", "99999999999999w"], "longer ago"),
        (["append", "a", "--type", "note", "--text", "x", "--expected-sequence", "4294967296"], "a sequence is 0 to 4294967295"),
        (["show", "#1"], "names an event of no run"),
        (["show", "a#99999999999"], "sequences are 0 to 4294967295"),
    ])
    func whatIsOutOfRangeIsSaidToBeSo(_ arguments: [String], _ words: String) throws {
        let shop = try Shop()
        _ = try shop.start("--name", "a")
        try expectRefusal(shop, 64, words, arguments)
    }

    @Test func anArgumentThatIsNotUTF8IsRefusedAndNotStoredAsSomethingElse() throws {
        let shop = try Shop()
        _ = try shop.start("--name", "a")
        for script in ["append a --type note --text $'a\\xffb'", "start --snapshot policy.json --name $'\\xc3'"] {
            let before = try shop.bytes()
            let answer = try shop.shell("$TOOL \(script)")
            #expect(answer.status == 64 && answer.errors.contains("is not UTF-8"), "\(answer)")
            #expect(try shop.bytes() == before)
        }
    }

    @Test func nonsenseForTheLockTimeoutIsAUsageError() throws {
        let shop = try Shop()
        for text in ["nan", "=-1"] {
            #expect(try shop.shell("$TOOL append x --type com.x.y --lock-timeout \(text)").status == 64)
        }
    }

    @Test func damageIsSaidWhereARunIsNotFoundBecauseOfIt() throws {
        let shop = try Shop()
        try shop.run("end", try shop.start("--name", "first"))
        let length = try shop.bytes().count
        try shop.run("end", try shop.start("--name", "second"))
        try damage(shop) { $0 = $0.prefix(length) }
        let answer = try shop.run("show", "second")
        #expect(answer.status == 3, "\(answer)")
    }
}
