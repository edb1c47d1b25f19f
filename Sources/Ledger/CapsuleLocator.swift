/// Finds the capsule that a command is about.
public enum CapsuleLocator {
    /// The name that is looked for upwards from the current folder, and that `init` makes.
    public static let defaultName = "runs.cpsl"

    /// By `--capsule`, then by `CAPSULE_FILE`, then upwards from `directory` for `runs.cpsl` or the only `*.cpsl`, as
    /// git looks for
    /// its folder.
    ///
    /// - Throws: `LedgerError.noCapsule`, which says where it was looked for.
    public static func find(
        option: String?,
        environment: String?,
        directory: FilePath,
        storage: any Storage = PosixStorage()
    ) throws -> FilePath {
        if let named = option ?? environment.flatMap({ $0.isEmpty ? nil : $0 }) {
            let path = FilePath(named)
            guard try storage.identity(of: path) != nil else {
                let source = option != nil ? "--capsule" : "CAPSULE_FILE"
                throw LedgerError(
                    .noCapsule,
                    "there is no file \(named), which \(source) names; 'capsule-tool init \(named)' makes it"
                )
            }
            return path
        }
        var folder = directory
        while true {
            if let found = try search(folder, storage: storage) { return found }
            guard folder.removeLastComponent() else { break }
        }
        throw LedgerError(
            .noCapsule,
            "no capsule in \(directory) or above; 'capsule-tool init' makes one, or name one "
                + "with --capsule or CAPSULE_FILE"
        )
    }

    private static func search(_ folder: FilePath, storage: any Storage) throws -> FilePath? {
        guard let names = try? storage.names(in: folder) else { return nil }
        let capsules = names.filter { $0.hasSuffix(".cpsl") }
        if capsules.contains(defaultName) { return folder.appending(defaultName) }
        if capsules.count > 1 {
            throw LedgerError(
                .noCapsule,
                "\(folder) holds \(capsules.count) capsules; name one with --capsule: "
                    + capsules.sorted().joined(separator: ", ")
            )
        }
        return capsules.first.map { folder.appending($0) }
    }
}
