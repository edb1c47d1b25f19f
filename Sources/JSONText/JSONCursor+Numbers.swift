/// Where a checked number lies.
struct JSONNumberToken {
    let start: Int
    let end: Int

    /// Whether there is neither a fraction nor an exponent.
    let isPlain: Bool
}

/// What a number is when it is asked to be an integer.
enum JSONIntegral: Equatable {
    /// It has a fractional part.
    case fraction
    /// It is this integer, however it is written (`100`, `1e2` and `100.0` are the same number).
    case value(Int)
    /// It is an integer below `Int.min`.
    case below
    /// It is an integer above `Int.max`.
    case above
}

extension JSONCursor {
    /// Moves past a number.
    ///
    /// The cursor must be at a digit or a minus sign.
    mutating func scanNumber() throws(JSONFault) -> JSONNumberToken {
        let start = offset
        if current == UInt8(ascii: "-") { offset &+= 1 }
        if current == UInt8(ascii: "0") {
            offset &+= 1
            guard !Self.isDigit(current) else { throw JSONFault(.leadingZero, at: offset &- 1) }
        } else {
            try scanDigits()
        }
        var isPlain = true
        if current == UInt8(ascii: ".") {
            isPlain = false
            offset &+= 1
            try scanDigits()
        }
        if current | 0x20 == UInt8(ascii: "e") {
            isPlain = false
            offset &+= 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { offset &+= 1 }
            try scanDigits()
        }
        return JSONNumberToken(start: start, end: offset, isPlain: isPlain)
    }

    /// Moves past one or more digits.
    @inline(__always)
    private mutating func scanDigits() throws(JSONFault) {
        var position = offset
        while position < count, Self.isDigit(byte(at: position)) {
            position &+= 1
        }
        guard position > offset else { throw fault(.invalidNumber) }
        offset = position
    }

    @inline(__always)
    static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }

    /// The integer that a checked number is.
    func integral(_ token: JSONNumberToken) -> JSONIntegral {
        let isNegative = byte(at: token.start) == UInt8(ascii: "-")
        let first = isNegative ? token.start &+ 1 : token.start
        // Eighteen digits cannot overflow, so the usual number needs no overflow test at each digit.
        guard token.isPlain, token.end &- first <= 18 else {
            return JSONDecimal(self, first: first, end: token.end).integral(isNegative: isNegative)
        }
        var value = 0
        for position in first..<token.end {
            value = value &* 10 &+ Int(byte(at: position) &- UInt8(ascii: "0"))
        }
        return .value(isNegative ? -value : value)
    }
}

/// A checked number taken apart into digits and a power of ten: `digits × 10^scale`.
///
/// The digits are read in place and never collected, so a number of a million digits costs no memory.
private struct JSONDecimal {
    private let cursor: JSONCursor
    private let first: Int
    private let mantissaEnd: Int
    private let digits: Int
    private let scale: Int

    /// Takes apart the number between `first`, its first digit, and `end`.
    init(_ cursor: JSONCursor, first: Int, end: Int) {
        var mantissaEnd = first
        var digits = 0
        var fractionDigits = 0
        var isFraction = false
        while mantissaEnd < end, cursor.byte(at: mantissaEnd) | 0x20 != UInt8(ascii: "e") {
            if JSONCursor.isDigit(cursor.byte(at: mantissaEnd)) {
                digits &+= 1
                fractionDigits &+= isFraction ? 1 : 0
            } else {
                isFraction = true
            }
            mantissaEnd &+= 1
        }
        self.cursor = cursor
        self.first = first
        self.mantissaEnd = mantissaEnd
        self.digits = digits
        self.scale = Self.exponent(cursor, from: mantissaEnd &+ 1, to: end) - fractionDigits
    }

    /// The exponent, held within a range in which no later sum can overflow.
    private static func exponent(_ cursor: JSONCursor, from start: Int, to end: Int) -> Int {
        guard start < end else { return 0 }
        let largest = Int.max / 32
        var value = 0
        for position in start..<end where JSONCursor.isDigit(cursor.byte(at: position)) {
            value = min(value * 10 + Int(cursor.byte(at: position) &- UInt8(ascii: "0")), largest)
        }
        return cursor.byte(at: start) == UInt8(ascii: "-") ? -value : value
    }

    /// The integer this is.
    func integral(isNegative: Bool) -> JSONIntegral {
        // With a negative scale the last digits stand behind the point, and must all be zero.
        let whole = digits + min(scale, 0)
        var value = 0
        var overflows = false
        var index = 0
        for position in first..<mantissaEnd where JSONCursor.isDigit(cursor.byte(at: position)) {
            let digit = Int(cursor.byte(at: position) &- UInt8(ascii: "0"))
            if index >= whole {
                guard digit == 0 else { return .fraction }
            } else {
                overflows = !Self.append(digit, to: &value, isNegative: isNegative) || overflows
            }
            index &+= 1
        }
        // Nineteen zeros overflow every value but zero, which no number of zeros changes.
        for _ in 0..<min(max(scale, 0), 20) where value != 0 {
            overflows = !Self.append(0, to: &value, isNegative: isNegative) || overflows
        }
        guard !overflows else { return isNegative ? .below : .above }
        return .value(value)
    }

    /// Appends a digit below a value that is kept negative for negative numbers, so that `Int.min` can be reached.
    private static func append(_ digit: Int, to value: inout Int, isNegative: Bool) -> Bool {
        let (product, productOverflows) = value.multipliedReportingOverflow(by: 10)
        let (sum, sumOverflows) =
            isNegative
            ? product.subtractingReportingOverflow(digit) : product.addingReportingOverflow(digit)
        guard !productOverflows, !sumOverflows else { return false }
        value = sum
        return true
    }
}
