import Foundation
import Ledger

/// A directory for the files that are measured, removed in the end.
struct Scratch: Sendable {
    let path: FilePath

    init(in directory: String) throws {
        path = FilePath(directory).appending("capsule-bench-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
    }

    /// A path for a file that does not exist yet; what had it goes, with what stood beside it.
    func file(_ name: String) -> FilePath {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []
        for old in names where old == name || old.hasPrefix("\(name).") || old.hasPrefix("\(name)-") {
            try? FileManager.default.removeItem(atPath: path.appending(old).string)
        }
        return path.appending(name)
    }

    func remove() { try? FileManager.default.removeItem(atPath: path.string) }
}
