/// Goes from batch header to batch header, without reading what is between them.
///
/// For sums over a whole file: it costs a read of 128 bytes a batch, and proves nothing about the bodies.
public struct HeaderWalk {
    private let file: any StorageFile
    private let header: FileHeader
    private let limit: UInt64
    /// Where the next header is expected.
    public private(set) var offset: UInt64

    private var window: [UInt8] = []
    private var windowStart: UInt64 = 0
    private static let windowSize = 1 << 16

    /// - Parameters:
    ///   - start: where a batch begins.
    ///   - limit: where to end.
    public init(_ capsule: CapsuleFile, from start: UInt64 = FileHeader.size, limit: UInt64) {
        file = capsule.file
        header = capsule.header
        self.limit = limit
        offset = start
    }

    /// The next header; nil at the limit, or where no intact header stands.
    ///
    /// - Throws: `StorageError`.
    public mutating func next() throws -> BatchHeader? {
        guard offset < limit, limit - offset >= UInt64(BatchHeader.size) else { return nil }
        let end = windowStart + UInt64(window.count)
        if offset < windowStart || offset + UInt64(BatchHeader.size) > end {
            window = try file.bytes(at: offset, count: Int(min(UInt64(Self.windowSize), limit - offset)))
            windowStart = offset
        }
        guard window.count >= BatchHeader.size else { return nil }
        let start = Int(offset - windowStart)
        let parsed = window.withUnsafeBytes { bytes in
            let slice = bytes[start..<(start + BatchHeader.size)]
            return BatchHeader.parse(UnsafeRawBufferPointer(rebasing: slice).bytes, file: header, offset: offset)
        }
        guard case .intact(let intact) = parsed, case .success(let batch) = intact.content,
            batch.totalLength <= limit - offset
        else { return nil }
        offset += batch.totalLength
        return batch
    }
}
