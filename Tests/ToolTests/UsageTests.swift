import Foundation
import Testing

@Suite struct UsageTests {
    private func object(_ answer: Shop.Answer) throws -> [String: Any] {
        #expect(answer.status == 0, "\(answer)")
        return try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any] ?? [:]
    }

    @Test func figuresAreThoseOfTheFile() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop, name: "a")
        try await Auditor.record(in: shop, name: "b", checkpoint: "two")
        _ = try shop.start("--name", "c")
        let stats = try object(shop.run("stats", "--json"))
        #expect(stats["bytes"] as? Int == (try shop.bytes().count))
        #expect(stats["durable_bytes"] as? Int == (try shop.bytes().count))
        #expect(stats["events"] as? Int == 86 && stats["checkpoints"] as? Int == 4, "two by label, two by stage")
        #expect(stats["runs"] as? [String: Int] == ["open": 1, "failed": 2])
        let policy = try shop.bytes("policy.json").count
        #expect(stats["saved_by_sharing"] as? Int == 2 * policy)
        #expect((stats["saved_by_compression"] as? Int ?? 0) > 1000)
    }

    @Test func everyByteOfTheFileIsSomebodys() async throws {
        let shop = try Shop()
        try await Auditor.record(in: shop)
        let run = try shop.start()
        try shop.shell("head -c 400000 /dev/urandom > large; $TOOL append \(run) --type com.example.data --media application/octet-stream --body-file large")
        let usage = try object(shop.run("du", "--json", "--limit", "1000"))
        func sum(_ key: String, _ member: String) -> Int {
            (usage[key] as? [[String: Any]] ?? []).reduce(0) { $0 + ($1[member] as? Int ?? 0) }
        }
        for key in ["runs", "types"] {
            let total = sum(key, "stored_bytes") + sum("objects", "stored_bytes") + (usage["headers"] as? Int ?? 0)
            #expect(abs(total - (try shop.bytes().count)) < 50, "\(key): \(total)")
            #expect(sum(key, "count") == 45)
        }
        #expect(sum("types", "body_bytes") > 400_000)
    }

    @Test func theIndexSaysHowFarItLagsAndCanBeMadeAnew() async throws {
        let shop = try Shop()
        #expect(try shop.run("index", "status").output.contains("no index"))
        try await Auditor.record(in: shop)
        #expect(try shop.run("runs").status == 0)
        let run = try shop.start("--name", "late")
        try shop.shell("for i in 1 2 3; do $TOOL append \(run) --type com.example.x >/dev/null; done")
        let status = try object(shop.run("index", "status", "--json"))
        let covered = (status["covers_bytes"] as? Int ?? 0) + (status["lag_bytes"] as? Int ?? 0)
        #expect(covered == (try shop.bytes().count))
        #expect(try shop.run("index", "rebuild").output.hasPrefix("indexed 47 events"))
        #expect(try object(shop.run("index", "status", "--json"))["lag_bytes"] as? Int == 0)
        #expect(try shop.run("index", "drop").output.contains("deleted"))
        #expect(try shop.run("index", "drop").output == "there is no index\n")
        #expect(try shop.run("show", "late").status == 0)
    }

    @Test func rebuildingDoesNotForgetThatTheCapsuleWasCut() async throws {
        let shop = try Shop()
        let length = try shop.bytes().count
        try await Auditor.record(in: shop)
        try shop.run("runs")
        try shop.shell("truncate -s \(length) runs.cpsl; rm runs.cpsl.note")
        let answer = try shop.run("index", "rebuild")
        #expect(answer.status == 3 && answer.errors.contains("cut"), "\(answer)")
        #expect(try shop.run("index", "drop").status == 0)
    }
}
