/// The files of a workspace that matter to the gate, as a revision or a folder has them.
public struct GateTree: Sendable {
    public enum Kind: Sendable, Equatable {
        case file
        /// A symbolic link, wherever it leads.
        case link
        case other
    }

    /// By path from the root of the workspace.
    public let kinds: [String: Kind]
    private let read: @Sendable ([String]) -> [[UInt8]?]

    /// - Parameter read: gives the contents of files, in the order of their paths; nil for one that cannot be read.
    public init(kinds: [String: Kind], read: @escaping @Sendable ([String]) -> [[UInt8]?]) {
        (self.kinds, self.read) = (kinds, read)
    }

    /// A tree in memory.
    public init(_ files: [String: [UInt8]]) {
        self.init(kinds: files.mapValues { _ in .file }) { paths in paths.map { files[$0] } }
    }

    /// The contents of those of the paths that are files and can be read.
    func contents(_ paths: [String]) -> [String: [UInt8]] {
        let files = paths.filter { kinds[$0] == .file }
        guard !files.isEmpty else { return [:] }
        var found: [String: [UInt8]] = [:]
        for (path, bytes) in zip(files, read(files)) { found[path] = bytes }
        return found
    }
}
