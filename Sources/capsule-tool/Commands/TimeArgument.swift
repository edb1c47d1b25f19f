import ArgumentParser
import Ledger

/// A point in time as people type it: RFC 3339, a date, or how long ago.
struct TimeArgument: Equatable {
    /// The first instant that is meant.
    var first: Timestamp
    /// The first instant after all that is meant: of a date, the next midnight.
    var end: Timestamp

    static let help = "a time (RFC 3339), a date, or how long ago: 90s, 15m, 2h, 7d, 4w"
    private static let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
    private static let second: Int64 = 1_000_000_000

    /// - Throws: `ValidationError`.
    init(_ text: String, now: Timestamp = .now) throws {
        if let unit = text.last.flatMap({ Self.units[$0] }), let number = Int64(text.dropLast()), number >= 0 {
            let (seconds, overflow) = number.multipliedReportingOverflow(by: unit)
            let (span, overflowed) = seconds.multipliedReportingOverflow(by: Self.second)
            let (time, tooEarly) = now.nanoseconds.subtractingReportingOverflow(span)
            guard !overflow, !overflowed, !tooEarly else {
                throw ValidationError("'\(text)' is longer ago than \(Self.range), the times that a capsule can tell")
            }
            (first, end) = (Timestamp(nanoseconds: time), Timestamp(nanoseconds: time))
        } else if let midnight = Timestamp(rfc3339: "\(text)T00:00:00Z") {
            first = midnight
            let (next, overflow) = midnight.nanoseconds.addingReportingOverflow(86_400 * Self.second)
            end = Timestamp(nanoseconds: overflow ? .max : next)
        } else if let time = Self.instant(text) {
            (first, end) = (time, time)
        } else {
            throw Self.refusal(text)
        }
    }

    private static func instant(_ text: String) -> Timestamp? {
        Timestamp(rfc3339: text) ?? Timestamp(rfc3339: "\(text)Z") ?? Timestamp(rfc3339: "\(text):00Z")
    }

    private static let range = "1677-09-21 to 2262-04-11"

    private static func refusal(_ text: String) -> ValidationError {
        // The same day of a year that every time can be of says whether only the year is out of range.
        let inRange = "2000" + text.dropFirst(4)
        let isDate = text.count > 4 && text.prefix(4).allSatisfy(\.isNumber)
        if isDate, Timestamp(rfc3339: "\(inRange)T00:00:00Z") ?? instant(inRange) != nil {
            return ValidationError("'\(text)' lies outside of \(range), the times that a capsule can tell")
        }
        return ValidationError("'\(text)' is not \(help)")
    }
}

/// `name=value`.
struct LabelArgument {
    var name: String
    var value: String

    /// - Throws: `ValidationError`.
    init(_ text: String) throws {
        guard let mark = text.firstIndex(of: "="), mark > text.startIndex else {
            throw ValidationError("'\(text)' is not a label like team=core")
        }
        name = String(text[..<mark])
        value = String(text[text.index(after: mark)...])
    }
}

/// `--as-of`.
struct AsOfOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What the capsule said at this checkpoint: its label, #3 for the third, or its number of events.",
            valueName: "checkpoint"
        )
    )
    var asOf: String?

    func checkpoint(_ reader: LedgerReader) throws -> Checkpoint? { try asOf.map { try reader.checkpoint($0) } }
}
