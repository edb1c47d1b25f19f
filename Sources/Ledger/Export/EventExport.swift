/// How events are written for others. Each format is an `EventExporter`.
public enum ExportFormat: String, Sendable, CaseIterable {
    /// A line of JSON for each event, with what is needed to check it: see `docs/auditing.md`.
    case ndjson

    func exporter() -> any EventExporter {
        switch self {
        case .ndjson: NDJSONExporter()
        }
    }
}

/// Turns events into bytes of one format, one after the other.
protocol EventExporter {
    func begin(_ scope: ExportScope, into bytes: inout [UInt8])
    func write(_ event: ExportedEvent, _ scope: ExportScope, into bytes: inout [UInt8])
    func end(_ scope: ExportScope, into bytes: inout [UInt8])
}

/// What is exported, and what it can be checked against.
struct ExportScope {
    var header: FileHeader
    /// Events of the capsule, or of the checkpoint, and the root over them.
    var treeSize: UInt64
    var root: Digest
    var checkpoint: Checkpoint?
    var run: RunScope?

    /// One run of the capsule.
    struct RunScope {
        var id: RunID
        var events: UInt64
        /// Root over the run's leaves before its seal.
        var root: Digest
        var isSealed: Bool
        /// Audit paths (RFC 9162 section 2.1.3) by leaf index: of the seal, or of every event of a run without one.
        var paths: [UInt64: [Digest]]
    }
}

/// An event with all that its leaf is made of.
struct ExportedEvent {
    var envelope: Envelope
    var envelopeBytes: [UInt8]
    var leafIndex: UInt64
    var leafHash: Digest
    var commitment: Digest
    var salt: [UInt8]?
    /// As it stands in the frame: for a blob, the reference to it.
    var storedBody: [UInt8]?
    var isWithheld: Bool
    var blob: BlobReference?

    init(_ event: borrowing EventView, leafIndex: UInt64) {
        envelope = event.envelope
        envelopeBytes = event.envelopeBytes.withUnsafeBytes { Array($0) }
        self.leafIndex = leafIndex
        commitment = event.commitment
        leafHash = event.leafHash
        salt = event.salt
        storedBody = event.storedBody?.withUnsafeBytes { Array($0) }
        isWithheld = event.isWithheld
        blob = event.blob
    }
}

extension LedgerReader {
    /// Writes all events, or those of one run, in the order of the file.
    ///
    /// Of a run, it reads the batches that hold it and those around the leaves that are proved to be in the tree: the
    /// index keeps the roots of larger subtrees, and every audit path is checked. Where one does not come out, all of
    /// the capsule is read. Memory is one batch, and for a run without a seal the audit paths of its events.
    ///
    /// - Parameters:
    ///   - write: takes what is to be written, about a batch at a time.
    /// - Returns: events written.
    /// - Throws: `CapsuleError` with `rootMismatch` if the events do not give the root that the capsule states; then
    ///   what was written is of no use.
    public func export(
        _ format: ExportFormat,
        run row: RunRow? = nil,
        asOf checkpoint: Checkpoint? = nil,
        write: ([UInt8]) -> Void
    ) throws -> UInt64 {
        var scope = ExportScope(
            header: capsule.header,
            treeSize: checkpoint?.size ?? status.treeSize,
            root: checkpoint?.root ?? status.root,
            checkpoint: checkpoint
        )
        if let row { scope.run = try runScope(row, scope) }
        let exporter = format.exporter()
        var (bytes, events): ([UInt8], UInt64) = ([], 0)
        exporter.begin(scope, into: &bytes)
        if let row {
            let offsets = try self.events(of: row, asOf: checkpoint).batches
            try capsule.forEachBatch(at: offsets) { batch in
                events += try Self.write(batch, scope, exporter, into: &bytes)
                write(bytes)
                bytes.removeAll(keepingCapacity: true)
            }
        } else {
            try forEachLeaf(scope) { batch in
                events += try Self.write(batch, scope, exporter, into: &bytes)
                write(bytes)
                bytes.removeAll(keepingCapacity: true)
            }
        }
        exporter.end(scope, into: &bytes)
        write(bytes)
        return events
    }

    private static func write(
        _ batch: borrowing BatchView,
        _ scope: ExportScope,
        _ exporter: any EventExporter,
        into bytes: inout [UInt8]
    ) throws(CapsuleError) -> UInt64 {
        var index = batch.header.treeSize - min(batch.header.treeSize, UInt64(batch.header.events))
        var events: UInt64 = 0
        try batch.forEachEvent { event throws(CapsuleError) in
            if index < scope.treeSize, scope.run.map({ $0.id == event.envelope.run }) ?? true {
                exporter.write(ExportedEvent(event, leafIndex: index), scope, into: &bytes)
                events += 1
            }
            index += 1
        }
        return events
    }

