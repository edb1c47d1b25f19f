/// A reading position in JSON text: the lexer that every reader of this module is built on.
///
/// The cursor borrows the bytes it was made from and must not outlive the call it was made in. Every read is guarded
/// by `offset < count` (or `offset + 8 <= count`); that guard is the whole of the memory safety argument, so `offset`
/// only ever moves past bytes that have been looked at.
struct JSONCursor {
    let base: UnsafeRawPointer
    let count: Int
    var offset = 0

    /// Starts at the first byte of `bytes`.
    ///
    /// - Throws: a fault when there are no bytes, or when they start with a byte order mark.
    init(_ bytes: UnsafeRawBufferPointer) throws(JSONFault) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { throw JSONFault(.empty, at: 0) }
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw JSONFault(.byteOrderMark, at: 0)
        }
        self.base = base
        self.count = bytes.count
    }

    /// The byte at `position`, which the caller knows to be inside the text.
    @inline(__always)
    func byte(at position: Int) -> UInt8 {
        base.load(fromByteOffset: position, as: UInt8.self)
    }

    /// The byte at the cursor, or NUL at the end: NUL is legal nowhere in JSON, so one test serves for both.
    @inline(__always)
    var current: UInt8 {
        offset < count ? byte(at: offset) : 0
    }

    /// A fault at the cursor: `code`, unless what is wrong is that the text has ended.
    func fault(_ code: JSONError.Code) -> JSONFault {
        JSONFault(offset < count ? code : .unexpectedEnd, at: offset)
    }

    /// Moves past white space.
    @inline(__always)
    mutating func skipSpace() {
        guard current <= 0x20 else { return }
        skipSpaceRun()
    }

    /// The part of `skipSpace` that compact text never reaches, kept out of line so that the rest inlines.
    @inline(never)
    private mutating func skipSpaceRun() {
        while offset < count, Self.isSpace(byte(at: offset)) {
            offset &+= 1
        }
    }

    @inline(__always)
    static func isSpace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// Requires that nothing but white space is left.
    mutating func finish() throws(JSONFault) {
        skipSpace()
        guard offset == count else { throw JSONFault(.trailingBytes, at: offset) }
    }
}

extension JSONCursor {
    /// Moves past one value and the white space before it, checking all of it.
    ///
    /// - Parameter remaining: how many more arrays and objects may be opened; bounds the recursion.
    mutating func skipValue(remaining: Int) throws(JSONFault) {
        skipSpace()
        switch current {
        case UInt8(ascii: "\""):
            _ = try scanString()
        case UInt8(ascii: "{"):
            try skipObject(remaining: remaining)
        case UInt8(ascii: "["):
            try skipArray(remaining: remaining)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            _ = try scanNumber()
        default:
            _ = try scanLiteral()
        }
    }

    private mutating func skipObject(remaining: Int) throws(JSONFault) {
        guard remaining > 0 else { throw JSONFault(.tooDeep, at: offset) }
        guard try openObject() else { return }
        repeat {
            try requireKey()
            _ = try scanString()
            try scanColon()
            try skipValue(remaining: remaining &- 1)
        } while try continueObject()
    }

    private mutating func skipArray(remaining: Int) throws(JSONFault) {
        guard remaining > 0 else { throw JSONFault(.tooDeep, at: offset) }
        guard openArray() else { return }
        repeat {
            try skipValue(remaining: remaining &- 1)
        } while try continueArray()
    }
}

extension JSONCursor {
    /// The three words of JSON.
    enum Literal {
        case null
        case `true`
        case `false`
    }

    /// Moves past an opening brace; answers false when the object was empty and has been passed whole.
    @inline(__always)
    mutating func openObject() throws(JSONFault) -> Bool {
        offset &+= 1
        skipSpace()
        guard current == UInt8(ascii: "}") else { return true }
        offset &+= 1
        return false
    }

    /// Moves past an opening bracket; answers false when the array was empty and has been passed whole.
    @inline(__always)
    mutating func openArray() -> Bool {
        offset &+= 1
        skipSpace()
        guard current == UInt8(ascii: "]") else { return true }
        offset &+= 1
        return false
    }

    /// Moves past what separates or ends members; answers whether another member must follow.
    @inline(__always)
    mutating func continueObject() throws(JSONFault) -> Bool {
        skipSpace()
        let byte = current
        guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") else { throw fault(.expectedCommaOrBrace) }
        offset &+= 1
        return byte == UInt8(ascii: ",")
    }

    /// Moves past what separates or ends elements; answers whether another element must follow.
    @inline(__always)
    mutating func continueArray() throws(JSONFault) -> Bool {
        skipSpace()
        let byte = current
        guard byte == UInt8(ascii: ",") || byte == UInt8(ascii: "]") else { throw fault(.expectedCommaOrBracket) }
        offset &+= 1
        return byte == UInt8(ascii: ",")
    }

    /// Moves to the quotation mark a key starts with.
    @inline(__always)
    mutating func requireKey() throws(JSONFault) {
        skipSpace()
        guard current == UInt8(ascii: "\"") else { throw fault(.expectedKey) }
    }

    /// Moves past the colon after a key.
    @inline(__always)
    mutating func scanColon() throws(JSONFault) {
        skipSpace()
        guard current == UInt8(ascii: ":") else { throw fault(.expectedColon) }
        offset &+= 1
    }

    /// Moves past `true`, `false` or `null`; anything else is not a value at all.
    mutating func scanLiteral() throws(JSONFault) -> Literal {
        switch current {
        case UInt8(ascii: "t"):
            try scanWord(0x6575_7274, from: offset)
            return .true
        case UInt8(ascii: "f"):
            try scanWord(0x6573_6C61, from: offset &+ 1)
            return .false
        case UInt8(ascii: "n"):
            try scanWord(0x6C6C_756E, from: offset)
            return .null
        default:
            guard offset < count || offset > 0 && hasContent else { throw JSONFault(.empty, at: offset) }
            throw fault(.expectedValue)
        }
    }

    /// Whether anything but white space stands before the cursor: tells an empty text from an unfinished one.
    private var hasContent: Bool {
        for position in 0..<offset where !Self.isSpace(byte(at: position)) {
            return true
        }
        return false
    }

    /// Moves past the four bytes at `start`, given as a little-endian word.
    @inline(__always)
    private mutating func scanWord(_ word: UInt32, from start: Int) throws(JSONFault) {
        guard start &+ 4 <= count else { throw wordFault(from: start) }
        let found = UInt32(littleEndian: base.loadUnaligned(fromByteOffset: start, as: UInt32.self))
        guard found == word else { throw wordFault(from: start) }
        offset = start &+ 4
    }

    /// Tells a word cut short by the end of the text from a wrong word.
    private func wordFault(from start: Int) -> JSONFault {
        for position in offset..<count where !(UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte(at: position)) {
            return JSONFault(.invalidLiteral, at: offset)
        }
        return start &+ 4 > count ? JSONFault(.unexpectedEnd, at: count) : JSONFault(.invalidLiteral, at: offset)
    }
}
