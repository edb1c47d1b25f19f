import Support
import Testing

@testable import Capsule

/// Everything that a bad disk can do to a small capsule, one thing at a time.
@Suite struct DamageTests {
    static let samples = [Sample.plain(), Sample.plain(runs: 2, compresses: false)]

    @Test(arguments: [0, 1])
    func everyTruncationIsTornOrAnEndOrCutShort(_ index: Int) throws {
        let sample = Self.samples[index]
        let boundaries = try sample.boundaries
        let open = try OpenSample(sample)
        for length in (8192..<sample.bytes.count).reversed() {
            try open.cut(to: length)
            let expected: Verifier.Verdict =
                switch length {
                case 8192: .cutShort
                case _ where boundaries.contains(length): .intact
                case ..<boundaries[1]: .damaged
                default: .tornTail
                }
            let verdict = try open.verdict()
            if verdict != expected { Issue.record("\(length) bytes: \(verdict)") }
        }
    }

    @Test func everyTruncationIsCutShortWhereANoteKnowsBetter() throws {
        let sample = Self.samples[0].noted
        let open = try OpenSample(sample)
        for length in (8192..<sample.bytes.count).reversed() {
            try open.cut(to: length)
            let verdict = try open.verdict()
            if verdict != .cutShort { Issue.record("\(length) bytes: \(verdict)") }
        }
    }

    @Test func aFileCutInItsHeaderIsRefusedOrCutShort() throws {
        let sample = Self.samples[0]
        for length in (0...8192)
        where length < 20 || length % 97 == 0 || (4090...4100).contains(length) || length > 8187 {
            let expected = length < 8 ? "not-a-capsule" : length < 4096 ? "header-damaged" : "cut-short"
            #expect(try sample.cut(to: length).verdict == expected, "\(length) bytes")
        }
    }

    @Test func theLengthOfATornTailIsSaid() throws {
        let sample = Self.samples[0]
        let last = try sample.boundaries.dropLast().last ?? 0
        let report = try sample.cut(to: last + 77).verify()
        #expect(report.end == UInt64(last) && report.error?.offset == UInt64(last))
        #expect(report.error?.reason.contains("77 bytes") == true)
    }

    @Test func whatStandsBeforeATornTailIsRead() throws {
        let sample = Self.samples[0]
        let last = try sample.boundaries.dropLast().last ?? 0
        let before = try sample.cut(to: last).verify()
        let torn = try sample.cut(to: last + 50).verify()
        #expect(torn.treeSize == before.treeSize && torn.root == before.root && torn.batches == before.batches)
    }

    @Test(arguments: [0, 1])
    func everyBitFlipInABatchIsDetected(_ index: Int) throws {
        let sample = Self.samples[index]
        let last = try sample.boundaries.dropLast().last ?? 0
        let open = try OpenSample(sample)
        // All bits of the small sample, one of each byte of the large one.
        for bit in (8192 * 8)..<(sample.bytes.count * 8) where index == 0 || bit % 8 == bit / 8 % 8 {
            let verdict = try open.verdict(flipping: bit)
            if verdict != (bit / 8 < last ? .damaged : .tornTail) {
                Issue.record("bit \(bit % 8) of byte \(bit / 8): \(verdict)")
            }
        }
        #expect(try open.verdict() == .intact)
    }

    @Test func noBitFlipIsCalledTornWhereANoteKnowsBetter() throws {
        let sample = Self.samples[0].noted
        let last = try sample.boundaries.dropLast().last ?? 0
        let open = try OpenSample(sample)
        // Elsewhere the file's own headers are evidence enough, as the test above shows.
        for bit in (last * 8)..<(sample.bytes.count * 8) {
            let verdict = try open.verdict(flipping: bit)
            if verdict != .damaged { Issue.record("bit \(bit % 8) of byte \(bit / 8): \(verdict)") }
        }
    }

    @Test func aByteFlippedInTheFileHeaderIsSaidAndTheRestIsRead() throws {
        let sample = Self.samples[0]
        for bit in stride(from: 0, to: 8192 * 8, by: 999) {
            let report = try sample.flipped(bit).verify()
            #expect(report.verdict == .intact && report.damagedHeaderCopy == bit / 8 / 4096, "bit \(bit)")
        }
    }

    @Test func everyBatchLeftOutRepeatedOrSwappedIsDetected() throws {
        let sample = Self.samples[1]
        let boundaries = try sample.boundaries
        let batches = zip(boundaries, boundaries.dropFirst()).map { Array(sample.bytes[$0..<$1]) }
        func file(_ order: [Int]) -> Sample { Sample(bytes: sample.bytes[..<8192] + order.flatMap { batches[$0] }) }
        let count = batches.count
        for first in 0..<count {
            for second in 0..<count where [first, second] != [0, 1] {
                let verdict = try file([first, second]).verdict
                #expect(verdict != "intact", "batches \(first) and \(second)")
            }
        }
        #expect(try file(Array(0..<count)).verdict == "intact")
    }

