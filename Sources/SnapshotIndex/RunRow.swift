import Capsule

/// A run as the index knows it.
public struct RunRow: Equatable, Sendable {
    public var id: RunID
    /// The name that `run.start`'s body gives; nil if it gives none or is withheld.
    public var name: String?
    /// The member `spec` of `run.start`'s body.
    public var spec: String?
    /// Times are those of the run's first and newest event, and of its seal: claims by whoever wrote them.
    public var startTime: Timestamp
    public var lastTime: Timestamp
    public var endTime: Timestamp?
    /// The outcome's code in the seal (see `Outcome`); nil while the run is open.
    public var outcomeCode: UInt8?
    /// Events, the seal among them.
    public var events: UInt64
    /// The snapshot in force last.
    public var snapshot: Digest
    /// Index of the run's first leaf in the capsule.
    public var firstLeaf: UInt64
    /// Whether appends need a token.
    public var isExclusive: Bool

    public var isOpen: Bool { outcomeCode == nil }
    /// How the run ended, if it did and the code is a registered one.
    public var outcome: Outcome? { outcomeCode.flatMap(Outcome.init(rawValue:)) }
}

extension RunRow {
    /// Run zero, which the index does not list.
    package init(ownFrom start: Timestamp, to end: Timestamp, events: UInt64, snapshot: Digest) {
        self.init(
            id: .zero,
            startTime: start,
            lastTime: end,
            events: events,
            snapshot: snapshot,
            firstLeaf: 0,
            isExclusive: false
        )
    }
}

/// Which runs to list. Every condition that is given must hold.
public struct RunQuery: Equatable, Sendable {
    public enum State: Sendable {
        case open
        case ended
    }

    public var state: State?
    /// Runs that had this snapshot in force at some time.
    public var snapshot: Digest?
    /// Exactly this name.
    public var name: String?
    /// Runs that began before this leaf: the `firstLeaf` of the last row of a page gives the next page.
    public var before: UInt64?
    public var limit: Int

    public init(
        state: State? = nil,
        snapshot: Digest? = nil,
        name: String? = nil,
        before: UInt64? = nil,
        limit: Int = .max
    ) {
        self.state = state
        self.snapshot = snapshot
        self.name = name
        self.before = before
        self.limit = limit
    }
}

/// What a text that was meant for a run names.
public enum RunMatch: Equatable, Sendable {
    case one(RunRow)
    case none
    /// Several, newest first; no more than `maximumShown`.
    case ambiguous([RunRow])

    public static let maximumShown = 20

    init(_ rows: [RunRow]) {
        self = rows.count > 1 ? .ambiguous(rows) : rows.first.map(RunMatch.one) ?? .none
    }
}
