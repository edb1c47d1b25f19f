import Foundation
import Testing

/// What `docs/auditing.md` says of exports, done as it says.
@Suite struct ExportTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    private static let hasDuckDB: Bool = {
        let answer = try? Shop.launch("/usr/bin/env", ["python3", "-c", "import duckdb"], folder: "/", input: Data(), environment: [:])
        return answer?.status == 0
    }()

    private static let comment: Comment = "duckdb is not there: Scripts/deps installs it, or type: python3 -m pip install duckdb"

    /// The statements in the document: for a whole capsule, and for one run.
    private static func sql(_ index: Int) throws -> String {
        let text = try String(contentsOf: root.appendingPathComponent("docs/auditing.md"), encoding: .utf8)
        let blocks = text.components(separatedBy: "```sql\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        #expect(blocks.count == 2)
        return blocks[index]
    }

    /// What the SQL found wrong, by the name of the check.
    private func check(_ shop: Shop, _ export: String, sql index: Int = 0) throws -> [String: Int] {
        try shop.write(export, to: "export.ndjson")
        try shop.write(Self.sql(index), to: "check.sql")
        let program = "import duckdb, json; print(json.dumps(duckdb.connect().execute(open('check.sql').read()).fetchall()))"
        let answer = try Shop.launch("/usr/bin/env", ["python3", "-c", program], folder: shop.folder, input: Data(), environment: [:])
        #expect(answer.status == 0, "\(answer.errors)")
        let rows = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [[Any]] ?? []
        #expect(rows.count >= 7)
        return Dictionary(uniqueKeysWithValues: rows.compactMap { row in
            guard let name = row[0] as? String, let wrong = row[1] as? Int else { return nil }
            return (name, wrong)
        })
    }

    private func wrong(_ shop: Shop, _ export: String, sql index: Int = 0) throws -> Set<String> {
        Set(try check(shop, export, sql: index).filter { $0.value != 0 }.keys)
    }

    private func shop() async throws -> Shop {
        let shop = try Shop()
        try await Auditor.record(in: shop)
        // A body that is no text, one that is large, and none.
        let run = try shop.start("--name", "open")
        try shop.shell(
            """
            head -c 100 /dev/zero > bytes; head -c 300000 /dev/urandom > large
            for file in bytes large; do
            $TOOL append \(run) --type com.example.data --media application/octet-stream --body-file $file >/dev/null; done
            $TOOL append \(run) --type com.example.none >/dev/null
            """)
        return shop
    }

    @Test(.enabled(if: hasDuckDB, comment))
    func aWholeExportIsFoundRightBySQL() async throws {
        let shop = try await shop()
        let export = try shop.run("export")
        #expect(export.status == 0 && export.lines.count == 48, "\(export.errors)")
        #expect(try wrong(shop, export.output) == [])
        #expect(try wrong(shop, shop.run("export", "--as-of", "before-merge").output) == [])
    }

    @Test(.enabled(if: hasDuckDB, comment))
    func anExportOfOneRunIsFoundRightBySQL() async throws {
        let shop = try await shop()
        for arguments in [["nightly"], ["open"], ["nightly", "--as-of", "#1"]] {
            let export = try Shop.launch(Shop.tool, ["export"] + arguments, folder: shop.folder, input: Data(), environment: [:])
            #expect(try wrong(shop, export.output, sql: 1) == [], "\(arguments)")
        }
    }

    @Test(.enabled(if: hasDuckDB, comment))
    func whatIsChangedInAnExportIsFoundBySQL() async throws {
        let shop = try await shop()
        let lines = try shop.run("export").lines.map(String.init)
        func tampered(_ change: (inout [String]) -> Void) throws -> Set<String> {
            var copy = lines
            change(&copy)
            return try wrong(shop, copy.joined(separator: "\n") + "\n")
        }
        func replace(_ line: inout String, _ old: String, _ new: String) {
            let changed = line.replacingOccurrences(of: old, with: new)
            #expect(changed != line)
            line = changed
        }
        let place = try #require(lines.firstIndex { $0.contains("rate limited") })
        #expect(try tampered { replace(&$0[place], "rate limited", "all is well") } == ["commitments to bodies"])
        #expect(try tampered { $0.remove(at: place) } == ["leaves that are missing or there twice", "runs with a gap", "root"])
        #expect(try tampered { $0.removeLast() } == ["leaves that are missing or there twice", "root"])
        #expect(try tampered { $0.append($0[place]) }.isSuperset(of: ["leaves that are missing or there twice", "runs with a gap"]))
        #expect(try tampered { $0.removeFirst() }.contains("header lines"))
        #expect(try tampered { $0 = [] }.contains("header lines"))
        #expect(try tampered { replace(&$0[place], #""leaf":"01"#, #""leaf":"02"#) } == ["leaf hashes", "root"])
        #expect(try tampered { replace(&$0[place], #""commitment":""#, #""commitment":"0"#) }.contains("leaves that do not end with their commitment"))
        #expect(try tampered { replace(&$0[0], #""root":""#, #""root":"0"#) } == ["sizes and roots that differ from the header's", "root"])
    }

    @Test(.enabled(if: hasDuckDB, comment))
    func whatIsChangedInAnExportOfOneRunIsFoundBySQL() async throws {
        let shop = try await shop()
        let lines = try shop.run("export", "nightly").lines.map(String.init)
        func tampered(_ change: (inout [String]) -> Void) throws -> Set<String> {
            var copy = lines
            change(&copy)
            return try wrong(shop, copy.joined(separator: "\n") + "\n", sql: 1)
        }
        #expect(try tampered { $0.remove(at: 5) } == ["events that are missing or there twice", "root of the run"])
        #expect(try tampered { $0[$0.count - 1] = $0[$0.count - 1].replacingOccurrences(of: #""inclusion":["#, with: #""inclusion":["00","#) } == ["leaves that do not lead to the root of the capsule"])
        #expect(try tampered { $0.removeLast() }.contains("leaves that do not lead to the root of the capsule"))
    }

    @Test func aDamagedCapsuleIsNotExportedAsIfItWereWhole() async throws {
        let shop = try await shop()
        var bytes = try shop.bytes()
        bytes[bytes.count - 3] ^= 1
        try bytes.write(to: URL(fileURLWithPath: shop.path("runs.cpsl")))
        let answer = try shop.run("export")
        #expect(answer.status == 3 && answer.errors.contains("not all of the file could be read"), "\(answer.errors)")
    }
}
