/// The text of a C2SP checkpoint (tlog-checkpoint v1.0.0), with whatever signatures stand below it.
public struct CheckpointNote: Equatable, Sendable {
    public var origin: String
    public var size: UInt64
    public var root: Digest
    /// All bytes, signatures included.
    public var bytes: [UInt8]

    /// An unsigned checkpoint.
    public init(origin: String, size: UInt64, root: Digest) {
        self.origin = origin
        self.size = size
        self.root = root
        let text = "\(origin)\n\(size)\n\(Base64.encode(root.bytes))\n"
        bytes = Array(text.utf8)
    }

    /// Reads a note; nil unless its first three lines are a checkpoint, each in its only form.
    ///
    /// Extension lines and signatures are accepted and not looked at.
    public init?(_ bytes: [UInt8]) {
        guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
        // By bytes: to Swift's strings, CR LF is one character.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 3, omittingEmptySubsequences: false)
        guard lines.count == 4, !text.isEmpty else { return nil }
        let numbers = String(decoding: lines[1], as: UTF8.self)
        guard let size = UInt64(numbers), String(size) == numbers,
            let decoded = Base64.decode(Array(lines[2])), let root = Digest(decoded), decoded.count == 32
        else { return nil }
        origin = String(decoding: lines[0], as: UTF8.self)
        guard !origin.isEmpty else { return nil }
        self.size = size
        self.root = root
        self.bytes = bytes
    }
}

/// Padded standard base64 (RFC 4648 section 4), strict: what does not encode back to itself is refused.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            word <<= UInt32(8 * (3 - group.count))
            for index in 0..<4 {
                let digit = alphabet[Int(word >> UInt32(18 - 6 * index)) & 63]
                text.append(index <= group.count ? digit : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: [UInt8]) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let digits = text.prefix { $0 != UInt8(ascii: "=") }
        var bytes: [UInt8] = []
        var word: UInt32 = 0
        var bits: UInt32 = 0
        for character in digits {
            guard let value = alphabet.firstIndex(of: character) else { return nil }
            word = (word << 6 | UInt32(value)) & 0xFFFF
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: word >> bits))
            }
        }
        return encode(bytes).utf8.elementsEqual(text) ? bytes : nil
    }
}
