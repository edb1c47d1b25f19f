/// One validation: a cursor in the text and the tables of the schema it is held against.
///
/// The tables are trusted, the text is not. Indices into the tables come from ``SchemaProgram`` alone, which is why
/// they are used without tests; everything that depends on the text goes through the cursor.
struct SchemaRun {
    var cursor: JSONCursor
    private let nodes: UnsafeBufferPointer<SchemaProgram.Node>
    private let entries: UnsafeBufferPointer<SchemaProgram.Entry>
    private let text: UnsafeRawBufferPointer

    init(
        _ bytes: UnsafeRawBufferPointer,
        nodes: UnsafeBufferPointer<SchemaProgram.Node>,
        entries: UnsafeBufferPointer<SchemaProgram.Entry>,
        text: UnsafeRawBufferPointer
    ) throws(SchemaFault) {
        do {
            cursor = try JSONCursor(bytes)
        } catch {
            throw SchemaFault(error)
        }
        self.nodes = nodes
        self.entries = entries
        self.text = text
    }

    /// Checks the whole text against the first node.
    mutating func document(depth: Int) throws(SchemaFault) {
        try value(0, remaining: depth)
        try lex { (cursor) throws(JSONFault) in try cursor.finish() }
    }

    /// Runs the lexer, turning its faults into those of the validator.
    @inline(__always)
    private mutating func lex<Token>(
        _ body: (inout JSONCursor) throws(JSONFault) -> Token
    ) throws(SchemaFault) -> Token {
        do {
            return try body(&cursor)
        } catch {
            throw SchemaFault(error)
        }
    }

    /// Checks one value, and the white space before it, against a node.
    private mutating func value(_ index: Int, remaining: Int) throws(SchemaFault) {
        cursor.skipSpace()
        switch nodes[index].kind {
        case .any:
            try lex { (cursor) throws(JSONFault) in try cursor.skipValue(remaining: remaining) }
        case .null, .boolean:
            try literal(index)
        case .number, .integer:
            try number(index)
        case .string, .choice, .hex, .name, .timestamp:
            try string(index)
        case .array:
            try array(index, remaining: remaining)
        case .object:
            try object(index, remaining: remaining)
        }
    }

    /// The fault of a value that is of the wrong kind, or no value at all.
    ///
    /// A word or a number is read to its end first, so that one which is not JSON is refused for that reason.
    @inline(never)
    private func mismatch(_ index: Int) -> SchemaFault {
        var rest = cursor
        switch rest.current {
        case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["):
            break
        default:
            do {
                try rest.skipValue(remaining: 0)
            } catch {
                return SchemaFault(error)
            }
        }
        return SchemaFault(.type, at: cursor.offset, node: index)
    }

    private mutating func literal(_ index: Int) throws(SchemaFault) {
        let byte = cursor.current
        let isWanted =
            nodes[index].kind == .null
            ? byte == UInt8(ascii: "n") : byte == UInt8(ascii: "t") || byte == UInt8(ascii: "f")
        guard isWanted else { throw mismatch(index) }
        _ = try lex { (cursor) throws(JSONFault) in try cursor.scanLiteral() }
    }

    private mutating func number(_ index: Int) throws(SchemaFault) {
        let byte = cursor.current
        guard JSONCursor.isDigit(byte) || byte == UInt8(ascii: "-") else { throw mismatch(index) }
        let token = try lex { (cursor) throws(JSONFault) in try cursor.scanNumber() }
        guard nodes[index].kind == .integer else { return }
        switch cursor.integral(token) {
        case .fraction:
            throw SchemaFault(.type, at: token.start, node: index)
        case .below:
            throw SchemaFault(.minimum, at: token.start, node: index)
        case .above:
            throw SchemaFault(.maximum, at: token.start, node: index)
        case .value(let value):
            guard value >= nodes[index].low else { throw SchemaFault(.minimum, at: token.start, node: index) }
            guard value <= nodes[index].high else { throw SchemaFault(.maximum, at: token.start, node: index) }
        }
    }
}

extension SchemaRun {
    private mutating func array(_ index: Int, remaining: Int) throws(SchemaFault) {
        let start = cursor.offset
        guard cursor.current == UInt8(ascii: "[") else { throw mismatch(index) }
        guard remaining > 0 else { throw SchemaFault(JSONFault(.tooDeep, at: start)) }
        var count = 0
        if cursor.openArray() {
            repeat {
                guard count < nodes[index].high else { throw SchemaFault(.maxItems, at: start, node: index) }
                try value(nodes[index].first, remaining: remaining &- 1)
                count &+= 1
            } while try lex({ (cursor) throws(JSONFault) in try cursor.continueArray() })
        }
        guard count >= nodes[index].low else { throw SchemaFault(.minItems, at: start, node: index) }
    }

