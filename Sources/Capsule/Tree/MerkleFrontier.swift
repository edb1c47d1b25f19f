/// The right edge of a growing RFC 6962 tree: enough to add leaves and to compute the root, and nothing more.
///
/// Holds one digest for each bit that is set in `size`, the largest subtree first. Adding a leaf costs one node hash
/// on average,
/// a root at most 63; memory is at most 64 digests.
public struct MerkleFrontier: Sendable, Equatable {
    /// Leaves added.
    public private(set) var size: UInt64
    /// Roots of the complete subtrees, from the left, as the bits of `size` from the highest.
    public private(set) var subtrees: [Digest]

    public init() {
        size = 0
        subtrees = []
    }

    /// A frontier saved earlier; nil if the number of subtrees does not fit the size.
    public init?(size: UInt64, subtrees: [Digest]) {
        guard size.nonzeroBitCount == subtrees.count else { return nil }
        self.size = size
        self.subtrees = subtrees
    }

    /// Adds a leaf by its hash.
    public mutating func append(_ leafHash: Digest) {
        var hash = leafHash
        var complete = size
        while complete & 1 == 1 {
            hash = Hashing.node(subtrees.removeLast(), hash)
            complete >>= 1
        }
        subtrees.append(hash)
        size += 1
    }

    /// The root of the tree so far; of the empty tree, the hash of nothing.
    public var root: Digest {
        guard var hash = subtrees.last else { return Hashing.sha256([]) }
        for subtree in subtrees.dropLast().reversed() { hash = Hashing.node(subtree, hash) }
        return hash
    }
}
