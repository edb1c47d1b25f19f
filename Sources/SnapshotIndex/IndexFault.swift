import GRDB

/// Why the index cannot be used as it is. None of these reaches a caller: another index takes its place.
enum IndexFault: Error {
    /// The file is no database, a page or a row of it makes no sense, or its schema is not ours.
    case damaged(String)
    /// Another process has made it the index of another generation, or of another version of this module.
    case foreign
    /// Where the index should be, none can be kept.
    case place(String)

    /// Nil if `error` says nothing about the index: another process keeps it locked, say, or the capsule cannot be
    /// read.
    init?(_ error: any Error) {
        if let fault = error as? IndexFault {
            self = fault
            return
        }
        guard let error = error as? DatabaseError else { return nil }
        switch error.resultCode {
        case .SQLITE_BUSY, .SQLITE_LOCKED, .SQLITE_INTERRUPT, .SQLITE_NOMEM, .SQLITE_MISUSE:
            return nil
        case .SQLITE_READONLY, .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH, .SQLITE_FULL, .SQLITE_PROTOCOL,
            .SQLITE_NOLFS:
            self = .place("\(error)")
        case .SQLITE_IOERR:
            // A page beyond the end of a file that was cut is damage, and so is one without its checksum; anything
            // else is the disk's.
            switch error.extendedResultCode {
            case .SQLITE_IOERR_DATA: self = .damaged("a page of it has another checksum than it says")
            case .SQLITE_IOERR_SHORT_READ: self = .damaged("\(error)")
            default: self = .place("\(error)")
            }
        default:
            // Not only `SQLITE_CORRUPT`: over damaged pages our own correct statements break constraints or miss a
            // table.
            self = .damaged("\(error)")
        }
    }

    var words: String {
        switch self {
        case .damaged(let reason), .place(let reason): reason
        case .foreign: "another process made it the index of another generation, or of another version"
        }
    }

    /// Whether a new file in the same place would fare no better, or would take away what another process made there.
    var isOfPlace: Bool {
        if case .damaged = self { false } else { true }
    }
}
