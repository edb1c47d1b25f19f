extension CanonicalJSON {
    /// Checks that `bytes` are a JSON text and exactly their own canonical form.
    ///
    /// Accepted text is read once, without a tree and without allocating, except for numbers that are not integers
    /// of at most fifteen digits. Refused text is read again to find out how it differs.
    ///
    /// - Parameters:
    ///   - bytes: the whole text.
    ///   - depth: how many arrays and objects may be open at once; at most ``JSONText/Limits/deepest``.
    /// - Throws: ``JSONError``. Text that is not JSON, or has a key twice, is refused for that reason. Otherwise the
    ///   code is one of the four `notCanonical` ones and the offset is that of the first byte which differs from the
    ///   canonical form. In text too long for a tree (``JSONText/Limits/treeBytes``), where that form is not worked
    ///   out, a key out of order is reported where it stands.
    public static func check(
        _ bytes: UnsafeRawBufferPointer,
        depth: Int = JSONText.Limits.depth
    ) throws(JSONError) {
        do throws(JSONFault) {
            var cursor = try JSONCursor(bytes)
            try cursor.requireCanonical(remaining: JSONText.Limits.clamped(depth))
            guard cursor.offset == bytes.count else { throw cursor.separatorFault(.trailingBytes) }
        } catch {
            throw try explanation(of: error, in: bytes, depth: depth)
        }
    }

    /// Checks that `bytes` are a JSON text and exactly their own canonical form.
    ///
    /// - SeeAlso: ``check(_:depth:)-(UnsafeRawBufferPointer,_)``
    public static func check(_ bytes: RawSpan, depth: Int = JSONText.Limits.depth) throws(JSONError) {
        try bytes.withUnsafeBytes { (buffer) throws(JSONError) in
            try check(buffer, depth: depth)
        }
    }

    /// Checks that `bytes` are a JSON text and exactly their own canonical form.
    ///
    /// - SeeAlso: ``check(_:depth:)-(UnsafeRawBufferPointer,_)``
    public static func check(_ bytes: [UInt8], depth: Int = JSONText.Limits.depth) throws(JSONError) {
        try check(bytes.span.bytes, depth: depth)
    }

    /// The error for a fault found while reading: the fault itself, unless the text differs from its canonical form
    /// even before it, which only a key that belongs elsewhere can cause.
    ///
    /// - Throws: the reason why the text is not JSON at all, when it is not.
    private static func explanation(
        of fault: JSONFault,
        in bytes: UnsafeRawBufferPointer,
        depth: Int
    ) throws(JSONError) -> JSONError {
        let asFound = JSONError(fault, in: bytes)
        guard fault.isAboutForm, bytes.count <= JSONText.Limits.treeBytes else { return asFound }
        let value = try JSONValue.parse(bytes, depth: depth)
        guard let canonical = try? encode(value) else { return asFound }
        let common = zip(bytes, canonical).prefix { $0 == $1 }.count
        guard common < fault.offset || fault.code == .notCanonicalKeyOrder else { return asFound }
        return JSONError(JSONFault(.notCanonicalKeyOrder, at: common), in: bytes)
    }
}

extension JSONFault {
    /// Whether the text may be good JSON that is only not canonical.
    fileprivate var isAboutForm: Bool {
        switch code {
        case .notCanonicalSpace, .notCanonicalKeyOrder, .notCanonicalNumber, .notCanonicalEscape: true
        default: false
        }
    }
}

extension JSONCursor {
    /// Moves past one value in canonical form.
    ///
    /// - Parameter remaining: how many more arrays and objects may be opened; bounds the recursion.
    fileprivate mutating func requireCanonical(remaining: Int) throws(JSONFault) {
        switch current {
        case UInt8(ascii: "\""):
            try requireCanonicalEscapes(try scanString())
        case UInt8(ascii: "{"):
            try requireCanonicalObject(remaining: remaining)
        case UInt8(ascii: "["):
            try requireCanonicalArray(remaining: remaining)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try requireCanonicalNumber(try scanNumber())
        default:
            guard !Self.isSpace(current) else { throw spaceFault() }
            _ = try scanLiteral()
        }
    }

    /// A fault at the cursor, where a separator or the end should be: `code`, or that there is white space.
    fileprivate func separatorFault(_ code: JSONError.Code) -> JSONFault {
        Self.isSpace(current) ? JSONFault(.notCanonicalSpace, at: offset) : fault(code)
    }

    /// White space where a value should be; text of nothing else is rather empty.
    private func spaceFault() -> JSONFault {
        var rest = self
        rest.skipSpace()
        return rest.offset == count && offset == 0
            ? JSONFault(.empty, at: count) : JSONFault(.notCanonicalSpace, at: offset)
    }

