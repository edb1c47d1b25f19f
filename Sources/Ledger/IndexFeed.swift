/// Gathers index rows from what the writer puts into the file, and hands them to the keeper of the index when they are
/// many.
///
/// Belongs to the writer's thread. The rows are of written bytes; the index takes them in when those are durable.
final class IndexFeed: BatchFollower {
    private let keeper: IndexKeeper
    private let start: UInt64
    private var rows: WrittenRows
    /// Where the rows begin that wait here.
    private var begin: UInt64

    /// Bytes, and rows, after which the index follows behind the writer.
    private static let followedBytes: UInt64 = 16 << 20
    private static let followedRows = 50_000

    init(_ keeper: IndexKeeper, _ header: FileHeader, from place: BatchPosition) {
        self.keeper = keeper
        rows = WrittenRows(in: header, from: place)
        start = place.offset
        begin = place.offset
    }

    func take(_ object: StoredObject, inBatchAt offset: UInt64) { rows.add(object, inBatchAt: offset) }

    func take(_ envelope: Envelope, body: [UInt8]?, leaf: UInt64) { rows.add(envelope, body: body, leaf: leaf) }

    func take(subtree root: Digest) { rows.add(subtree: root) }

    func closeBatch() { rows.closeBatch() }

    func place(batchAt offset: UInt64) { rows.place(batchAt: offset) }

    func written(_ place: WrittenPlace) {
        guard
            place.end.offset - begin >= Self.followedBytes || rows.count >= Self.followedRows
                || keeper.isDue(from: start, to: place.end.offset)
        else { return }
        deliver(place)
        keeper.startFollowing()
    }

    func finish(_ place: WrittenPlace) { deliver(place) }

    private func deliver(_ place: WrittenPlace) {
        begin = place.end.offset
        if let chunk = rows.chunk(upTo: place.end, place.state, root: place.root) { keeper.take(chunk) }
    }
}
