/// Reads batches one after the other. Memory is one window and one batch, whatever the size of the file.
///
/// Not thread-safe; a file may have any number of readers.
public final class BatchReader {
    /// What stands at a place.
    public enum Step: Equatable, Sendable {
        case batch
        /// The file ends here, or nothing but zeroes follows.
        case end
        /// No valid batch stands here; whether it is a torn tail or damage is for `TailJudge` to say.
        case bad(String)
    }

    let file: any StorageFile
    let header: FileHeader
    /// Where the next batch is expected.
    public private(set) var position: BatchPosition
    /// Where reading ends, whatever the file holds beyond.
    public var limit: UInt64
    /// Check number, chain and durable length against the batch before. Off when jumping to a known place.
    var checksChain = true

    private let lz4 = LZ4Frame()
    private var ahead: BatchReadAhead?
    private var window: [UInt8] = []
    private var windowStart: UInt64 = 0
    private var raw: [UInt8] = []
    static let windowSize = 1 << 20
    /// Bytes read at once. Much where the next batch follows, little where somewhere else is jumped to.
    package var readAhead = windowSize

    /// - Parameter limit: the length of the file, or less.
    public init(file: any StorageFile, header: FileHeader, from position: BatchPosition? = nil, limit: UInt64) {
        self.file = file
        self.header = header
        self.position = position ?? BatchPosition(startOf: header)
        self.limit = limit
    }

    /// Reads the batch at `position`, hands it to `visit`, and goes on behind it.
    ///
    /// - Throws: `StorageError`; `CapsuleError`, located at the batch, if its checksums are right and its content is
    ///   not, or if it
    ///   needs what this version does not know; and what `visit` throws. The position then stays where it is.
    public func next(_ visit: (borrowing BatchView) throws -> Void) throws -> Step {
        if let batch = takeAhead() {
            do { try batch.visit(lz4, visit) } catch let error as CapsuleError { throw error.located(at: batch.offset) }
            position = batch.end
            return .batch
        }
        return try advance { batch, offset, stored in try visitBody(batch, offset: offset, stored: stored, visit) }
    }

    /// Lets a thread of its own read, check and decompress what follows, up to the limit as it is now, and hash its
    /// leaves. It is some megabytes ahead at most.
    func readAheadInThread() {
        guard checksChain, ahead == nil, position.offset < limit else { return }
        ahead = BatchReadAhead(file: file, header: header, from: position, limit: limit)
    }

    /// The batch at `position`, if it was read ahead. Nil for all that is out of the ordinary: it is then found here.
    private func takeAhead() -> PreparedBatch? {
        guard let ahead else { return nil }
        if let batch = ahead.take(), batch.offset == position.offset, batch.end.offset <= limit { return batch }
        self.ahead = nil
        return nil
    }

    /// Goes behind the batch at `position` if its checksums are right, without taking its body apart.
    ///
    /// - Throws: as `next`.
    public func check() throws -> Step { try advance { _, _, _ in } }

    private func advance(_ take: (BatchHeader, UInt64, Range<Int>) throws -> Void) throws -> Step {
        let offset = position.offset
        guard offset < limit else { return .end }
        let available = try fill(offset, count: BatchHeader.size)
        let start = Int(offset - windowStart)
        let head = start..<(start + min(available, BatchHeader.size))
        let parsed = window.withUnsafeBytes {
            BatchHeader.parse(UnsafeRawBufferPointer(rebasing: $0[head]).bytes, file: header, offset: offset)
        }
        let intact: BatchHeader.Intact
        switch parsed {
        case .intact(let header): intact = header
        case .bad(let reason): return try isZero(from: offset) ? .end : .bad(reason)
        }
        if checksChain, let reason = chainProblem(intact) { return .bad(reason) }
        let batch = try content(of: intact, at: offset)
        let count = BatchHeader.size + Int(batch.storedLength)
        guard try fill(offset, count: count) >= count else { return .bad("the batch's body is cut off") }
        let bodyStart = Int(offset - windowStart) + BatchHeader.size
        let bodyRange = bodyStart..<(bodyStart + Int(batch.storedLength))
        var crc = CRC32C.seeded(header, offset: offset + UInt64(BatchHeader.size))
        window.withUnsafeBytes { crc.add(UnsafeRawBufferPointer(rebasing: $0[bodyRange])) }
        guard crc.value == batch.bodyChecksum || Mutant.isOn(.hasNoBodyChecksum) else {
            return .bad("the checksum of the batch's body is wrong")
        }
        try take(batch, offset, bodyRange)
        position.offset += batch.totalLength
        position.number = batch.number &+ 1
        position.previousChecksum = intact.checksum
        position.durableLength = batch.durableLength
        return .batch
    }

