#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A claimed point in time: nanoseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// Kept as given and never clamped; it is never the order of anything.
public struct Timestamp: Hashable, Comparable, Sendable {
    public var nanoseconds: Int64

    public init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

    public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }

    /// What the system's clock says.
    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(nanoseconds: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
    }
}

extension Timestamp: CustomStringConvertible {
    /// RFC 3339 in UTC with as many of nine digits of a second as are needed: `2026-11-23T14:00:00.25Z`.
    public var description: String { text(fractionDigits: nil) }

    /// RFC 3339 in UTC with a fixed number of digits of a second, cut off, not rounded.
    public func text(fractionDigits: Int?) -> String {
        let (seconds, fraction) = nanoseconds.quotientAndFloorRemainder(1_000_000_000)
        let (days, second) = seconds.quotientAndFloorRemainder(86_400)
        let date = CivilDate(daysSince1970: days)
        let clock = "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))"
        var digits = pad(fraction, 9)
        if let fractionDigits {
            digits = String(digits.prefix(fractionDigits))
        } else {
            while digits.last == "0" { digits.removeLast() }
        }
        let dot = digits.isEmpty ? "" : "."
        return "\(pad(date.year, 4))-\(pad(date.month, 2))-\(pad(date.day, 2))T\(clock)\(dot)\(digits)Z"
    }

    private func pad(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.utf8.count)) + text
    }
}

extension Timestamp {
    /// Reads RFC 3339: a date, `T` or a space, a time with up to nine digits of a second, and `Z` or an offset.
    ///
    /// Nil for anything else, for a date that the calendar does not have, and for a time that 64 bits cannot hold.
    public init?(rfc3339 text: some StringProtocol) {
        var rest = Substring(text).utf8
        guard let year = rest.number(4), rest.skip("-"), let month = rest.number(2), rest.skip("-"),
            let day = rest.number(2), rest.skip("T") || rest.skip("t") || rest.skip(" "),
            let hour = rest.number(2), rest.skip(":"), let minute = rest.number(2), rest.skip(":"),
            let second = rest.number(2), hour < 24, minute < 60, second < 60
        else { return nil }
        guard let fraction = rest.fraction(), let offset = rest.zoneOffset(), rest.isEmpty else { return nil }
        guard let days = CivilDate(year: year, month: month, day: day).daysSince1970 else { return nil }
        let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
        // Before 1970 the whole second may be out of range though the point in it is not: count down to it.
        let (whole, part) = seconds < 0 && fraction > 0 ? (seconds + 1, fraction - 1_000_000_000) : (seconds, fraction)
        let (scaled, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflowed) = scaled.addingReportingOverflow(part)
        guard !overflow, !overflowed else { return nil }
        self.init(nanoseconds: sum)
    }
}

extension Substring.UTF8View {
    fileprivate mutating func number(_ width: Int) -> Int64? {
        guard count >= width else { return nil }
        var value: Int64 = 0
        for character in prefix(width) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(character) else { return nil }
            value = value * 10 + Int64(character - UInt8(ascii: "0"))
        }
        self = dropFirst(width)
        return value
    }

    fileprivate mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard first == UInt8(ascii: character) else { return false }
        self = dropFirst()
        return true
    }

    /// Nanoseconds of an optional `.` and one to nine digits.
    fileprivate mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        let digits = prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }.count
        guard (1...9).contains(digits), var value = number(digits) else { return nil }
        for _ in digits..<9 { value *= 10 }
        return value
    }

    /// Seconds east of UTC.
    fileprivate mutating func zoneOffset() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let sign: Int64 = skip("+") ? 1 : skip("-") ? -1 : 0
        guard sign != 0, let hours = number(2), skip(":"), let minutes = number(2), hours < 24, minutes < 60 else {
            return nil
        }
        return sign * (hours * 3600 + minutes * 60)
    }
}

extension Int64 {
    /// Division that rounds down, so that the remainder is never negative.
    fileprivate func quotientAndFloorRemainder(_ divisor: Int64) -> (Int64, Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

/// A day of the Gregorian calendar, by Howard Hinnant's `days_from_civil` and `civil_from_days`.
struct CivilDate {
    var year: Int64
    var month: Int64
    var day: Int64

    init(year: Int64, month: Int64, day: Int64) {
        self.year = year
        self.month = month
        self.day = day
    }

    init(daysSince1970 days: Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// Nil if the calendar has no such day.
    var daysSince1970: Int64? {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard (1...12).contains(month), (1...lengths[Int(month) - 1]).contains(day) else { return nil }
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
