/// A batch whose checksums are right, decompressed: valid while the reader stands on it.
public struct BatchView: ~Escapable {
    public let header: BatchHeader
    /// Where the batch begins in the file.
    public let offset: UInt64
    let body: RawSpan
    let lz4: LZ4Frame
    /// The hashes of its leaves, if another thread has worked them out.
    private let hashes: [Digest]?

    @_lifetime(copy body)
    init(header: BatchHeader, offset: UInt64, body: RawSpan, lz4: LZ4Frame, hashes: [Digest]? = nil) {
        self.header = header
        self.offset = offset
        self.body = body
        self.lz4 = lz4
        self.hashes = hashes
    }

    /// The hash of each event's leaf, in order. Fewer where a frame cannot be taken apart; `forEachFrame` then throws
    /// before it comes to that event.
    ///
    /// Two at a time, side by side: that takes little more than half the time of one after the other.
    package var leafHashes: [Digest] {
        if let hashes { return hashes }
        return header.kind == .timeline ? body.withUnsafeBytes { LeafHasher($0, events: header.events).hashes } : []
    }

    /// The body as it is after decompression.
    var bodyBytes: [UInt8] { body.array }

    /// Takes the batch apart and calls one of the two closures for each frame, in order.
    ///
    /// Checks everything that can be checked without knowing what came before: lengths, kinds, places, counts, object
    /// IDs.
    ///
    /// - Throws: `frameMalformed`, `envelopeMalformed`, `lz4Malformed`, `objectMismatch`, `unsupported`, and what the
    ///   closures throw.
    public func forEachFrame(
        event onEvent: (borrowing EventView) throws(CapsuleError) -> Void,
        object onObject: (StoredObject) throws(CapsuleError) -> Void
    ) throws(CapsuleError) {
        var cursor = ByteCursor(body)
        var events: UInt32 = 0
        for _ in 0..<header.frames {
            let frame = try Frame(&cursor)
            if frame.kind >= FrameKind.firstOptional, header.kind == .objects { continue }
            guard let kind = FrameKind(rawValue: frame.kind), (kind == .event) == (header.kind == .timeline) else {
                throw CapsuleError(.frameMalformed, "a frame of kind \(frame.kind) stands in a batch of \(header.kind)")
            }
            if kind == .event {
                events += 1
                try onEvent(EventView(frame))
            } else {
                let view = try ObjectView(frame, kind: kind)
                try onObject(StoredObject(verified: view, content: view.content(lz4)))
            }
        }
        guard cursor.isAtEnd, events == header.events else {
            throw CapsuleError(.frameMalformed, "a batch holds other frames than its header says")
        }
    }

    /// Calls `onEvent` for each event; skips objects unread.
    public func forEachEvent(_ onEvent: (borrowing EventView) throws(CapsuleError) -> Void) throws(CapsuleError) {
        guard header.kind == .timeline else { return }
        try forEachFrame(event: onEvent, object: { _ in })
    }
}

extension StoredObject {
    /// From a view whose ID was checked when `content` was taken out of it.
    init(verified view: borrowing ObjectView, content: [UInt8]) {
        kind = view.kind
        media = view.media
        id = view.id
        bytes = content
    }
}
