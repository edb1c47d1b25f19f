import CPageChecksums
import Capsule
import GRDB

/// A checksum on every page of an index, so that damage to any of them is noticed by whoever reads it.
///
/// So are rows that were changed or deleted by something else than this module: it leaves the old sum behind.
/// `CPageChecksums.h` says what is summed, and where the sum stands.
package enum PageChecksums {
    /// Opens a database, made with checksums if the file is empty.
    ///
    /// - Throws: `IndexFault.place` if this SQLite cannot be told to use them, or what GRDB does. Each use of what is
    ///   returned throws `SQLITE_IOERR_DATA` upon a page without its checksum.
    package static func open(_ path: FilePath, configuration: Configuration = Configuration()) throws -> DatabaseQueue {
        let code = ResultCode(rawValue: cpagechecksums_register())
        guard code == .SQLITE_OK else { throw IndexFault.place("SQLite takes no page checksums (\(code))") }
        var configuration = configuration
        configuration.prepareDatabase { db in
            let code = ResultCode(rawValue: cpagechecksums_reserve(db.sqliteConnection))
            guard code == .SQLITE_OK else { throw DatabaseError(resultCode: code) }
        }
        return try DatabaseQueue(path: uri(of: path), configuration: configuration)
    }

    /// Opens a database whose pages may be damaged, to read what it can tell; no byte of its files is changed.
    ///
    /// - Throws: what GRDB does.
    static func openUnchecked(_ path: FilePath, configuration: Configuration) throws -> DatabaseQueue {
        var configuration = configuration
        configuration.prepareDatabase { db in
            let code = ResultCode(rawValue: cpagechecksums_leave_log(db.sqliteConnection))
            guard code == .SQLITE_OK else { throw DatabaseError(resultCode: code) }
        }
        return try DatabaseQueue(path: path.string, configuration: configuration)
    }

    /// Gives the pages of a database file their checksums, whatever was done to them: for tests of what is noticed
    /// beyond them.
    package static func seal(_ bytes: inout [UInt8], pageSize: Int) {
        bytes.withUnsafeMutableBytes { bytes in
            for offset in stride(from: 0, to: bytes.count - pageSize + 1, by: pageSize) {
                cpagechecksums_seal(bytes.baseAddress! + offset, Int32(pageSize), Int64(offset))
            }
        }
    }

    private static func uri(of path: FilePath) -> String {
        var uri = "file:"
        for (place, byte) in path.string.utf8.enumerated() {
            // "//" at the beginning would name a host.
            let isPlain = place != 1 && byte == UInt8(ascii: "/") || "._-~".utf8.contains(byte) || isAlphanumeric(byte)
            uri += isPlain ? String(UnicodeScalar(byte)) : "%" + Hex.encode([byte])
        }
        return uri + "?vfs=" + String(cString: cpagechecksums_name)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
