extension JSONText {
    /// A member of an object, and where its value stands in the text.
    public struct MemberRange: Sendable {
        /// The key, decoded.
        public let key: String
        /// The bytes of the value, without the white space around it.
        public let value: Range<Int>
    }

    /// The members of the one object that `bytes` are, checked as ``check(_:depth:)-(UnsafeRawBufferPointer,_)`` does.
    ///
    /// For callers that pass a value on exactly as it was given: nothing is decoded but keys.
    ///
    /// - Throws: ``JSONError``; a key that appears twice, or a text that is no object, is one.
    public static func members(
        of bytes: UnsafeRawBufferPointer,
        depth: Int = Limits.depth
    ) throws(JSONError) -> [MemberRange] {
        do throws(JSONFault) {
            var cursor = try JSONCursor(bytes)
            let members = try cursor.memberRanges(remaining: Limits.clamped(depth))
            try cursor.finish()
            return members
        } catch {
            throw JSONError(error, in: bytes)
        }
    }
}

extension JSONCursor {
    fileprivate mutating func memberRanges(remaining: Int) throws(JSONFault) -> [JSONText.MemberRange] {
        skipSpace()
        guard current == UInt8(ascii: "{") else { throw fault(.expectedObject) }
        guard remaining > 0 else { throw JSONFault(.tooDeep, at: offset) }
        var members: [JSONText.MemberRange] = []
        var keys: Set<String> = []
        guard try openObject() else { return members }
        repeat {
            try requireKey()
            let keyStart = offset
            let key = string(try scanString())
            guard keys.insert(key).inserted else { throw JSONFault(.duplicateKey, at: keyStart) }
            try scanColon()
            skipSpace()
            let start = offset
            try skipValue(remaining: remaining &- 1)
            members.append(JSONText.MemberRange(key: key, value: start..<offset))
        } while try continueObject()
        return members
    }
}
