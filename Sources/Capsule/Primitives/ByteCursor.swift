#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// The one way to take bytes apart: forwards, each length compared with what is left before it is used.
///
/// Reading past the end throws `frameMalformed`; the caller that knows better says so.
struct ByteCursor: ~Escapable {
    private(set) var rest: RawSpan

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { rest = bytes }

    var remaining: Int { rest.byteCount }
    var isAtEnd: Bool { rest.isEmpty }

    /// The next `count` bytes.
    @_lifetime(copy self)
    mutating func take(_ count: Int) throws(CapsuleError) -> RawSpan {
        guard count >= 0, count <= rest.byteCount else {
            throw CapsuleError(.frameMalformed, "\(count) bytes are needed where \(rest.byteCount) are left")
        }
        let taken = rest.extracting(first: count)
        rest = rest.extracting(droppingFirst: count)
        return taken
    }

    /// An integer, little-endian.
    @_lifetime(self: copy self)
    mutating func integer<T: FixedWidthInteger & BitwiseCopyable>(_: T.Type = T.self) throws(CapsuleError) -> T {
        T(littleEndian: try value(T.self))
    }

    /// A value of fixed size whose every bit pattern is valid, as it lies in memory.
    @_lifetime(self: copy self)
    mutating func value<T: BitwiseCopyable>(_: T.Type = T.self) throws(CapsuleError) -> T {
        let bytes = try take(MemoryLayout<T>.size)
        return bytes.unsafeLoadUnaligned(as: T.self)
    }

    /// Whether the next `count` bytes are all zero; takes them.
    @_lifetime(self: copy self)
    mutating func zeroes(_ count: Int) throws(CapsuleError) -> Bool {
        try take(count).isAllZero
    }
}

extension RawSpan {
    /// Whether every byte is zero.
    var isAllZero: Bool {
        withUnsafeBytes { bytes in
            let words = bytes.count / 8
            for index in 0..<words where bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) != 0 {
                return false
            }
            for index in (words * 8)..<bytes.count where bytes[index] != 0 { return false }
            return true
        }
    }

    /// A copy on the heap.
    public var array: [UInt8] { withUnsafeBytes { Array($0) } }
}

extension ArraySlice<UInt8> {
    /// Whether both hold the same bytes, compared as memory: `==` goes one by one.
    func equals(_ other: ArraySlice<UInt8>) -> Bool {
        withUnsafeBytes { mine in
            other.withUnsafeBytes { others in
                mine.count == others.count
                    && (mine.isEmpty || memcmp(mine.baseAddress!, others.baseAddress!, mine.count) == 0)
            }
        }
    }
}

extension [UInt8] {
    /// Appends an integer, little-endian.
    mutating func append(integer: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: integer.littleEndian) { append(contentsOf: $0) }
    }

    mutating func append(_ digest: Digest) { digest.withUnsafeBytes { append(contentsOf: $0) } }

    mutating func append(_ id: some SixteenByteID) { id.withUnsafeBytes { append(contentsOf: $0) } }

    mutating func append(_ span: RawSpan) { span.withUnsafeBytes { append(contentsOf: $0) } }

    /// Writes an integer, little-endian, over what stands at `offset`.
    mutating func put(_ integer: some FixedWidthInteger, at offset: Int) {
        Swift.withUnsafeBytes(of: integer.littleEndian) { replaceSubrange(offset..<(offset + $0.count), with: $0) }
    }

    mutating func appendZeroes(_ count: Int) { append(contentsOf: [UInt8](repeating: 0, count: count)) }
}
