/// A point in time to the second, in UTC: `2026-11-01T00:00:00Z`.
public struct PolicyTime: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int64

    public init(seconds: Int64) { self.seconds = seconds }

    public static func < (left: PolicyTime, right: PolicyTime) -> Bool { left.seconds < right.seconds }

    /// Reads a day (its beginning in UTC) or a time with an offset, as RFC 3339 writes them; nil otherwise.
    ///
    /// A fraction of a second must be zero.
    public init?(_ text: some StringProtocol) {
        var reader = DigitReader(Substring(text).utf8)
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2), reader.take("-"),
            let day = reader.number(2), (1...12).contains(month), day >= 1, day <= Self.days(in: month, year)
        else { return nil }
        var seconds = Self.daysSince1970(year, month, day) * 86_400
        if !reader.isAtEnd {
            guard reader.take("T") || reader.take("t") || reader.take(" "),
                let hour = reader.number(2), reader.take(":"), let minute = reader.number(2), reader.take(":"),
                let second = reader.number(2), hour < 24, minute < 60, second < 60, reader.takeZeroFraction(),
                let offset = reader.offset(), reader.isAtEnd
            else { return nil }
            seconds += hour * 3600 + minute * 60 + second - offset
        }
        self.seconds = seconds
    }

    private static func days(in month: Int64, _ year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Days of the Gregorian calendar, with years that begin in March so that the leap day is the last.
    private static func daysSince1970(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let years = month <= 2 ? year - 1 : year
        let months = (month + 9) % 12
        let leapDays = years / 4 - years / 100 + years / 400
        let dayOfYear = (months * 306 + 5) / 10 + day - 1
        return years * 365 + leapDays + dayOfYear - 719_468
    }

    private var date: (year: Int64, month: Int64, day: Int64) {
        let days = (seconds - (seconds % 86_400 + 86_400) % 86_400) / 86_400 + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension PolicyTime: CustomStringConvertible {
    /// RFC 3339 in UTC.
    public var description: String {
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let (year, month, day) = date
        let second = (seconds % 86_400 + 86_400) % 86_400
        let years = String(repeating: "0", count: max(0, 4 - String(year).utf8.count)) + String(year)
        return "\(years)-\(two(month))-\(two(day))T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
    }
}

/// Reads fixed numbers of digits.
private struct DigitReader {
    private var rest: Substring.UTF8View

    init(_ bytes: Substring.UTF8View) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, UInt32(first) == character.value else { return false }
        rest = rest.dropFirst()
        return true
    }

    mutating func number(_ digits: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<digits {
            guard let byte = rest.first, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int64(byte - UInt8(ascii: "0"))
            rest = rest.dropFirst()
        }
        return value
    }

    mutating func takeZeroFraction() -> Bool {
        guard take(".") else { return true }
        guard take("0") else { return false }
        while take("0") {}
        return true
    }

    /// The seconds that a time zone is ahead of UTC.
    mutating func offset() -> Int64? {
        if take("Z") || take("z") { return 0 }
        let sign: Int64 = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
        else { return nil }
        return sign * (hours * 3600 + minutes * 60)
    }
}
