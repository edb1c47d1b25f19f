/// Why a JSON text was refused, and where.
///
/// The position is worked out when the error is made and not while reading, so accepted text pays nothing for it.
public struct JSONError: Error, Sendable, Hashable {
    /// What is wrong, for a program to switch on.
    public let code: Code

    /// The offset of the offending byte; equal to the length of the text when the text ended too early.
    ///
    /// For errors of ``CanonicalJSON/encode(_:)``, which reads no text, it is how much had been written.
    public let offset: Int

    /// The line of the offending byte, from 1; lines end with a line feed.
    public let line: Int

    /// The column of the offending byte, from 1, counted in Unicode scalars.
    public let column: Int

    /// Finds the line and column of `fault` in the text it was found in.
    init(_ fault: JSONFault, in bytes: UnsafeRawBufferPointer) {
        var line = 1
        var column = 1
        for byte in bytes.prefix(fault.offset) {
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.code = fault.code
        self.offset = fault.offset
        self.line = line
        self.column = column
    }

    /// An error about a value that has no text yet.
    init(_ code: Code, written offset: Int) {
        self.code = code
        self.offset = offset
        self.line = 1
        self.column = offset + 1
    }
}

extension JSONError: CustomStringConvertible {
    /// The error as a person reads it: `line 3, column 14: a string is not closed`.
    public var description: String {
        "line \(line), column \(column): \(code)"
    }
}

extension JSONError {
    /// The things that can be wrong with a JSON text.
    public enum Code: Sendable, Hashable, CaseIterable {
        /// The text has no bytes, or only white space.
        case empty
        /// The text ends inside an array, an object, a number or a literal.
        case unexpectedEnd
        /// Something that begins no value stands where a value must be.
        case expectedValue
        /// Something other than a string stands where a key must be.
        case expectedKey
        /// Something other than an object stands where an object must be.
        case expectedObject
        /// A key is not followed by a colon.
        case expectedColon
        /// A member is followed by neither a comma nor a closing brace.
        case expectedCommaOrBrace
        /// An element is followed by neither a comma nor a closing bracket.
        case expectedCommaOrBracket
        /// The value is complete and bytes follow it.
        case trailingBytes
        /// The text starts with a byte order mark.
        case byteOrderMark
        /// The text ends inside a string.
        case unclosedString
        /// A string holds a byte below U+0020 that is not escaped.
        case controlCharacter
        /// A backslash is followed by something that is no escape.
        case invalidEscape
        /// A `\u` escape is half of a surrogate pair.
        case loneSurrogate
        /// The bytes of a string are not UTF-8.
        case invalidUTF8
        /// A number does not follow the grammar.
        case invalidNumber
        /// A number starts with a zero it may not have.
        case leadingZero
        /// A word other than `true`, `false` and `null`.
        case invalidLiteral
        /// More arrays and objects are open than the limit allows.
        case tooDeep
        /// A key appears twice in one object.
        case duplicateKey
        /// The text is longer than a tree may be built from.
        case tooLong
        /// A number cannot be represented as a finite double, which canonical JSON requires.
        case numberOutOfRange
        /// Canonical JSON: there is white space.
        case notCanonicalSpace
        /// Canonical JSON: keys are not in the order of their UTF-16 code units.
        case notCanonicalKeyOrder
        /// Canonical JSON: a number is not written in its one form.
        case notCanonicalNumber
        /// Canonical JSON: a character is escaped that need not be, or not in its one form.
        case notCanonicalEscape
    }
}

extension JSONError.Code: CustomStringConvertible {
    /// The code in words, as the second half of an error message.
    public var description: String {
        switch self {
        case .empty: "there is no value"
        case .unexpectedEnd: "the text ends too early"
        case .expectedValue: "a value is expected here"
        case .expectedKey: "a key in quotation marks is expected here"
        case .expectedObject: "an object in braces is expected here"
        case .expectedColon: "a colon is expected after the key"
        case .expectedCommaOrBrace: "a comma or a closing brace is expected here"
        case .expectedCommaOrBracket: "a comma or a closing bracket is expected here"
        case .trailingBytes: "there is something after the end of the value"
        case .byteOrderMark: "a byte order mark is not allowed"
        case .unclosedString: "a string is not closed"
        case .controlCharacter: "a control character in a string must be escaped"
        case .invalidEscape: "an escape is not valid"
        case .loneSurrogate: "an escape is half of a surrogate pair"
        case .invalidUTF8: "the bytes of a string are not UTF-8"
        case .invalidNumber: "a number is not valid"
        case .leadingZero: "a number starts with a superfluous zero"
        case .invalidLiteral: "a word is none of true, false and null"
        case .tooDeep: "arrays and objects are nested too deeply"
        case .duplicateKey: "a key appears twice in one object"
        case .tooLong: "the text is too long"
        case .numberOutOfRange: "a number is too large for a double"
        case .notCanonicalSpace: "white space is not canonical"
        case .notCanonicalKeyOrder: "a key is out of canonical order"
        case .notCanonicalNumber: "a number is not in canonical form"
        case .notCanonicalEscape: "an escape is not in canonical form"
        }
    }
}

/// What the readers throw among themselves: two words, so that throwing and not throwing both stay cheap.
struct JSONFault: Error {
    let code: JSONError.Code
    let offset: Int

    init(_ code: JSONError.Code, at offset: Int) {
        self.code = code
        self.offset = offset
    }
}
