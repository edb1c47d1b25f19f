import Capsule

extension SnapshotIndex {
    /// Audit paths (RFC 9162 section 2.1.3) of some leaves, without reading the whole capsule: from the subtrees that
    /// the index keeps, and the leaves of the blocks of 256 that the leaves are in.
    ///
    /// Each path is checked against `root` before it is returned. One that does not give it shows that the index is
    /// damaged: it is then made anew, as where a page of it cannot be read.
    ///
    /// Costs reading some batches for each block that is touched, and a query for each node of a path.
    ///
    /// - Parameters:
    ///   - leaves: index and hash of each, as the capsule has it, rising.
    ///   - size: events of the tree.
    ///   - root: over them, which the caller has found in the capsule.
    ///   - limit: where the batch ends that holds the last of them, or behind it.
    /// - Returns: the paths by index, each from the leaf's sibling up; nil if the index does not reach so far, or does
    ///   not agree with the capsule even when it was made anew. Only reading all then tells what is wrong.
    /// - Throws: `CapsuleError` if a batch breaks the format; `StorageError`.
    public func auditPaths(
        of leaves: [(index: UInt64, hash: Digest)],
        size: UInt64,
        root: Digest,
        limit: UInt64
    ) throws -> [UInt64: [Digest]]? {
        do {
            return try query { view in
                guard size <= view.mark.treeSize, limit <= view.mark.offset else { return nil }
                let tree = CachedTree(SubtreeRows(view.db), of: capsule, size: size, limit: limit)
                var paths: [UInt64: [Digest]] = [:]
                for leaf in leaves where leaf.index < size {
                    let path = try tree.path(to: leaf.index)
                    guard InclusionProof.root(of: leaf.hash, index: leaf.index, size: size, path: path) == root else {
                        throw IndexFault.damaged("a subtree is not that of the capsule")
                    }
                    paths[leaf.index] = path
                }
                return paths
            }
        } catch  where IndexFault(error) != nil {
            return nil
        }
    }
}

/// A Merkle tree of which complete subtrees of 256 leaves and more are looked up, and smaller ones made from leaves.
private final class CachedTree {
    private let rows: SubtreeRows
    private let size: UInt64
    private let limit: UInt64
    private let reader: BatchReader
    /// The leaves of one block: neighbours are asked for one after the other.
    private var block: (number: UInt64, leaves: [Digest])?
    /// Roots of large subtrees that were asked for.
    private var known: [Range<UInt64>: Digest] = [:]

    private static let blockLeaves = MerkleFrontier.keptLeaves

    init(_ rows: SubtreeRows, of capsule: CapsuleFile, size: UInt64, limit: UInt64) {
        self.rows = rows
        self.size = size
        self.limit = limit
        reader = BatchReader(file: capsule.file, header: capsule.header, limit: limit)
        reader.readAhead = 1 << 16
    }

    /// From the leaf's sibling up.
    func path(to leaf: UInt64) throws -> [Digest] {
        var path: [Digest] = []
        var range = 0..<size
        while range.upperBound - range.lowerBound > 1 {
            let middle = Self.middle(of: range)
            let (left, right) = (range.lowerBound..<middle, middle..<range.upperBound)
            path.append(try root(of: leaf < middle ? right : left))
            range = leaf < middle ? left : right
        }
        return path.reversed()
    }

    /// Behind the largest power of two of leaves that is smaller than all of them.
    private static func middle(of range: Range<UInt64>) -> UInt64 {
        let count = range.upperBound - range.lowerBound
        return range.lowerBound + 1 << UInt64(63 - (count - 1).leadingZeroBitCount)
    }

    private func root(of range: Range<UInt64>) throws -> Digest {
        let (first, end) = (range.lowerBound / Self.blockLeaves, (range.upperBound - 1) / Self.blockLeaves)
        let count = range.upperBound - range.lowerBound
        if first == end, count < Self.blockLeaves {
            var tree = MerkleFrontier()
            let start = first * Self.blockLeaves
            for leaf in try leaves(ofBlock: first)[Int(range.lowerBound - start)..<Int(range.upperBound - start)] {
                tree.append(leaf)
            }
            return tree.root
        }
        if let root = known[range] { return root }
        let root: Digest
        if count.nonzeroBitCount == 1 {
            let level = count.trailingZeroBitCount - Self.blockLeaves.trailingZeroBitCount
            guard let kept = try rows.root(level: level, index: range.lowerBound / count) else {
                throw IndexFault.damaged("a subtree is missing")
            }
            root = kept
        } else {
            let middle = Self.middle(of: range)
            root = Hashing.node(
                try self.root(of: range.lowerBound..<middle),
                try self.root(of: middle..<range.upperBound)
            )
        }
        known[range] = root
        return root
    }

    /// The hashes of a block's leaves, read from the batches that hold them.
    private func leaves(ofBlock number: UInt64) throws -> [Digest] {
        if let block, block.number == number { return block.leaves }
        let start = number * Self.blockLeaves
        let end = min(start + Self.blockLeaves, size)
        guard let offset = try rows.batch(ofBlock: number), (FileHeader.size..<limit).contains(offset) else {
            throw IndexFault.damaged("a block of leaves is missing")
        }
        var leaves: [Digest] = []
        reader.jump(to: offset)
        var next = start
        while next < end {
            let step = try reader.next { batch throws in
                let first = batch.header.treeSize - min(batch.header.treeSize, UInt64(batch.header.events))
                guard first <= next, batch.header.treeSize > next || !leaves.isEmpty else {
                    throw IndexFault.damaged("a block of leaves begins elsewhere")
                }
                let hashes = batch.leafHashes
                let from = Int(next - first)
                guard from < hashes.count else { return }
                leaves += hashes[from..<min(hashes.count, from + Int(end - next))]
                next = start + UInt64(leaves.count)
            }
            // It may be the capsule that is damaged: the index then ends before it when it is made anew.
            guard step == .batch else { throw IndexFault.damaged("no batch is where a block of leaves begins") }
        }
        block = (number, leaves)
        return leaves
    }
}
