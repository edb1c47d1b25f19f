/// What run zero says of the capsule that this one was copied from: a claim of whoever copied it, like every body.
public struct CopyOrigin: Sendable, Equatable {
    public enum Purpose: String, Sendable {
        /// What could be proved of a damaged one was copied.
        case salvage
        /// A copy of a sound one goes its own way.
        case adoption
    }

    public var purpose: Purpose
    /// Of the capsule that was copied.
    public var origin: String
    /// Places of which something was lost; 0 for an adoption. The event lists them.
    public var losses: Int
    /// The event that says so.
    public var event: EventReference

    /// Nil for an event that says no such thing, or says it without a body.
    init?(_ event: RecordedEvent) {
        switch event.envelope.type {
        case .registered(.capsuleSalvage): purpose = .salvage
        case .registered(.capsuleAdopt): purpose = .adoption
        default: return nil
        }
        guard let body = event.json, let origin = body["from_origin"]?.string else { return nil }
        self.origin = origin
        losses = max(0, body["losses"]?.int ?? (body["complete"]?.bool == false ? 1 : 0))
        self.event = event.envelope.reference
    }

    public var value: JSONValue {
        [
            "purpose": .string(purpose.rawValue), "origin": .string(origin), "losses": .number(JSONNumber(losses)),
            "event": .string("\(event)"),
        ]
    }
}
