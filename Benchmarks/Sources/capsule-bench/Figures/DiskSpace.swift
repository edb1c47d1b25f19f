import Foundation
import Ledger

/// Bytes of a capsule for each byte of the stream of events that was recorded in it.
enum DiskSpace {
    /// As much as a pipe gives at once, which `capsule-tool append --ndjson` makes one submission of.
    private static let pieceBytes = 65_536

    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let recorder = try await Recorder(scratch.file("disk.cpsl"))
        let before = try CapsuleFile(recorder.path).length()
        let file = ProcessInfo.processInfo.environment["CAPSULE_STREAM"]
        let lines = try file.map { try readLines($0) } ?? makeLines(options.pick(quick: 20_000, usual: 100_000))
        var piece: [EventDraft] = []
        var (pending, total) = (0, 0)
        for line in lines {
            piece.append(try line.withUnsafeBytes { line in
                try EventLine.parse(UnsafeRawBufferPointer(rebasing: line.dropLast()), run: recorder.run.id)
            })
            pending += line.count
            total += line.count
            guard pending >= pieceBytes else { continue }
            _ = try await recorder.ledger.append(piece, to: recorder.run, durability: .written)
            piece = []
            pending = 0
        }
        _ = try await recorder.ledger.append(piece, to: recorder.run, durability: .written)
        try await recorder.finish()
        let bytes = try CapsuleFile(recorder.path).length() - before
        let mean = total / lines.count
        let source = file.map { $0.split(separator: "/").last.map(String.init) ?? $0 } ?? "random words"
        let what = "capsule's bytes per byte of NDJSON (\(source), lines of \(mean) bytes on average)"
        return [Figure(what, Double(bytes) / Double(total), .plain, goal: .atMost(0.4))]
    }

    /// A recorded stream: what made-up text compresses to says little about real text.
    private static func readLines(_ file: String) throws -> [[UInt8]] {
        let data = try Data(contentsOf: URL(fileURLWithPath: file))
        return data.split(separator: UInt8(ascii: "\n")).map { Array($0) + [UInt8(ascii: "\n")] }
    }

    static func makeLines(_ count: Int) -> [[UInt8]] {
        var stream = AgentStream(seed: 2026)
        var time = Timestamp(nanoseconds: 1_795_442_400_000_000_000)
        return (0..<count).map { index in
            time.nanoseconds += Int64(1 + index * 7919 % 4001) * 1_000_000
            return stream.next().line(at: time)
        }
    }
}
