import Capsule
import Synchronization

/// A file in memory for each name, of which one is given.
final class OneFile: Storage {
    private let files: Mutex<[String: Content]>

    init(_ bytes: [UInt8]) { files = Mutex(["x.cpsl": Content(bytes)]) }

    func open(_ path: FilePath, for access: StorageAccess) throws(StorageError) -> any StorageFile {
        guard let content = files.withLock({ $0[path.string] }) else {
            throw StorageError("open", path, .noSuchFileOrDirectory)
        }
        return content
    }

    func create(_ path: FilePath) throws(StorageError) -> any StorageFile {
        let content = Content([])
        files.withLock { $0[path.string] = content }
        return content
    }

    func link(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        files.withLock { $0[new.string] = $0[existing.string] }
    }

    func rename(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        files.withLock { $0[new.string] = $0.removeValue(forKey: existing.string) }
    }

    func remove(_ path: FilePath) throws(StorageError) { files.withLock { $0[path.string] = nil } }
    func syncDirectory(_ path: FilePath) throws(StorageError) {}
    func identity(of path: FilePath) throws(StorageError) -> FileIdentity? {
        files.withLock { $0[path.string] == nil ? nil : FileIdentity(device: 0, inode: 1) }
    }
    func names(in directory: FilePath) throws(StorageError) -> [String] { files.withLock { Array($0.keys) } }

    final class Content: StorageFile {
        private let bytes: Mutex<[UInt8]>

        init(_ bytes: [UInt8]) { self.bytes = Mutex(bytes) }

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
            bytes.withLock { bytes in
                guard offset < UInt64(bytes.count) else { return 0 }
                let piece = bytes[Int(offset)...].prefix(buffer.count)
                buffer.copyBytes(from: piece)
                return piece.count
            }
        }

        func write(_ new: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
            let piece = Array(new)
            bytes.withLock { bytes in
                let end = Int(offset) + piece.count
                if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
                bytes.replaceSubrange(Int(offset)..<end, with: piece)
            }
            return piece.count
        }

        func sync() throws(StorageError) {}
        func truncate(to length: UInt64) throws(StorageError) { bytes.withLock { $0 = Array($0.prefix(Int(length))) } }
        func length() throws(StorageError) -> UInt64 { UInt64(bytes.withLock { $0.count }) }
        func identity() throws(StorageError) -> FileIdentity { FileIdentity(device: 0, inode: 1) }
        func tryLock(_ kind: LockKind) throws(StorageError) -> Bool { true }
        func unlock() throws(StorageError) {}
        func close() {}
    }
}
