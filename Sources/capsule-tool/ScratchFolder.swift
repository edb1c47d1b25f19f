import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A folder that only this process uses, for a program that reads and writes files.
struct ScratchFolder {
    private let path: String
    private static let mostFiles = 100

    /// - Throws: `StorageError`.
    init() throws {
        let parent = Terminal.environment("TMPDIR") ?? "/tmp"
        var template = Array("\(parent)/capsule-tool-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw StorageError("make a folder in", FilePath(parent), Errno(rawValue: errno))
        }
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Removes the folder and the files in it.
    func remove() {
        guard let folder = opendir(path) else { return }
        var names: [String] = []
        while names.count < Self.mostFiles, let entry = readdir(folder) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                    pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
            )
        }
        closedir(folder)
        for name in names where name != "." && name != ".." { unlink(file(name)) }
        rmdir(path)
    }
}
