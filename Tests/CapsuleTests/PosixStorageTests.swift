import Foundation
import Support
import Testing

@testable import Capsule

/// What a simulated disk cannot show: that the operating system is asked, and believed.
@Suite struct PosixStorageTests {
    @Test("A sync is asked of the operating system, which refuses it for a device, and the refusal is told")
    func syncs() throws {
        let device = try PosixFile("/dev/null", flags: O_RDWR, operation: "open")
        #expect(throws: StorageError.self) { try device.sync() }
        #expect(throws: StorageError.self) { try device.syncAll() }
    }

    #if os(Linux)
        @Test("A sync of a directory is asked too: of one that is on no disk it is refused")
        func directorySyncs() {
            #expect(throws: StorageError.self) { try PosixStorage().syncDirectory("/proc") }
        }
    #endif

    @Test("No program that is started inherits a descriptor, and with it the lock")
    func descriptors() throws {
        let folder = try TemporaryFolder()
        let path = folder.path("a.cpsl")
        let files = [try PosixStorage().create(path), try PosixStorage().open(path, for: .readingAndWriting)]
        let identity = try files[0].identity()
        var flags: [Int32] = []
        for descriptor in 0..<4096 as Range<Int32> {
            var status = stat()
            guard fstat(descriptor, &status) == 0 else { continue }
            let found = FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
            if found == identity { flags.append(fcntl(descriptor, F_GETFD)) }
        }
        #expect(flags == [FD_CLOEXEC, FD_CLOEXEC])
        withExtendedLifetime(files) {}
    }
}
