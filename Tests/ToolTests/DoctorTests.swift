import Foundation
import Testing

@Suite struct DoctorTests {
    /// A capsule with two runs, one of them open.
    private func shop() throws -> Shop {
        let shop = try Shop()
        _ = try shop.start("--name", "a")
        for number in 1...3 { try shop.run("append", "a", "--type", "note", "--body", "{\"text\":\"a\(number)\"}") }
        try shop.run("end", "a")
        _ = try shop.start("--name", "b")
        try shop.run("append", "b", "--type", "note", "--body", #"{"text":"b"}"#)
        return shop
    }

    private func condition(_ shop: Shop, _ arguments: String...) throws -> (status: Int32, condition: String?) {
        let answer = try Shop.launch(
            Shop.tool, ["doctor", "--json"] + arguments, folder: shop.folder, input: Data(), environment: [:])
        let value = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        return (answer.status, value?["condition"] as? String)
    }

    private func change(_ shop: Shop, _ name: String = "runs.cpsl", at share: Double) throws {
        var bytes = try shop.bytes(name)
        bytes[bytes.startIndex + Int(Double(bytes.count) * share)] ^= 0xFF
        try bytes.write(to: URL(fileURLWithPath: shop.path(name)))
    }

    @Test func aSoundCapsuleIsSound() throws {
        let shop = try shop()
        let before = try shop.bytes()
        #expect(try condition(shop) == (0, "sound"))
        #expect(try shop.bytes() == before)
    }

    @Test func aLastWriteThatDidNotCompleteIsATornTailAndTheNextAppendHealsIt() throws {
        let shop = try shop()
        try shop.shell("truncate -s -5 runs.cpsl; rm runs.cpsl.note")
        #expect(try condition(shop) == (10, "torn-tail"))
        #expect(try shop.run("append", "b", "--type", "note", "--body", #"{"text":"c"}"#).status == 0)
        #expect(try condition(shop) == (0, "sound"))
        #expect(try shop.run("doctor").output.contains("runs.cpsl.torn-1"))
    }

    @Test func whatWasDurableAndIsGoneIsCutShort() throws {
        let shop = try shop()
        try shop.shell("truncate -s -5 runs.cpsl")
        #expect(try condition(shop) == (12, "cut-short"))
    }

    @Test func anOlderCopyThatWasPutBackOnPurposeIsTakenAfterTheCommandsThatDoctorSays() throws {
        let shop = try shop()
        try shop.shell("cp runs.cpsl older.cpsl")
        try shop.run("append", "b", "--type", "note", "--body", #"{"text":"later"}"#)
        try shop.run("runs")
        try shop.shell("mv older.cpsl runs.cpsl")
        #expect(try condition(shop) == (12, "cut-short"))
        let lines = try shop.run("doctor").output.split(separator: "\n").map { $0.drop { $0 == " " } }
        let command = try #require(lines.last { $0.hasPrefix("rm ") })
        #expect(command.contains("runs.cpsl.note && capsule-tool index drop -c "))
        try shop.shell(String(command.replacing("capsule-tool", with: "$TOOL")))
        #expect(try condition(shop) == (0, "sound"))
        #expect(try shop.run("append", "b", "--type", "note", "--body", #"{"text":"again"}"#).status == 0)
    }

    @Test func theIndexKnowsThatACapsuleWasLonger() throws {
        let shop = try shop()
        try shop.run("runs")
        try shop.shell("truncate -s -900 runs.cpsl; rm runs.cpsl.note")
        #expect(try condition(shop) == (12, "cut-short"))
    }

    @Test func anIndexThatIsMadeAnewKeepsTheEvidenceOfWhatIsDamaged() throws {
        let shop = try shop()
        try shop.run("runs")
        try shop.shell("rm runs.cpsl.note")
        try change(shop, at: 0.997)
        #expect(try condition(shop) == (11, "damaged"))
        #expect(try shop.run("index", "rebuild").status == 3)
        #expect(try condition(shop) == (11, "damaged"))
        #expect(try shop.run("append", "b", "--type", "note", "--body", #"{"text":"c"}"#).status == 3)
    }

    @Test func damageIsSaidWithTheCommandThatSavesTheRest() throws {
        let shop = try shop()
        try change(shop, at: 0.97)
        #expect(try condition(shop) == (11, "damaged"))
        #expect(try shop.run("doctor").output.contains("capsule-tool salvage"))
    }

    @Test func copiesThatWereBothAppendedToAreAFork() throws {
        let shop = try shop()
        try shop.shell("cp runs.cpsl copy.cpsl; cp runs.cpsl.note copy.cpsl.note")
        #expect(try condition(shop, "--against", "copy.cpsl") == (0, "sound"))
        try shop.run("append", "b", "--type", "note", "--body", #"{"text":"one"}"#)
        #expect(try condition(shop, "--against", "copy.cpsl") == (0, "sound"), "the copy is the beginning of it")
        try shop.run("append", "b", "--type", "note", "--body", #"{"text":"two"}"#, "--capsule", "copy.cpsl")
        #expect(try condition(shop, "--against", "copy.cpsl") == (13, "forked"))
        let answer = try shop.run("adopt", "copy.cpsl", "own.cpsl", "--reason", "the other one went on")
        #expect(answer.status == 0)
        #expect(try condition(shop, "own.cpsl") == (0, "sound"))
        #expect(try shop.run("verify", "-c", "own.cpsl").output.contains("\nadopted     from capsule/"))
        #expect(try shop.run("show", "capsule", "-c", "own.cpsl").output.contains("(the other one went on)"))
        #expect(try shop.run("show", "b", "--capsule", "own.cpsl").output.contains("two"))
        #expect(try shop.run("append", "b", "--type", "note", "--body", "{\"text\":\"x\"}", "-c", "own.cpsl").status == 0)
    }

    @Test func anIndexThatSawAnotherHistoryShowsAFork() throws {
        let shop = try shop()
        try shop.shell("cp runs.cpsl old.cpsl")
        try shop.run("append", "b", "--type", "note", "--body", #"{"text":"one"}"#)
        try shop.run("runs")
        try shop.shell("cp old.cpsl runs.cpsl; rm runs.cpsl.note; mkdir aside; mv runs.cpsl.index* aside")
        try shop.run("append", "b", "--type", "note", "--body", #"{"text":"two"}"#)
        try shop.run("append", "b", "--type", "note", "--body", #"{"text":"three"}"#)
        try shop.shell("rm -f runs.cpsl.index*; mv aside/* .")
        #expect(try condition(shop) == (13, "forked"))
        // Who reads makes the index anew, is told, and does not take the evidence away; nor does damage to the index.
        #expect(try shop.run("runs").errors.contains("its index saw another history"))
        #expect(try shop.run("runs").errors == "")
        #expect(try condition(shop) == (13, "forked"))
        for script in ["$TOOL index rebuild", "printf x | dd of=runs.cpsl.index bs=1 seek=9000 conv=notrunc; $TOOL runs"] {
            try shop.shell("(\(script)) > /dev/null 2>&1")
            #expect(try condition(shop) == (13, "forked"), "\(script)")
        }
        try shop.shell("ln -s runs.cpsl link.cpsl; $TOOL index drop -c link.cpsl")
        #expect(try condition(shop) == (0, "sound"))
    }

    @Test(arguments: [("", 15), ("hello", 15), (String(repeating: "x", count: 20_000), 15)])
    func whatIsNoCapsuleIsSaidToBeNone(_ text: String, _ status: Int) throws {
        let shop = try Shop(capsule: false)
        try shop.write(text, to: "x.cpsl")
        #expect(try condition(shop, "x.cpsl") == (Int32(status), "not-a-capsule"))
    }

    private func doctor(_ shop: Shop, _ arguments: String...) throws -> [String: Any] {
        let answer = try Shop.launch(
            Shop.tool, ["doctor", "--json"] + arguments, folder: shop.folder, input: Data(), environment: [:])
        return try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any] ?? [:]
    }

    @Test(arguments: [("mkdir x.cpsl", "a folder"), ("mkfifo x.cpsl", "a pipe")])
    func whatIsNoRegularFileIsNoCapsule(_ script: String, _ words: String) throws {
        let shop = try Shop(capsule: false)
        try shop.shell(script)
        let answer = try shop.run("doctor", "x.cpsl")
        #expect(answer.status == 15 && answer.output.contains("this is \(words), not a capsule"), "\(answer)")
        for command in [["verify"], ["runs"], ["start", "--snapshot", "policy.json"]] {
            let answer = try Shop.launch(
                Shop.tool, command + ["-c", "x.cpsl"], folder: shop.folder, input: Data(), environment: [:])
            #expect(answer.status == 3 && answer.errors.contains("this is \(words)"), "\(answer)")
        }
    }

    @Test func aDestroyedHeaderCopyHasANextCommandThatMends() throws {
        let shop = try shop()
        var bytes = try shop.bytes()
        for index in 4096..<8192 { bytes[bytes.startIndex + index] = 0 }
        try bytes.write(to: URL(fileURLWithPath: shop.path("runs.cpsl")))
        let answer = try shop.run("doctor", "runs.cpsl")
        #expect(answer.status == 0 && answer.output.contains("capsule-tool salvage runs.cpsl runs-salvaged.cpsl"), "\(answer)")
        #expect(try shop.shell("$TOOL salvage runs.cpsl runs-salvaged.cpsl && $TOOL doctor runs-salvaged.cpsl").status == 0)
        #expect(!(try shop.run("doctor", "runs-salvaged.cpsl").output.contains("header")))
    }

    @Test func aNoteIsShownAsWhatItIs() throws {
        let shop = try shop()
        #expect(try doctor(shop)["note"] as? String == "sound")
        try shop.shell("mkdir other; cd other; $TOOL init -q 2>/dev/null || $TOOL init; $TOOL start --snapshot ../policy.json")
        try shop.shell("cp runs.cpsl.note kept; cp other/runs.cpsl.note runs.cpsl.note")
        #expect(try doctor(shop)["note"] as? String == "foreign")
        #expect(try shop.run("doctor").output.contains("note     that of capsule"))
        try shop.shell("echo hello > runs.cpsl.note")
        #expect(try doctor(shop)["note"] as? String == "unreadable")
        #expect(try shop.run("doctor").output.contains("6 B that are no note"))
        try shop.shell("rm runs.cpsl.note")
        #expect(try doctor(shop)["note"] as? String == "none")
        // A length at which no batch ends, its checksum right.
        try shop.shell(
            """
            python3 - <<'END'
            def crc32c(data):
                crc = 0xFFFFFFFF
                for byte in data:
                    crc ^= byte
                    for _ in range(8): crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
                return crc ^ 0xFFFFFFFF
            note = open('kept', 'rb').read()
            line = note[:65] + b'%016x ' % (8192 + 77)
            open('runs.cpsl.note', 'wb').write(line + b'%08x' % crc32c(line) + note[90:])
            END
            """)
        #expect(try doctor(shop)["note"] as? String == "odd")
    }

    @Test(arguments: ["mkdir runs.cpsl.note", "mkfifo runs.cpsl.note", "ln -s elsewhere runs.cpsl.note"])
    func somethingElseInTheNotesPlaceIsSaidWithWhatToDo(_ script: String) throws {
        let shop = try shop()
        try shop.shell("rm runs.cpsl.note; \(script)")
        let answer = try shop.run("doctor", "runs.cpsl")
        #expect(answer.status == 0 && answer.output.contains("mv runs.cpsl.note runs.cpsl.note.aside"), "\(answer)")
        for command in [["append", "b", "--type", "note", "--text", "x"], ["end", "b"]] {
            let answer = try Shop.launch(Shop.tool, command, folder: shop.folder, input: Data(), environment: [:])
            #expect(answer.status == 4 && answer.errors.contains("move it away"), "\(answer)")
        }
        #expect(try shop.shell("mv runs.cpsl.note aside && $TOOL append b --type note --text x").status == 0)
    }

    @Test func whatAKilledSalvageLeftIsMentionedAndClearedAway() throws {
        let shop = try shop()
        let name = "saved.cpsl.new-0123456789abcdef0123456789abcdef"
        try shop.shell("cp runs.cpsl saved.cpsl; echo half > \(name); echo mine > saved.cpsl.new-mine")
        #expect(try doctor(shop, "saved.cpsl")["leftovers"] as? [String] == [name])
        #expect(try shop.run("doctor", "saved.cpsl").output.contains("rm \(name)"))
        // Somebody is at work on it.
        let script = "flock -x \(name) $TOOL doctor --json saved.cpsl"
        #expect(try shop.shell(script).output.contains(#""leftovers": []"#))
        try shop.shell("rm saved.cpsl")
        #expect(try shop.run("salvage", "runs.cpsl", "saved.cpsl").status == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: shop.folder).filter { $0.contains(".new-") }
        #expect(left == ["saved.cpsl.new-mine"])
    }

    @Test func aKilledSalvageIsTriedAgain() throws {
        let shop = try Shop()
        _ = try shop.start("--name", "big")
        try shop.shell("head -c 20000000 /dev/urandom | base64 -w 1000 | sed 's/.*/\"&\"/' | $TOOL append big --ndjson --type com.example.x")
        for pause in ["0.05", "0.1", "0.2"] {
            try shop.shell("$TOOL salvage runs.cpsl saved.cpsl & sleep \(pause); kill -9 $!; wait; rm -f saved.cpsl")
        }
        #expect(try shop.run("salvage", "runs.cpsl", "saved.cpsl").status == 0)
        let left = try FileManager.default.contentsOfDirectory(atPath: shop.folder).filter { $0.contains(".new-") }
        #expect(left == [])
    }

    @Test func aWriterInItsTurnIsNamed() throws {
        let shop = try shop()
        let script = "flock -x runs.cpsl sleep 5 & sleep 0.5; $TOOL doctor; echo status $?; kill %1"
        let answer = try shop.shell(script)
        #expect(answer.output.contains("lock     held by"))
    }

    @Test func theRestOfADamagedCapsuleIsSalvagedAndTheLossRecorded() throws {
        let shop = try shop()
        try change(shop, at: 0.97)
        let before = try shop.bytes()
        let answer = try shop.run("salvage", "runs.cpsl", "saved.cpsl")
        #expect(answer.status == 1 && answer.output.contains("unreadable"))
        #expect(try shop.bytes() == before)
        #expect(try shop.run("verify", "--require-snapshots", "--capsule", "saved.cpsl").status == 0)
        #expect(try shop.run("show", "a", "--capsule", "saved.cpsl").output.contains("sealed"))
        #expect(try condition(shop, "saved.cpsl") == (0, "sound"))
        #expect(try shop.run("salvage", "runs.cpsl", "saved.cpsl").status == 73)
        // Whoever comes later is told wherever they look first.
        for command in ["verify", "doctor"] {
            let answer = try shop.run(command, "-c", "saved.cpsl")
            #expect(answer.output.contains(", with loss in 2 places: 'capsule-tool show capsule#1' lists it"), "\(answer)")
        }
        for command in [["show", "capsule"], ["show", "00000000"], ["tail", "-n", "1"], ["export", "capsule"]] {
            let answer = try Shop.launch(
                Shop.tool, command + ["-c", "saved.cpsl"], folder: shop.folder, input: Data(), environment: [:])
            #expect(answer.status == 0 && answer.output.contains("capsule.salvage"), "\(command) \(answer)")
        }
        #expect(try shop.run("show", "capsule#1", "-c", "saved.cpsl").output.contains(#""kind": "unreadable""#))
    }

    @Test(arguments: ["salvage", "adopt"])
    func aCopyDoesNotGetTheOriginOfTheOld(_ command: String) throws {
        let shop = try shop()
        try shop.run("init", "named.cpsl", "--origin", "example.com/ledger")
        let answer = try shop.run(command, "named.cpsl", "new.cpsl", "--origin", "example.com/ledger")
        #expect(answer.status == 65 && answer.errors.contains("needs its own"), "\(answer)")
        #expect(!FileManager.default.fileExists(atPath: shop.folder + "/new.cpsl"))
        #expect(try shop.run(command, "named.cpsl", "new.cpsl", "--origin", "example.com/other").status == 0)
    }

    @Test func aSoundCapsuleIsSalvagedWhole() throws {
        let shop = try shop()
        let answer = try shop.run("salvage", "runs.cpsl", "saved.cpsl", "--json")
        let value = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        #expect(answer.status == 0 && value?["complete"] as? Bool == true)
    }

    @Test func wrongFilesGetOneSentence() throws {
        let shop = try Shop(capsule: false)
        try shop.write("hello", to: "x.cpsl")
        for (arguments, status) in [
            (["doctor", "none.cpsl"], 66), (["salvage", "none.cpsl", "new.cpsl"], 66),
            (["salvage", "x.cpsl", "new.cpsl"], 3), (["adopt", "x.cpsl", "new.cpsl"], 3), (["salvage", "x.cpsl"], 64),
        ] as [([String], Int32)] {
            let answer = try Shop.launch(Shop.tool, arguments, folder: shop.folder, input: Data(), environment: [:])
            #expect(answer.status == status, "\(arguments)")
            #expect(!FileManager.default.fileExists(atPath: shop.path("new.cpsl")))
        }
    }
}
