/// Everything that the project does with files, so that a test can put a disk there which tears, fails and forgets.
///
/// Calls block. Paths are as the caller gave them. What a call promises after a crash is what POSIX promises: contents
/// after
/// `StorageFile.sync`, names after `syncDirectory`.
public protocol Storage: Sendable {
    /// Opens a regular file that exists.
    func open(_ path: FilePath, for access: StorageAccess) throws(StorageError) -> any StorageFile
    /// Creates a file that must not exist yet, for reading and writing.
    func create(_ path: FilePath) throws(StorageError) -> any StorageFile
    /// Gives a file a second name, which must not exist yet.
    func link(_ existing: FilePath, to new: FilePath) throws(StorageError)
    /// Gives a file another name, replacing what has it.
    func rename(_ existing: FilePath, to new: FilePath) throws(StorageError)
    /// Takes a name away.
    func remove(_ path: FilePath) throws(StorageError)
    /// Makes the names in a directory survive a power loss.
    func syncDirectory(_ path: FilePath) throws(StorageError)
    /// Which file a path names now, links followed; nil if none.
    func identity(of path: FilePath) throws(StorageError) -> FileIdentity?
    /// Names in a directory, in no order.
    func names(in directory: FilePath) throws(StorageError) -> [String]
    /// The path itself, or, where it names a symbolic link, the path of what that leads to: what stands beside a
    /// capsule stands beside the file and not beside a link to it.
    func resolved(_ path: FilePath) -> FilePath
}

extension Storage {
    public func resolved(_ path: FilePath) -> FilePath { path }
}

public enum StorageAccess: Sendable {
    case reading
    /// The same, for a file beside a capsule: a link under its name is refused, as it leads to somebody else's file.
    case readingNoLink
    case readingAndWriting
    case readingAndWritingNoLink
}

/// What a file is, whatever it is called: device and inode.
public struct FileIdentity: Hashable, Sendable {
    public var device: UInt64
    public var inode: UInt64

    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }
}

/// An open file. Reads and writes say where; there is no position.
public protocol StorageFile: AnyObject, Sendable {
    /// Reads at most `buffer.count` bytes; 0 only at the end of the file. May read fewer, and may be interrupted.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int
    /// Writes at least one byte of a non-empty buffer. May write fewer, and may be interrupted.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int
    /// Returns when content and length survive a power loss. A failure is final for this file: the kernel may have
    /// dropped what
    /// it could not write, and a second call would then succeed without having written it.
    func sync() throws(StorageError)
    func truncate(to length: UInt64) throws(StorageError)
    func length() throws(StorageError) -> UInt64
    func identity() throws(StorageError) -> FileIdentity
    /// Takes an advisory lock (`flock`) if that is possible at once.
    func tryLock(_ kind: LockKind) throws(StorageError) -> Bool
    func unlock() throws(StorageError)
    /// Closes the file, and with it gives up its lock. Later calls fail.
    func close()
}

public enum LockKind: Sendable {
    case shared
    case exclusive
}

/// A call to the operating system that failed.
public struct StorageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was tried: `open`, `write`, `sync` …
    public var operation: String
    public var path: FilePath
    public var errno: Errno
    /// What stands in the place of a regular file: `a folder`, `a link` …; nil for every other trouble.
    public var obstacle: String?
    /// What to do about it, if that is known.
    public var remedy: String?

    public init(_ operation: String, _ path: FilePath, _ errno: Errno, obstacle: String? = nil) {
        self.operation = operation
        self.path = path
        self.errno = errno
        self.obstacle = obstacle
    }

    public var description: String {
        let reason = obstacle.map { "it is \($0), not a regular file" } ?? "\(errno)"
        return "cannot \(operation) \(path): \(reason)" + (remedy.map { "; \($0)" } ?? "")
    }
}

extension StorageFile {
    /// Reads until `buffer` is full or the file ends; returns how many bytes there were.
    public func readFully(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
        var done = 0
        while done < buffer.count {
            do throws(StorageError) {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                let count = try read(into: rest, at: offset + UInt64(done))
                if count == 0 { break }
                done += count
            } catch  where error.errno == .interrupted {
                continue
            }
        }
        return done
    }

    /// Writes all of `bytes`, however many calls that takes.
    public func writeFully(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) {
        var done = 0
        while done < bytes.count {
            do throws(StorageError) {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[done...])
                done += try write(rest, at: offset + UInt64(done))
                if Mutant.isOn(.ignoresAShortWrite) { return }
            } catch  where error.errno == .interrupted {
                continue
            }
        }
    }

    /// The bytes of `range` that the file has.
    public func bytes(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var failure: StorageError?
        var read = 0
        bytes.withUnsafeMutableBytes { buffer in
            do throws(StorageError) { read = try readFully(into: buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
        bytes.removeLast(count - read)
        return bytes
    }
}
