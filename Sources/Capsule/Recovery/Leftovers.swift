/// Files under way that a killed process left beside a capsule: `NAME.new-` and 32 hexadecimal digits.
///
/// Who makes one holds its lock until it has its name, so one whose lock is free is nobody's.
public enum Leftovers {
    private static let mark = ".new-"
    private static let digits = 32

    /// A name for a file under way, which will be renamed to `path`.
    static func temporary(for path: FilePath) -> FilePath {
        path.appending(toName: mark + RunID(at: .now, random: SystemRandom()).hex)
    }

    /// Makes a file under way, locked, after those that nobody works on any more were deleted.
    static func create(for path: FilePath, _ storage: any Storage) throws -> (path: FilePath, file: any StorageFile) {
        sweep(beside: path, storage)
        let temporary = temporary(for: path)
        let file = try storage.create(temporary)
        // Nobody else knows the name yet; a file system without locks has nobody who could sweep either.
        _ = try? file.tryLock(.exclusive)
        return (temporary, file)
    }

    /// Names of files that were under way to `path` and that nobody works on any more.
    public static func names(beside path: FilePath, storage: any Storage = PosixStorage()) -> [String] {
        idle(beside: path, storage).map { $0.lastComponent?.string ?? $0.string }.sorted()
    }

    /// One that cannot be deleted harms nobody but who looks for room on the disk.
    private static func sweep(beside path: FilePath, _ storage: any Storage) {
        for leftover in idle(beside: path, storage) { try? storage.remove(leftover) }
    }

    private static func idle(beside path: FilePath, _ storage: any Storage) -> [FilePath] {
        guard let stem = path.lastComponent.map({ $0.string + mark }),
            let names = try? storage.names(in: path.directory)
        else { return [] }
        return names.filter { isOurs($0, stem: stem) }.compactMap { name in
            guard let component = FilePath.Component(name) else { return nil }
            let leftover = path.removingLastComponent().appending(component)
            guard let file = try? storage.open(leftover, for: .readingNoLink) else { return nil }
            defer { file.close() }
            guard (try? file.tryLock(.exclusive)) == true else { return nil }
            return leftover
        }
    }

    private static func isOurs(_ name: String, stem: String) -> Bool {
        guard name.hasPrefix(stem) else { return false }
        let rest = name.utf8.dropFirst(stem.utf8.count)
        return rest.count == digits
            && rest.allSatisfy {
                (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                    || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
            }
    }
}
