import Foundation
import Testing

/// Commands that list say so when not all of the file could be read, and print what could be.
@Suite struct DamagedListingTests {
    static let commands = [
        ["runs"], ["runs", "--json"], ["stats"], ["du"], ["tail"], ["tail", "a"], ["index", "status"], ["checkpoints"],
        ["snapshot", "list"], ["show", "a"],
    ]

    /// A capsule with a run, a checkpoint and an index over all of it.
    private func shop() throws -> Shop {
        let shop = try Shop()
        _ = try shop.start("--name", "a")
        for number in 1...3 { try shop.run("append", "a", "--type", "note", "--text", "a\(number)") }
        try shop.run("checkpoint", "a", "--label", "one")
        for number in 4...6 { try shop.run("append", "a", "--type", "note", "--text", "a\(number)") }
        try shop.run("runs")
        return shop
    }

    private func call(_ shop: Shop, _ arguments: [String]) throws -> Shop.Answer {
        try Shop.launch(Shop.tool, arguments, folder: shop.folder, input: Data(), environment: [:])
    }

    private func flip(_ shop: Shop, at share: Double) throws {
        var bytes = try shop.bytes()
        bytes[bytes.startIndex + Int(Double(bytes.count) * share)] ^= 0xFF
        try bytes.write(to: URL(fileURLWithPath: shop.path("runs.cpsl")))
    }

    @Test func damageBehindAnIndexThatSawItWholeIsSaid() throws {
        let shop = try shop()
        try flip(shop, at: 0.97)
        for command in Self.commands {
            let answer = try call(shop, command)
            #expect(answer.status == 3 && answer.errors.contains("[damaged]"), "\(command) \(answer)")
            #expect(answer.errors.contains("capsule-tool doctor") && (!answer.output.isEmpty || command[0] == "show"), "\(command) \(answer)")
        }
    }

    @Test func damageThatNoIndexSawIsSaid() throws {
        let shop = try shop()
        try flip(shop, at: 0.97)
        for command in Self.commands {
            try shop.shell("rm -f runs.cpsl.index*")
            let answer = try call(shop, command)
            // An index that is not there yet says nothing of the capsule.
            guard command[0] != "index" else { continue }
            #expect(answer.status == 3 && answer.errors.contains("[damaged]"), "\(command) \(answer)")
        }
    }

    @Test func whatIsLeftOfACapsuleThatWasCutIsListedAndTheCutSaid() throws {
        let shop = try shop()
        try shop.shell("truncate -s -500 runs.cpsl")
        for command in Self.commands {
            let answer = try call(shop, command)
            #expect(answer.status == 3 && answer.errors.contains("[cut-short]"), "\(command) \(answer)")
            #expect(!answer.output.isEmpty, "\(command) \(answer)")
        }
    }

    @Test func aTornWriteIsNoDamage() throws {
        let shop = try shop()
        try shop.shell("truncate -s -5 runs.cpsl; rm runs.cpsl.note runs.cpsl.index*")
        for command in Self.commands {
            let answer = try call(shop, command)
            #expect(answer.status == 0, "\(command) \(answer)")
        }
        #expect(try shop.run("runs").errors.contains("torn write"))
        #expect(try shop.run("show", "nobody").status == 2)
        #expect(try shop.run("export").status == 0)
    }

    @Test func anIndexThatCannotBeKeptIsNotSaidToBeMade() throws {
        let shop = try shop()
        try shop.shell("rm -f runs.cpsl.index*; mkdir runs.cpsl.index")
        let answer = try shop.run("index", "rebuild")
        #expect(answer.status == 4 && answer.errors.contains("no index can be kept") && answer.output.isEmpty, "\(answer)")
        #expect(try shop.run("runs").status == 0)
        // Where the folder can be read only, even by root.
        let script = """
            mkdir bare; cp runs.cpsl runs.cpsl.note bare; unshare -rm sh -c '
            mount --bind bare bare && mount -o remount,ro,bind bare && "$TOOL" index rebuild -c bare/runs.cpsl; echo status $?
            "$TOOL" runs -c bare/runs.cpsl; "$TOOL" doctor bare/runs.cpsl >/dev/null; echo doctor $?'
            """
        let second = try shop.shell(script)
        #expect(second.output.contains("status 4") && second.output.contains("doctor 0"), "\(second)")
    }

    @Test func aSoundCapsuleIsListedWithoutAWord() throws {
        let shop = try shop()
        for command in Self.commands {
            let answer = try call(shop, command)
            #expect(answer.status == 0 && answer.errors.isEmpty, "\(command) \(answer)")
        }
    }
}
