import Ledger

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// The least that makes bytes durable: `pwrite` at the end of a file, and `fdatasync`.
final class GrowingFile {
    private let descriptor: Int32
    private var length: off_t = 0
    private var bytes: [UInt8] = []
    private var generator = Generator(seed: 7)

    init(_ path: FilePath) throws {
        descriptor = open(path.string, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(descriptor) }

    func append(_ count: Int) throws {
        if bytes.count != count { bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) } }
        guard pwrite(descriptor, bytes, count, length) == count else { throw Errno(rawValue: errno) }
        length += off_t(count)
        #if canImport(Darwin)
        guard fcntl(descriptor, F_FULLFSYNC) == 0 else { throw Errno(rawValue: errno) }
        #else
        guard fdatasync(descriptor) == 0 else { throw Errno(rawValue: errno) }
        #endif
    }
}
