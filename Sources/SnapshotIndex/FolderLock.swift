import Capsule

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Keeps apart those who open an index from those who delete it: an advisory lock on the folder, held for milliseconds.
///
/// SQLite opens a database first and its log, by name, a moment later. Who deleted both in between would marry an old
/// database to a new log. Once both are open, deleting them harms nobody.
///
/// The lock is on the folder so that no further file lies about, and not on the index, because closing a second
/// descriptor of a database gives up SQLite's own locks on it.
struct FolderLock {
    enum Kind {
        case shared
        case exclusive
    }

    /// Negative where the folder cannot be locked: the race above is then possible, and ends in a rebuild.
    private let descriptor: Int32
    private static let attempts = 2500

    /// Waits up to some five seconds.
    ///
    /// - Throws: `IndexFault.place` if somebody keeps the lock for longer.
    init(_ folder: FilePath, _ kind: Kind) throws(IndexFault) {
        descriptor = folder.withPlatformString { open($0, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { return }
        for _ in 0..<Self.attempts {
            if flock(descriptor, (kind == .exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 { return }
            guard errno == EWOULDBLOCK || errno == EINTR else { return }
            usleep(2000)
        }
        release()
        throw .place("another process keeps the folder \(folder) locked")
    }

    func release() {
        if descriptor >= 0 { close(descriptor) }
    }
}
