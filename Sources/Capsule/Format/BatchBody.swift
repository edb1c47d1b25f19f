/// The frames of one batch before compression. Depends on nothing but its content: neither on offsets nor on what
/// stands before.
public struct BatchBody: Sendable {
    public let kind: BatchHeader.Kind
    var raw: [UInt8] = []
    public private(set) var frames: UInt32 = 0
    public private(set) var events: UInt32 = 0

    /// - Parameter buffer: where to put the frames: one that a batch of before gives back is in memory already.
    public init(_ kind: BatchHeader.Kind, reusing buffer: consuming [UInt8] = []) {
        self.kind = kind
        raw = buffer
        raw.removeAll(keepingCapacity: true)
    }

    /// Gives the buffer back for another batch.
    package consuming func takeBuffer() -> [UInt8] { raw }

    public var isEmpty: Bool { frames == 0 }

    /// Whether one more frame fits, or as many as are asked for, with so many bytes of content in all. A first one
    /// always does: every limit on contents is far below that on batches.
    public func hasRoom(forContent bytes: Int, frames more: Int = 1) -> Bool {
        frames == 0 && more == 1
            || Int(frames) <= Limits.batchFrames - more
                && raw.count + more * Frame.headerSize + bytes <= Limits.batchBytes
    }

    /// Bytes of the content of an event's frame.
    public static func contentBytes(of envelope: Envelope, bodyBytes: Int) -> Int {
        envelope.encodedSize + (envelope.bodyKind == .none ? 0 : EventView.saltSize + bodyBytes)
    }

    /// Adds an event with its body and returns the hash of its leaf.
    ///
    /// - Parameters:
    ///   - salt: 16 bytes of their own for each event; not used where there is no body.
    ///   - body: for a blob, the encoded reference.
    public mutating func addEvent(_ envelope: Envelope, salt: UnsafeRawBufferPointer, body: [UInt8]) -> Digest {
        let place = put(envelope, salt: salt, body: body)
        return raw.withUnsafeBytes { bytes in
            // Salt and body stand side by side in the frame, as they are hashed.
            let payload = UnsafeRawBufferPointer(rebasing: bytes[place.payload...])
            let commitment = envelope.bodyKind == .none ? .zero : Hashing.sha256(payload)
            return Hashing.leaf(
                envelope: UnsafeRawBufferPointer(rebasing: bytes[place.envelope..<place.payload]),
                commitment: commitment
            )
        }
    }

    /// Adds two events with inline or blob bodies and returns the hashes of their leaves: in less time than one after
    /// the other, because their hashes are worked out side by side.
    ///
    /// - Parameter salts: 32 bytes, 16 for each.
    package mutating func addEvents(
        _ first: Envelope,
        _ firstBody: [UInt8],
        _ second: Envelope,
        _ secondBody: [UInt8],
        salts: UnsafeRawBufferPointer
    ) -> (Digest, Digest) {
        let one = put(first, salt: UnsafeRawBufferPointer(rebasing: salts[..<16]), body: firstBody)
        let two = put(second, salt: UnsafeRawBufferPointer(rebasing: salts[16...]), body: secondBody)
        return raw.withUnsafeBytes { bytes in
            func part(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
                UnsafeRawBufferPointer(rebasing: bytes[start..<end])
            }
            let commitments = Hashing.sha256Pair(part(one.payload, one.end), part(two.payload, two.end))
            return Hashing.leafPair(
                (part(one.envelope, one.payload), commitments.0),
                (part(two.envelope, two.payload), commitments.1)
            )
        }
    }

    /// Appends an event's frame; returns where its parts begin, and its end.
    private mutating func put(
        _ envelope: Envelope,
        salt: UnsafeRawBufferPointer,
        body: [UInt8]
    ) -> (envelope: Int, payload: Int, end: Int) {
        let size = envelope.encodedSize
        let start = begin(
            .event,
            auxiliary: UInt16(size),
            length: Self.contentBytes(of: envelope, bodyBytes: body.count)
        )
        events += 1
        envelope.encode(into: &raw)
        if envelope.bodyKind != .none {
            raw.append(contentsOf: salt)
            raw.append(contentsOf: body)
        }
        return (start, start + size, raw.count)
    }

    /// Adds an event whose body is withheld, with the commitment that stays.
    public mutating func addWithheldEvent(_ envelope: Envelope, commitment: Digest) -> Digest {
        let size = envelope.encodedSize
        let start = begin(.event, flags: EventView.withheldFlag, auxiliary: UInt16(size), length: size + 32)
        events += 1
        envelope.encode(into: &raw)
        raw.append(commitment)
        return raw.withUnsafeBytes {
            Hashing.leaf(
                envelope: UnsafeRawBufferPointer(rebasing: $0[start..<(start + size)]),
                commitment: commitment
            )
        }
    }

    /// Adds an object, compressed where that is shorter.
    public mutating func addObject(_ object: StoredObject) {
        let start = begin(object.kind, auxiliary: object.media.rawValue, length: 0)
        raw.append(integer: UInt32(object.bytes.count))
        raw.appendZeroes(4)
        raw.append(object.id)
        let isCompressed = object.bytes.withUnsafeBytes { LZ4Frame().compress($0, into: &raw) }
        if !isCompressed { raw.append(contentsOf: object.bytes) }
        raw.put(UInt32(raw.count - start), at: start - Frame.headerSize)
        raw.put(isCompressed ? Codec.lz4.rawValue : Codec.plain.rawValue, at: start + 4)
    }

    /// Adds a frame as it is given: for vectors.
    package mutating func addRawFrame(kind: UInt8, flags: UInt8 = 0, auxiliary: UInt16 = 0, content: [UInt8]) {
        frames += 1
        raw.append(integer: UInt32(content.count))
        raw.append(contentsOf: [kind, flags])
        raw.append(integer: auxiliary)
        raw.append(contentsOf: content)
    }

    /// Appends a frame's header and returns where its content begins.
    private mutating func begin(_ kind: FrameKind, flags: UInt8 = 0, auxiliary: UInt16, length: Int) -> Int {
        frames += 1
        Frame.encodeHeader(kind, flags: flags, auxiliary: auxiliary, length: length, into: &raw)
        return raw.count
    }
}
