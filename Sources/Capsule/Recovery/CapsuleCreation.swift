extension CapsuleFile {
    /// Makes a new capsule at `path`: header and first batch appear as a whole or not at all, and survive a power loss.
    ///
    /// The first event is `capsule.create` of run zero, with `body` (JSON).
    ///
    /// - Throws: `StorageError` with `.fileExists` if the name is taken, by whoever was first; `CapsuleError.limitName`
    ///   if it leaves no room for those of the files beside it.
    @discardableResult
    public static func create(
        _ path: FilePath,
        header: FileHeader,
        body: [UInt8],
        storage: any Storage = PosixStorage(),
        random: some RandomSource = SystemRandom()
    ) throws -> CapsuleFile {
        guard body.count <= Limits.inlineBodyBytes else {
            throw CapsuleError(.limitBody, "the body of capsule.create has at most \(Limits.inlineBodyBytes) bytes")
        }
        try checkName(path)
        let bytes = firstBytes(header: header, body: body, random: random)
        let (temporary, file) = try Leftovers.create(for: path, storage)
        // Whoever finds the capsule under its name finds it unlocked soon.
        defer { file.close() }
        do {
            try bytes.withUnsafeBytes { buffer throws in try file.writeFully(buffer, at: 0) }
            try file.sync()
            try storage.link(temporary, to: path)
        } catch {
            try? storage.remove(temporary)
            throw error
        }
        // The capsule is there under its name: a second name that stays harms nobody.
        try? storage.remove(temporary)
        if !Mutant.isOn(.directoriesAreNotSynced) { try storage.syncDirectory(path.directory) }
        return try CapsuleFile(path, storage: storage)
    }

    static func checkName(_ path: FilePath) throws {
        guard let name = path.lastComponent, name.string.utf8.count > Limits.fileNameBytes else { return }
        throw CapsuleError(
            .limitName,
            "a capsule's file name has at most \(Limits.fileNameBytes) bytes, this one has "
                + "\(name.string.utf8.count): those of the files beside it are longer"
        )
    }

    /// The file header and the batch that holds `capsule.create`.
    static func firstBytes(header: FileHeader, body: [UInt8], random: some RandomSource) -> [UInt8] {
        var envelope = Envelope(
            type: .registered(.capsuleCreate),
            time: header.created,
            run: .zero,
            snapshot: header.digest
        )
        envelope.media = .json
        envelope.bodyKind = .inline
        var salt = [UInt8](repeating: 0, count: EventView.saltSize)
        salt.withUnsafeMutableBytes { random.fill($0) }
        let encoder = BatchEncoder(header: header, position: BatchPosition(startOf: header))
        var tree = MerkleFrontier()
        var batch = BatchBody(.timeline)
        tree.append(salt.withUnsafeBytes { batch.addEvent(envelope, salt: $0, body: body) })
        encoder.append(batch, treeSize: 1, root: tree.root, durableLength: FileHeader.size)
        return header.encoded() + encoder.output
    }
}
