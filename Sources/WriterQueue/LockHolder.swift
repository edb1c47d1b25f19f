import Capsule

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Who writes: what the note beside the capsule says, so that whoever waits knows for whom. Advice only.
struct LockHolder: Sendable {
    let text: String

    private static let host: String = {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, 255)
        return String(decoding: host.map(UInt8.init(bitPattern:)).prefix { $0 != 0 }, as: UTF8.self)
    }()
    private static let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(getuid())"

    init(purpose: String?, since: Timestamp = .now) {
        var fields = [
            ("pid", "\(getpid())"),
            ("host", Self.quoted(Self.host)), ("user", Self.quoted(Self.user)),
            ("since", Self.quoted(since.text(fractionDigits: 3))),
        ]
        if let purpose { fields.append(("run", Self.quoted(purpose))) }
        text = "{" + fields.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    /// A JSON string; what would need an escape is left out, because this is for people to read.
    private static func quoted(_ text: String) -> String {
        let plain = text.unicodeScalars.filter { $0.value >= 0x20 && $0 != "\"" && $0 != "\\" && $0.value != 0x7F }
        // The note has 420 bytes for all of it.
        var bytes = 0
        let short = plain.prefix { scalar in
            bytes += String(scalar).utf8.count
            return bytes <= 72
        }
        return "\"\(String(String.UnicodeScalarView(short)))\""
    }
}
