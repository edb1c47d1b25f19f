import CLZ4

/// Compresses into, and reads, the narrow part of the LZ4 frame format that `spec/format.md` section 6.2 allows.
///
/// Holds the library's contexts, so that a batch costs no allocation of them. Not thread-safe.
final class LZ4Frame {
    private var compressor: OpaquePointer?
    private var decompressor: OpaquePointer?
    private var scratch: [UInt8] = []

    static let magic: UInt32 = 0x184D_2204
    /// Magic, two descriptor bytes, content size, header checksum.
    private static let headerSize = 15

    init() {
        let created = LZ4F_createCompressionContext(&compressor, UInt32(LZ4F_VERSION))
        let opened = LZ4F_createDecompressionContext(&decompressor, UInt32(LZ4F_VERSION))
        precondition(LZ4F_isError(created) == 0 && LZ4F_isError(opened) == 0, "liblz4 has no memory for a context")
    }

    deinit {
        LZ4F_freeCompressionContext(compressor)
        LZ4F_freeDecompressionContext(decompressor)
    }

    /// Appends a frame of `raw` to `bytes` if it is shorter than `raw`; otherwise appends nothing and returns false.
    func compress(_ raw: UnsafeRawBufferPointer, into bytes: inout [UInt8]) -> Bool {
        guard raw.count > Self.headerSize + 8 else { return false }
        var preferences = LZ4F_preferences_t()
        preferences.frameInfo.blockSizeID = Self.blockSize(for: raw.count)
        preferences.frameInfo.blockMode = LZ4F_blockIndependent
        preferences.frameInfo.contentSize = UInt64(raw.count)
        // The whole input is at hand: without this the library copies it through a buffer of its own.
        preferences.autoFlush = 1
        let bound = LZ4F_compressBound(raw.count, &preferences) + 32
        if scratch.count < bound { scratch = [UInt8](repeating: 0, count: bound) }
        let written = scratch.withUnsafeMutableBytes { output -> Int in
            var length = LZ4F_compressBegin(compressor, output.baseAddress, output.count, &preferences)
            guard LZ4F_isError(length) == 0 else { return raw.count }
            var step = LZ4F_compressUpdate(
                compressor,
                output.baseAddress! + length,
                output.count - length,
                raw.baseAddress,
                raw.count,
                nil
            )
            guard LZ4F_isError(step) == 0 else { return raw.count }
            length += step
            step = LZ4F_compressEnd(compressor, output.baseAddress! + length, output.count - length, nil)
            return LZ4F_isError(step) == 0 ? length + step : raw.count
        }
        guard written < raw.count else { return false }
        scratch.withUnsafeBytes { bytes.append(contentsOf: $0[..<written]) }
        return true
    }

    /// Reads exactly one frame that fills `stored`, into the first `length` bytes of `raw`; that is what it must give.
    ///
    /// - Throws: `lz4Malformed`.
    func decompress(_ stored: RawSpan, length: Int, into raw: inout [UInt8]) throws(CapsuleError) {
        try Self.checkDescriptor(stored, rawLength: length)
        if raw.count < length { raw = [UInt8](repeating: 0, count: length) }
        let problem = stored.withUnsafeBytes { input in
            raw.withUnsafeMutableBytes { decode(input, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<length])) }
        }
        if let problem { throw CapsuleError(.lz4Malformed, "compressed data cannot be read: \(problem)") }
    }

    /// What is wrong, or nil.
    private func decode(_ input: UnsafeRawBufferPointer, into raw: UnsafeMutableRawBufferPointer) -> String? {
        LZ4F_resetDecompressionContext(decompressor)
        var taken = 0
        var given = 0
        while true {
            var outputLeft = raw.count - given
            var inputLeft = input.count - taken
            let hint = LZ4F_decompress(
                decompressor,
                raw.baseAddress.map { $0 + given },
                &outputLeft,
                input.baseAddress.map { $0 + taken },
                &inputLeft,
                nil
            )
            if LZ4F_isError(hint) != 0 { return String(cString: LZ4F_getErrorName(hint)) }
            given += outputLeft
            taken += inputLeft
            if hint == 0 { break }
            if outputLeft == 0 && inputLeft == 0 { return "the frame does not end" }
        }
        return given == raw.count && taken == input.count ? nil : "its length is not what was said"
    }

    private static func checkDescriptor(_ stored: RawSpan, rawLength: Int) throws(CapsuleError) {
        guard stored.byteCount >= headerSize else { throw CapsuleError(.lz4Malformed, "compressed data is cut off") }
        let start = UInt32(littleEndian: stored.unsafeLoadUnaligned(as: UInt32.self))
        let flags = stored.unsafeLoadUnaligned(fromByteOffset: 4, as: UInt8.self)
        let size = UInt64(littleEndian: stored.unsafeLoadUnaligned(fromByteOffset: 6, as: UInt64.self))
        // Version 01, content size present; blocks linked or not; everything else off.
        guard start == magic, flags & ~0x20 == 0x48, size == UInt64(rawLength) else {
            throw CapsuleError(
                .lz4Malformed,
                "compressed data is not an LZ4 frame of the form that section 6.2 asks for"
            )
        }
    }

    private static func blockSize(for count: Int) -> LZ4F_blockSizeID_t {
        switch count {
        case ...65_536: LZ4F_max64KB
        case ...262_144: LZ4F_max256KB
        case ...1_048_576: LZ4F_max1MB
        default: LZ4F_max4MB
        }
    }
}
