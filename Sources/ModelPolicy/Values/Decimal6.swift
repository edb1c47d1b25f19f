/// A decimal of at most six places, as an integer of millionths.
struct Decimal6: Hashable {
    let millionths: Int64

    init(millionths: Int64) { self.millionths = millionths }

    enum Fault: Error {
        case notANumber
        case tooPrecise
        case tooLarge
    }

    /// Reads `25`, `25.00`, `+0.8`, `1_000`, `2.5e1`: what TOML and YAML both call numbers, exactly.
    init(_ text: some StringProtocol) throws(Fault) {
        var digits = Int128(0)
        var places = 0
        var exponent = 0
        var sawDigit = false
        var sawPoint = false
        var isNegative = false
        var bytes = Substring(text).utf8
        if let first = bytes.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            bytes = bytes.dropFirst()
        }
        while let byte = bytes.popFirst() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                sawDigit = true
                if digits > 1 << 100 { throw .tooLarge }
                digits = digits * 10 + Int128(byte - UInt8(ascii: "0"))
                places += sawPoint ? 1 : 0
            case UInt8(ascii: ".") where !sawPoint: sawPoint = true
            case UInt8(ascii: "_") where sawDigit: continue
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard sawDigit, let value = Int(Substring(bytes)) else { throw .notANumber }
                guard value.magnitude <= 40 else { throw value > 0 ? .tooLarge : .tooPrecise }
                exponent = value
                bytes = Substring("").utf8
            default: throw .notANumber
            }
        }
        guard sawDigit else { throw .notANumber }
        self.millionths = try Self.scaled(isNegative ? -digits : digits, by: 6 - places + exponent)
    }

    private static func scaled(_ digits: Int128, by power: Int) throws(Fault) -> Int64 {
        var value = digits
        for _ in 0..<power.magnitude where value != 0 {
            if power > 0 {
                value *= 10
                guard value.magnitude <= Int64.max.magnitude else { throw .tooLarge }
            } else {
                guard value % 10 == 0 else { throw .tooPrecise }
                value /= 10
            }
        }
        guard let value = Int64(exactly: value) else { throw .tooLarge }
        return value
    }
}

extension Decimal6: CustomStringConvertible {
    /// The number with no more places than are needed.
    var description: String {
        let (whole, rest) = millionths.magnitude.quotientAndRemainder(dividingBy: 1_000_000)
        var text = (millionths < 0 ? "-" : "") + String(whole)
        guard rest > 0 else { return text }
        var digits = String(rest)
        digits = String(repeating: "0", count: 6 - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        text += "." + digits
        return text
    }
}
