import Capsule
import WriterQueue

/// What happens on a simulated machine, one thing after the other.
public enum Step: Sendable, Hashable, CustomStringConvertible {
    /// One submission of so many events, each with a body of so many bytes.
    case append(process: Int, events: Int, bytes: Int, Durability)
    /// A turn for two submissions; the first brings a document along, so that two batches are written at once.
    case twoBatches(process: Int, bytes: Int)
    case checkpoint(process: Int)
    /// An append whose sync fails.
    case failedSync(process: Int, bytes: Int)
    /// An append in the middle of which the process is killed, before its call with this number.
    case killed(process: Int, call: Int)
    /// The process is killed between its turns, and started again when it is needed.
    case restart(process: Int)
    /// One process appends; when it asks for the lock another one takes a turn first.
    case race(process: Int, before: Int)
    /// Somebody who only reads looks as far as they may, and remembers what they saw.
    case read
    /// Somebody deletes the note.
    case forgetNote

    public var description: String {
        switch self {
        case .append(let process, let events, let bytes, let durability):
            "P\(process) appends \(events)×\(bytes) \(durability)"
        case .twoBatches(let process, let bytes): "P\(process) appends two batches of \(bytes)"
        case .checkpoint(let process): "P\(process) makes a checkpoint"
        case .failedSync(let process, let bytes): "P\(process) appends \(bytes), its sync fails"
        case .killed(let process, let call): "P\(process) appends, killed at call \(call)"
        case .restart(let process): "P\(process) is killed"
        case .race(let process, let before): "P\(process) appends, P\(before) gets the lock first"
        case .read: "a reader reads"
        case .forgetNote: "the note is deleted"
        }
    }
}

public struct Script: Sendable, Hashable {
    public var steps: [Step]
    /// Whether the capsule does not exist before; the first process then makes it, and is killed before this call of
    /// it, or not at all.
    public var creation: Creation = .before

    public enum Creation: Hashable, Sendable {
        case before
        case whole
        case killed(call: Int)
    }

    public init(_ steps: [Step], creation: Creation = .before) {
        self.steps = steps
        self.creation = creation
    }

    /// One of each kind, small: what the exhaustive part puts together in every order.
    public static let alphabet: [Step] = [
        .append(process: 0, events: 1, bytes: 10, .durable),
        .append(process: 1, events: 1, bytes: 10, .durable),
        .append(process: 0, events: 1, bytes: 900, .written),
        .append(process: 0, events: 1, bytes: 900, .durable),
        .twoBatches(process: 0, bytes: 300),
        .checkpoint(process: 0),
        .failedSync(process: 0, bytes: 300),
        .killed(process: 1, call: 12),
        .race(process: 0, before: 1),
        .restart(process: 0),
        .read,
        .forgetNote,
    ]

    /// The script with this number among all of this length.
    public static func all(length: Int, number: Int) -> Script {
        var rest = number
        return Script(
            (0..<length).map { _ in
                defer { rest /= alphabet.count }
                return alphabet[rest % alphabet.count]
            }
        )
    }

    public static func count(length: Int) -> Int { (0..<length).reduce(1) { count, _ in count * alphabet.count } }

    /// Scripts that begin without a capsule: whole, and killed before each of the first calls.
    public static var creating: [Script] {
        let creations: [Creation] = [.whole] + (0..<10).map { .killed(call: $0) }
        let ends: [[Step]] = [
            [], [alphabet[0]], [alphabet[1], .restart(process: 1), alphabet[1]], [.read, alphabet[3]],
        ]
        return creations.flatMap { creation in ends.map { Script($0, creation: creation) } }
    }

    /// Any script of up to eight steps.
    public static func random(_ dice: inout Dice) -> Script {
        Script((0..<(1 + dice.below(8))).map { _ in step(&dice) })
    }

    private static func step(_ dice: inout Dice) -> Step {
        let process = dice.below(3)
        let bytes = [10, 10, 200, 900, 900, 1500][dice.below(6)]
        switch dice.below(16) {
        case 0...3:
            return .append(process: process, events: 1 + dice.below(3), bytes: bytes, .durable)
        case 4...5: return .append(process: process, events: 1 + dice.below(3), bytes: bytes, .written)
        case 6...7: return .twoBatches(process: process, bytes: bytes)
        case 8: return .checkpoint(process: process)
        case 9: return .failedSync(process: process, bytes: bytes)
        case 10...11: return .killed(process: process, call: dice.below(24))
        case 12: return .restart(process: process)
        case 13: return .race(process: process, before: (process + 1) % 3)
        case 14: return .forgetNote
        default: return .read
        }
    }
}
