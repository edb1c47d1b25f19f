/// Strict JSON text (RFC 8259, with the I-JSON rule of RFC 7493 that every string is valid Unicode).
///
/// Everything in this module reads bytes from strangers. Whatever the bytes are, it answers with a value or a
/// ``JSONError``: it never traps, recurses no deeper than ``Limits/deepest``, and takes time in proportion to the
/// number of bytes (``JSONValue`` adds a hash table for large objects, so duplicate keys cost no more than that).
public enum JSONText {
    /// The limits that stand between hostile text and the machine's stack and memory.
    public enum Limits {
        /// How many arrays and objects may be open at once unless the caller says otherwise.
        public static let depth = 64

        /// The deepest nesting a caller can ask for; a larger request is lowered to this.
        ///
        /// The readers recurse once for each level, and a thread may have as little as 128 KiB of stack (musl), so
        /// the ceiling is fixed here and not left to the caller.
        public static let deepest = 128

        /// The longest text ``JSONValue`` builds a tree from unless the caller says otherwise: 16 MiB.
        ///
        /// A tree can take some twenty times the memory of its text (`[0,0,0,…]`), so the text is bounded. The
        /// checkers build no tree and need no such bound.
        public static let treeBytes = 16 << 20

        /// Brings a requested depth into the range the readers can serve.
        static func clamped(_ depth: Int) -> Int {
            min(max(depth, 0), deepest)
        }
    }

    /// Checks that `bytes` are exactly one JSON text, and nothing else.
    ///
    /// One pass; nothing is allocated for accepted text. Refused are: anything RFC 8259 refuses, invalid UTF-8
    /// (overlong forms, surrogates, code points above U+10FFFF), a byte order mark, bytes after the value, a `\u`
    /// escape that is half a surrogate pair, and nesting beyond `depth`.
    ///
    /// Not checked: whether a key appears twice in an object, which cannot be known in one pass without memory. Use
    /// ``JSONValue/parse(_:depth:maximumBytes:)-(UnsafeRawBufferPointer,_,_)``, ``CanonicalJSON`` or ``JSONSchema``
    /// where that matters.
    ///
    /// - Parameters:
    ///   - bytes: the whole text.
    ///   - depth: how many arrays and objects may be open at once; at most ``Limits/deepest``.
    /// - Throws: ``JSONError`` for the first byte that cannot be accepted.
    public static func check(_ bytes: UnsafeRawBufferPointer, depth: Int = Limits.depth) throws(JSONError) {
        do throws(JSONFault) {
            var cursor = try JSONCursor(bytes)
            try cursor.skipValue(remaining: Limits.clamped(depth))
            try cursor.finish()
        } catch {
            throw JSONError(error, in: bytes)
        }
    }

    /// Checks that `bytes` are exactly one JSON text, and nothing else.
    ///
    /// - SeeAlso: ``check(_:depth:)-(UnsafeRawBufferPointer,_)``, which says what is refused and what is not checked.
    public static func check(_ bytes: RawSpan, depth: Int = Limits.depth) throws(JSONError) {
        try bytes.withUnsafeBytes { (buffer) throws(JSONError) in
            try check(buffer, depth: depth)
        }
    }

    /// Checks that `bytes` are exactly one JSON text, and nothing else.
    ///
    /// - SeeAlso: ``check(_:depth:)-(UnsafeRawBufferPointer,_)``, which says what is refused and what is not checked.
    public static func check(_ bytes: [UInt8], depth: Int = Limits.depth) throws(JSONError) {
        try check(bytes.span.bytes, depth: depth)
    }
}
