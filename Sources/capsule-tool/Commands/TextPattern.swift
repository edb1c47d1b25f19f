import CRE2

/// What `--grep` looks for, whatever the case.
///
/// By RE2: a search takes time in proportion to the text, whatever the pattern. Swift's own `Regex` goes back and tries
/// again, and `(a+)+$` upon thirty letters would not end in a lifetime.
final class TextPattern {
    private let pattern: OpaquePointer

    /// Why a text is no pattern.
    struct Fault: Error, CustomStringConvertible {
        var description: String
    }

    init(_ text: String) throws(Fault) {
        var text = text
        var error = [CChar](repeating: 0, count: 512)
        let made = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { cre2_pattern_make($0.baseAddress, $0.count, &error, error.count) }
        }
        guard let made else {
            let reason = String(decoding: error.map(UInt8.init(bitPattern:)).prefix { $0 != 0 }, as: UTF8.self)
            throw Fault(description: reason)
        }
        pattern = made
    }

    deinit { cre2_pattern_free(pattern) }

    func isFound(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { isFound(in: UnsafeRawBufferPointer($0)) }
    }

    func isFound(in bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { isFound(in: $0) } }

    private func isFound(in bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.withMemoryRebound(to: CChar.self) { cre2_pattern_is_found(pattern, $0.baseAddress, $0.count) != 0 }
    }
}
