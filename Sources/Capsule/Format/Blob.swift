/// What stands in an event whose body is a blob: which one, and how long it is.
public struct BlobReference: Equatable, Sendable {
    static let size = 40

    public var id: Digest
    public var length: UInt64

    public init(id: Digest, length: UInt64) {
        self.id = id
        self.length = length
    }

    /// Nil unless `bytes` are exactly a reference.
    init?(_ bytes: RawSpan) {
        guard bytes.byteCount == Self.size else { return nil }
        id = bytes.unsafeLoadUnaligned(as: Digest.self)
        length = UInt64(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: 32, as: UInt64.self))
    }

    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(id)
        bytes.append(integer: length)
        return bytes
    }
}

/// The list of a blob's chunks (`spec/format.md` section 6.1). Its hash is the blob's ID.
public struct BlobManifest: Equatable, Sendable {
    /// Sixteen random bytes, or zeroes where the writer asked for deduplication.
    public var salt: [UInt8]
    public var length: UInt64
    public var chunks: [Digest]

    /// Bytes of the salt, which every chunk carries in front.
    public static let saltBytes = 16

    /// Reads a manifest.
    ///
    /// - Throws: `objectMismatch`.
    public init(reading bytes: [UInt8]) throws(CapsuleError) { try self.init(bytes.span.bytes) }

    /// Cuts `body` into chunks.
    ///
    /// - Parameter salt: 16 bytes; zeroes give equal bodies equal IDs, which then confirm guesses of the content.
    public init(of body: [UInt8], salt: [UInt8]) {
        precondition(salt.count == 16, "the salt of a blob has 16 bytes")
        self.salt = salt
        length = UInt64(body.count)
        chunks = Self.ranges(length: body.count).map { range in
            let object = salt + body[range]
            return ObjectView.id(of: .chunk, object.span.bytes)
        }
    }

    /// Reads a manifest that fills `bytes` exactly.
    ///
    /// - Throws: `objectMismatch`.
    init(_ bytes: RawSpan) throws(CapsuleError) {
        do throws(CapsuleError) {
            var cursor = ByteCursor(bytes)
            salt = try cursor.take(16).array
            length = try cursor.integer()
            let count = try cursor.integer(UInt32.self)
            guard length > 0, length <= Limits.bodyBytes,
                UInt64(count) == (length - 1) / UInt64(Limits.chunkBytes) + 1,
                cursor.remaining == 32 * Int(count)
            else { throw CapsuleError(.objectMismatch, "lengths do not fit") }
            chunks = []
            for _ in 0..<count { chunks.append(try cursor.value()) }
        } catch {
            throw CapsuleError(.objectMismatch, "a blob's manifest is malformed: \(error.reason)")
        }
    }

    public var encoded: [UInt8] {
        var bytes = salt
        bytes.append(integer: length)
        bytes.append(integer: UInt32(chunks.count))
        for chunk in chunks { bytes.append(chunk) }
        return bytes
    }

    /// The blob's ID: SHA-256(03 ‖ manifest).
    public var id: Digest {
        let bytes = encoded
        return ObjectView.id(of: .manifest, bytes.span.bytes)
    }

    /// Where the chunks of a blob of `length` bytes lie.
    static func ranges(length: Int) -> [Range<Int>] {
        stride(from: 0, to: length, by: Limits.chunkBytes).map { $0..<min(length, $0 + Limits.chunkBytes) }
    }

    /// Bytes that chunk `index` must have.
    func chunkLength(_ index: Int) -> Int {
        index < chunks.count - 1 ? Limits.chunkBytes : Int(length) - Limits.chunkBytes * (chunks.count - 1)
    }
}
