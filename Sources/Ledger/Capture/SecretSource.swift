#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Where the values come from that a policy's `redaction` names.
public protocol SecretSource: Sendable {
    /// Environment variables.
    func environment() -> [String: String]
    /// The text of files in the folder of a workspace.
    func files(in workspace: FilePath) -> [(name: String, text: String)]
}

/// This process's environment, and the files that stand in the workspace's folder itself.
public struct ProcessSecrets: SecretSource {
    /// Larger files, and more of them, are not looked at.
    public static let fileBytes = 64 << 10
    public static let mostFiles = 1000

    public init() {}

    public func environment() -> [String: String] {
        var variables: [String: String] = [:]
        guard var entry = environ as UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? else { return [:] }
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            if let equals = text.firstIndex(of: "=") {
                variables[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return variables
    }

    public func files(in workspace: FilePath) -> [(name: String, text: String)] {
        let names = (try? PosixStorage().names(in: workspace)) ?? []
        let files = names.lazy.compactMap { name in Self.text(of: workspace.appending(name)).map { (name, $0) } }
        return Array(files.prefix(Self.mostFiles))
    }

    private static func text(of path: FilePath) -> String? {
        let descriptor = open(path.string, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= off_t(fileBytes)
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
