import Crypto

/// What a compiled policy is known by: the SHA-256 of its canonical bytes.
public struct SnapshotID: Sendable, Hashable {
    /// The 32 bytes.
    public let bytes: [UInt8]

    /// The ID of a snapshot.
    public init(ofSnapshot snapshot: [UInt8]) {
        bytes = snapshot.withUnsafeBytes { buffer in
            var hash = SHA256()
            hash.update(bufferPointer: buffer)
            return Array(hash.finalize())
        }
    }

    /// Reads `sha256:` and 64 small hexadecimal digits; nil for anything else.
    public init?(_ text: some StringProtocol) {
        guard text.hasPrefix("sha256:"), text.utf8.count == 71 else { return nil }
        var bytes: [UInt8] = []
        var high: UInt8?
        for digit in text.utf8.dropFirst(7) {
            let value: UInt8
            switch digit {
            case 48...57: value = digit - 48
            case 97...102: value = digit - 87
            default: return nil
            }
            if let first = high {
                bytes.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        self.bytes = bytes
    }
}

extension SnapshotID: CustomStringConvertible {
    /// `sha256:` and 64 hexadecimal digits.
    public var description: String {
        let digits = Array("0123456789abcdef".utf8)
        let hex = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return "sha256:" + String(decoding: hex, as: UTF8.self)
    }
}
