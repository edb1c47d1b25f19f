/// An object as it stands in a decoded batch (`spec/format.md` section 6.1): valid while the batch is.
public struct ObjectView: ~Escapable {
    public let kind: FrameKind
    /// Of a document; `none` for other kinds.
    public let media: MediaType
    public let id: Digest
    /// Bytes of the object.
    public let length: Int
    let codec: Codec
    let stored: RawSpan

    static let headerSize = 40

    @_lifetime(copy frame)
    init(_ frame: borrowing Frame, kind: FrameKind) throws(CapsuleError) {
        guard frame.content.byteCount >= Self.headerSize else {
            throw CapsuleError(.frameMalformed, "an object's frame is too short")
        }
        var cursor = ByteCursor(frame.content)
        length = Int(try cursor.integer(UInt32.self))
        let codecCode = try cursor.integer(UInt8.self)
        let reservedIsZero = try cursor.zeroes(3)
        id = try cursor.value()
        stored = cursor.rest
        media = MediaType(rawValue: frame.auxiliary)
        guard let codec = Codec(rawValue: codecCode) else {
            throw CapsuleError(.unsupported, "object codec \(codecCode) is not known to this version")
        }
        self.codec = codec
        self.kind = kind
        let fits = codec == .plain ? stored.byteCount == length : stored.byteCount < length
        guard reservedIsZero, fits, frame.flags == 0, kind == .document || frame.auxiliary == 0,
            length <= Self.limit(of: kind)
        else { throw CapsuleError(.frameMalformed, "a field of an object's frame is out of range") }
    }

    static func limit(of kind: FrameKind) -> Int {
        kind == .chunk ? Limits.chunkBytes + EventView.saltSize : Limits.objectBytes
    }

    /// The object, decompressed, its ID checked.
    ///
    /// - Throws: `lz4Malformed`, `objectMismatch`.
    func content(_ lz4: LZ4Frame) throws(CapsuleError) -> [UInt8] {
        var bytes: [UInt8] = []
        if codec == .plain {
            bytes = stored.array
        } else {
            try lz4.decompress(stored, length: length, into: &bytes)
        }
        guard Self.id(of: kind, bytes.span.bytes) == id else {
            throw CapsuleError(.objectMismatch, "the content of \(kind.name) \(id.hex) does not hash to its ID")
        }
        return bytes
    }

    /// The ID of an object, by the rule for its kind.
    static func id(of kind: FrameKind, _ bytes: RawSpan) -> Digest {
        let nothing = UnsafeRawBufferPointer(start: nil, count: 0)
        return switch kind {
        case .chunk: bytes.withUnsafeBytes { Hashing.sha256(tag: 2, $0, nothing) }
        case .manifest: bytes.withUnsafeBytes { Hashing.sha256(tag: 3, $0, nothing) }
        default: Hashing.sha256(bytes)
        }
    }
}

/// An object to be stored, or one that was read.
public struct StoredObject: Equatable, Sendable {
    public var kind: FrameKind
    public var media: MediaType
    public var id: Digest
    public var bytes: [UInt8]

    /// A snapshot, document, note, foreign proof, chunk (with its salt in front) or manifest.
    ///
    /// - Throws: `limitObject`.
    public init(_ kind: FrameKind, _ bytes: [UInt8], media: MediaType = .none) throws(CapsuleError) {
        guard bytes.count <= ObjectView.limit(of: kind) else {
            throw CapsuleError(
                .limitObject,
                "a \(kind.name) has at most \(ObjectView.limit(of: kind)) bytes; this one has \(bytes.count)"
            )
        }
        self.kind = kind
        self.bytes = bytes
        self.media = kind == .document ? media : .none
        id = ObjectView.id(of: kind, bytes.span.bytes)
    }
}
