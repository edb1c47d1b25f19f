import Capsule
import SnapshotIndex
import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

@Suite("Where no index can be kept")
struct PlaceTests {
    private func check(_ fixture: Fixture) throws {
        let index = try fixture.indexed()
        #expect(try index.isTemporary && index.runs().count == 1)
    }

    private func fixture() async throws -> Fixture {
        let fixture = try await Fixture()
        try await fixture.start()
        return fixture
    }

    @Test("A folder under its name gives an index in memory")
    func folder() async throws {
        let fixture = try await fixture()
        _ = fixture.indexPath.withPlatformString { mkdir($0, 0o755) }
        try check(fixture)
    }

    @Test("A symbolic link is not followed")
    func symbolicLink() async throws {
        let fixture = try await fixture()
        let target = fixture.folder.appending("precious")
        try fixture.make(target, [])
        _ = target.withPlatformString { old in fixture.indexPath.withPlatformString { symlink(old, $0) } }
        try check(fixture)
        #expect(try fixture.length(of: target) == 0)
    }

    @Test("A dangling symbolic link is not followed")
    func danglingLink() async throws {
        let fixture = try await fixture()
        _ = fixture.indexPath.withPlatformString { symlink("nowhere", $0) }
        try check(fixture)
    }

    @Test("A symbolic link under the name of SQLite's log is not followed")
    func linkedLog() async throws {
        let fixture = try await fixture()
        let log = FilePath(fixture.indexPath.string + "-wal")
        _ = log.withPlatformString { symlink("elsewhere", $0) }
        try check(fixture)
    }

    @Test("A pipe under its name does not keep us waiting")
    func pipe() async throws {
        let fixture = try await fixture()
        _ = fixture.indexPath.withPlatformString { mkfifo($0, 0o644) }
        try check(fixture)
    }

    @Test("A read-only folder gives an index in memory", .enabled(if: getuid() != 0, "root may write anywhere"))
    func readOnlyFolder() async throws {
        let fixture = try await fixture()
        _ = fixture.folder.withPlatformString { chmod($0, 0o555) }
        try check(fixture)
    }

    @Test("An unreadable index gives an index in memory", .enabled(if: getuid() != 0, "root may read anything"))
    func unreadable() async throws {
        let fixture = try await fixture()
        try fixture.make(fixture.indexPath, Array(repeating: 1, count: 8192))
        _ = fixture.indexPath.withPlatformString { chmod($0, 0) }
        try check(fixture)
    }

    #if os(Linux)
    @Test("A folder that takes no files from anyone, root included, gives an index in memory")
    func procFolder() async throws {
        let fixture = try await fixture()
        let descriptor = fixture.path.withPlatformString { Glibc.open($0, O_RDONLY) }
        defer { close(descriptor) }
        // A link that leads to nothing by name: what it leads to has no folder any more.
        _ = fixture.path.withPlatformString { unlink($0) }
        let index = try SnapshotIndex(for: CapsuleFile(FilePath("/proc/self/fd/\(descriptor)")))
        try index.catchUp()
        #expect(try index.isTemporary && index.runs().count == 1)
    }
    #endif

    @Test("An index beside the capsule is not temporary")
    func usual() async throws {
        let fixture = try await fixture()
        #expect(try !fixture.indexed().isTemporary)
    }

    @Test("An index in memory leaves no file")
    func inMemory() async throws {
        let fixture = try await fixture()
        _ = try fixture.open(inMemory: true)
        #expect(try !PosixStorage().names(in: fixture.folder).contains { $0.contains(".index") })
    }

    @Test("An index is no more readable than its capsule")
    func mode() async throws {
        let fixture = try await fixture()
        _ = fixture.path.withPlatformString { chmod($0, 0o600) }
        _ = try fixture.indexed()
        var status = stat()
        _ = fixture.indexPath.withPlatformString { stat($0, &status) }
        #expect(status.st_mode & 0o777 == 0o600)
    }
}
