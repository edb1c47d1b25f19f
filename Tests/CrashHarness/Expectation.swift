import Capsule

/// What anyone was told or could see of a capsule, which no crash may make untrue.
public struct Expectation: Sendable {
    /// The bodies of all events that were ever submitted; the index is the event's number.
    var bodies: [[UInt8]] = []
    /// Events acknowledged as durable, and the leaves that their receipts named.
    var durable: [(event: Int, leaf: UInt64)] = []
    /// Events acknowledged as written: a kill must leave them, a power loss need not.
    var written: [(event: Int, leaf: UInt64)] = []
    /// Sizes and roots that somebody outside keeps: of checkpoint notes and of what readers saw.
    var pins: [UInt64: Digest] = [:]
    /// Roots of the history as it was written: where one is met again, all before it is as it was.
    var roots: [UInt64: Digest] = [:]
    /// How far an index reaches.
    var mark: UInt64 = 0
    /// Whether somebody was told that there is a capsule.
    var isCreated = false

    /// Whether a tree is one that was written, with all in it that was promised.
    func isKnown(_ tree: MerkleFrontier) -> Bool {
        guard let root = roots[tree.size], root == tree.root else { return false }
        return durable.allSatisfy { $0.leaf < tree.size }
            && pins.allSatisfy { roots[$0.key] == $0.value && $0.key <= tree.size }
    }

    /// Tells apart what the same disk image is checked against.
    var fingerprint: UInt64 {
        var hash = UInt64(bodies.count) &* 31 &+ UInt64(durable.count)
        hash = hash &* 31 &+ UInt64(pins.keys.max() ?? 0)
        hash = (hash &* 31 &+ mark) &* 31 &+ (isCreated ? 1 : 0)
        return (hash ^ hash >> 13) &* 0x9E37_79B9_7F4A_7C15
    }
}

/// What is wrong after a crash.
public struct CrashFailure: Error, Sendable, CustomStringConvertible {
    public enum Kind: String, Sendable, CaseIterable {
        /// Something acknowledged, or seen by a reader, is not there.
        case lost
        /// Something is there that nobody wrote, or twice.
        case invented
        /// A crash was taken for damage or tampering.
        case misread
        /// What stands in the file is not what recovery promises to leave.
        case unclean
    }

    public var kind: Kind
    public var reason: String
    /// What led to it.
    public var story = ""

    init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }

    public var description: String { "\(kind.rawValue): \(reason)\(story.isEmpty ? "" : "\n  \(story)")" }
}