    @Test func zeroesAreTheEndOnlyIfNothingFollowsThem() throws {
        let sample = Self.samples[0]
        for count in [1, 127, 128, 129, 4096, 1 << 20, (1 << 20) + 200] {
            let zeroes = [UInt8](repeating: 0, count: count)
            #expect(try Sample(bytes: sample.bytes + zeroes).verdict == "intact", "\(count) zeroes")
            #expect(try Sample(bytes: sample.bytes + zeroes + [1]).verdict == "torn-tail", "\(count) zeroes and a one")
        }
    }

    @Test func evidenceFarBehindABadBatchIsFound() throws {
        // The header that shows it stands across the seam of the windows in which the judge reads.
        for gap in [(1 << 20) - 200, (1 << 20) - 64, (1 << 20) - 1, 1 << 20] {
            let builder = CapsuleBuilder(compresses: false)
            builder.snapshot()
            builder.sync()
            let run = CapsuleBuilder.run(1)
            builder.event(.runStart, in: run)
            var left = gap
            while left > 0 {
                let count = min(left, 200_000)
                builder.event(.note, in: run, body: String(repeating: "x", count: count))
                left -= count
            }
            builder.sync()
            builder.event(.note, in: run)
            let sample = Sample(bytes: builder.bytes)
            let bad = try sample.boundaries[2]
            #expect(try sample.flipped((bad + 3) * 8).verdict == "damaged", "\(gap) bytes between")
        }
    }

    @Test func aWriterAtWorkIsNotATornTail() throws {
        let storage = MemoryStorage()
        let sample = Self.samples[0]
        storage.put(Array(sample.bytes.dropLast(5)), at: "v.cpsl")
        let writer = try storage.open("v.cpsl", for: .readingAndWriting)
        #expect(try writer.tryLock(.exclusive))
        #expect(try Verifier(CapsuleFile("v.cpsl", storage: storage)).run().verdict == .beingWritten)
        try writer.unlock()
        #expect(try Verifier(CapsuleFile("v.cpsl", storage: storage)).run().verdict == .tornTail)
    }

    @Test func verifyingLeavesNoLockBehind() throws {
        let storage = MemoryStorage()
        storage.put(Array(Self.samples[0].bytes.dropLast(5)), at: "v.cpsl")
        let capsule = try CapsuleFile("v.cpsl", storage: storage)
        _ = try Verifier(capsule).run()
        #expect(try storage.open("v.cpsl", for: .readingAndWriting).tryLock(.exclusive))
    }

    /// A forger makes all checksums right: then only structure, hashes and rules are left to notice.
    @Test(arguments: [0, 1])
    func aForgedByteNeverTrapsAndIsNeverATornTail(_ index: Int) throws {
        let sample = Sample.plain(compresses: index == 1)
        let editor = try CapsuleEditor(sample.bytes)
        let root = try sample.verify().root
        for batch in editor.batches.indices {
            for offset in 0..<editor.batches[batch].body.count {
                for mask in [1, 0x80] as [UInt8] {
                    var forged = editor
                    forged.patchBody(batch, at: offset, with: [editor.batches[batch].body[offset] ^ mask])
                    let report = try Sample(bytes: forged.assembled()).verify()
                    // Other compressed bytes may give the same content, which hashes then judge.
                    let isSame = index == 1 && report.verdict == .intact && report.root == root
                    if !isSame && report.verdict != .broken && report.verdict != .unsupported {
                        Issue.record("byte \(offset) of batch \(batch): \(report.verdict)")
                    }
                }
            }
        }
    }

    @Test func aForgedHeaderFieldNeverTrapsAndIsNeverIntact() throws {
        let editor = try CapsuleEditor(Self.samples[0].bytes)
        // Fields 100 to 107 and the checksum are made right again by the forger.
        for offset in Array(0..<100) + Array(108..<124) {
            for mask in 1...UInt8.max where mask.nonzeroBitCount == 1 || mask == .max {
                var forged = editor
                forged.patchHeader(-1, at: offset, with: [(editor.batches.last?.header[offset] ?? 0) ^ mask])
                let sample = Sample(bytes: forged.assembled())
                let verdict = try sample.verdict
                // A durable length is a claim that nothing in the last batch contradicts.
                let isClaim = (40..<48).contains(offset) && verdict == "intact"
                #expect(isClaim || verdict != "intact", "byte \(offset), mask \(mask): \(verdict)")
            }
        }
    }
}
