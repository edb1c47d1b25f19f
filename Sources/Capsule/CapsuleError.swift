/// What is wrong with a capsule, or with a request to write to it.
///
/// Two errors are equal when their codes are: the text is for people and may be improved at any time.
public struct CapsuleError: Error, Sendable {
    /// What went wrong. Codes of reading are those of `spec/format.md` section 13.
    public enum Code: String, Sendable, CaseIterable {
        case notACapsule = "not-a-capsule"
        case newerFormat = "newer-format"
        case headerDamaged = "header-damaged"
        case headersDiffer = "headers-differ"
        case tornTail = "torn-tail"
        case damaged = "damaged"
        case cutShort = "cut-short"
        case unsupported = "unsupported"
        case batchMalformed = "batch-malformed"
        case lz4Malformed = "lz4-malformed"
        case frameMalformed = "frame-malformed"
        case envelopeMalformed = "envelope-malformed"
        case objectMismatch = "object-mismatch"
        case sizeMismatch = "size-mismatch"
        case rootMismatch = "root-mismatch"
        case limitBatch = "limit-batch"
        case limitBody = "limit-body"
        case limitObject = "limit-object"
        case limitOrigin = "limit-origin"
        case limitName = "limit-name"
        case limitCauses = "limit-causes"
        case limitRun = "limit-run"
        case limitOpenRuns = "limit-open-runs"
        case invalidName = "invalid-name"
    }

    /// What went wrong.
    public var code: Code
    /// Where in the file, in bytes, if it is about a place in a file.
    public var offset: UInt64?
    /// What is wrong and, where there is something to do, what to do next. One sentence or two, no newline.
    public var reason: String

    public init(_ code: Code, at offset: UInt64? = nil, _ reason: String) {
        self.code = code
        self.offset = offset
        self.reason = reason
    }

    /// The same error, said to be at `offset` unless it already has a place.
    public func located(at offset: UInt64) -> CapsuleError {
        CapsuleError(code, at: self.offset ?? offset, reason)
    }
}

extension CapsuleError: Equatable {
    public static func == (left: CapsuleError, right: CapsuleError) -> Bool { left.code == right.code }
}

extension CapsuleError: CustomStringConvertible {
    public var description: String {
        guard let offset else { return "\(reason) [\(code.rawValue)]" }
        return "\(reason) [\(code.rawValue) at byte \(offset)]"
    }
}
