import JSONText

/// An event of a run as the router sees it: what it says, and nothing of where it is kept.
public struct RoutingEvent: Sendable {
    /// What the router takes notice of; everything else is none of its business.
    public enum Kind: String, Sendable, CaseIterable {
        case start = "run.start"
        case stage
        case decision = "routing.decision"
        case settlement = "routing.settlement"
        case gateResult = "gate.result"
        case answer = "human.answer"
        case override
        case alert = "budget.alert"
    }

    public var kind: Kind
    public var sequence: UInt32
    /// When the event says that it happened, in milliseconds.
    public var time: Int64
    /// Events of the same run that it names as its causes.
    public var causes: [UInt32]
    /// Nil where the body is not JSON, was erased, or does not stand in the event itself: then it counts for nothing.
    public var body: JSONValue?
    /// For a decision that was just made or derived again, what its body says; else the body is read.
    public var effect: DecisionEffect?

    public init(_ kind: Kind, sequence: UInt32, time: Int64, causes: [UInt32] = [], body: JSONValue?) {
        self.kind = kind
        self.sequence = sequence
        self.time = time
        self.causes = causes
        self.body = body
    }
}
