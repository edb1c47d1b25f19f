/// Why bytes are no snapshot of a policy.
public struct SnapshotError: Error, Sendable, Hashable {
    public enum Code: String, Sendable, CaseIterable {
        /// The bytes are no canonical JSON.
        case notCanonical
        /// The compiled form is of a version that this reader does not know.
        case unknownSchema
        /// A member is not there.
        case missing
        /// A member does not belong there.
        case unknown
        /// A value has the wrong type, or is out of its bounds.
        case invalid
        /// A name is used that is not defined.
        case undefined
        /// There is too much of something.
        case beyondLimit
    }

    public var code: Code
    /// Where, as members and indexes joined by `/` (a JSON Pointer, RFC 6901).
    public var path: String
    public var message: String

    init(_ code: Code, _ path: String, _ message: String) {
        self.code = code
        self.path = path
        self.message = message
    }
}

extension SnapshotError: CustomStringConvertible {
    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}
