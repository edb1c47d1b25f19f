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
    }

    @Test(arguments: [("", 15), ("hello", 15), (String(repeating: "x", count: 20_000), 15)])
    func whatIsNoCapsuleIsSaidToBeNone(_ text: String, _ status: Int) throws {
        let shop = try Shop(capsule: false)
        try shop.write(text, to: "x.cpsl")
        #expect(try condition(shop, "x.cpsl") == (Int32(status), "not-a-capsule"))
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
