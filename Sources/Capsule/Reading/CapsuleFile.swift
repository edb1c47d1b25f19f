/// A capsule opened for reading: the file, its header, and where to start.
///
/// Opening reads 8 KiB. Everything else is read when asked for, and checked.
public final class CapsuleFile: Sendable {
    public let path: FilePath
    public let storage: any Storage
    public let file: any StorageFile
    public let header: FileHeader
    /// 0 or 1 if that copy of the header is damaged and the other was read.
    public let damagedHeaderCopy: Int?

    /// - Throws: `StorageError`; `CapsuleError` as `FileHeader.read`.
    public convenience init(_ path: FilePath, storage: any Storage = PosixStorage()) throws {
        let path = storage.resolved(path)
        try self.init(path, storage: storage, openFile: try Self.open(path, for: .reading, storage))
    }

    /// - Throws: `CapsuleError.notACapsule` for what is no regular file.
    package static func open(
        _ path: FilePath,
        for access: StorageAccess,
        _ storage: any Storage
    ) throws -> any StorageFile {
        do throws(StorageError) {
            return try storage.open(path, for: access)
        } catch {
            guard let obstacle = error.obstacle else { throw error }
            throw CapsuleError(.notACapsule, "this is \(obstacle), not a capsule")
        }
    }

    /// Takes a file that is open already, for writing perhaps.
    package init(_ path: FilePath, storage: any Storage, openFile file: any StorageFile) throws {
        self.path = path
        self.storage = storage
        self.file = file
        let reading = try FileHeader.read(try file.bytes(at: 0, count: Int(FileHeader.size)))
        header = reading.header
        damagedHeaderCopy = reading.damagedCopy
    }

    /// Length of the file now. A writer may append at any time; what a reader was promised is a prefix.
    public func length() throws -> UInt64 { try file.length() }

    /// Reads the batches that begin at `offsets`, which an index or an earlier pass found, each checked by its own
    /// checksums.
    public func forEachBatch(at offsets: some Sequence<UInt64>, _ visit: (borrowing BatchView) throws -> Void) throws {
        let reader = BatchReader(file: file, header: header, limit: try length())
        reader.readAhead = 1 << 16
        for offset in offsets {
            reader.jump(to: offset)
            guard try reader.next(visit) == .batch else {
                throw CapsuleError(.damaged, at: offset, "no valid batch begins here, though one did before")
            }
        }
    }

    /// The header of the batch that begins at `offset`, and its checksum, which the next batch names. Nil if no intact
    /// one stands there. The body is not looked at.
    public func header(ofBatchAt offset: UInt64) throws -> (header: BatchHeader, checksum: UInt32)? {
        let length = try length()
        guard offset >= FileHeader.size, offset < length, length - offset >= UInt64(BatchHeader.size) else {
            return nil
        }
        let bytes = try file.bytes(at: offset, count: BatchHeader.size)
        let parsed = bytes.withUnsafeBytes { BatchHeader.parse($0.bytes, file: header, offset: offset) }
        guard case .intact(let intact) = parsed, case .success(let batch) = intact.content else { return nil }
        return (batch, intact.checksum)
    }

    /// The content of an object that stands in the batch at `offset`.
    public func object(_ id: Digest, inBatchAt offset: UInt64) throws -> StoredObject? {
        var found: StoredObject?
        try forEachBatch(at: [offset]) { batch in
            try batch.forEachFrame(
                event: { _ in },
                object: { object throws(CapsuleError) in if object.id == id { found = object } }
            )
        }
        return found
    }
}
