/// A JSON number as it was written.
///
/// JSON numbers have no size limit, so the text is kept and read as an integer or a double only when asked: nothing
/// is lost by carrying a number through. A `JSONNumber` always follows the number grammar of RFC 8259.
public struct JSONNumber: Sendable, Hashable {
    /// The number as it is written in JSON.
    public let text: String

    /// Takes a number in its JSON form; nil when `text` does not follow the grammar.
    public init?(_ text: String) {
        guard Self.read(text, { _, _ in true }) == true else { return nil }
        self.text = text
    }

    /// Writes an integer.
    public init(_ value: some BinaryInteger) {
        text = String(value)
    }

    /// Writes a double in the form ECMAScript and RFC 8785 give it; nil when it is not finite.
    public init?(_ value: Double) {
        guard value.isFinite else { return nil }
        var bytes: [UInt8] = []
        ECMAScriptNumber(value).append(to: &bytes)
        text = String(decoding: bytes, as: UTF8.self)
    }

    /// Takes text that the lexer has already accepted.
    init(checked text: String) {
        self.text = text
    }

    /// The number as an integer; nil when it has a fractional part or does not fit.
    ///
    /// The value counts and not the spelling: `100`, `1e2` and `100.0` are all one hundred.
    public var int: Int? {
        guard case .value(let value)? = Self.read(text, { $0.integral($1) }) else { return nil }
        return value
    }

    /// The double nearest to the number; nil when the number is too large for a finite double.
    public var double: Double? {
        guard let value = Double(text), value.isFinite else { return nil }
        return value
    }

    /// Reads all of `text` as a number; nil when it is not one.
    private static func read<Result>(
        _ text: String,
        _ body: (JSONCursor, JSONNumberToken) -> Result
    ) -> Result? {
        var text = text
        return text.withUTF8 { bytes in
            guard let first = bytes.first, first == UInt8(ascii: "-") || JSONCursor.isDigit(first),
                var cursor = try? JSONCursor(UnsafeRawBufferPointer(bytes)),
                let token = try? cursor.scanNumber(), token.end == bytes.count
            else { return nil }
            return body(cursor, token)
        }
    }
}

extension JSONNumber: CustomStringConvertible {
    /// The number as it is written in JSON.
    public var description: String {
        text
    }
}

extension JSONNumber: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) {
        self.init(value)
    }
}

/// A finite double in the one form that ECMAScript's `Number::toString` gives it (ECMA-262, 6.1.6.1.20), which
/// RFC 8785 makes the canonical form of JSON numbers.
///
/// Swift prints the shortest digits that read back as the same double, and of those the nearest, which are the digits
/// ECMAScript asks for; only where the point stands and when there is an exponent differ.
struct ECMAScriptNumber {
    private let isNegative: Bool

    /// The significant digits, in ASCII, with no zero at either end; empty for zero.
    private var digits: [UInt8] = []

    /// Where the point stands: the value is `0.digits × 10^point`.
    private var point = 0

    /// Takes a finite double apart.
    init(_ value: Double) {
        isNegative = value < 0
        digits.reserveCapacity(17)
        var isFraction = false
        var description = value.magnitude.description.utf8.makeIterator()
        while let byte = description.next() {
            if byte == UInt8(ascii: ".") {
                isFraction = true
            } else if byte == UInt8(ascii: "e") {
                point += Self.exponent(&description)
            } else if digits.isEmpty, byte == UInt8(ascii: "0") {
                point -= isFraction ? 1 : 0
            } else {
                digits.append(byte)
                point += isFraction ? 0 : 1
            }
        }
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
        }
    }

    /// Reads the exponent of a printed double, which has at most three digits.
    private static func exponent(_ description: inout String.UTF8View.Iterator) -> Int {
        var value = 0
        var isNegative = false
        while let byte = description.next() {
            if JSONCursor.isDigit(byte) {
                value = value * 10 + Int(byte &- UInt8(ascii: "0"))
            } else {
                isNegative = byte == UInt8(ascii: "-")
            }
        }
        return isNegative ? -value : value
    }

    /// Appends the number.
    func append(to bytes: inout [UInt8]) {
        guard !digits.isEmpty else { return bytes.append(UInt8(ascii: "0")) }
        if isNegative { bytes.append(UInt8(ascii: "-")) }
        switch point {
        case digits.count...21:
            bytes += digits
            appendZeros(point - digits.count, to: &bytes)
        case 1...21:
            bytes += digits[..<point]
            bytes.append(UInt8(ascii: "."))
            bytes += digits[point...]
        case -5...0:
            bytes += "0.".utf8
            appendZeros(-point, to: &bytes)
            bytes += digits
        default:
            appendScientific(to: &bytes)
        }
    }

    private func appendZeros(_ count: Int, to bytes: inout [UInt8]) {
        bytes.append(contentsOf: repeatElement(UInt8(ascii: "0"), count: count))
    }

    private func appendScientific(to bytes: inout [UInt8]) {
        bytes += digits.prefix(1)
        if digits.count > 1 {
            bytes.append(UInt8(ascii: "."))
            bytes += digits.dropFirst()
        }
        bytes += (point > 0 ? "e+" : "e-").utf8
        bytes += String((point - 1).magnitude).utf8
    }
}