    private mutating func object(_ index: Int, remaining: Int) throws(SchemaFault) {
        let start = cursor.offset
        guard cursor.current == UInt8(ascii: "{") else { throw mismatch(index) }
        guard remaining > 0 else { throw SchemaFault(JSONFault(.tooDeep, at: start)) }
        var seen: UInt64 = 0
        var hint = 0
        if try lex({ (cursor) throws(JSONFault) in try cursor.openObject() }) {
            repeat {
                try member(index, hint: &hint, seen: &seen, remaining: remaining &- 1)
            } while try lex({ (cursor) throws(JSONFault) in try cursor.continueObject() })
        }
        let missing = nodes[index].required & ~seen
        guard missing == 0 else {
            let entry = nodes[index].first &+ missing.trailingZeroBitCount
            throw SchemaFault(.required, at: start, node: index, entry: entry)
        }
    }

    /// Checks one member.
    ///
    /// - Parameters:
    ///   - hint: the declared property that is likely to come next; set to the one after the one that came.
    ///   - seen: a bit for each declared property that has come.
    private mutating func member(
        _ index: Int,
        hint: inout Int,
        seen: inout UInt64,
        remaining: Int
    ) throws(SchemaFault) {
        try lex { (cursor) throws(JSONFault) in try cursor.requireKey() }
        let start = cursor.offset
        var found = nodes[index].additional
        if let property = try declared(index, hint: hint) {
            let entry = nodes[index].first &+ property
            let bit: UInt64 = 1 &<< UInt64(property)
            guard seen & bit == 0 else { throw SchemaFault(.uniqueKeys, at: start, node: index, entry: entry) }
            seen |= bit
            hint = property &+ 1
            found = entries[entry].node
        }
        guard found >= 0 else { throw SchemaFault(.additionalProperties, at: start, node: index) }
        try lex { (cursor) throws(JSONFault) in try cursor.scanColon() }
        try value(found, remaining: remaining)
    }

    /// Moves past a key; answers which declared property it is.
    @inline(__always)
    private mutating func declared(_ index: Int, hint: Int) throws(SchemaFault) -> Int? {
        if hint < nodes[index].count, passName(entries[nodes[index].first &+ hint]) { return hint }
        let token = try lex { (cursor) throws(JSONFault) in try cursor.scanString() }
        guard let base = text.baseAddress else { return nil }
        for property in 0..<nodes[index].count {
            let entry = entries[nodes[index].first &+ property]
            if cursor.matches(token, base + entry.start, count: entry.count) { return property }
        }
        return nil
    }

    /// Moves past a key when it is this name, byte for byte with its closing quotation mark.
    ///
    /// Names are plain ASCII, so the bytes need no other check.
    @inline(__always)
    private mutating func passName(_ entry: SchemaProgram.Entry) -> Bool {
        let start = cursor.offset &+ 1
        let end = start &+ entry.count
        guard end < cursor.count, cursor.byte(at: end) == UInt8(ascii: "\""), let base = text.baseAddress,
            JSONCursor.areEqual(cursor.base + start, base + entry.start, count: entry.count)
        else { return false }
        cursor.offset = end &+ 1
        return true
    }
}

extension SchemaRun {
    private mutating func string(_ index: Int) throws(SchemaFault) {
        let start = cursor.offset
        guard cursor.current == UInt8(ascii: "\"") else { throw mismatch(index) }
        let token = try lex { (cursor) throws(JSONFault) in try cursor.scanString() }
        let node = nodes[index]
        switch node.kind {
        case .choice:
            guard isChoice(token, node) else { throw SchemaFault(.choice, at: start, node: index) }
        case .hex:
            let entry = entries[node.first]
            let prefix = UnsafeRawBufferPointer(rebasing: text[entry.start..<entry.start &+ entry.count])
            let isMatch = isHex(token, prefix: prefix, digits: node.low)
            guard isMatch else { throw SchemaFault(.pattern, at: start, node: index) }
        case .name:
            guard isName(token, maxLength: node.high) else { throw SchemaFault(.pattern, at: start, node: index) }
        case .timestamp:
            guard isTimestamp(token) else { throw SchemaFault(.pattern, at: start, node: index) }
        default:
            guard isLongEnough(token, node) else { throw SchemaFault(.minLength, at: start, node: index) }
            guard isShortEnough(token, node) else { throw SchemaFault(.maxLength, at: start, node: index) }
        }
    }

    /// Whether a string has its least number of scalars; counts them only when its bytes leave room for doubt.
    @inline(__always)
    private func isLongEnough(_ token: JSONStringToken, _ node: SchemaProgram.Node) -> Bool {
        guard node.low > 0 else { return true }
        guard node.low > 1 else { return token.end > token.start }
        return cursor.scalarCount(token) >= node.low
    }

    /// Whether a string has at most its greatest number of scalars, of which it has no more than bytes.
    @inline(__always)
    private func isShortEnough(_ token: JSONStringToken, _ node: SchemaProgram.Node) -> Bool {
        token.end &- token.start <= node.high || cursor.scalarCount(token) <= node.high
    }

    private func isChoice(_ token: JSONStringToken, _ node: SchemaProgram.Node) -> Bool {
        // A program whose only choice is the empty string has no text, and an empty run needs no address.
        guard let base = text.baseAddress else { return token.end == token.start }
        for entry in entries[node.first..<node.first &+ node.count] {
            if cursor.matches(token, base + entry.start, count: entry.count) { return true }
        }
        return false
    }
}