    /// Reads all batches up to the scope's size, and checks that their leaves give its root.
    private func forEachLeaf(
        _ scope: ExportScope,
        leaf: ((UInt64, Digest) -> Void)? = nil,
        _ visit: (borrowing BatchView) throws -> Void
    ) throws {
        let limit = scope.checkpoint?.batchOffset ?? status.end
        let reader = BatchReader(file: capsule.file, header: capsule.header, limit: limit)
        var tree = MerkleFrontier()
        var step = BatchReader.Step.batch
        while step == .batch, tree.size < scope.treeSize {
            step = try reader.next { batch throws in
                try batch.forEachEvent { event throws(CapsuleError) in
                    guard tree.size < scope.treeSize else { return }
                    let hash = event.leafHash
                    leaf?(tree.size, hash)
                    tree.append(hash)
                }
                try visit(batch)
            }
        }
        guard tree.size == scope.treeSize, tree.root == scope.root else {
            throw CapsuleError(
                .rootMismatch,
                at: reader.position.offset,
                "the \(tree.size) events read do not give the root of \(scope.treeSize); see 'capsule-tool verify'"
            )
        }
    }

    private func runScope(_ row: RunRow, _ scope: ExportScope) throws -> ExportScope.RunScope {
        var check = RunCheck(row.id)
        var leaves: [(index: UInt64, hash: Digest)] = []
        try events(of: row, asOf: scope.checkpoint).forEach { event in
            check.take(event)
            if event.envelope.seal != nil { leaves.removeAll() }
            leaves.append((event.leafIndex, event.leafHash))
        }
        return ExportScope.RunScope(
            id: row.id,
            events: check.events,
            root: check.root,
            isSealed: check.seal != nil,
            paths: try auditPaths(of: leaves, scope)
        )
    }

    /// By the index, where what it says can be confirmed; else by reading all.
    private func auditPaths(
        of leaves: [(index: UInt64, hash: Digest)],
        _ scope: ExportScope
    ) throws -> [UInt64: [Digest]] {
        let limit = scope.checkpoint?.batchOffset ?? status.end
        if try isStated(scope),
            let paths = try index.auditPaths(of: leaves, size: scope.treeSize, root: scope.root, limit: limit)
        {
            return paths
        }
        var paths = AuditPaths(of: leaves.map(\.index))
        try forEachLeaf(scope, leaf: { paths.append($1) }, { _ in })
        return paths.finish()
    }

    /// Whether the capsule itself states the root: in the checkpoint's note, or in the header of the last batch.
    private func isStated(_ scope: ExportScope) throws -> Bool {
        if let checkpoint = scope.checkpoint {
            let object = try? capsule.object(checkpoint.id, inBatchAt: checkpoint.batchOffset)
            guard let note = object.flatMap({ CheckpointNote($0.bytes) }) else { return false }
            return note.origin == capsule.header.origin && note.size == scope.treeSize && note.root == scope.root
        }
        let batch = try capsule.header(ofBatchAt: status.lastBatch)?.header
        return batch.map { $0.treeSize == scope.treeSize && $0.root == scope.root } ?? false
    }
}

/// Audit paths of some leaves, worked out while all leaves of the tree go by once.
struct AuditPaths {
    private struct Subtree {
        var level: Int
        var root: Digest
        /// Those of the leaves that are in it.
        var leaves: [UInt64]
    }

    private let wanted: Set<UInt64>
    private var paths: [UInt64: [Digest]] = [:]
    private var subtrees: [Subtree] = []
    private var size: UInt64 = 0

    init(of leaves: [UInt64]) { wanted = Set(leaves) }

    mutating func append(_ leaf: Digest) {
        subtrees.append(Subtree(level: 0, root: leaf, leaves: wanted.contains(size) ? [size] : []))
        size += 1
        while subtrees.count > 1, subtrees[subtrees.count - 1].level == subtrees[subtrees.count - 2].level { merge() }
    }

    /// The paths, from the leaf's sibling up. Nothing can be appended any more.
    mutating func finish() -> [UInt64: [Digest]] {
        while subtrees.count > 1 { merge() }
        for leaf in wanted where leaf < size && paths[leaf] == nil { paths[leaf] = [] }
        return paths
    }

    private mutating func merge() {
        let right = subtrees.removeLast()
        let left = subtrees.removeLast()
        for leaf in left.leaves { paths[leaf, default: []].append(right.root) }
        for leaf in right.leaves { paths[leaf, default: []].append(left.root) }
        subtrees.append(
            Subtree(
                level: left.level + 1,
                root: Hashing.node(left.root, right.root),
                leaves: left.leaves + right.leaves
            )
        )
    }
}
