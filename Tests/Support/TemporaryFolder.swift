import Capsule
import Foundation

/// A folder of its own, gone with the last reference.
public final class TemporaryFolder: Sendable {
    private let folder: URL

    public init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("capsule-tests-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    public func url(_ name: String) -> URL { folder.appendingPathComponent(name) }
    public func path(_ name: String) -> FilePath { FilePath(url(name).path) }

    public var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() }
    }
}
