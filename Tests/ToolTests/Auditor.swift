import Foundation
import Ledger
import Testing

/// A capsule whose every time is given, so that what is printed of it is the same in every test.
enum Auditor {
    /// 2026-11-23T14:00:00Z.
    static let start: Int64 = 1_795_442_400_000_000_000

    static func time(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: start + milliseconds * 1_000_000) }

    /// A run with calls that fold, failures and text of all kinds; and in the middle, at the moment's time, a checkpoint
    /// and a second stage, if a label is given.
    static func record(in shop: Shop, name: String = "nightly", checkpoint: String? = "before-merge") async throws {
        let ledger = try await CapsuleLedger(appendingTo: FilePath(shop.path("runs.cpsl")))
        let policy = try PolicySnapshot(canonicalJSON: Array(shop.bytes("policy.json")))
        var start = RunStart(.snapshot(policy))
        (start.name, start.spec, start.actor) = (name, "SPEC-42", "planner")
        start.labels = [("team", "core"), ("env", "ci")]
        (start.stage, start.time) = ("plan", time(0))
        let run = try await ledger.start(start).handle
        try await append(plan, to: run, ledger)
        if let checkpoint {
            _ = try await ledger.checkpoint(label: checkpoint, in: run)
            _ = try await ledger.enter(stage: "implement", in: run, reason: nil)
        }
        try await append(work(from: checkpoint == nil ? 6 : 8), to: run, ledger)
        var end = RunEnd()
        (end.reason, end.time) = ("tests are red", time(61_000))
        _ = try await ledger.end(run, outcome: .failed, details: end)
        await ledger.close()
    }

    private static func append(_ lines: [String], to run: RunHandle, _ ledger: CapsuleLedger) async throws {
        var drafts: [EventDraft] = []
        for var line in lines {
            let draft = try line.withUTF8 { try EventLine.parse(UnsafeRawBufferPointer($0), run: run.id) }
            drafts.append(draft)
        }
        _ = try await ledger.append(drafts, to: run, durability: .durable)
    }

    private static func line(_ at: Int64, _ type: String, _ body: String, causes: String = "") -> String {
        #"{"type":"\#(type)","time":"\#(time(at))","actor":"coder"\#(causes),"body":\#(body)}"#
    }

    private static let plan = [
        line(2000, "model.call", #"{"model":"claude-sonnet-5","role":"planner","input_tokens":41000,"output_tokens":900,"cached_input_tokens":30000,"cost_usd":"0.1","duration_ns":1800000000,"summary":"計画を立てる 🚀"}"#),
        line(2100, "model.call", #"{"model":"claude-haiku-5","input_tokens":5,"output_tokens":7,"cost_usd":"0.20000000000000001"}"#),
        line(2200, "note", #"{"text":"\u001b[31mred\u0007 and\nnext"}"#),
    ]

    /// - Parameter first: sequence of the first of them.
    private static func work(from first: Int) -> [String] {
        (0..<14).flatMap { index -> [String] in
            let at = 10_000 + Int64(index) * 1000
            return [
                line(at, "tool.call", #"{"tool":"grep","arguments":{"pattern":"a\#(index)"}}"#),
                line(at + 400, "tool.result", #"{"tool":"grep","ok":true}"#, causes: #","causes":[\#(first + 2 * index)]"#),
            ]
        } + [
            line(40_000, "tool.call", #"{"tool":"bash","arguments":{"command":"make test"}}"#),
            line(55_000, "tool.result", #"{"tool":"bash","ok":false,"exit_status":2}"#, causes: #","causes":[\#(first + 28)]"#),
            line(56_000, "gate.decision", #"{"gate":"tests","result":"blocked","reason":"2 of 900 are red"}"#),
            line(57_000, "error", #"{"message":"rate limited","code":"429"}"#),
            line(58_000, "patch.applied", #"{"files":[{"path":"Sources/a.swift","added":12,"removed":3}]}"#),
        ]
    }

    /// What the tool printed, with what is drawn at random and what is the moment replaced by as many zeroes.
    static func masked(_ text: String) -> String {
        let patterns = [
            #"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"#, #"01[0-9a-f]{6}-[0-9a-f]{4}"#,
        ]
        var text = text
        for pattern in patterns {
            while let range = text.range(of: pattern, options: .regularExpression) {
                text.replaceSubrange(range, with: String(repeating: "0", count: text[range].count))
            }
        }
        return text
    }

    /// Compares text with `Snapshots/NAME.txt`; writes it instead if `CAPSULE_WRITE_SNAPSHOTS` is set.
    static func expect(_ text: String, is name: String, _ location: SourceLocation = #_sourceLocation) throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Snapshots")
        let file = folder.appendingPathComponent("\(name).txt")
        if ProcessInfo.processInfo.environment["CAPSULE_WRITE_SNAPSHOTS"] != nil {
            try Data(text.utf8).write(to: file)
        }
        let expected = try String(contentsOf: file, encoding: .utf8)
        #expect(text == expected, "see \(file.path); CAPSULE_WRITE_SNAPSHOTS=1 writes it anew", sourceLocation: location)
    }
}
