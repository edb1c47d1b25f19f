/// An event as it stands in a decoded batch: valid while the batch is.
public struct EventView: ~Escapable {
    public let envelope: Envelope
    /// The envelope's bytes, the first part of the leaf.
    public let envelopeBytes: RawSpan
    /// Salt and body, or the commitment of a withheld body, or nothing.
    let payload: RawSpan
    /// Whether the body was erased or left out of this copy.
    public let isWithheld: Bool

    static let saltSize = 16
    static let withheldFlag: UInt8 = 1

    @_lifetime(copy frame)
    init(_ frame: borrowing Frame) throws(CapsuleError) {
        guard Int(frame.auxiliary) <= frame.content.byteCount else {
            throw CapsuleError(.frameMalformed, "an event's envelope is longer than its frame")
        }
        envelopeBytes = frame.content.extracting(first: Int(frame.auxiliary))
        payload = frame.content.extracting(droppingFirst: Int(frame.auxiliary))
        envelope = try Envelope(envelopeBytes)
        isWithheld = frame.flags == Self.withheldFlag
        let fits =
            switch (envelope.bodyKind, isWithheld) {
            case (.none, false): payload.isEmpty
            case (.none, true): false
            case (_, true): payload.byteCount == 32
            case (.inline, false):
                payload.byteCount >= Self.saltSize
                    && payload.byteCount <= Self.saltSize + Limits.inlineBodyBytes
            case (.blob, false): payload.byteCount == Self.saltSize + BlobReference.size
            }
        guard frame.flags <= Self.withheldFlag, fits else {
            throw CapsuleError(.frameMalformed, "what follows an event's envelope does not fit its body kind")
        }
    }

    /// The body as it stands in the frame (for a blob, the reference to it), or nil if there is none or it is withheld.
    public var storedBody: RawSpan? {
        @_lifetime(copy self) get {
            envelope.bodyKind == .none || isWithheld ? nil : payload.extracting(droppingFirst: Self.saltSize)
        }
    }

    /// The salt of the commitment, or nil if there is no body or it is withheld.
    public var salt: [UInt8]? {
        envelope.bodyKind == .none || isWithheld ? nil : payload.extracting(first: Self.saltSize).array
    }

    /// The reference to the blob that is the body, if it is one and not withheld.
    public var blob: BlobReference? {
        guard envelope.bodyKind == .blob, let body = storedBody else { return nil }
        return BlobReference(body)
    }

    /// The commitment to the body: computed where the body is, read where it is gone.
    public var commitment: Digest {
        if envelope.bodyKind == .none { return .zero }
        if isWithheld { return payload.unsafeLoadUnaligned(as: Digest.self) }
        // Salt and body stand side by side in the frame, as they are hashed.
        return Hashing.sha256(payload)
    }

    /// The hash of the leaf that this event is.
    public var leafHash: Digest {
        let commitment = commitment
        return envelopeBytes.withUnsafeBytes { Hashing.leaf(envelope: $0, commitment: commitment) }
    }
}
