extension SchemaRun {
    /// Whether a string is the prefix of the node and as many lower-case hexadecimal digits as it asks for.
    func isHex(_ token: JSONStringToken, prefix: UnsafeRawBufferPointer, digits: Int) -> Bool {
        guard !token.isEscaped else { return isEscapedHex(token, prefix: prefix, digits: digits) }
        guard token.end &- token.start &- prefix.count == digits else { return false }
        if let base = prefix.baseAddress {
            guard JSONCursor.areEqual(cursor.base + token.start, base, count: prefix.count) else { return false }
        }
        var position = token.start &+ prefix.count
        while position &+ 8 <= token.end {
            let word = cursor.base.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            guard Self.areLowerHex(word) else { return false }
            position &+= 8
        }
        while position < token.end {
            guard Self.isLowerHex(cursor.byte(at: position)) else { return false }
            position &+= 1
        }
        return true
    }

    /// Whether eight ASCII bytes are all lower-case hexadecimal digits.
    ///
    /// Every byte is below 0x80 once the last line has looked at its high bits, so no sum carries into the next byte:
    /// a byte is a digit when it is at least "0" and less than ":", a letter when at least "a" and less than "g".
    @inline(__always)
    private static func areLowerHex(_ word: UInt64) -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let low = word & (ones &* 0x7F)
        let digits = (low &+ ones &* (0x80 - 0x30)) & ~(low &+ ones &* (0x80 - 0x3A))
        let letters = (low &+ ones &* (0x80 - 0x61)) & ~(low &+ ones &* (0x80 - 0x67))
        return (digits | letters) & ~word & (ones &* 0x80) == ones &* 0x80
    }

    @inline(__always)
    private static func isLowerHex(_ byte: UInt8) -> Bool {
        JSONCursor.isDigit(byte) || byte &- UInt8(ascii: "a") < 6
    }

    private func isEscapedHex(_ token: JSONStringToken, prefix: UnsafeRawBufferPointer, digits: Int) -> Bool {
        var reader = JSONStringReader(token, in: cursor)
        for expected in prefix {
            guard reader.next() == expected else { return false }
        }
        var count = 0
        while let byte = reader.next() {
            guard Self.isLowerHex(byte) else { return false }
            count &+= 1
        }
        return count == digits
    }

    /// Whether a string is a name: a lower-case letter, then letters, digits, `.`, `_` and `-`.
    func isName(_ token: JSONStringToken, maxLength: Int) -> Bool {
        var reader = JSONStringReader(token, in: cursor)
        guard let first = reader.next(), first &- UInt8(ascii: "a") < 26 else { return false }
        var count = 1
        while let byte = reader.next() {
            let isAllowed =
                byte &- UInt8(ascii: "a") < 26 || JSONCursor.isDigit(byte)
                || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
            guard isAllowed else { return false }
            count &+= 1
        }
        return count <= maxLength
    }

    /// Whether a string is a time like `2026-01-31T23:59:59Z`, each of its numbers within its range.
    func isTimestamp(_ token: JSONStringToken) -> Bool {
        var reader = JSONStringReader(token, in: cursor)
        return isNumber(&reader, digits: 4, in: 0...9999, then: UInt8(ascii: "-"))
            && isNumber(&reader, digits: 2, in: 1...12, then: UInt8(ascii: "-"))
            && isNumber(&reader, digits: 2, in: 1...31, then: UInt8(ascii: "T"))
            && isNumber(&reader, digits: 2, in: 0...23, then: UInt8(ascii: ":"))
            && isNumber(&reader, digits: 2, in: 0...59, then: UInt8(ascii: ":"))
            && isNumber(&reader, digits: 2, in: 0...59, then: UInt8(ascii: "Z"))
            && reader.next() == nil
    }

    private func isNumber(
        _ reader: inout JSONStringReader,
        digits: Int,
        in range: ClosedRange<Int>,
        then separator: UInt8
    ) -> Bool {
        var value = 0
        for _ in 0..<digits {
            guard let byte = reader.next(), JSONCursor.isDigit(byte) else { return false }
            value = value &* 10 &+ Int(byte &- UInt8(ascii: "0"))
        }
        return range.contains(value) && reader.next() == separator
    }
}
