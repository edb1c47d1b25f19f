/// The fixed fields of an event (`spec/format.md` section 5.2). Canonical: one value, one encoding.
///
/// It holds no free text, because it is part of the leaf and cannot be erased.
public struct Envelope: Equatable, Sendable {
    /// Bytes before the variable part.
    static let fixedSize = 80

    public var type: EventType
    public var media = MediaType.none
    public var bodyKind = BodyKind.none
    public var sequence: UInt32 = 0
    /// Sequence of the event that introduced who did this; 0 is who started the run.
    public var actor: UInt32 = 0
    /// Sequence of the stage event in force; 0 before the first.
    public var stage: UInt32 = 0
    public var time: Timestamp
    public var run: RunID
    /// The policy snapshot in force; zero in run zero only.
    public var snapshot: Digest
    /// What most events do not have, behind one reference: envelopes are copied, and every field of them costs.
    var rare: Boxed<Rare>?

    struct Rare: Equatable, Sendable {
        var causes: [EventReference] = []
        var trace: TraceContext?
        var key: KeyHash?
        var token: KeyHash?
        var seal: Seal?
    }

    /// Whether the envelope is nothing but its fixed fields, and perhaps a name.
    var isPlain: Bool { rare == nil }

    public var causes: [EventReference] {
        get { rare?.value.causes ?? [] }
        set { if rare != nil || !newValue.isEmpty { set(\.causes, newValue) } }
    }
    public var trace: TraceContext? {
        get { rare?.value.trace }
        set { if rare != nil || newValue != nil { set(\.trace, newValue) } }
    }
    public var key: KeyHash? {
        get { rare?.value.key }
        set { if rare != nil || newValue != nil { set(\.key, newValue) } }
    }
    public var token: KeyHash? {
        get { rare?.value.token }
        set { if rare != nil || newValue != nil { set(\.token, newValue) } }
    }
    public var seal: Seal? {
        get { rare?.value.seal }
        set { if rare != nil || newValue != nil { set(\.seal, newValue) } }
    }

    /// Nil stays nil for an envelope that has none of it, so that equal envelopes are equal.
    private mutating func set<Value>(_ field: WritableKeyPath<Rare, Value>, _ value: Value) {
        var all = rare?.value ?? Rare()
        all[keyPath: field] = value
        rare = all == Rare() ? nil : Boxed(all)
    }

    public enum BodyKind: UInt8, Sendable {
        case none = 0
        case inline = 1
        case blob = 2
    }

    /// What the last event of a run says of it.
    public struct Seal: Equatable, Sendable {
        /// As registered; an unknown code is kept.
        public var outcomeCode: UInt8
        /// RFC 6962 root over the run's leaves before the seal.
        public var root: Digest

        public init(outcomeCode: UInt8, root: Digest) {
            self.outcomeCode = outcomeCode
            self.root = root
        }

        public var outcome: Outcome? { Outcome(rawValue: outcomeCode) }
    }

    public init(type: EventType, time: Timestamp, run: RunID, snapshot: Digest) {
        self.type = type
        self.time = time
        self.run = run
        self.snapshot = snapshot
    }

    public var reference: EventReference { EventReference(run: run, sequence: sequence) }
}

/// A value behind one reference, never changed.
package final class Boxed<Value: Equatable & Sendable>: Equatable, Sendable {
    package let value: Value

    package init(_ value: Value) { self.value = value }

    package static func == (left: Boxed, right: Boxed) -> Bool { left === right || left.value == right.value }
}

/// A position in a distributed trace, as W3C Trace Context defines it: 16 bytes of trace, 8 of span, 1 of flags.
public struct TraceContext: Equatable, Sendable {
    public var bytes: [UInt8]

    /// Nil unless there are 25 bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 25 else { return nil }
        self.bytes = Array(bytes)
    }

    /// Reads a `traceparent` of version 00: `00-<32 hex>-<16 hex>-<2 hex>`.
    public init?(traceparent: some StringProtocol) {
        let parts = traceparent.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 4, parts[0] == "00", parts[1].utf8.count == 32, parts[2].utf8.count == 16,
            parts[3].utf8.count == 2, let bytes = Hex.decode(parts[1...3].joined())
        else { return nil }
        self.init(bytes: bytes)
    }

    /// The `traceparent` header's text.
    public var traceparent: String {
        "00-\(Hex.encode(bytes[0..<16]))-\(Hex.encode(bytes[16..<24]))-\(Hex.encode(bytes[24...]))"
    }
}
