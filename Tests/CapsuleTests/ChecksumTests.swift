import CCRC32C
import Support
import Testing

@testable import Capsule

@Suite struct ChecksumTests {
    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        var crc = CRC32C()
        crc.add(bytes.span.bytes)
        return crc.value
    }

    /// Bit by bit, straight from the polynomial.
    private func naive(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0x82F6_3B78 : 0) }
        }
    }

    @Test func theChecksumIsThatOfTheRFC() {
        #expect(checksum(Array("123456789".utf8)) == 0xE306_9283)
        #expect(checksum([]) == 0)
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(checksum(Array(0..<32)) == 0x46DD_794E)
        #expect(checksum(Array((0..<32).reversed())) == 0x113F_DB5C)
    }

    @Test func hardwareAndTableAgreeAtAllLengthsAndAlignments() {
        let bytes = Seed(7).generator.with { $0.bytes(80) }
        for start in 0..<9 {
            for end in start..<bytes.count {
                let part = Array(bytes[start..<end])
                let (fast, portable) = bytes.withUnsafeBytes { buffer in
                    let part = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
                    return (
                        ccrc32c_extend(0, part.baseAddress, part.count),
                        ccrc32c_extend_portable(0, part.baseAddress, part.count)
                    )
                }
                #expect(fast == naive(part) && portable == naive(part), "bytes \(start) to \(end)")
            }
        }
    }

    @Test func aChecksumInTwoPartsIsThatOfTheWhole() {
        let bytes = Seed(8).generator.with { $0.bytes(40) }
        for middle in 0...bytes.count {
            var crc = CRC32C()
            crc.add(Array(bytes[..<middle]).span.bytes)
            crc.add(Array(bytes[middle...]).span.bytes)
            #expect(crc.value == checksum(bytes), "cut at \(middle)")
        }
    }

    @Test func theSeedTellsCapsulesGenerationsAndOffsetsApart() {
        let header = CapsuleBuilder.plainHeader()
        var other = header
        other.capsule = .zero
        let next = CapsuleBuilder.plainHeader(generation: 1)
        let sums = [
            CRC32C.seeded(header, offset: 8192), CRC32C.seeded(header, offset: 8193),
            CRC32C.seeded(other, offset: 8192),
            CRC32C.seeded(next, offset: 8192), CRC32C.seeded(header, offset: 8192 + 1 << 40),
        ]
        #expect(Set(sums.map(\.value)).count == sums.count)
    }
}

extension SeededGenerator {
    /// What `body` draws.
    func with<R>(_ body: (inout SeededGenerator) -> R) -> R {
        var copy = self
        return body(&copy)
    }
}
