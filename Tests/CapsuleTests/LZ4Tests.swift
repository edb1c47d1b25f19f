import Foundation
import Support
import Testing

@testable import Capsule

@Suite struct LZ4Tests {
    private let frame = LZ4Frame()

    private func compress(_ raw: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        return raw.withUnsafeBytes { frame.compress($0, into: &bytes) } ? bytes : nil
    }

    private func decompress(_ stored: [UInt8], length: Int) throws -> [UInt8] {
        var raw: [UInt8] = []
        try frame.decompress(stored.span.bytes, length: length, into: &raw)
        return Array(raw[..<length])
    }

    /// Runs the `lz4` program over `input` and returns what it writes.
    private func lz4(_ arguments: [String], _ input: [UInt8]) throws -> [UInt8] {
        let folder = try TemporaryFolder()
        let (source, target) = (folder.url("in"), folder.url("out"))
        try Data(input).write(to: source)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["lz4", "-q", "-f"] + arguments + [source.path, target.path]
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0, "lz4 \(arguments) refuses")
        return try Array(Data(contentsOf: target))
    }

    @Test(arguments: Seed.some(4))
    func whatIsCompressedComesBack(_ seed: Seed) throws {
        var random = seed.generator
        for _ in 0..<60 {
            let raw = random.text(.random(in: 0...5000, using: &random))
            guard let stored = compress(raw) else { continue }
            #expect(stored.count < raw.count)
            #expect(try decompress(stored, length: raw.count) == raw)
        }
    }

    @Test(arguments: [65_535, 65_536, 65_537, 262_145, 1_048_577, Limits.batchBytes])
    func aFrameOfEveryBlockSizeComesBack(_ count: Int) throws {
        let raw = [UInt8](unsafeUninitializedCapacity: count) { buffer, length in
            for index in 0..<count { buffer[index] = UInt8(truncatingIfNeeded: index / 3 ^ index >> 12) }
            length = count
        }
        let stored = try #require(compress(raw))
        #expect(try decompress(stored, length: count) == raw)
    }

    @Test func whatDoesNotPayIsLeftAsItIs() {
        #expect(compress(Seed(3).generator.with { $0.bytes(1000) }) == nil)
        for count in 0..<24 { #expect(compress([UInt8](repeating: 0, count: count)) == nil, "\(count) bytes") }
    }

    @Test(arguments: [200, 70_000, 3_000_000])
    func theProgramReadsWhatWeWrite(_ count: Int) throws {
        let raw = Seed(4).generator.with { $0.text(count) }
        let stored = try #require(compress(raw))
        #expect(try lz4(["-d"], stored) == raw)
    }

    @Test(arguments: [["-1"], ["-9"], ["-B4", "-BD"], ["-B4", "-BI"], ["-B7", "-12"]])
    func weReadWhatTheProgramWrites(_ options: [String]) throws {
        let raw = Seed(5).generator.with { $0.text(200_000) }
        let stored = try lz4(options + ["--content-size", "--no-frame-crc"], raw)
        #expect(try decompress(stored, length: raw.count) == raw)
    }

    @Test(arguments: [["--no-frame-crc"], ["--content-size"], ["--content-size", "--no-frame-crc", "-BX"]])
    func aFrameOfAnotherFormIsRefused(_ options: [String]) throws {
        let raw = Seed(5).generator.with { $0.text(2000) }
        let stored = try lz4(["-z"] + options, raw)
        #expect(throws: CapsuleError(.lz4Malformed, "")) { try decompress(stored, length: raw.count) }
    }

    @Test func everyTruncationOfAFrameIsRefused() throws {
        let raw = Seed(6).generator.with { $0.text(300) }
        let stored = try #require(compress(raw))
        for length in 0..<stored.count {
            #expect(throws: CapsuleError(.lz4Malformed, ""), "\(length) of \(stored.count) bytes") {
                try decompress(Array(stored[..<length]), length: raw.count)
            }
        }
    }

    @Test func bytesAfterAFrameAreRefused() throws {
        let raw = Seed(6).generator.with { $0.text(300) }
        let stored = try #require(compress(raw))
        for extra in [[0], [0, 0, 0, 0], stored] {
            #expect(throws: CapsuleError(.lz4Malformed, "")) { try decompress(stored + extra, length: raw.count) }
        }
    }

    @Test func aFrameWithAnyByteChangedIsRefusedOrGivesAsManyBytes() throws {
        let raw = Array("a ledger, a ledger, a lever; a ledger, a ledger, a ledger".utf8)
        let stored = try #require(compress(raw))
        var refused = 0
        for index in stored.indices {
            for mask in 1...UInt8.max {
                var hostile = stored
                hostile[index] ^= mask
                do {
                    let given = try decompress(hostile, length: raw.count)
                    if given.count != raw.count { Issue.record("byte \(index), mask \(mask): \(given.count) bytes") }
                } catch let error as CapsuleError where error.code == .lz4Malformed {
                    refused += 1
                }
            }
        }
        // The whole of magic, descriptor, its checksum and the end mark at least.
        #expect(refused >= (15 + 4) * 255)
    }

    @Test func aFrameThatGivesAnotherLengthIsRefused() throws {
        let raw = Seed(6).generator.with { $0.text(300) }
        let stored = try #require(compress(raw))
        for length in [0, 1, 299, 301, 4_194_304] {
            var lying = stored
            lying.put(UInt64(length), at: 6)
            #expect(throws: CapsuleError(.lz4Malformed, "")) { try decompress(stored, length: length) }
            #expect(throws: CapsuleError(.lz4Malformed, "")) { try decompress(lying, length: length) }
        }
    }
}
