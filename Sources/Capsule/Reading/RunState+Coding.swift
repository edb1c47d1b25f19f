extension RunState {
    /// Bytes from which `init(decoding:in:)` makes the same state, its keys aside: what a side index keeps of an open
    /// run. Not part of the file format.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        let subtrees = tree.subtrees
        bytes.reserveCapacity(109 + 32 * subtrees.count)
        bytes.append(id)
        bytes.append(integer: next)
        bytes.append(integer: stage)
        bytes.append(snapshot)
        bytes.append(token == nil ? 0 : 1)
        bytes.append(token ?? .zero)
        bytes.append(integer: firstLeaf)
        bytes.append(integer: UInt32(clamping: keyCount))
        bytes.append(integer: tree.size)
        for subtree in subtrees { bytes.append(subtree) }
        return bytes
    }

    /// - Parameter history: where the keys are.
    /// - Throws: `CapsuleError` if these are not the bytes of a run's state.
    package init(decoding bytes: [UInt8], in history: any CapsuleHistory) throws(CapsuleError) {
        var cursor = ByteCursor(bytes.span.bytes)
        let id: RunID = try cursor.value()
        let next: UInt32 = try cursor.integer()
        let stage: UInt32 = try cursor.integer()
        let snapshot: Digest = try cursor.value()
        let hasToken: UInt8 = try cursor.integer()
        let token: KeyHash = try cursor.value()
        let firstLeaf: UInt64 = try cursor.integer()
        let keyCount: UInt32 = try cursor.integer()
        let size: UInt64 = try cursor.integer()
        var subtrees: [Digest] = []
        while !cursor.isAtEnd { subtrees.append(try cursor.value()) }
        guard let tree = MerkleFrontier(size: size, subtrees: subtrees) else {
            throw CapsuleError(.sizeMismatch, "a run of \(size) events does not have \(subtrees.count) subtrees")
        }
        let keys = KeyTable(in: history, firstLeaf: firstLeaf, count: Int(keyCount))
        self.init(id: id, snapshot: snapshot, firstLeaf: firstLeaf, keys: keys)
        self.next = next
        self.stage = stage
        self.token = hasToken == 0 ? nil : token
        self.tree = tree
    }
}
