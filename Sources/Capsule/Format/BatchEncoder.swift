/// Where the next batch goes, and what its header must say of what stands before it.
public struct BatchPosition: Equatable, Sendable {
    /// Offset in the file.
    public var offset: UInt64
    /// Number of the next batch.
    public var number: UInt64
    /// Header checksum of the batch before, or the file header's.
    public var previousChecksum: UInt32
    /// Durable length that the batch before states; the next may not state less.
    public var durableLength: UInt64

    /// Where batch 0 of a capsule goes.
    public init(startOf header: FileHeader) {
        offset = FileHeader.size
        number = 0
        previousChecksum = header.checksum
        durableLength = FileHeader.size
    }
}

/// Puts headers before bodies, compresses, and chains: the bytes of one write, from a known position on.
public final class BatchEncoder {
    let header: FileHeader
    private let lz4 = LZ4Frame()
    /// The finished batches.
    public private(set) var output: [UInt8] = []
    /// Where the next batch will stand.
    public private(set) var position: BatchPosition
    /// Leave bodies as they are: for vectors and comparisons.
    package var compresses = true

    public init(header: FileHeader, position: BatchPosition) {
        self.header = header
        self.position = position
    }

    /// Drops what was built, and begins anew at `position`, keeping the buffer unless it grew large.
    public func restart(at position: BatchPosition) {
        self.position = position
        output.removeAll(keepingCapacity: output.count <= 4 * Limits.batchBytes)
    }

    /// Puts a batch behind the finished ones.
    ///
    /// - Parameters:
    ///   - treeSize: events of the file up to and with this batch.
    ///   - root: root of the tree of that size.
    ///   - durableLength: length of the file that a finished sync is known to cover.
    public func append(_ body: BatchBody, treeSize: UInt64, root: Digest, durableLength: UInt64) {
        precondition(body.frames > 0, "a batch holds at least one frame")
        precondition(durableLength <= position.offset, "a header never claims that its own bytes are durable")
        let headerStart = output.count
        output.appendZeroes(BatchHeader.size)
        let isCompressed =
            compresses && body.kind == .timeline && body.raw.withUnsafeBytes { lz4.compress($0, into: &output) }
        if !isCompressed { output.append(contentsOf: body.raw) }
        let bodyStart = headerStart + BatchHeader.size
        var crc = CRC32C.seeded(header, offset: position.offset + UInt64(BatchHeader.size))
        output.withUnsafeBytes { crc.add(UnsafeRawBufferPointer(rebasing: $0[bodyStart...])) }
        let batch = BatchHeader(
            kind: body.kind,
            codec: isCompressed ? .lz4 : .plain,
            frames: body.frames,
            number: position.number,
            durableLength: max(durableLength, position.durableLength),
            treeSize: treeSize,
            root: root,
            events: body.events,
            rawLength: UInt32(body.raw.count),
            storedLength: UInt32(output.count - bodyStart),
            previousChecksum: position.previousChecksum,
            bodyChecksum: crc.value
        )
        var bytes: [UInt8] = []
        bytes.reserveCapacity(BatchHeader.size)
        position.previousChecksum = batch.encode(into: &bytes, file: header, offset: position.offset)
        output.replaceSubrange(headerStart..<bodyStart, with: bytes)
        position.offset += batch.totalLength
        position.number += 1
        position.durableLength = batch.durableLength
    }
}
