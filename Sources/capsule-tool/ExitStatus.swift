import ArgumentParser
import Ledger

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The exit statuses, as `capsule-tool --help` documents them.
enum ExitStatus: Int32 {
    case no = 1
    case refused = 2
    case unreadable = 3
    case system = 4
    case locked = 5
    case malformedInput = 65
    case noCapsule = 66
    case exists = 73
    case policyFault = 78

    /// Says what is wrong with an argument whose value was looked at late, and ends the process.
    static func endForUsage(_ message: String) -> Never {
        complain("\(message); see '\(Arguments.command) --help'")
        exit(64)
    }

    /// Says what went wrong on standard error and ends the process.
    static func end(with error: any Error) -> Never {
        guard let status = status(for: error) else { endParsing(error) }
        complain("\(error)")
        exit(status.rawValue)
    }

    /// Ends the process with a status of a command's own.
    static func end(with failure: QuietFailure) -> Never { exit(failure.status) }

    /// Ends with what the parser of arguments says: one sentence for a mistake, all of it for help.
    private static func endParsing(_ error: any Error) -> Never {
        guard CapsuleTool.exitCode(for: error) == .validationFailure else { CapsuleTool.exit(withError: error) }
        let message = CapsuleTool.message(for: error).split(separator: "\n").joined(separator: " ")
        endForUsage(message.hasSuffix(".") ? String(message.dropLast()) : message)
    }

    static func status(for error: any Error) -> ExitStatus? {
        switch error {
        case let error as CapsuleError: status(for: error.code)
        case let error as WriteError: status(for: error.code)
        case let error as LedgerError: status(for: error.code)
        case let error as StorageError: error.errno == .fileExists ? .exists : .system
        case let error as Failure: error.status
        case is JSONError: .malformedInput
        default: nil
        }
    }

    private static func status(for code: CapsuleError.Code) -> ExitStatus {
        switch code {
        case .limitBatch, .limitBody, .limitObject, .limitOrigin, .limitName, .limitCauses, .invalidName:
            .malformedInput
        case .limitRun, .limitOpenRuns: .refused
        default: .unreadable
        }
    }

    private static func status(for code: WriteError.Code) -> ExitStatus {
        switch code {
        case .locked: .locked
        case .broken, .newerFormat: .unreadable
        case .poisoned, .outcomeUnknown, .closed, .replaced: .system
        default: .refused
        }
    }

    private static func status(for code: LedgerError.Code) -> ExitStatus {
        switch code {
        case .noCapsule: .noCapsule
        case .bodyInvalid, .inputInvalid, .snapshotInvalid: .malformedInput
        case .unknownRun, .ambiguousRun, .unknownSnapshot, .ambiguousSnapshot, .unknownCheckpoint,
            .ambiguousCheckpoint:
            .refused
        case .policyLoosens, .policyNotEffective, .policyNotApproved, .noRouting, .decisionNotOpen, .notAsked,
            .notApproved, .overCapture, .evidenceTooLarge, .reservedType:
            .refused
        case .historyUnread: .unreadable
        case .noPolicy: .noCapsule
        case .unknownEvent: .no
        }
    }
}

/// An error that a command makes itself.
struct Failure: Error, CustomStringConvertible {
    var status: ExitStatus
    var description: String

    init(_ status: ExitStatus, _ description: String) {
        self.status = status
        self.description = description
    }
}

/// An exit status after everything was said.
struct QuietFailure: Error {
    var status: Int32

    init(_ status: Int32) { self.status = status }
}

/// Says something on standard error, under the tool's name.
func complain(_ text: String) {
    let line = Array("capsule-tool: \(Printable.escape(text))\n".utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}

/// Says something on standard error as it is, but for what would steer a terminal.
func talk(_ text: String) {
    let line = Array("\(Printable.escape(text))\n".utf8)
    _ = line.withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
}

/// Ends with a status where all has been said.
func endQuietly(_ status: ExitStatus) -> Never {
    Output.flush()
    exit(status.rawValue)
}
