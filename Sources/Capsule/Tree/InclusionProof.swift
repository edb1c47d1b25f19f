/// Audit paths of RFC 9162 section 2.1.3.
public enum InclusionProof {
    /// The root that a leaf and its audit path give; nil if the path is not as long as it must be.
    ///
    /// - Parameters:
    ///   - leaf: hash of the leaf, which is the `index`-th of `size`.
    ///   - path: from the leaf's sibling up.
    public static func root(of leaf: Digest, index: UInt64, size: UInt64, path: [Digest]) -> Digest? {
        guard index < size else { return nil }
        var (node, last, root) = (index, size - 1, leaf)
        for sibling in path {
            guard last > 0 else { return nil }
            if node & 1 == 1 || node == last {
                root = Hashing.node(sibling, root)
                while node & 1 == 0, node > 0 { (node, last) = (node >> 1, last >> 1) }
            } else {
                root = Hashing.node(root, sibling)
            }
            (node, last) = (node >> 1, last >> 1)
        }
        return last == 0 ? root : nil
    }
}
