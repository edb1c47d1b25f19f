import Capsule
import GRDB
import SnapshotIndex
import Synchronization
import Testing
import WriterQueue

@Suite("Audit paths by the index are those of the whole tree")
struct PathTests {
    @Test("At sizes about every boundary, for leaves about every boundary, and in batches of any size")
    func sizes() async throws {
        let fixture = try await Fixture()
        let index = try fixture.open()
        let run = try await fixture.start()
        let marks = [3, 5, 200, 255, 256, 257, 300, 511, 512, 513, 700, 767, 768, 769, 1023, 1024, 1025, 1300, 1537, 2300]
        var written = 2
        for mark in marks {
            while written < mark {
                let count = min(mark - written, [1, 7, 100, 400].randomElement() ?? 1)
                try await fixture.append(to: run, count: count)
                written += count
            }
            let status = try index.catchUp()
            try #require(status.treeSize == UInt64(mark))
            let leaves = try fixture.leaves()
            // Of this size, and of each smaller one as a checkpoint would ask for it.
            for size in [1, 2, 255, 256, 257, 512, 513, mark] where size <= mark {
                let tree = Array(leaves[..<size])
                let root = naiveRoot(tree[...])
                let places = Set([0, 1, 127, 254, 255, 256, 257, 511, 512, 513, 1024, size / 2, size - 2, size - 1])
                let asked = places.filter { $0 >= 0 && $0 < size }.sorted().map { (UInt64($0), tree[$0]) }
                let paths = try #require(
                    try index.auditPaths(of: asked, size: UInt64(size), root: root, limit: status.end))
                #expect(paths.count == asked.count)
                for (leaf, _) in asked {
                    #expect(paths[leaf] == naivePath(Int(leaf), tree[...]), "leaf \(leaf) of \(size)")
                }
            }
        }
    }

    @Test("Whatever cached row is changed or missing, it is noticed, and the paths are right")
    func damage() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start()
        for _ in 0..<13 { try await fixture.append(to: run, count: 100) }
        try fixture.indexed()
        let leaves = try fixture.leaves()
        let (root, size) = (naiveRoot(leaves[...]), UInt64(leaves.count))
        let asked = stride(from: 0, to: leaves.count, by: 50).map { (UInt64($0), leaves[$0]) }
        let expected = Dictionary(uniqueKeysWithValues: asked.map { ($0.0, naivePath(Int($0.0), leaves[...])) })
        let subtrees = try fixture.rows("subtree").flatMap { (place: Int64) -> [String] in
            ["UPDATE subtree SET root = randomblob(32) WHERE position = \(place)",
             "UPDATE subtree SET root = 'x' WHERE position = \(place)",
             "DELETE FROM subtree WHERE position = \(place)"]
        }
        let blocks = try fixture.rows("block").flatMap { (place: Int64) -> [String] in
            ["UPDATE block SET batch_offset = batch_offset + 1 WHERE number = \(place)",
             "UPDATE block SET batch_offset = \(FileHeader.size) WHERE number = \(place)",
             "UPDATE block SET batch_offset = -1 WHERE number = \(place)",
             "DELETE FROM block WHERE number = \(place)"]
        }
        #expect(subtrees.count == 3 * 8 && blocks.count == 4 * 6)
        for damage in subtrees + blocks {
            try fixture.execute(damage)
            let remade = Mutex(false)
            let index = try SnapshotIndex(for: CapsuleFile(fixture.path)) { notice in
                if case .remade(.damaged) = notice { remade.withLock { $0 = true } }
            }
            let end = try index.catchUp().end
            let paths = try index.auditPaths(of: asked, size: size, root: root, limit: end)
            #expect(paths == expected, "\(damage)")
            // The first block does begin at the first batch, or near it: then nothing was damaged.
            let isHarmless = damage.contains("= \(FileHeader.size) WHERE number = 0")
            let isNoticed = remade.withLock { $0 }
            #expect(isNoticed || isHarmless, "\(damage)")
        }
    }

    @Test("A root that is not the tree's gives no paths, and no end of making the index anew")
    func wrongRoot() async throws {
        let fixture = try await Fixture()
        let run = try await fixture.start()
        try await fixture.append(to: run, count: 600)
        let index = try fixture.indexed()
        let leaves = try fixture.leaves()
        let end = try index.catchUp().end
        let wrong = Hashing.sha256([1])
        #expect(try index.auditPaths(of: [(0, leaves[0])], size: UInt64(leaves.count), root: wrong, limit: end) == nil)
        #expect(try index.auditPaths(of: [(0, leaves[0])], size: 10_000, root: wrong, limit: end) == nil)
        #expect(try index.auditPaths(of: [(0, leaves[0])], size: 2, root: wrong, limit: end + 1) == nil)
    }

    @Test("An inclusion proof of any leaf in any small tree gives its root, and nothing else does")
    func proofs() {
        let leaves = (0..<40).map { Hashing.sha256([UInt8($0)]) }
        for size in 1...40 {
            let tree = leaves[..<size]
            let root = naiveRoot(tree)
            for leaf in 0..<size {
                func result(_ path: [Digest], index: Int? = nil, size other: Int? = nil) -> Digest? {
                    InclusionProof.root(
                        of: leaves[leaf], index: UInt64(index ?? leaf), size: UInt64(other ?? size), path: path)
                }
                let path = naivePath(leaf, tree)
                #expect(result(path) == root)
                #expect(result(path + [root]) == nil)
                if !path.isEmpty { #expect(result(Array(path.dropLast())) == nil) }
                for place in path.indices {
                    var wrong = path
                    wrong[place] = Hashing.sha256([])
                    #expect(result(wrong) != root)
                }
                #expect(result(path, index: size) == nil)
                if size > 1 { #expect(result(path, index: (leaf + 1) % size) != root) }
            }
        }
    }
}

/// As RFC 6962 section 2.1 says it.
private func naiveRoot(_ leaves: ArraySlice<Digest>) -> Digest {
    guard leaves.count > 1, let first = leaves.first else { return leaves.first ?? Hashing.sha256([]) }
    _ = first
    let middle = leaves.startIndex + split(leaves.count)
    return Hashing.node(naiveRoot(leaves[..<middle]), naiveRoot(leaves[middle...]))
}

private func naivePath(_ leaf: Int, _ leaves: ArraySlice<Digest>) -> [Digest] {
    guard leaves.count > 1 else { return [] }
    let middle = leaves.startIndex + split(leaves.count)
    return leaf < middle
        ? naivePath(leaf, leaves[..<middle]) + [naiveRoot(leaves[middle...])]
        : naivePath(leaf, leaves[middle...]) + [naiveRoot(leaves[..<middle])]
}

/// The largest power of two below `count`.
private func split(_ count: Int) -> Int {
    var power = 1
    while power * 2 < count { power *= 2 }
    return power
}

extension Fixture {
    /// Hashes of all leaves, read from the file.
    fileprivate func leaves() throws -> [Digest] {
        let capsule = try CapsuleFile(path)
        let fold = CapsuleFold(file: capsule.file, header: capsule.header, limit: try capsule.length())
        var leaves: [Digest] = []
        while try fold.next(event: { _, hash, _ throws(CapsuleError) in leaves.append(hash) }) == .batch {}
        return leaves
    }

    fileprivate func execute(_ sql: String) throws {
        let queue = try PageChecksums.open(indexPath)
        try queue.write { try $0.execute(sql: sql) }
        try queue.close()
    }

    fileprivate func rows(_ table: String) throws -> [Int64] {
        let queue = try DatabaseQueue(path: indexPath.string)
        defer { try? queue.close() }
        return try queue.read { try Int64.fetchAll($0, sql: "SELECT rowid FROM \(table)") }
    }
}
