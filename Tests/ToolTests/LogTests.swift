import Foundation
import Testing

/// What the local logs tell, by the built tool. Each line stands for something that really happened to real files.
@Suite struct LogTests {
    private struct Line {
        var level: String
        var label: String
        var message: String
        var data: [String: String]
    }

    private func lines(_ shop: Shop, label: String, _ name: String = "log.ndjson") throws -> [Line] {
        let text = String(decoding: try shop.bytes(name), as: UTF8.self)
        return try text.split(separator: "\n").compactMap { line in
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            guard object["label"] as? String == label else { return nil }
            let data = object.filter { $0.key.hasPrefix("data_") }.map { (String($0.key.dropFirst(5)), "\($0.value)") }
            return Line(
                level: object["level"] as? String ?? "", label: label, message: object["message"] as? String ?? "",
                data: Dictionary(uniqueKeysWithValues: data))
        }
    }

    private func shop() throws -> Shop {
        let shop = try Shop()
        _ = try shop.start("--name", "a")
        return shop
    }

    private func append(_ shop: Shop, _ more: String...) throws -> Shop.Answer {
        let arguments = ["append", "a", "--type", "note", "--body", "{\"text\":\"x\"}"] + more
        return try Shop.launch(Shop.tool, arguments, folder: shop.folder, input: Data(), environment: [:])
    }

    @Test func aWaitForAnotherWriterSaysForWhomAndHowLong() throws {
        let shop = try shop()
        // The lock is held until the log says that it is waited for: no clock decides.
        let script = #"""
            exec 9<>runs.cpsl; flock -x 9
            $TOOL append a --type note --body '{"text":"x"}' --lock-timeout 600 --log-file log.ndjson 9>&- &
            until grep -q 'waiting for another writer' log.ndjson 2>/dev/null; do sleep 0.02; done
            flock -u 9; wait $!
            """#
        let answer = try shop.shell(script)
        #expect(answer.status == 0 && answer.errors.isEmpty, "\(answer)")
        let found = try lines(shop, label: "capsule.writer").filter { $0.message.contains("another writer") }
        #expect(found.map(\.message) == ["waiting for another writer", "waited for another writer"])
        #expect(found.first?.level == "debug")
        #expect(found.first?.data["holder_pid"].flatMap { Int($0) } != nil)
        #expect(found.first?.data["holder_host"]?.isEmpty == false)
        #expect(found.last?.data["waited"]?.hasSuffix("seconds") == true)
    }

    @Test func aNoteThatIsNoObjectIsOneValueAndSteersNoTerminal() throws {
        let shop = try shop()
        // The note's text is anybody's: its first byte is made another one.
        var note = try shop.bytes("runs.cpsl.note")
        let brace = try #require(note.firstIndex(of: UInt8(ascii: "{")))
        note[brace] = 0x1B
        try note.write(to: URL(fileURLWithPath: shop.path("runs.cpsl.note")))
        let script = #"""
            exec 9<>runs.cpsl; flock -x 9
            $TOOL append a --type note --body '{"text":"x"}' --lock-timeout 0.2 --verbose 9>&- 2>said; echo $?
            """#
        let answer = try shop.shell(script)
        #expect(answer.lines.last.flatMap { Int($0) } ?? 0 != 0)
        let said = try shop.bytes("said")
        #expect(String(decoding: said, as: UTF8.self).contains("waiting for another writer"))
        #expect(!said.contains(0x1B))
    }

    @Test func aTornTailSaysWhatWasCutAndWhereItIsKept() throws {
        let shop = try shop()
        let before = try shop.bytes().count
        #expect(try append(shop).status == 0)
        let torn = try shop.bytes().count - 5
        try shop.shell("truncate -s -5 runs.cpsl; rm runs.cpsl.note")
        #expect(try append(shop, "--log-file", "log.ndjson").status == 0)
        let found = try lines(shop, label: "capsule.writer").filter { $0.message.hasPrefix("recovered") }
        #expect(found.map(\.level) == ["notice"])
        #expect(found.first?.data["end"] == "\(before)")
        #expect(found.first?.data["bytes_cut"] == "\(torn - before)")
        #expect(found.first?.data["kept"]?.hasSuffix("runs.cpsl.torn-1") == true)
        #expect(try append(shop, "--log-file", "after.ndjson").status == 0)
        #expect(try !lines(shop, label: "capsule.writer", "after.ndjson").contains { $0.message.hasPrefix("recovered") })
    }

    @Test func whatNobodyKnewToBeDurableIsSaidToBeSynced() throws {
        let shop = try shop()
        #expect(try append(shop).status == 0)
        try shop.shell("rm runs.cpsl.note")
        #expect(try append(shop, "--log-file", "log.ndjson").status == 0)
        let found = try lines(shop, label: "capsule.writer").filter { $0.message.hasPrefix("recovered") }
        #expect(found.map(\.level) == ["info"])
        #expect(found.first?.data["bytes_cut"] == "0")
        #expect(found.first?.data["bytes_synced"].flatMap { Int($0) } ?? 0 > 0)
        #expect(found.first?.data["kept"] == nil)
    }

    @Test func anIndexThatIsMadeAnewSaysWhy() throws {
        let shop = try shop()
        func reasons(_ change: String, _ command: String...) throws -> [String] {
            try shop.shell(change)
            let answer = try Shop.launch(
                Shop.tool, command + ["--log-file", "log.ndjson"], folder: shop.folder, input: Data(), environment: [:])
            #expect(answer.status == 0 && answer.errors.isEmpty, "\(answer)")
            defer { _ = try? shop.shell("rm log.ndjson") }
            guard FileManager.default.fileExists(atPath: shop.path("log.ndjson")) else { return [] }
            return try lines(shop, label: "capsule.index").filter { !$0.message.hasSuffix("up to date") }.map { "\($0.level) \($0.data["reason"] ?? $0.message)" }
        }
        #expect(try reasons("rm -f runs.cpsl.index*", "runs") == ["debug the side index is made; there was none"])
        #expect(try reasons("true", "runs") == [])
        #expect(try reasons("true", "index", "rebuild") == ["info asked"])
        #expect(try reasons("echo this is no database at all >runs.cpsl.index", "runs") == ["notice damaged"])
        let other = "$TOOL init other.cpsl; $TOOL runs -c other.cpsl; rm runs.cpsl.index*; cp other.cpsl.index runs.cpsl.index"
        #expect(try reasons(other, "runs") == ["notice it is of another capsule or generation"])
        #expect(
            try reasons("rm runs.cpsl.index*; mkdir runs.cpsl.index", "runs").map { $0.hasPrefix("notice") } == [true])
    }

    @Test func nothingOfThisIsSaidUnasked() throws {
        let shop = try shop()
        #expect(try append(shop).status == 0)
        try shop.shell("truncate -s -5 runs.cpsl; rm runs.cpsl.note; echo no database >runs.cpsl.index")
        let answer = try append(shop)
        #expect(answer.status == 0 && answer.errors.isEmpty, "\(answer)")
        #expect(try shop.run("runs").errors.isEmpty)
    }
}
