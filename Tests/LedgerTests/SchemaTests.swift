import Foundation
import Testing

@testable import Ledger

private let schemaFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("spec/schemas")

@Suite struct SchemaTests {
    @Test func thePublishedSchemasAreThoseThatBodiesAreCheckedAgainst() throws {
        let rewrites = ProcessInfo.processInfo.environment["CAPSULE_WRITE_VECTORS"] != nil
        if rewrites { try FileManager.default.createDirectory(at: schemaFolder, withIntermediateDirectories: true) }
        for (name, document) in EventSchemas.documents {
            let url = schemaFolder.appendingPathComponent(name)
            let bytes = Data(document.encoded(.pretty) + [10])
            if rewrites { try bytes.write(to: url) }
            #expect(try Data(contentsOf: url) == bytes, "\(name) differs; 'make vectors' writes it anew")
        }
        let present = try FileManager.default.contentsOfDirectory(atPath: schemaFolder.path)
        #expect(Set(present) == Set(EventSchemas.documents.map(\.name)))
    }

    @Test func everyRegisteredTypeIsInTheRegistry() throws {
        let registry = try String(
            contentsOf: schemaFolder.deletingLastPathComponent().appendingPathComponent("registry.md"), encoding: .utf8)
        for type in RegisteredType.allCases {
            #expect(registry.contains("| \(type.rawValue) | `\(type.name)` |"), "\(type.name)")
        }
        for outcome in Outcome.allCases { #expect(registry.contains("| \(outcome.rawValue) | `\(outcome.name)` |")) }
        for (index, name) in MediaType.registeredNames.enumerated() {
            #expect(registry.contains("| \(index + 1) | `\(name)` |"), "\(name)")
        }
    }

    @Test func everyErrorCodeOfReadingIsInTheSpec() throws {
        let format = try String(
            contentsOf: schemaFolder.deletingLastPathComponent().appendingPathComponent("format.md"), encoding: .utf8)
        for code in Finding.Code.allCases { #expect(format.contains("`\(code.rawValue)`"), "\(code)") }
        for code in CapsuleError.Code.allCases where code != .invalidName {
            #expect(format.contains("`\(code.rawValue)`"), "\(code)")
        }
    }

    @Test func theLimitsAreThoseOfTheSpec() throws {
        let format = try String(
            contentsOf: schemaFolder.deletingLastPathComponent().appendingPathComponent("format.md"), encoding: .utf8)
        func grouped(_ number: UInt64) -> String {
            let digits = String(number)
            return String(digits.enumerated().flatMap { index, digit in
                index > 0 && (digits.count - index) % 3 == 0 ? [",", digit] : [digit]
            })
        }
        let table = format.components(separatedBy: "## 12 Limits")[1].components(separatedBy: "## 13")[0]
        let limits = [
            Limits.batchBytes, Limits.batchFrames, Limits.inlineBodyBytes, Limits.bodyBytes, Limits.chunkBytes,
            Limits.objectBytes, Limits.originBytes, Limits.typeNameBytes, Limits.nameBytes, Limits.labels, Limits.causes,
            Int(Limits.runEvents), Limits.openRuns, Limits.runKeys, Limits.waitingBytes, Int(Limits.warnFileBytes),
        ]
        for limit in limits { #expect(table.contains("| \(grouped(UInt64(limit)))"), "\(limit)") }
    }
}

@Suite struct BodyTests {
    private func check(_ type: RegisteredType, _ body: String) throws {
        try EventDraft(.registered(type), body: Array(body.utf8)).checkBody()
    }

    @Test func aBodyThatFitsItsSchemaPasses() throws {
        try check(.toolCall, #"{"tool":"grep","arguments":["-r","x"],"own":1}"#)
        try check(.toolResult, #"{"exit_status":0,"stdout":{"bytes":3,"sha256":"\#(String(repeating: "a", count: 64))"}}"#)
    }

    @Test func aMissingMemberIsNamed() {
        #expect { try check(.note, "{}") } throws: { "\($0)".contains("text") && ($0 as? LedgerError)?.code == .bodyInvalid }
    }

    @Test func aWrongTypeIsNamedByItsPlace() {
        #expect { try check(.toolResult, #"{"exit_status":"0"}"#) } throws: { "\($0)".contains("/exit_status") }
    }

    @Test func whatIsNotJSONIsRefusedForACustomTypeToo() throws {
        let draft = EventDraft(.custom("com.example.x"), body: Array("{".utf8))
        #expect(throws: LedgerError(.bodyInvalid, "")) { try draft.checkBody() }
        var text = draft
        text.media = .text
        try text.checkBody()
    }

    @Test func nestingBeyondTheLimitIsRefused() throws {
        func nested(_ depth: Int) -> EventDraft {
            let text = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            return EventDraft(.custom("com.example.deep"), body: Array(text.utf8))
        }
        try nested(JSONText.Limits.depth).checkBody()
        #expect(throws: LedgerError(.bodyInvalid, "")) { try nested(JSONText.Limits.depth + 1).checkBody() }
    }

    @Test func aSnapshotIsCanonicalJSONOrRefused() throws {
        _ = try PolicySnapshot(canonicalJSON: Array(#"{"a":1,"b":2}"#.utf8))
        for text in [#"{"b":2,"a":1}"#, #"{"a": 1}"#, "[]", "{", #"{"a":1.0}"#] {
            #expect(throws: LedgerError(.snapshotInvalid, "")) { try PolicySnapshot(canonicalJSON: Array(text.utf8)) }
        }
    }
}

@Suite struct EventLineTests {
    private let run = RunID(hex: "019b0000000070008000000000000001")!

    private func parse(_ line: String) throws -> EventDraft {
        try Array(line.utf8).withUnsafeBytes { try EventLine.parse($0, run: run) }
    }

    @Test func aBodyIsKeptByteForByte() throws {
        let draft = try parse(#"{"body": {"tool" :  "grep", "n": 1.50e0}, "type":"tool.call"}"#)
        #expect(draft.body == Array(#"{"tool" :  "grep", "n": 1.50e0}"#.utf8))
    }

    @Test func everyFieldOfALineArrives() throws {
        let draft = try parse(
            #"{"type":"com.example.x","text":"hi","time":"2026-01-02T03:04:05.5+01:00","actor":"a","key":"k","causes":[3,"#
                + #""\#(run)#4"],"trace":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","expected_sequence":9}"#)
        #expect(draft.media == .text)
        #expect(draft.time.description == "2026-01-02T02:04:05.5Z")
        #expect(draft.actor?.name == "a")
        #expect(draft.key == "k")
        #expect(draft.causes == [EventReference(run: run, sequence: 3), EventReference(run: run, sequence: 4)])
        #expect(draft.trace?.traceparent == "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
        #expect(draft.expectedSequence == 9)
    }

    @Test(arguments: [
        "", "{", "[]", #"{"body":{}}"#, #"{"type":1}"#, #"{"type":"note","body":{"text":"a"},"extra":1}"#,
        #"{"type":"nothing"}"#, #"{"type":"com.example"}"#, #"{"type":"com.example.x","text":"a","body":1}"#,
        #"{"type":"com.example.x","time":"yesterday"}"#, #"{"type":"com.example.x","causes":[-1]}"#,
        #"{"type":"com.example.x","causes":["x#1"]}"#, #"{"type":"com.example.x","trace":"x"}"#,
        #"{"type":"com.example.x","type":"com.example.y"}"#, #"{"type":"note","body":{}}"#,
    ])
    func aLineThatIsNoEventIsRefused(_ line: String) {
        #expect(throws: (any Error).self) { try parse(line) }
    }
}

@Suite struct LocatorTests {
    @Test func theOptionGoesBeforeTheVariableAndTheFolder() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["a.cpsl", "b.cpsl", "runs.cpsl"] { _ = FileManager.default.createFile(atPath: "\(folder)/\(name)", contents: nil) }
        func find(_ option: String?, _ variable: String?) throws -> String {
            try CapsuleLocator.find(option: option, environment: variable, directory: FilePath(folder)).string
        }
        #expect(try find("\(folder)/a.cpsl", "\(folder)/b.cpsl") == "\(folder)/a.cpsl")
        #expect(try find(nil, "\(folder)/b.cpsl") == "\(folder)/b.cpsl")
        #expect(try find(nil, "") == "\(folder)/runs.cpsl")
        #expect(throws: LedgerError(.noCapsule, "")) { try find("\(folder)/none.cpsl", nil) }
    }

    @Test func theOnlyCapsuleAboveIsFoundAndTwoAreNot() throws {
        let folder = try temporaryFolder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try FileManager.default.createDirectory(atPath: "\(folder)/x/y", withIntermediateDirectories: true)
        _ = FileManager.default.createFile(atPath: "\(folder)/mine.cpsl", contents: nil)
        func find() throws -> String {
            try CapsuleLocator.find(option: nil, environment: nil, directory: FilePath("\(folder)/x/y")).string
        }
        #expect(try find() == "\(folder)/mine.cpsl")
        _ = FileManager.default.createFile(atPath: "\(folder)/other.cpsl", contents: nil)
        #expect(throws: LedgerError(.noCapsule, "")) { try find() }
    }

    private func temporaryFolder() throws -> String {
        let path = FileManager.default.temporaryDirectory.path + "/locator-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}
