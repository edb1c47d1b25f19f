/// Works out the hashes of a batch's leaves from its frames, without looking into envelopes.
struct LeafHasher {
    private(set) var hashes: [Digest] = []
    /// An event that waits for another to be hashed beside it.
    private var waiting: Parts?

    /// What an event's leaf is made of.
    private struct Parts {
        let envelope: UnsafeRawBufferPointer
        /// Salt and body, or the commitment of a withheld body, or nothing.
        let payload: UnsafeRawBufferPointer
        let isWithheld: Bool

        /// Takes the frame at the beginning of `rest` off it; nil if it is no event's.
        init?(_ rest: inout UnsafeRawBufferPointer) {
            guard rest.count >= Frame.headerSize else { return nil }
            let length = Int(UInt32(littleEndian: rest.loadUnaligned(as: UInt32.self)))
            let envelopeSize = Int(UInt16(littleEndian: rest.loadUnaligned(fromByteOffset: 6, as: UInt16.self)))
            isWithheld = rest[5] == EventView.withheldFlag
            guard rest[4] == FrameKind.event.rawValue, length <= rest.count - Frame.headerSize, envelopeSize <= length,
                !isWithheld || length - envelopeSize == 32
            else { return nil }
            let content = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Frame.headerSize).prefix(length))
            envelope = UnsafeRawBufferPointer(rebasing: content.prefix(envelopeSize))
            payload = UnsafeRawBufferPointer(rebasing: content.dropFirst(envelopeSize))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Frame.headerSize + length))
        }

        /// Whether its commitment is the hash of what stands there.
        var isHashed: Bool { !isWithheld && !payload.isEmpty }

        var commitment: Digest {
            if isHashed { return Hashing.sha256(payload) }
            return isWithheld ? payload.loadUnaligned(as: Digest.self) : .zero
        }
    }

    /// - Parameter events: how many there should be; more than that are not hashed.
    init(_ body: UnsafeRawBufferPointer, events: UInt32) {
        hashes.reserveCapacity(min(Int(events), body.count / Frame.headerSize))
        var rest = body
        for _ in 0..<events {
            guard let parts = Parts(&rest) else { break }
            take(parts)
        }
        if let last = waiting { hashes.append(Hashing.leaf(envelope: last.envelope, commitment: last.commitment)) }
    }

    private mutating func take(_ second: Parts) {
        guard let first = waiting else {
            waiting = second
            return
        }
        waiting = nil
        let commitments =
            first.isHashed && second.isHashed
            ? Hashing.sha256Pair(first.payload, second.payload) : (first.commitment, second.commitment)
        let pair = Hashing.leafPair((first.envelope, commitments.0), (second.envelope, commitments.1))
        hashes.append(pair.0)
        hashes.append(pair.1)
    }
}