    private func chainProblem(_ header: BatchHeader.Intact) -> String? {
        if header.number != position.number { return "batch \(position.number) is expected, not \(header.number)" }
        if header.previousChecksum != position.previousChecksum, !Mutant.isOn(.headersAreNotChained) {
            return "it does not follow the batch before it"
        }
        return nil
    }

    private func content(of intact: BatchHeader.Intact, at offset: UInt64) throws(CapsuleError) -> BatchHeader {
        switch intact.content {
        case .failure(let error): throw error.located(at: offset)
        case .success(let batch):
            guard !checksChain || batch.durableLength >= position.durableLength else {
                throw CapsuleError(
                    .batchMalformed,
                    at: offset,
                    "its durable length is less than that of the batch before"
                )
            }
            return batch
        }
    }

    private func visitBody(
        _ batch: BatchHeader,
        offset: UInt64,
        stored: Range<Int>,
        _ visit: (borrowing BatchView) throws -> Void
    ) throws {
        do {
            try window.withUnsafeBytes { bytes throws in
                let stored = UnsafeRawBufferPointer(rebasing: bytes[stored]).bytes
                guard batch.codec == .lz4 else {
                    return try visit(BatchView(header: batch, offset: offset, body: stored, lz4: lz4))
                }
                try lz4.decompress(stored, length: Int(batch.rawLength), into: &raw)
                try raw.withUnsafeBytes { bytes throws in
                    let body = UnsafeRawBufferPointer(rebasing: bytes[..<Int(batch.rawLength)]).bytes
                    try visit(BatchView(header: batch, offset: offset, body: body, lz4: lz4))
                }
            }
        } catch let error as CapsuleError {
            throw error.located(at: offset)
        }
    }

    /// Makes the window hold `count` bytes from `offset` on; returns how many of them the file has.
    private func fill(_ offset: UInt64, count: Int) throws -> Int {
        let wanted = min(UInt64(count), limit - offset)
        let windowEnd = windowStart + UInt64(window.count)
        if offset < windowStart || offset + wanted > windowEnd {
            let length = Int(min(UInt64(max(count, readAhead)), limit - offset))
            window = try file.bytes(at: offset, count: length)
            windowStart = offset
        }
        return min(count, Int(windowStart + UInt64(window.count) - offset))
    }

    /// Whether nothing but zeroes stands from `offset` to the limit.
    private func isZero(from offset: UInt64) throws -> Bool {
        var next = offset
        while next < limit {
            let bytes = try file.bytes(at: next, count: Int(min(UInt64(Self.windowSize), limit - next)))
            if bytes.isEmpty { return true }
            if !bytes.span.bytes.isAllZero { return false }
            next += UInt64(bytes.count)
        }
        return true
    }

    /// Forgets what was read ahead, and reads on up to another limit: the file may have changed since.
    public func refresh(limit: UInt64) {
        ahead = nil
        window = []
        self.limit = limit
    }

    /// Goes on behind a batch that cannot be read, at a place that its intact header gives.
    func skip(to position: BatchPosition) { self.position = position }

    /// Goes on behind batches that the caller wrote itself.
    func advance(to position: BatchPosition) {
        self.position = position
        limit = max(limit, position.offset)
    }

    /// Goes to a batch that is known to begin at `offset`, without checking that it follows the one before.
    public func jump(to offset: UInt64) {
        ahead = nil
        position.offset = offset
        checksChain = false
    }
}
