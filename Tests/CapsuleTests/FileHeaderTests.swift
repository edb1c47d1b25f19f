import Support
import Testing

@testable import Capsule

@Suite struct FileHeaderTests {
    private func header(
        _ origin: String?,
        predecessor: FileHeader.Predecessor? = nil
    ) throws(CapsuleError) -> FileHeader {
        try FileHeader(
            capsule: CapsuleBuilder.capsuleID,
            generation: 3,
            created: CapsuleBuilder.start,
            origin: origin,
            predecessor: predecessor
        )
    }

    private let predecessor = FileHeader.Predecessor(origin: "example.com/older", size: 12, root: Hashing.sha256([1]))

    @Test func aHeaderComesBackFromItsBytes() throws {
        let names = [nil, "a", "é/日本"]
        for header in try names.map({ try header($0) }) + [try header("x", predecessor: predecessor)] {
            let bytes = header.encoded()
            let reading = try FileHeader.read(bytes)
            #expect(bytes.count == 8192)
            #expect(reading.header == header && reading.damagedCopy == nil)
        }
    }

    /// Sizes and offsets are part of the format.
    @Test func theFieldsStandWhereTheSpecificationSays() throws {
        let bytes = try header("abc", predecessor: predecessor).encoded()
        let start: [UInt8] = [0x89, 0x43, 0x50, 0x53, 0x4C, 0x0D, 0x0A, 0x1A, 1, 0, 1, 0, 1, 1, 3, 0]
        #expect(Array(bytes[..<16]) == start)
        #expect(Array(bytes[16..<32]) == CapsuleBuilder.capsuleID.bytes)
        #expect(Array(bytes[32..<40]) == [3, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[56..<64]) == [12, 0, 0, 0, 0, 0, 0, 0])
        #expect(Array(bytes[64..<96]) == Hashing.sha256([1]).bytes)
        #expect(Array(bytes[96..<104]) == [17, 0, 0, 0] + Array("abc\0".utf8))
        #expect(Array(bytes[356..<374]) == Array("example.com/older\0".utf8))
        #expect(bytes[..<4096] == bytes[4096...].map { $0 }[...])
    }

    @Test(arguments: [0, 1])
    func everyBitFlippedInOneCopyIsFoundAndTheOtherIsRead(_ copy: Int) throws {
        let header = try header("example.com/ledger")
        let good = header.encoded()
        // The fields and the checksum bit by bit, the zeroes between them one bit a byte.
        for byte in 0..<4096 {
            for bit in byte < 104 || byte >= 4092 ? Array(0..<8) : [byte % 8] {
                var bytes = good
                bytes[copy * 4096 + byte] ^= 1 << UInt8(bit)
                let reading = try FileHeader.read(bytes)
                if reading.header != header || reading.damagedCopy != copy {
                    Issue.record("bit \(bit) of byte \(byte): \(reading)")
                }
            }
        }
    }

    @Test func aFileCutAnywhereInItsHeaderIsRefusedOrReadFromTheFirstCopy() throws {
        let header = try header("example.com/ledger")
        let good = header.encoded()
        for length in stride(from: 0, through: 8192, by: 1)
        where length % 61 == 0 || length > 4080 && length < 4110 || length < 20 {
            let bytes = Array(good[..<length])
            if length < 8 {
                #expect(throws: CapsuleError(.notACapsule, "")) { try FileHeader.read(bytes) }
            } else if length < 4096 {
                #expect(throws: CapsuleError(.headerDamaged, "")) { try FileHeader.read(bytes) }
            } else {
                #expect(try FileHeader.read(bytes).damagedCopy == (length < 8192 ? 1 : nil), "\(length) bytes")
            }
        }
    }

    @Test func anOriginHas1To255Bytes() throws {
        let longest = String(repeating: "é", count: 127) + "a"
        #expect(try FileHeader.read(header(longest).encoded()).header.origin == longest)
        #expect(throws: CapsuleError(.limitOrigin, "")) { try header(longest + "a") }
        #expect(throws: CapsuleError(.invalidName, "")) { try header("") }
    }

    @Test func anOriginHasNoWhiteSpaceControlOrPlus() {
        let bad: [Unicode.Scalar] = [
            "\0", "\n", "\u{1F}", " ", "+", "\u{7F}", "\u{85}", "\u{A0}", "\u{2003}", "\u{3000}",
        ]
        for scalar in bad {
            let origin = "a" + String(scalar) + "b"
            #expect(throws: CapsuleError(.invalidName, ""), "U+\(String(scalar.value, radix: 16))") {
                try header(origin)
            }
            let predecessor = FileHeader.Predecessor(origin: origin, size: 1, root: .zero)
            #expect(throws: CapsuleError(.invalidName, "")) { try header("a", predecessor: predecessor) }
        }
    }

    @Test func aHeaderThatNobodyCouldReadCannotBeMade() throws {
        let empty = FileHeader.Predecessor(origin: "example.com/older", size: 0, root: .zero)
        // What `init` lets pass, `read` takes back.
        guard let made = try? header("a", predecessor: empty) else { return }
        #expect(throws: Never.self, "a predecessor of no events") { try FileHeader.read(made.encoded()) }
    }

    @Test func theDigestIsTheSameInEveryGeneration() throws {
        var later = try header("a")
        later.generation = 99
        #expect(later.digest == (try header("a").digest))
        #expect(try header("b").digest != header("a").digest)
    }
}
