/// Writes JSON text by appending to an array of bytes, without building a tree first.
///
/// ```swift
/// var writer = JSONWriter()
/// writer.object {
///     $0.member("tool", "swift build")
///     $0.member("exit_status", 0)
/// }
/// send(writer.bytes)
/// ```
///
/// Objects and arrays are written by closures, so none can be left open, and commas are never the caller's business.
/// The writer does not check that keys are unique, that ``key(_:)`` is called only inside objects, or that one text
/// has one value: those are mistakes of the calling code, which ``JSONText/check(_:depth:)-([UInt8],_)`` finds in a
/// test. In the compact layout strings are escaped exactly as canonical JSON wants them.
public struct JSONWriter: Sendable {
    /// How the text is laid out.
    public enum Layout: Sendable {
        /// No white space at all.
        case compact
        /// A line for each member and element, indented by two spaces, for people to read.
        case pretty
    }

    /// The text written so far.
    public private(set) var bytes: [UInt8]

    private let layout: Layout
    private var depth = 0

    /// Whether a value already stands where the next one goes, so that a comma must come between.
    private var needsComma = false

    /// Whether a key has just been written, so that the next value stays on its line.
    private var followsKey = false

    /// Starts writing after the bytes given, whose storage is taken over and not copied when nothing else uses it.
    public init(_ layout: Layout = .compact, appendingTo bytes: consuming [UInt8] = []) {
        self.layout = layout
        self.bytes = bytes
        // One event body fits; growing from nothing would copy it half a dozen times.
        if self.bytes.isEmpty { self.bytes.reserveCapacity(512) }
    }

    /// Writes the object whose members `body` writes.
    ///
    /// - Throws: what `body` throws; the object is then left open, and the bytes are of no more use.
    public mutating func object<Failure>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        open(UInt8(ascii: "{"))
        try body(&self)
        close(UInt8(ascii: "}"))
    }

    /// Writes the array whose elements `body` writes.
    ///
    /// - Throws: what `body` throws; the array is then left open, and the bytes are of no more use.
    public mutating func array<Failure>(
        _ body: (inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        open(UInt8(ascii: "["))
        try body(&self)
        close(UInt8(ascii: "]"))
    }

    /// Writes a key; the next value written is the key's.
    public mutating func key(_ key: String) {
        separate()
        appendQuoted(key)
        bytes.append(UInt8(ascii: ":"))
        if layout == .pretty { bytes.append(UInt8(ascii: " ")) }
        followsKey = true
    }

    /// Writes a string.
    public mutating func string(_ value: String) {
        separate()
        appendQuoted(value)
    }

    /// Writes an integer.
    public mutating func integer(_ value: some BinaryInteger) {
        separate()
        bytes += String(value).utf8
    }

    /// Writes a number as it is spelt.
    public mutating func number(_ value: JSONNumber) {
        separate()
        bytes += value.text.utf8
    }

    /// Writes `true` or `false`.
    public mutating func bool(_ value: Bool) {
        separate()
        bytes += (value ? "true" : "false").utf8
    }

    /// Writes `null`.
    public mutating func null() {
        separate()
        bytes += "null".utf8
    }
}

extension JSONWriter {
    /// Writes what must come before the next key or value.
    private mutating func separate() {
        if followsKey {
            followsKey = false
        } else {
            if needsComma { bytes.append(UInt8(ascii: ",")) }
            breakLine()
        }
        needsComma = true
    }

    private mutating func breakLine() {
        guard layout == .pretty, depth > 0 else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        depth += 1
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        depth -= 1
        if needsComma, layout == .pretty {
            bytes.append(UInt8(ascii: "\n"))
            bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
        }
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func appendQuoted(_ string: String) {
        var string = string
        string.withUTF8 { JSONEscaping.appendQuoted(UnsafeRawBufferPointer($0), to: &bytes) }
    }
}

/// The one way this module writes strings, which is that of RFC 8785 section 3.2.2.2: only what must be escaped is.
enum JSONEscaping {
    /// Appends valid UTF-8 as a JSON string.
    static func appendQuoted(_ content: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        var start = 0
        while true {
            var end = start
            while end < content.count, !mustEscape(UInt32(content[end])) {
                end += 1
            }
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: content[start..<end]))
            guard end < content.count else { break }
            appendEscape(content[end], to: &bytes)
            start = end + 1
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// Whether a character cannot stand for itself in a string.
    @inline(__always)
    static func mustEscape(_ scalar: UInt32) -> Bool {
        scalar < 0x20 || scalar == UInt32(UInt8(ascii: "\"")) || scalar == UInt32(UInt8(ascii: "\\"))
    }

    /// The letter of the two-character escape of a character; nil when it has none.
    static func shortEscape(_ scalar: UInt32) -> UInt8? {
        switch scalar {
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0A: UInt8(ascii: "n")
        case 0x0C: UInt8(ascii: "f")
        case 0x0D: UInt8(ascii: "r")
        case 0x22: UInt8(ascii: "\"")
        case 0x5C: UInt8(ascii: "\\")
        default: nil
        }
    }

    private static func appendEscape(_ byte: UInt8, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\\"))
        if let letter = shortEscape(UInt32(byte)) { return bytes.append(letter) }
        bytes += "u00".utf8
        for digit in [byte >> 4, byte & 0xF] {
            bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
    }
}
