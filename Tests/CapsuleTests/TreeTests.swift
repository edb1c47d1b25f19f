import Support
import Testing

@testable import Capsule

@Suite struct TreeTests {
    /// RFC 6962 section 2.1 read aloud.
    private func naiveRoot(_ leaves: ArraySlice<Digest>) -> Digest {
        guard let first = leaves.first else { return Hashing.sha256([]) }
        if leaves.count == 1 { return first }
        var split = 1
        while split * 2 < leaves.count { split *= 2 }
        let middle = leaves.startIndex + split
        return Hashing.sha256([1] + naiveRoot(leaves[..<middle]).bytes + naiveRoot(leaves[middle...]).bytes)
    }

    private func leaf(_ number: Int) -> Digest { Hashing.sha256([0] + Array("leaf \(number)".utf8)) }

    private func frontier(_ leaves: some Sequence<Digest>) -> MerkleFrontier {
        leaves.reduce(into: MerkleFrontier()) { $0.append($1) }
    }

    @Test func theRootsOfSevenLeavesAreThoseThatOtherVerifiersAccept() {
        let roots = [
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", "G7l9zCFjXUfiZj79/QoXRobZjdcBNS3SzQbotD/T0wU=",
            "/F9riP+FVPdbsvnm85wxsZNtRLaSdu33sSBalVuXYeM=", "1Pksj7uJcg6ztVZ3x9fvrd/rENEaGoSguo8aIzN/qpU=",
            "T2MQhKFXxU9U/Psj/164ZQxLoWDClbsTqYMrEJ1SZ34=", "NBUVmC1lDiNSDb1U1/zwr6G3DMOhakEdRk3JwayWwwE=",
            "g2PDghzkHrtGIiEWpCzIPbp1OYSyPPyiaqrQpoZzNuo=", "WmH8K1T5z6cXdPJDIUPdQMbLKxGUf69lp9PaXLZRmcg=",
        ]
        for (count, root) in roots.enumerated() {
            #expect(Base64.encode(frontier((0..<count).map(leaf)).root.bytes) == root, "\(count) leaves")
        }
    }

    @Test func theRootOfEverySizeUpTo300IsThatOfTheDefinition() {
        let leaves = (0..<300).map(leaf)
        var tree = MerkleFrontier()
        for count in 0...leaves.count {
            #expect(tree.root == naiveRoot(leaves[..<count]), "\(count) leaves")
            #expect(tree.size == UInt64(count))
            if count < leaves.count { tree.append(leaves[count]) }
        }
    }

    @Test func mergingEarlyOrLateChangesNoRoot() {
        for period in 1...40 {
            var (early, late) = (MerkleFrontier(), MerkleFrontier())
            for number in 0..<130 {
                early.append(leaf(number))
                late.append(leaf(number))
                if number % period == 0 { early.settle() }
                #expect(early == late && early.root == late.root, "merged every \(period), \(number) leaves")
            }
        }
    }

    @Test func aFrontierSavedAndReadBackGrowsAsBefore() throws {
        for count in 0..<70 {
            var tree = frontier((0..<count).map(leaf))
            var again = try #require(MerkleFrontier(size: tree.size, subtrees: tree.subtrees))
            tree.append(leaf(count))
            again.append(leaf(count))
            #expect(tree == again && tree.root == again.root, "\(count) leaves")
        }
    }

    @Test func aFrontierWithAnotherNumberOfSubtreesIsRefused() {
        for size in 0..<64 as Range<UInt64> {
            for count in 0..<8 where count != size.nonzeroBitCount {
                #expect(MerkleFrontier(size: size, subtrees: Array(repeating: leaf(0), count: count)) == nil)
            }
        }
    }

    @Test func theHashesAreThoseOfTheStandard() {
        #expect(Hashing.sha256([]).hex == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Hashing.sha256(Array("abc".utf8)).hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(
            Base64.encode(Hashing.sha256([0] + Array("hello world".utf8)).bytes)
                == "TszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0="
        )
    }

    @Test func theHashOfALeafIsOverZeroEnvelopeAndCommitment() {
        for count in [0, 80, 81, 500] {
            let envelope = Seed(9).generator.with { $0.bytes(count) }
            let hash = envelope.withUnsafeBytes { Hashing.leaf(envelope: $0, commitment: leaf(1)) }
            #expect(hash == Hashing.sha256([0] + envelope + leaf(1).bytes), "\(count) bytes")
        }
    }

    @Test func aDigestInPiecesIsThatOfTheWhole() {
        let bytes = Seed(10).generator.with { $0.bytes(200) }
        for piece in 1...200 {
            var running = RunningDigest()
            for start in stride(from: 0, to: 200, by: piece) {
                bytes.withUnsafeBytes {
                    running.update(UnsafeRawBufferPointer(rebasing: $0[start..<min(200, start + piece)]))
                }
            }
            #expect(running.value == Hashing.sha256(bytes), "pieces of \(piece)")
        }
    }
}
