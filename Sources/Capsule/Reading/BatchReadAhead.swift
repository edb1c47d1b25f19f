#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A batch whose checksums are right, decompressed, its leaves hashed.
struct PreparedBatch: Sendable {
    let header: BatchHeader
    /// Where it begins.
    let offset: UInt64
    fileprivate let body: [UInt8]
    fileprivate let hashes: [Digest]
    /// What follows it.
    fileprivate(set) var end: BatchPosition

    fileprivate init(_ batch: borrowing BatchView, end: BatchPosition) {
        header = batch.header
        offset = batch.offset
        body = batch.bodyBytes
        hashes = batch.leafHashes
        self.end = end
    }

    func visit(_ lz4: LZ4Frame, _ visit: (borrowing BatchView) throws -> Void) throws {
        try body.withUnsafeBytes { bytes throws in
            try visit(BatchView(header: header, offset: offset, body: bytes.bytes, lz4: lz4, hashes: hashes))
        }
    }
}

/// Reads batches in a thread of its own, ahead of whoever takes them in: reading, decompressing and hashing them takes
/// about as long as everything else.
///
/// It ends at the first that it cannot hand over, whatever the reason: whoever reads on there finds the reason.
final class BatchReadAhead {
    private let queue = BatchQueue()
    /// Batches that were taken together, and the next of them.
    private var batches: [PreparedBatch] = []
    private var next = 0

    init(file: any StorageFile, header: FileHeader, from position: BatchPosition, limit: UInt64) {
        startThread { [queue] in
            let reader = BatchReader(file: file, header: header, from: position, limit: limit)
            while let batch = Self.read(reader), queue.put(batch) {}
            queue.end()
        }
    }

    deinit { queue.end() }

    /// The next batch; waits for it. Nil if there is none.
    func take() -> PreparedBatch? {
        if next == batches.count { (batches, next) = (queue.takeAll(), 0) }
        guard next < batches.count else { return nil }
        defer { next += 1 }
        return batches[next]
    }

    private static func read(_ reader: BatchReader) -> PreparedBatch? {
        var batch: PreparedBatch?
        guard (try? reader.next { batch = PreparedBatch($0, end: reader.position) }) == .batch else { return nil }
        batch?.end = reader.position
        return batch
    }
}

/// Batches between two threads.
private final class BatchQueue: @unchecked Sendable {
    // A condition variable needs its mutex: all of these are used under `lock` only.
    private var batches: [PreparedBatch] = []
    private var bytes = 0
    private var hasEnded = false
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    /// Bytes that wait at most, but for one batch.
    private static let capacity = 2 << 20
    /// Bytes that are worth waking the other thread: two that wake each other for every batch do little else.
    private static let portion = 256 << 10

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(condition, nil)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(lock)
        condition.deallocate()
        lock.deallocate()
    }

    /// Waits for room; false if nobody takes batches any more.
    func put(_ batch: PreparedBatch) -> Bool {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while !hasEnded, bytes >= Self.portion, bytes + batch.size > Self.capacity {
            pthread_cond_wait(condition, lock)
        }
        guard !hasEnded else { return false }
        batches.append(batch)
        bytes += batch.size
        if bytes >= Self.portion { pthread_cond_signal(condition) }
        return true
    }

    /// Waits until there are a good many; none if there are no more.
    func takeAll() -> [PreparedBatch] {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        while bytes < Self.portion, !hasEnded { pthread_cond_wait(condition, lock) }
        defer { (batches, bytes) = ([], 0) }
        pthread_cond_signal(condition)
        return batches
    }

    /// No more batches are put, or taken.
    func end() {
        pthread_mutex_lock(lock)
        hasEnded = true
        pthread_cond_broadcast(condition)
        pthread_mutex_unlock(lock)
    }
}

extension PreparedBatch {
    /// Bytes in memory, about.
    fileprivate var size: Int { body.count + hashes.count * 32 }
}
