#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The operating system's files.
public struct PosixStorage: Storage {
    public init() {}

    public func open(_ path: FilePath, for access: StorageAccess) throws(StorageError) -> any StorageFile {
        // Without O_NONBLOCK a pipe under this name would keep us waiting for ever.
        let mode =
            switch access {
            case .reading: O_RDONLY
            case .readingNoLink: O_RDONLY | O_NOFOLLOW
            case .readingAndWriting: O_RDWR
            case .readingAndWritingNoLink: O_RDWR | O_NOFOLLOW
            }
        do throws(StorageError) {
            let file = try PosixFile(path, flags: mode | O_NONBLOCK, operation: "open")
            if try file.isRegular() { return file }
        } catch {
            let isOdd = [.isDirectory, .tooManySymbolicLinkLevels, .noSuchAddressOrDevice].contains(error.errno)
            guard isOdd, let obstacle = Self.obstacle(path, mode & O_NOFOLLOW != 0) else { throw error }
            throw StorageError("open", path, error.errno, obstacle: obstacle)
        }
        let obstacle = Self.obstacle(path, mode & O_NOFOLLOW != 0) ?? "something else"
        throw StorageError("open", path, .invalidArgument, obstacle: obstacle)
    }

    /// What stands under a name that is not a regular file's; nil if one is.
    private static func obstacle(_ path: FilePath, _ isLinkOne: Bool) -> String? {
        var status = stat()
        guard path.withPlatformString({ isLinkOne ? lstat($0, &status) : stat($0, &status) }) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        case S_IFREG: return nil
        case S_IFDIR: return "a folder"
        case S_IFLNK: return "a symbolic link"
        case S_IFIFO: return "a pipe"
        case S_IFSOCK: return "a socket"
        default: return "a device"
        }
    }

    public func create(_ path: FilePath) throws(StorageError) -> any StorageFile {
        try PosixFile(path, flags: O_RDWR | O_CREAT | O_EXCL, operation: "create")
    }

    public func link(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        let status = existing.withPlatformString { old in new.withPlatformString { Self.call(old, $0, linkNames) } }
        guard status == 0 else { throw StorageError("create", new, Errno(rawValue: status)) }
    }

    public func rename(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        let status = existing.withPlatformString { old in new.withPlatformString { Self.call(old, $0, renameNames) } }
        guard status == 0 else { throw StorageError("rename to", new, Errno(rawValue: status)) }
    }

    public func remove(_ path: FilePath) throws(StorageError) {
        guard path.withPlatformString({ unlink($0) }) == 0 else { throw StorageError("remove", path, .last) }
    }

    public func syncDirectory(_ path: FilePath) throws(StorageError) {
        let directory = try PosixFile(path, flags: O_RDONLY | O_DIRECTORY, operation: "open")
        defer { directory.close() }
        try directory.syncAll()
    }

    public func identity(of path: FilePath) throws(StorageError) -> FileIdentity? {
        var status = stat()
        guard path.withPlatformString({ stat($0, &status) }) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw StorageError("look at", path, .last)
        }
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    public func names(in directory: FilePath) throws(StorageError) -> [String] {
        guard let handle = directory.withPlatformString({ opendir($0) }) else {
            throw StorageError("list", directory, .last)
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    public func resolved(_ path: FilePath) -> FilePath {
        var status = stat()
        guard path.withPlatformString({ lstat($0, &status) }) == 0, status.st_mode & S_IFMT == S_IFLNK,
            let real = path.withPlatformString({ realpath($0, nil) })
        else { return path }
        defer { free(real) }
        return FilePath(platformString: real)
    }

    private static func call(
        _ first: UnsafePointer<CInterop.PlatformChar>,
        _ second: UnsafePointer<CInterop.PlatformChar>,
        _ operation: (UnsafePointer<CInterop.PlatformChar>, UnsafePointer<CInterop.PlatformChar>) -> Int32
    ) -> Int32 {
        operation(first, second) == 0 ? 0 : errno
    }
}

private func linkNames(_ old: UnsafePointer<CChar>, _ new: UnsafePointer<CChar>) -> Int32 { link(old, new) }
private func renameNames(_ old: UnsafePointer<CChar>, _ new: UnsafePointer<CChar>) -> Int32 { rename(old, new) }

extension Errno {
    /// The calling thread's `errno`.
    static var last: Errno { Errno(rawValue: errno) }
}

/// One open descriptor, closed when it is let go.
final class PosixFile: StorageFile {
    private let path: FilePath
    private let descriptor: Int32

    init(_ path: FilePath, flags: Int32, operation: String) throws(StorageError) {
        self.path = path
        var opened: Int32
        repeat {
            opened = path.withPlatformString { openFile($0, flags | O_CLOEXEC, 0o644) }
        } while opened < 0 && errno == EINTR
        guard opened >= 0 else { throw StorageError(operation, path, .last) }
        descriptor = opened
    }

    deinit { closeDescriptor(descriptor) }

    // The descriptor is closed once, by `deinit`: closing a number that somebody else was given meanwhile harms them.
    // `close` only gives up the lock.
    func close() { flock(descriptor, LOCK_UN) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
        guard let base = buffer.baseAddress, let place = off_t(exactly: offset) else { return 0 }
        let count = pread(descriptor, base, buffer.count, place)
        guard count >= 0 else { throw StorageError("read", path, .last) }
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
        guard let base = bytes.baseAddress else { return 0 }
        guard let place = off_t(exactly: offset) else { throw StorageError("write", path, .fileTooLarge) }
        let count = pwrite(descriptor, base, bytes.count, place)
        guard count >= 0 else { throw StorageError("write", path, .last) }
        return count
    }

    func sync() throws(StorageError) {
        #if canImport(Darwin)
            let status = fcntl(descriptor, F_FULLFSYNC)
        #else
            let status = fdatasync(descriptor)
        #endif
        guard status == 0 else { throw StorageError("sync", path, .last) }
    }

    /// Content and all metadata.
    func syncAll() throws(StorageError) {
        guard fsync(descriptor) == 0 else { throw StorageError("sync", path, .last) }
    }

    func truncate(to length: UInt64) throws(StorageError) {
        guard let size = off_t(exactly: length) else { throw StorageError("cut", path, .fileTooLarge) }
        var status: Int32
        repeat { status = ftruncate(descriptor, size) } while status != 0 && errno == EINTR
        guard status == 0 else { throw StorageError("cut", path, .last) }
    }

    private func status() throws(StorageError) -> stat {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw StorageError("look at", path, .last) }
        return status
    }

    func length() throws(StorageError) -> UInt64 { UInt64(clamping: try status().st_size) }

    func isRegular() throws(StorageError) -> Bool { try status().st_mode & S_IFMT == S_IFREG }

    func identity() throws(StorageError) -> FileIdentity {
        let status = try status()
        return FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }

    func tryLock(_ kind: LockKind) throws(StorageError) -> Bool {
        while true {
            if flock(descriptor, (kind == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 { return true }
            if errno == EWOULDBLOCK { return false }
            guard errno == EINTR else { throw StorageError("lock", path, .last) }
        }
    }

    func unlock() throws(StorageError) {
        guard flock(descriptor, LOCK_UN) == 0 else { throw StorageError("unlock", path, .last) }
    }
}

// The names of the C functions are taken by the methods above.
private func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }
private func openFile(_ path: UnsafePointer<CChar>, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }
