import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file of people's, written so that it is never there by halves.
struct TextFile {
    let name: String

    init(_ name: String) { self.name = name }

    var exists: Bool { access(name, F_OK) == 0 }

    /// Writes a file that must not be there yet.
    func create(with bytes: [UInt8]) throws {
        let descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw fault("create") }
        defer { close(descriptor) }
        try Self.write(bytes, descriptor) { fault("write") }
    }

    /// Writes a file beside it and gives it the name: who reads sees the old content or the new. A link is followed,
    /// and what is no regular file, such as /dev/stdout, is written to.
    func replace(with bytes: [UInt8]) throws {
        var status = stat()
        let exists = stat(name, &status) == 0
        guard !exists || status.st_mode & S_IFMT == S_IFREG else {
            let descriptor = open(name, O_WRONLY | O_CLOEXEC)
            guard descriptor >= 0 else { throw fault("open") }
            defer { close(descriptor) }
            return try Self.write(bytes, descriptor) { fault("write") }
        }
        let target = Self.resolved(name)
        let beside = "\(target).\(getpid()).new"
        let descriptor = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, exists ? status.st_mode & 0o7777 : 0o666)
        guard descriptor >= 0 else { throw fault("create") }
        do {
            defer { close(descriptor) }
            try Self.write(bytes, descriptor) { fault("write") }
        } catch {
            unlink(beside)
            throw error
        }
        guard rename(beside, target) == 0 else {
            let error = fault("replace")
            unlink(beside)
            throw error
        }
    }

    /// Adds to the end of a file, which is made where there is none.
    func append(_ bytes: [UInt8]) throws {
        let descriptor = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw fault("open") }
        defer { close(descriptor) }
        try Self.write(bytes, descriptor) { fault("write") }
    }

    private static func resolved(_ name: String) -> String {
        guard let path = realpath(name, nil) else { return name }
        defer { free(path) }
        return String(cString: path)
    }

    private static func write(_ bytes: [UInt8], _ descriptor: Int32, _ fault: () -> any Error) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            #if canImport(Glibc)
                let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            #elseif canImport(Musl)
                let count = rest.withUnsafeBytes { Musl.write(descriptor, $0.baseAddress, $0.count) }
            #else
                let count = rest.withUnsafeBytes { Darwin.write(descriptor, $0.baseAddress, $0.count) }
            #endif
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw fault() }
            rest = rest.dropFirst(count)
        }
    }

    private func fault(_ operation: String) -> StorageError {
        StorageError(operation, FilePath(name), Errno(rawValue: errno))
    }
}

/// Makes a folder and those above it.
func makeFolders(_ path: FilePath) throws {
    guard access(path.string, F_OK) != 0, !path.isEmpty else { return }
    try makeFolders(path.removingLastComponent())
    guard mkdir(path.string, 0o777) == 0 || errno == EEXIST else {
        throw StorageError("create", path, Errno(rawValue: errno))
    }
}