    private mutating func requireCanonicalArray(remaining: Int) throws(JSONFault) {
        guard remaining > 0 else { throw JSONFault(.tooDeep, at: offset) }
        offset &+= 1
        guard current != UInt8(ascii: "]") else { return offset &+= 1 }
        while true {
            try requireCanonical(remaining: remaining &- 1)
            let byte = current
            guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") else {
                throw separatorFault(.expectedCommaOrBracket)
            }
            offset &+= 1
            guard byte == UInt8(ascii: ",") else { return }
        }
    }

    private mutating func requireCanonicalObject(remaining: Int) throws(JSONFault) {
        guard remaining > 0 else { throw JSONFault(.tooDeep, at: offset) }
        offset &+= 1
        guard current != UInt8(ascii: "}") else { return offset &+= 1 }
        var previous: JSONStringToken?
        while true {
            guard current == UInt8(ascii: "\"") else { throw separatorFault(.expectedKey) }
            let key = try scanString()
            try requireCanonicalEscapes(key)
            if let previous { try requireOrder(previous, key) }
            previous = key
            guard current == UInt8(ascii: ":") else { throw separatorFault(.expectedColon) }
            offset &+= 1
            try requireCanonical(remaining: remaining &- 1)
            let byte = current
            guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") else {
                throw separatorFault(.expectedCommaOrBrace)
            }
            offset &+= 1
            guard byte == UInt8(ascii: ",") else { return }
        }
    }
}

extension JSONCursor {
    /// Requires that `key` comes after `previous` in the order of UTF-16 code units.
    private func requireOrder(_ previous: JSONStringToken, _ key: JSONStringToken) throws(JSONFault) {
        var left = JSONStringReader(previous, in: self)
        var right = JSONStringReader(key, in: self)
        while true {
            switch (left.next(), right.next()) {
            case (nil, nil):
                throw JSONFault(.duplicateKey, at: key.start &- 1)
            case (nil, _):
                return
            case (_, nil):
                throw JSONFault(.notCanonicalKeyOrder, at: key.start &- 1)
            case (let left?, let right?) where left != right:
                guard CanonicalJSON.utf16Precedes(left, right) else {
                    throw JSONFault(.notCanonicalKeyOrder, at: key.start &- 1)
                }
                return
            default:
                continue
            }
        }
    }

    /// Requires that a number is written as ECMAScript writes it.
    private func requireCanonicalNumber(_ token: JSONNumberToken) throws(JSONFault) {
        // Fifteen digits survive a double unchanged. A first digit of 0 is 0 itself, which -0 is not.
        if token.isPlain, token.end &- token.start <= 15 {
            let isMinusZero =
                byte(at: token.start) == UInt8(ascii: "-")
                && byte(at: token.start &+ 1) == UInt8(ascii: "0")
            guard !isMinusZero else { throw JSONFault(.notCanonicalNumber, at: token.start) }
            return
        }
        guard let value = Double(text(from: token.start, to: token.end)), value.isFinite else {
            throw JSONFault(.numberOutOfRange, at: token.start)
        }
        var canonical: [UInt8] = []
        ECMAScriptNumber(value).append(to: &canonical)
        let found = UnsafeRawBufferPointer(start: base + token.start, count: token.end &- token.start)
        guard !found.elementsEqual(canonical) else { return }
        let common = zip(found, canonical).prefix { $0 == $1 }.count
        throw JSONFault(.notCanonicalNumber, at: token.start &+ common)
    }

    /// Requires that what is escaped in a checked string must be, and is so in the shortest way.
    private func requireCanonicalEscapes(_ token: JSONStringToken) throws(JSONFault) {
        guard token.isEscaped else { return }
        var position = token.start
        while position < token.end {
            guard byte(at: position) == UInt8(ascii: "\\") else {
                position &+= 1
                continue
            }
            if byte(at: position &+ 1) == UInt8(ascii: "u") {
                try requireCanonicalUnicodeEscape(at: position)
                position &+= 6
            } else {
                guard byte(at: position &+ 1) != UInt8(ascii: "/") else {
                    throw JSONFault(.notCanonicalEscape, at: position)
                }
                position &+= 2
            }
        }
    }

    /// Requires that the `\uXXXX` at `start` stands for a control character with no shorter escape, in lower case.
    private func requireCanonicalUnicodeEscape(at start: Int) throws(JSONFault) {
        var unit: UInt32 = 0
        var upperCase: Int?
        for position in start &+ 2..<start &+ 6 {
            let digit = byte(at: position)
            unit = unit << 4 | (Self.hexValue(digit) ?? 0)
            if (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(digit), upperCase == nil { upperCase = position }
        }
        guard JSONEscaping.mustEscape(unit) else { throw JSONFault(.notCanonicalEscape, at: start) }
        guard JSONEscaping.shortEscape(unit) == nil else { throw JSONFault(.notCanonicalEscape, at: start &+ 1) }
        if let upperCase { throw JSONFault(.notCanonicalEscape, at: upperCase) }
    }
}
