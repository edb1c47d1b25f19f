import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A folder that only this process uses, for a program that reads and writes files. It is removed after use.
struct ScratchFolder {
    let path: String

    /// - Throws: `StorageError`.
    init() throws {
        let parent = Terminal.environment("TMPDIR").flatMap { $0.isEmpty ? nil : $0 } ?? "/tmp"
        // mkdtemp puts letters of its own in the place of these six.
        var template = Array("\(parent)/capsule-tool-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw StorageError("make a folder in", FilePath(parent), Errno(rawValue: errno))
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Removes the folder and all that is in it. Links are removed, not followed.
    func remove() { Self.remove(path) }

    private static func remove(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        if status.st_mode & S_IFMT == S_IFDIR {
            for name in (try? PosixStorage().names(in: FilePath(path))) ?? [] { remove("\(path)/\(name)") }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}
