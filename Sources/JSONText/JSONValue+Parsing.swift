extension JSONValue {
    /// Reads one JSON text into a tree.
    ///
    /// As strict as ``JSONText/check(_:depth:)-(UnsafeRawBufferPointer,_)``, and refuses a key that appears twice in
    /// one object as well.
    ///
    /// - Parameters:
    ///   - bytes: the whole text.
    ///   - depth: how many arrays and objects may be open at once; at most ``JSONText/Limits/deepest``.
    ///   - maximumBytes: the longest text to read, since a tree is much larger than its text.
    /// - Throws: ``JSONError`` for the first byte that cannot be accepted.
    public static func parse(
        _ bytes: UnsafeRawBufferPointer,
        depth: Int = JSONText.Limits.depth,
        maximumBytes: Int = JSONText.Limits.treeBytes
    ) throws(JSONError) -> JSONValue {
        do throws(JSONFault) {
            guard bytes.count <= maximumBytes else { throw JSONFault(.tooLong, at: max(maximumBytes, 0)) }
            var cursor = try JSONCursor(bytes)
            let value = try cursor.readValue(remaining: JSONText.Limits.clamped(depth))
            try cursor.finish()
            return value
        } catch {
            throw JSONError(error, in: bytes)
        }
    }

    /// Reads one JSON text into a tree.
    ///
    /// - SeeAlso: ``parse(_:depth:maximumBytes:)-(UnsafeRawBufferPointer,_,_)``
    public static func parse(
        _ bytes: RawSpan,
        depth: Int = JSONText.Limits.depth,
        maximumBytes: Int = JSONText.Limits.treeBytes
    ) throws(JSONError) -> JSONValue {
        try bytes.withUnsafeBytes { (buffer) throws(JSONError) in
            try parse(buffer, depth: depth, maximumBytes: maximumBytes)
        }
    }

    /// Reads one JSON text into a tree.
    ///
    /// - SeeAlso: ``parse(_:depth:maximumBytes:)-(UnsafeRawBufferPointer,_,_)``
    public static func parse(
        _ bytes: [UInt8],
        depth: Int = JSONText.Limits.depth,
        maximumBytes: Int = JSONText.Limits.treeBytes
    ) throws(JSONError) -> JSONValue {
        try parse(bytes.span.bytes, depth: depth, maximumBytes: maximumBytes)
    }
}

extension JSONCursor {
    /// Reads one value and the white space before it.
    ///
    /// - Parameter remaining: how many more arrays and objects may be opened; bounds the recursion.
    fileprivate mutating func readValue(remaining: Int) throws(JSONFault) -> JSONValue {
        skipSpace()
        switch current {
        case UInt8(ascii: "\""):
            return .string(string(try scanString()))
        case UInt8(ascii: "{"):
            return .object(try readObject(remaining: remaining))
        case UInt8(ascii: "["):
            return .array(try readArray(remaining: remaining))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let token = try scanNumber()
            return .number(JSONNumber(checked: text(from: token.start, to: token.end)))
        default:
            switch try scanLiteral() {
            case .null: return .null
            case .true: return .bool(true)
            case .false: return .bool(false)
            }
        }
    }

    private mutating func readObject(remaining: Int) throws(JSONFault) -> JSONValue.Members {
        guard remaining > 0 else { throw JSONFault(.tooDeep, at: offset) }
        var members = JSONValue.Members()
        guard try openObject() else { return members }
        repeat {
            try requireKey()
            let start = offset
            let key = string(try scanString())
            guard !members.containsKey(key) else { throw JSONFault(.duplicateKey, at: start) }
            try scanColon()
            members.insert(JSONValue.Member(key: key, value: try readValue(remaining: remaining &- 1)))
        } while try continueObject()
        return members
    }

    private mutating func readArray(remaining: Int) throws(JSONFault) -> [JSONValue] {
        guard remaining > 0 else { throw JSONFault(.tooDeep, at: offset) }
        var elements: [JSONValue] = []
        guard openArray() else { return elements }
        repeat {
            elements.append(try readValue(remaining: remaining &- 1))
        } while try continueArray()
        return elements
    }
}
