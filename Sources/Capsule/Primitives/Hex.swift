/// Hexadecimal text.
public enum Hex {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Two lower-case digits a byte.
    public static func encode(_ bytes: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { buffer in
            var next = 0
            for byte in bytes {
                buffer[next] = digits[Int(byte >> 4)]
                buffer[next + 1] = digits[Int(byte & 15)]
                next += 2
            }
            return next
        }
    }

    /// Appends a number in exactly `width` lower-case digits.
    static func append(_ number: UInt64, width: Int, to bytes: inout [UInt8]) {
        for shift in stride(from: 4 * (width - 1), through: 0, by: -4) {
            bytes.append(digits[Int(truncatingIfNeeded: number >> UInt64(shift)) & 15])
        }
    }

    /// The bytes, or nil if `text` is not pairs of hexadecimal digits.
    public static func decode(_ text: some StringProtocol) -> [UInt8]? {
        var bytes: [UInt8] = []
        var high: UInt8?
        for character in text.utf8 {
            guard let digit = value(of: character) else { return nil }
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return high == nil ? bytes : nil
    }

    /// The value of one digit, or nil.
    static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
