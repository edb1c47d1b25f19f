/// Where the content of a checked string lies, without its quotation marks.
struct JSONStringToken {
    let start: Int
    let end: Int

    /// Whether the content holds a backslash, so that its bytes are not the string itself.
    let isEscaped: Bool
}

extension JSONCursor {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highs: UInt64 = 0x8080_8080_8080_8080

    /// Marks the bytes of `word` that end a run of ordinary characters: quotation marks, backslashes, control
    /// characters and everything outside ASCII.
    ///
    /// The subtractions borrow from the byte above when a byte matches, so a mark above the lowest one may be false;
    /// only the lowest mark is ever used.
    @inline(__always)
    private static func stops(in word: UInt64) -> UInt64 {
        let quotes = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
        let slashes = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
        let marks = (quotes &- ones) | (slashes &- ones) | (word &- ones &* 0x20) | word
        return marks & highs
    }

    /// Moves past a string, checking its escapes and its UTF-8.
    ///
    /// The cursor must be at the opening quotation mark.
    mutating func scanString() throws(JSONFault) -> JSONStringToken {
        let start = offset &+ 1
        var position = start
        var isEscaped = false
        while true {
            position = skipOrdinary(from: position)
            guard position < count else { throw JSONFault(.unclosedString, at: count) }
            let byte = byte(at: position)
            if byte == UInt8(ascii: "\"") {
                offset = position &+ 1
                return JSONStringToken(start: start, end: position, isEscaped: isEscaped)
            }
            if byte == UInt8(ascii: "\\") {
                position = try endOfEscape(at: position)
                isEscaped = true
            } else if byte >= 0x80 {
                position = try endOfScalar(at: position)
            } else {
                throw JSONFault(.controlCharacter, at: position)
            }
        }
    }

    /// The first position from `start` on that is not an ordinary character, eight bytes at a time while there are
    /// eight left to read.
    @inline(__always)
    private func skipOrdinary(from start: Int) -> Int {
        var position = start
        while position &+ 8 <= count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let stops = Self.stops(in: word)
            guard stops == 0 else { return position &+ (stops.trailingZeroBitCount &>> 3) }
            position &+= 8
        }
        while position < count {
            let byte = byte(at: position)
            guard byte >= 0x20, byte < 0x80, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") else { break }
            position &+= 1
        }
        return position
    }

    /// The position after the run of multi-byte sequences that starts at `start`.
    ///
    /// The bounds on the second byte are those of table 3-7 of the Unicode standard: they keep out overlong forms,
    /// surrogates and everything above U+10FFFF.
    private func endOfScalar(at start: Int) throws(JSONFault) -> Int {
        var position = start
        while position < count, byte(at: position) >= 0x80 {
            let lead = byte(at: position)
            let length: Int
            var lowest: UInt8 = 0x80
            var highest: UInt8 = 0xBF
            switch lead {
            case 0xC2...0xDF: length = 2
            case 0xE0...0xEF:
                length = 3
                if lead == 0xE0 { lowest = 0xA0 }
                if lead == 0xED { highest = 0x9F }
            case 0xF0...0xF4:
                length = 4
                if lead == 0xF0 { lowest = 0x90 }
                if lead == 0xF4 { highest = 0x8F }
            default: throw JSONFault(.invalidUTF8, at: position)
            }
            guard position &+ length <= count else { throw JSONFault(.invalidUTF8, at: position) }
            let second = byte(at: position &+ 1)
            guard second >= lowest, second <= highest else { throw JSONFault(.invalidUTF8, at: position) }
            for index in 2..<max(length, 2) where byte(at: position &+ index) & 0xC0 != 0x80 {
                throw JSONFault(.invalidUTF8, at: position)
            }
            position &+= length
        }
        return position
    }

    /// The position after the escape that starts at `start`; a surrogate pair counts as one escape.
    private func endOfEscape(at start: Int) throws(JSONFault) -> Int {
        guard start &+ 1 < count else { throw JSONFault(.unclosedString, at: count) }
        switch byte(at: start &+ 1) {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return start &+ 2
        case UInt8(ascii: "u"):
            let unit = try codeUnit(at: start)
            guard unit & 0xF800 == 0xD800 else { return start &+ 6 }
            let low = start &+ 6
            guard unit < 0xDC00, low &+ 1 < count, byte(at: low) == UInt8(ascii: "\\"),
                byte(at: low &+ 1) == UInt8(ascii: "u")
            else { throw JSONFault(.loneSurrogate, at: start) }
            guard try codeUnit(at: low) & 0xFC00 == 0xDC00 else { throw JSONFault(.loneSurrogate, at: start) }
            return start &+ 12
        default:
            throw JSONFault(.invalidEscape, at: start)
        }
    }

    /// The code unit that the `\uXXXX` at `start` stands for.
    private func codeUnit(at start: Int) throws(JSONFault) -> UInt32 {
        var unit: UInt32 = 0
        for position in start &+ 2..<start &+ 6 {
            guard position < count else { throw JSONFault(.unclosedString, at: count) }
            guard let digit = Self.hexValue(byte(at: position)) else { throw JSONFault(.invalidEscape, at: start) }
            unit = unit << 4 | digit
        }
        return unit
    }

    /// The value of a hexadecimal digit of either case.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte &- UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte &- UInt8(ascii: "a") &+ 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte &- UInt8(ascii: "A") &+ 10)
        default: nil
        }
    }
}
