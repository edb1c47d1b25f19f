/// Canonical JSON (RFC 8785, "JCS"): the one text of each JSON value, so that hashes and signatures can be compared.
///
/// Keys are ordered by their UTF-16 code units, there is no white space, strings are escaped as little as possible,
/// and numbers are written as ECMAScript writes them.
///
/// Numbers are doubles here, as the RFC has it: an integer beyond 2^53 is rounded, and `9007199254740993` becomes
/// `9007199254740992`. Put such numbers into strings. ``check(_:depth:)-(UnsafeRawBufferPointer,_)`` refuses the text
/// of a number that would be rounded.
public enum CanonicalJSON {
    /// The canonical text of a value.
    ///
    /// - Throws: ``JSONError`` with `numberOutOfRange` when a number is too large for a finite double, or with
    ///   `tooDeep` beyond ``JSONText/Limits/deepest`` levels; its offset is how much had been written.
    public static func encode(_ value: JSONValue) throws(JSONError) -> [UInt8] {
        var bytes: [UInt8] = []
        try append(value, to: &bytes, remaining: JSONText.Limits.deepest)
        return bytes
    }

    private static func append(
        _ value: JSONValue,
        to bytes: inout [UInt8],
        remaining: Int
    ) throws(JSONError) {
        switch value {
        case .null: bytes += "null".utf8
        case .bool(let value): bytes += (value ? "true" : "false").utf8
        case .number(let value): try append(value, to: &bytes)
        case .string(let value): append(value, to: &bytes)
        case .array(let elements):
            guard remaining > 0 else { throw JSONError(.tooDeep, written: bytes.count) }
            bytes.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                try append(element, to: &bytes, remaining: remaining - 1)
            }
            bytes.append(UInt8(ascii: "]"))
        case .object(let members):
            guard remaining > 0 else { throw JSONError(.tooDeep, written: bytes.count) }
            bytes.append(UInt8(ascii: "{"))
            for (index, member) in sorted(members).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                append(member.key, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                try append(member.value, to: &bytes, remaining: remaining - 1)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func sorted(_ members: JSONValue.Members) -> [JSONValue.Member] {
        members.sorted { precedes($0.key, $1.key) }
    }

    /// Whether a key comes before another in the order of UTF-16 code units.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        var right = right.utf8.makeIterator()
        for byte in left.utf8 {
            guard let other = right.next() else { return false }
            if byte != other { return utf16Precedes(byte, other) }
        }
        return right.next() != nil
    }

    /// The order of two strings in UTF-16, given the first bytes in which their UTF-8 differs.
    ///
    /// The two orders agree except that characters above U+FFFF (lead bytes F0 and up) are surrogates in UTF-16 and
    /// sort below U+E000 to U+FFFF (lead bytes EE and EF).
    static func utf16Precedes(_ left: UInt8, _ right: UInt8) -> Bool {
        if left >= 0xF0, right == 0xEE || right == 0xEF { return true }
        if right >= 0xF0, left == 0xEE || left == 0xEF { return false }
        return left < right
    }

    private static func append(_ string: String, to bytes: inout [UInt8]) {
        var string = string
        string.withUTF8 { JSONEscaping.appendQuoted(UnsafeRawBufferPointer($0), to: &bytes) }
    }

    private static func append(_ number: JSONNumber, to bytes: inout [UInt8]) throws(JSONError) {
        guard let value = number.double else { throw JSONError(.numberOutOfRange, written: bytes.count) }
        ECMAScriptNumber(value).append(to: &bytes)
    }
}
