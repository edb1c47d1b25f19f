/// Reads the UTF-8 bytes that a checked string stands for, one at a time and without collecting them.
///
/// Only strings that ``JSONCursor/scanString()`` has accepted may be read: escapes are known to be complete.
struct JSONStringReader: IteratorProtocol {
    private let base: UnsafeRawPointer
    private let end: Int
    private var offset: Int

    /// Bytes of a decoded escape not handed out yet, the next one lowest.
    private var pending: UInt32 = 0
    private var pendingCount = 0

    init(_ token: JSONStringToken, in cursor: JSONCursor) {
        base = cursor.base
        offset = token.start
        end = token.end
    }

    mutating func next() -> UInt8? {
        if pendingCount > 0 { return nextPending() }
        guard offset < end else { return nil }
        let byte = base.load(fromByteOffset: offset, as: UInt8.self)
        offset &+= 1
        guard byte == UInt8(ascii: "\\") else { return byte }
        return nextEscape()
    }

    private mutating func nextPending() -> UInt8 {
        let byte = UInt8(truncatingIfNeeded: pending)
        pending >>= 8
        pendingCount &-= 1
        return byte
    }

    /// Decodes the escape whose backslash has just been passed.
    private mutating func nextEscape() -> UInt8? {
        guard offset < end else { return nil }
        let byte = base.load(fromByteOffset: offset, as: UInt8.self)
        offset &+= 1
        switch byte {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"): break
        default: return byte
        }
        var scalar = nextCodeUnit()
        if scalar & 0xFC00 == 0xD800 {
            offset &+= 2
            scalar = 0x10000 &+ (scalar & 0x3FF) << 10 | nextCodeUnit() & 0x3FF
        }
        guard let unicode = Unicode.Scalar(scalar) else { return nil }
        for unit in UTF8.encode(unicode) ?? UTF8.encodedReplacementCharacter {
            pending |= UInt32(unit) << UInt32(8 &* pendingCount)
            pendingCount &+= 1
        }
        return nextPending()
    }

    /// Reads four hexadecimal digits.
    private mutating func nextCodeUnit() -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 where offset < end {
            unit = unit << 4 | (JSONCursor.hexValue(base.load(fromByteOffset: offset, as: UInt8.self)) ?? 0)
            offset &+= 1
        }
        return unit
    }
}

extension JSONCursor {
    /// The string that a checked token stands for.
    func string(_ token: JSONStringToken) -> String {
        guard token.isEscaped else { return text(from: token.start, to: token.end) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(token.end &- token.start)
        var reader = JSONStringReader(token, in: self)
        while let byte = reader.next() {
            bytes.append(byte)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes between two offsets as a string; they have been checked to be UTF-8.
    func text(from start: Int, to end: Int) -> String {
        String(decoding: UnsafeRawBufferPointer(start: base + start, count: end &- start), as: UTF8.self)
    }

    /// Whether the string that a checked token stands for is exactly these bytes.
    @inline(__always)
    func matches(_ token: JSONStringToken, _ bytes: UnsafeRawPointer, count: Int) -> Bool {
        guard !token.isEscaped else { return matchesEscaped(token, bytes, count: count) }
        return token.end &- token.start == count && Self.areEqual(base + token.start, bytes, count: count)
    }

    @inline(never)
    private func matchesEscaped(_ token: JSONStringToken, _ bytes: UnsafeRawPointer, count: Int) -> Bool {
        var reader = JSONStringReader(token, in: self)
        for index in 0..<count {
            guard reader.next() == bytes.load(fromByteOffset: index, as: UInt8.self) else { return false }
        }
        return reader.next() == nil
    }

    /// Whether two runs of `count` bytes are the same.
    ///
    /// A run of eight or more ends with one overlapping word, so it needs no loop over single bytes.
    @inline(__always)
    static func areEqual(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, count: Int) -> Bool {
        guard count >= 8 else {
            for index in 0..<count {
                let byte = left.load(fromByteOffset: index, as: UInt8.self)
                guard byte == right.load(fromByteOffset: index, as: UInt8.self) else { return false }
            }
            return true
        }
        var index = 0
        while index < count {
            let start = min(index, count &- 8)
            let word = left.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            guard word == right.loadUnaligned(fromByteOffset: start, as: UInt64.self) else { return false }
            index &+= 8
        }
        return true
    }

    /// How many Unicode scalars the string that a checked token stands for has.
    func scalarCount(_ token: JSONStringToken) -> Int {
        var scalars = 0
        var reader = JSONStringReader(token, in: self)
        while let byte = reader.next() {
            scalars &+= byte & 0xC0 == 0x80 ? 0 : 1
        }
        return scalars
    }
}
