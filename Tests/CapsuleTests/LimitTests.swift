import Foundation
import Support
import Testing

@testable import Capsule

@Suite struct LimitTests {
    @Test func theNumbersAreThoseOfTheSpecification() throws {
        let text = try String(contentsOf: repository.appendingPathComponent("spec/format.md"), encoding: .utf8)
        let rows = text.components(separatedBy: "## 12 Limits").last?.components(separatedBy: "\n") ?? []
        func number(_ name: String) -> UInt64? {
            let row = rows.first { $0.hasPrefix("| \(name)") }
            let cells = row?.components(separatedBy: "|") ?? []
            return cells.count > 2 ? UInt64(cells[2].filter(\.isNumber)) : nil
        }
        let limits: [(String, Int)] = [
            ("batch, before", Limits.batchBytes), ("frames in a batch", Limits.batchFrames),
            ("body inline", Limits.inlineBodyBytes),
            ("body at all", Limits.bodyBytes), ("blob chunk", Limits.chunkBytes), ("snapshot;", Limits.objectBytes),
            ("origin", Limits.originBytes), ("type name", Limits.typeNameBytes), ("key; run", Limits.nameBytes),
            ("labels", Limits.labels), ("causes", Limits.causes), ("events in a run", Int(Limits.runEvents)),
            ("open runs", Limits.openRuns), ("keys and actors", Limits.runKeys), ("bytes waiting", Limits.waitingBytes),
            ("size at which", Int(Limits.warnFileBytes)),
        ]
        for (name, limit) in limits { #expect(number(name) == UInt64(limit), "\(name)") }
    }

    @Test(arguments: [FrameKind.snapshot, .document, .note, .foreignProof, .manifest])
    func anObjectHasAtMost1048576Bytes(_ kind: FrameKind) throws {
        let most = [UInt8](repeating: 1, count: 1_048_576)
        #expect(try StoredObject(kind, most).bytes.count == most.count)
        #expect(throws: CapsuleError(.limitObject, "")) { try StoredObject(kind, most + [1]) }
    }

    @Test func aChunkHasAtMost1048576BytesAndItsSalt() throws {
        let most = [UInt8](repeating: 1, count: 1_048_592)
        #expect(try StoredObject(.chunk, most).bytes.count == most.count)
        #expect(throws: CapsuleError(.limitObject, "")) { try StoredObject(.chunk, most + [1]) }
    }

    @Test func anObjectAtTheLimitIsReadBack() throws {
        for compressible in [true, false] {
            let bytes =
                compressible ? [UInt8](repeating: 1, count: 1_048_576) : Seed(2).generator.with { $0.bytes(1_048_576) }
            let builder = CapsuleBuilder()
            builder.object(.document, bytes, media: .bytes)
            #expect(try Sample(bytes: builder.bytes).verdict == "intact")
        }
    }

    @Test func aManifestIsOf1To67108864Bytes() {
        func isRead(_ length: UInt64, chunks: Int) -> Bool {
            var manifest = BlobManifest(of: [1], salt: [UInt8](repeating: 0, count: 16))
            manifest.length = length
            manifest.chunks = Array(repeating: .zero, count: chunks)
            return (try? BlobManifest(reading: manifest.encoded)) != nil
        }
        #expect(!isRead(0, chunks: 0))
        #expect(isRead(1, chunks: 1))
        #expect(isRead(1_048_576, chunks: 1))
        #expect(!isRead(1_048_577, chunks: 1))
        #expect(isRead(1_048_577, chunks: 2))
        #expect(isRead(67_108_864, chunks: 64))
        #expect(!isRead(67_108_865, chunks: 65))
    }

    @Test func aManifestOfAnAbsurdLengthIsRefused() async {
        // In a process of its own, because what is guarded against ends it.
        await #expect(processExitsWith: .success) { () async in
            for length in [UInt64.max, .max - 1, .max - 1_048_575, .max - 1_048_574, 1 << 63] as [UInt64] {
                var manifest = BlobManifest(of: [1], salt: [UInt8](repeating: 0, count: 16))
                manifest.length = length
                let bytes = manifest.encoded
                #expect(throws: CapsuleError(.objectMismatch, "")) { try BlobManifest(reading: bytes) }
            }
        }
    }

    @Test func everyPrefixOfAManifestIsRefused() {
        let bytes = BlobManifest(of: [1, 2, 3], salt: [UInt8](repeating: 9, count: 16)).encoded
        for count in bytes.indices {
            #expect(throws: CapsuleError(.objectMismatch, "")) { try BlobManifest(reading: Array(bytes[..<count])) }
        }
        #expect(throws: CapsuleError(.objectMismatch, "")) { try BlobManifest(reading: bytes + [0]) }
    }

    @Test func aBatchHasRoomFor4194304BytesAndNotOneMore() {
        var body = BatchBody(.objects)
        #expect(body.hasRoom(forContent: .max / 2), "the first frame always fits")
        body.addRawFrame(kind: 200, content: [UInt8](repeating: 0, count: 4_194_304 - 16 - 100))
        #expect(body.hasRoom(forContent: 100))
        #expect(!body.hasRoom(forContent: 101))
    }

    @Test func aBatchHasRoomFor65535FramesAndNotOneMore() {
        var body = BatchBody(.objects)
        for _ in 0..<65_534 { body.addRawFrame(kind: 200, content: []) }
        #expect(body.hasRoom(forContent: 0))
        body.addRawFrame(kind: 200, content: [])
        #expect(!body.hasRoom(forContent: 0))
    }

    @Test func aFullBatchIsRead() throws {
        let builder = CapsuleBuilder(compresses: false)
        builder.rawFrame(200, content: [UInt8](repeating: 5, count: 4_194_304 - 8), in: .objects)
        builder.flush()
        for _ in 0..<65_535 { builder.rawFrame(200, content: [], in: .objects) }
        #expect(try Sample(bytes: builder.bytes).verdict == "intact")
    }

    @Test func aBatchOfOneByteTooManyIsRefused() throws {
        let builder = CapsuleBuilder(compresses: false)
        builder.rawFrame(200, content: [UInt8](repeating: 5, count: 4_194_304 - 7), in: .objects)
        #expect(try Sample(bytes: builder.bytes).verify().error?.code == .batchMalformed)
    }

    @Test func aBatchOfOneFrameTooManyIsRefused() throws {
        let builder = CapsuleBuilder(compresses: false)
        for _ in 0..<65_536 { builder.rawFrame(200, content: [], in: .objects) }
        #expect(try Sample(bytes: builder.bytes).verify().error?.code == .batchMalformed)
    }

    /// Two words each, so that a test can name them.
    @Test func everyErrorCodeOfReadingStandsInTheSpecification() throws {
        let text = try String(contentsOf: repository.appendingPathComponent("spec/format.md"), encoding: .utf8)
        let limits = CapsuleError.Code.allCases.filter { $0.rawValue.hasPrefix("limit-") }
        for code in CapsuleError.Code.allCases where !limits.contains(code) && code != .invalidName {
            #expect(text.contains("| `\(code.rawValue)` |"), "\(code.rawValue)")
        }
        for code in limits { #expect(text.contains("`\(code.rawValue)` |"), "\(code.rawValue)") }
        for code in Finding.Code.allCases { #expect(text.contains("| `\(code.rawValue)` |"), "\(code.rawValue)") }
    }
}
