import Capsule

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The files of an index: the database, and SQLite's log and shared memory beside it.
struct IndexFiles {
    let capsule: FilePath
    let main: FilePath

    init(of capsule: FilePath) {
        self.capsule = capsule
        main = Self.adding(".index", to: capsule)
    }

    /// Beside the file that a link to a capsule leads to, as whoever opens the capsule finds it.
    init(following path: FilePath) { self.init(of: PosixStorage().resolved(path)) }

    /// The folder that holds the index, `.` for a bare name.
    var folder: FilePath {
        let folder = main.removingLastComponent()
        return folder.isEmpty ? "." : folder
    }

    private var companions: [FilePath] { ["-wal", "-shm", "-journal"].map { Self.adding($0, to: main) } }

    private static func adding(_ suffix: String, to path: FilePath) -> FilePath {
        guard let last = path.lastComponent, let name = FilePath.Component(last.string + suffix) else { return path }
        return path.removingLastComponent().appending(name)
    }

    /// Whether there is a database with something in it. Who makes one does so under the exclusive lock of the folder.
    var exist: Bool { (Self.status(of: main)?.st_size ?? 0) > 0 }

    /// Makes an empty file, as readable to others as the capsule is: the index holds names from it.
    ///
    /// - Throws: `IndexFault.place` if the name or one beside it is something else than a regular file, or none can be
    ///   made.
    func create() throws(IndexFault) {
        for path in companions + [main] {
            guard let status = Self.status(of: path) else { continue }
            // Followed, a link would have us write into a file that is somebody else's, and a pipe would keep us
            // waiting.
            guard status.st_mode & S_IFMT == S_IFREG else { throw .place("\(path) is not a regular file") }
        }
        // A path that is not UTF-8 would reach SQLite as another one.
        guard main == FilePath(main.string) else { throw .place("\(main) is not valid UTF-8") }
        guard Self.status(of: main) == nil else { return }
        let mode = Self.status(of: capsule, followsLinks: true)?.st_mode ?? 0o600
        let descriptor = main.withPlatformString {
            open($0, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0o666 | 0o600)
        }
        guard descriptor >= 0 else { throw .place("cannot create \(main): \(Errno(rawValue: errno))") }
        close(descriptor)
    }

    /// Deletes them all; that there are none is fine.
    ///
    /// - Throws: `StorageError`.
    func remove() throws(StorageError) {
        for path in companions + [main] {
            guard path.withPlatformString({ unlink($0) }) == 0 || errno == ENOENT || errno == ENOTDIR else {
                throw StorageError("remove", path, Errno(rawValue: errno))
            }
        }
    }

    private static func status(of path: FilePath, followsLinks: Bool = false) -> stat? {
        var status = stat()
        let result = path.withPlatformString { followsLinks ? stat($0, &status) : lstat($0, &status) }
        return result == 0 ? status : nil
    }
}
