import Support
import Testing

@testable import Capsule

@Suite struct HexTests {
    @Test func everyByteComesBackFromItsDigits() {
        let all = Array(UInt8.min...UInt8.max)
        let text = Hex.encode(all)
        #expect(Hex.decode(text) == all)
        #expect(Hex.decode(text.uppercased()) == all)
        #expect(text.hasPrefix("000102") && text.hasSuffix("fdfeff"))
    }

    @Test func onlyHexadecimalDigitsAreDigits() {
        let digits = Array("0123456789abcdefABCDEF".utf8)
        for byte in 0..<128 as Range<UInt8> {
            let pair = "0" + String(UnicodeScalar(byte))
            #expect((Hex.decode(pair) != nil) == digits.contains(byte), "\(byte)")
        }
        #expect(Hex.decode("٣٣") == nil, "digits of another script")
    }

    @Test func anOddNumberOfDigitsIsRefused() {
        for count in stride(from: 1, to: 70, by: 2) { #expect(Hex.decode(String(repeating: "a", count: count)) == nil) }
    }

    @Test func aNumberHasExactlyItsWidth() {
        var text: [UInt8] = []
        Hex.append(0, width: 16, to: &text)
        Hex.append(0xA1B2, width: 8, to: &text)
        Hex.append(.max, width: 16, to: &text)
        #expect(text == Array("00000000000000000000a1b2ffffffffffffffff".utf8))
    }
}

@Suite struct DigestTests {
    @Test(arguments: Seed.some(3))
    func aDigestComesBackFromItsTextAndItsBytes(_ seed: Seed) {
        var random = seed.generator
        for _ in 0..<50 {
            let bytes = random.bytes(32)
            #expect(Digest(bytes)?.bytes == bytes)
            #expect(Digest(bytes)?.hex == Hex.encode(bytes))
            #expect(Digest(hex: Hex.encode(bytes)) == Digest(bytes))
        }
    }

    @Test func aDigestHas64Digits() {
        for count in 0...70 where count != 64 { #expect(Digest(hex: String(repeating: "0", count: count)) == nil) }
        for count in 0..<32 { #expect(Digest([UInt8](repeating: 1, count: count)) == nil) }
    }

    @Test(arguments: Seed.some(3))
    func digestsSortAsTheirTextDoes(_ seed: Seed) {
        var random = seed.generator
        let digests = (0..<60).compactMap { _ in Digest([random.bytes(1)[0] % 3] + random.bytes(31)) }
        #expect(digests.sorted().map(\.hex) == digests.map(\.hex).sorted())
    }

    @Test func equalityLooksAtEveryByte() throws {
        let zero = Digest.zero
        for index in 0..<32 {
            var bytes = zero.bytes
            bytes[index] = 1
            #expect(Digest(bytes) != zero, "byte \(index)")
        }
    }
}

@Suite struct IdentifierTests {
    @Test(arguments: Seed.some(3))
    func anIDComesBackFromItsText(_ seed: Seed) throws {
        var random = seed.generator
        for _ in 0..<50 {
            let run = try #require(RunID(random.bytes(16)))
            #expect(RunID(hex: run.hex) == run)
            #expect(RunID(hex: run.description) == run)
            #expect(RunID(hex: run.description.uppercased()) == run)
            #expect(run.description.split(separator: "-").map(\.count) == [8, 4, 4, 4, 12])
        }
    }

    @Test func anIDHas32Digits() {
        for count in 0...40 where count != 32 { #expect(RunID(hex: String(repeating: "1", count: count)) == nil) }
        #expect(RunID(hex: String(repeating: "g", count: 32)) == nil)
    }

    @Test func aNewIDIsAUUIDOfVersion7WithItsTimeInFront() {
        let run = RunID(at: Timestamp(nanoseconds: 0x0123_4567_89AB * 1_000_000 + 999_999), random: SystemRandom())
        #expect(run.hex.hasPrefix("0123456789ab7"))
        #expect([8, 9, 10, 11].contains(run.bytes[8] >> 4))
    }

    @Test func newIDsDiffer() {
        let runs = (0..<1000).map { _ in RunID(at: CapsuleBuilder.start, random: SystemRandom()) }
        #expect(Set(runs).count == runs.count)
    }

    @Test func hashesOfTheSameTextDifferByUseAndScope() {
        let (one, two) = (CapsuleBuilder.run(1), CapsuleBuilder.run(2))
        let hashes = [
            KeyHash.event("x", in: one), .event("x", in: two), .event("y", in: one), .actor("x", in: one),
            .token("x", for: one),
            .runName("x", in: CapsuleID(words: one.words)),
        ]
        #expect(Set(hashes).count == hashes.count)
    }

    @Test func aKeyHashIsHalfTheSHA256OfTagScopeAndText() {
        let run = CapsuleBuilder.run(1)
        let digest = Hashing.sha256([1] + run.bytes + Array("kéy".utf8))
        #expect(KeyHash.event("kéy", in: run).bytes == Array(digest.bytes[..<16]))
    }

    @Test func theSystemFillsTheWholeOfALongBuffer() {
        var bytes = [UInt8](repeating: 0, count: 4099)
        bytes.withUnsafeMutableBytes { SystemRandom().fill($0) }
        // That 16 random bytes are all zero happens once in 2^128.
        for start in stride(from: 0, to: 4083, by: 16) { #expect(bytes[start..<(start + 16)].contains { $0 != 0 }) }
    }
}
