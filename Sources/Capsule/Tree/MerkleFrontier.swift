/// The right edge of a growing RFC 6962 tree: enough to add leaves and to compute the root, and nothing more.
///
/// Holds one digest for each bit that is set in the size, the largest subtree first, and up to 16 leaves that are not
/// merged yet: many at a time are merged faster. Adding a leaf costs one node hash on average, a root at most 63 and
/// the merging; memory is at most 80 digests.
public struct MerkleFrontier: Sendable {
    /// Leaves added.
    public private(set) var size: UInt64
    /// Roots of the complete subtrees of the merged leaves, from the left, as the bits of their number from the
    /// highest.
    private var merged: [Digest]
    /// Leaves behind them.
    private var waiting: [Digest] = []

    /// Leaves that are merged at once, a power of two.
    private static let block = 16

    /// Leaves of a complete subtree whose root is kept when it is made.
    public static let keptLeaves: UInt64 = 256
    private static let keptLevel = 8
    /// Root of the newest complete subtree of `keptLeaves` leaves; zero before the first. Asked for when the size is a
    /// multiple of it.
    package private(set) var newestKept = Digest.zero

    public init() {
        size = 0
        merged = []
    }

    /// A frontier saved earlier; nil if the number of subtrees does not fit the size.
    public init?(size: UInt64, subtrees: [Digest]) {
        guard size.nonzeroBitCount == subtrees.count else { return nil }
        self.size = size
        merged = subtrees
    }

    /// Adds a leaf by its hash.
    public mutating func append(_ leafHash: Digest) {
        waiting.append(leafHash)
        size += 1
        if size % UInt64(Self.block) == 0 { settle() }
    }

    /// Merges what waits. Changes nothing but the time that `root` takes, which would do it in a copy.
    public mutating func settle() {
        guard !waiting.isEmpty else { return }
        let before = size - UInt64(waiting.count)
        if waiting.count == Self.block {
            add(Self.subtree(&waiting), after: before / UInt64(Self.block), level: Self.block.trailingZeroBitCount)
        } else {
            for index in waiting.indices { add(waiting[index], after: before + UInt64(index), level: 0) }
        }
        waiting.removeAll(keepingCapacity: true)
    }

    /// Adds the root of a complete subtree that follows on so many of its size.
    private mutating func add(_ root: Digest, after count: UInt64, level: Int) {
        var hash = root
        var complete = count
        var level = level
        while complete & 1 == 1 {
            hash = Hashing.node(merged.removeLast(), hash)
            complete >>= 1
            level += 1
            if level == Self.keptLevel { newestKept = hash }
        }
        merged.append(hash)
    }

    /// The root over a block of leaves, worked out in their place: two nodes at a time while there are two.
    private static func subtree(_ nodes: inout [Digest]) -> Digest {
        var count = nodes.count
        while count > 2 {
            for index in stride(from: 0, to: count, by: 4) {
                let pair = Hashing.nodePair((nodes[index], nodes[index + 1]), (nodes[index + 2], nodes[index + 3]))
                (nodes[index / 2], nodes[index / 2 + 1]) = pair
            }
            count /= 2
        }
        return Hashing.node(nodes[0], nodes[1])
    }

    /// Roots of the complete subtrees, from the left, as the bits of `size` from the highest.
    public var subtrees: [Digest] {
        var copy = self
        copy.settle()
        return copy.merged
    }

    /// The root of the tree so far; of the empty tree, the hash of nothing.
    public var root: Digest {
        let subtrees = waiting.isEmpty ? merged : self.subtrees
        guard var hash = subtrees.last else { return Hashing.sha256([]) }
        for subtree in subtrees.dropLast().reversed() { hash = Hashing.node(subtree, hash) }
        return hash
    }
}

extension MerkleFrontier: Equatable {
    public static func == (left: MerkleFrontier, right: MerkleFrontier) -> Bool {
        left.size == right.size && left.subtrees == right.subtrees
    }
}
