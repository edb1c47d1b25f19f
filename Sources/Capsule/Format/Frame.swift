/// The kinds of frames (`spec/registry.md`).
public enum FrameKind: UInt8, Sendable, CaseIterable {
    case event = 1
    case snapshot = 2
    case chunk = 3
    case manifest = 4
    case note = 5
    case document = 6
    case foreignProof = 7

    /// Kinds from here on are optional: a reader that does not know them skips them.
    static let firstOptional: UInt8 = 128

    /// The name in the registry.
    public var name: String {
        switch self {
        case .event: "event"
        case .snapshot: "snapshot"
        case .chunk: "chunk"
        case .manifest: "manifest"
        case .note: "note"
        case .document: "document"
        case .foreignProof: "foreign-proof"
        }
    }
}

/// One record of a batch, still bytes: 8 bytes of header and the content.
struct Frame: ~Escapable {
    static let headerSize = 8

    let kind: UInt8
    let flags: UInt8
    let auxiliary: UInt16
    let content: RawSpan

    /// Takes the next frame.
    @_lifetime(copy cursor)
    init(_ cursor: inout ByteCursor) throws(CapsuleError) {
        let length = try cursor.integer(UInt32.self)
        kind = try cursor.integer()
        flags = try cursor.integer()
        auxiliary = try cursor.integer()
        content = try cursor.take(Int(length))
    }

    /// Appends a frame's header for content of `length` bytes.
    static func encodeHeader(
        _ kind: FrameKind,
        flags: UInt8 = 0,
        auxiliary: UInt16 = 0,
        length: Int,
        into bytes: inout [UInt8]
    ) {
        bytes.append(integer: UInt32(length))
        bytes.append(kind.rawValue)
        bytes.append(flags)
        bytes.append(integer: auxiliary)
    }
}
