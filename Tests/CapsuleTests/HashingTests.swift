import Testing

@testable import Capsule

@Suite struct HashingTests {
    @Test func theProcessorsInstructionsGiveWhatTheLibraryGivesAtEveryLength() {
        let bytes = (0..<1100).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 3) }
        bytes.withUnsafeBytes { all in
            for length in 0...1000 {
                for start in [0, 1, 7] {
                    let piece = UnsafeRawBufferPointer(rebasing: all[start..<(start + length)])
                    #expect(Hashing.sha256(piece) == Hashing.portable(piece), "\(length) bytes from \(start)")
                }
            }
        }
    }

    @Test func twoAtOnceGiveWhatEachGivesAloneAtEveryPairOfLengths() {
        let bytes = (0..<700).map { UInt8(truncatingIfNeeded: $0 &* 29 &+ $0 >> 2) }
        bytes.withUnsafeBytes { all in
            for first in 0...260 {
                for second in Array(0...130) + [191, 192, 193, 300, 600] {
                    let one = UnsafeRawBufferPointer(rebasing: all[..<first])
                    let two = UnsafeRawBufferPointer(rebasing: all[(700 - second)...])
                    let pair = Hashing.sha256Pair(one, two)
                    #expect(pair == (Hashing.sha256(one), Hashing.sha256(two)), "\(first) and \(second) bytes")
                }
            }
        }
    }

    @Test func aDigestOfPiecesIsThatOfTheWhole() {
        var running = RunningDigest()
        for piece in [[1, 2], [], [3]] as [[UInt8]] { piece.withUnsafeBytes { running.update($0) } }
        #expect(running.value == Hashing.sha256([1, 2, 3]))
    }
}
