import Capsule

/// Is told what a writer puts into the file, so that an index of it need not read it back.
///
/// It belongs to one open file and to the queue's thread, and knows nothing of what other processes write: behind
/// that, the queue makes another one. When a write fails, or the file is opened anew, the queue lets it go without a
/// word: what it took in may not be what the file holds. It is told of bytes that are written, not durable.
public protocol BatchFollower: AnyObject {
    /// Takes in an object that stands in the batch at `offset`.
    func take(_ object: StoredObject, inBatchAt offset: UInt64)

    /// Takes in the next event, which will stand in the batch that is being filled.
    ///
    /// - Parameters:
    ///   - body: nil where the event has none, or has it as a blob.
    ///   - leaf: index of its leaf.
    func take(_ envelope: Envelope, body: [UInt8]?, leaf: UInt64)

    /// Takes in the root of a subtree of `MerkleFrontier.keptLeaves` leaves that the last event completed.
    func take(subtree root: Digest)

    /// The batch that is being filled is full, and another one begins.
    func closeBatch()

    /// The next of the closed batches stands at `offset`.
    func place(batchAt offset: UInt64)

    /// Everything told so far is in the file.
    func written(_ place: WrittenPlace)

    /// Nothing more is written.
    func finish(_ place: WrittenPlace)
}

/// Where a write ended, and the state there.
public struct WrittenPlace {
    public let end: BatchPosition
    /// Do not keep it: the writer would have to copy all of it for its next event.
    public let state: CapsuleState
    /// Root over all events, as the newest batch header states it.
    public let root: Digest
}
