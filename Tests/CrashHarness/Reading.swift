import Capsule

/// Everything that a capsule holds, as a reader sees it.
struct Reading {
    var bodies: [[UInt8]?] = []
    var notes: [CheckpointNote] = []
    /// Roots over the first so many leaves.
    var roots: [Digest] = []
    var findings: [Finding] = []
    var end: UInt64 = 0
    var length: UInt64 = 0

    var size: UInt64 { UInt64(bodies.count) }
    var root: Digest { roots[bodies.count] }

    /// - Parameters:
    ///   - limit: for a reader that obeys the rules, how far it had read before.
    ///   - isReader: whether to stop where the capsule is not known to be durable.
    init(_ path: FilePath, _ storage: any Storage, limit: UInt64?, isReader: Bool) throws {
        let capsule = try CapsuleFile(path, storage: storage)
        length = try capsule.length()
        let reach = isReader ? try DurableReach(of: capsule, from: limit ?? 0).limit : length
        let fold = CapsuleFold(file: capsule.file, header: capsule.header, limit: reach)
        var tree = MerkleFrontier()
        var (bodies, roots, notes) = (self.bodies, [tree.root], self.notes)
        while try fold.next(
            event: { _, hash, event throws(CapsuleError) in
                bodies.append(event.envelope.type == .registered(.note) ? event.storedBody?.array : nil)
                tree.append(hash)
                roots.append(tree.root)
            },
            object: { object throws(CapsuleError) in
                if object.kind == .note, let note = CheckpointNote(object.bytes) { notes.append(note) }
            }
        ) == .batch {}
        fold.finish()
        (self.bodies, self.roots, self.notes) = (bodies, roots, notes)
        findings = fold.findings
        end = fold.reader.position.offset
    }
}
