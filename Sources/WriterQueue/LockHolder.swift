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

    /// What is the same for every writer here.
    private static let machine = "\"host\":\(quoted(host)),\"user\":\(quoted(user))"
    private static let host: String = {
        var host = [CChar](repeating: 0, count: 256)
        gethostname(&host, 255)
        return String(decoding: host.map(UInt8.init(bitPattern:)).prefix { $0 != 0 }, as: UTF8.self)
    }()
    private static let user = getpwuid(getuid()).map { String(cString: $0.pointee.pw_name) } ?? "\(getuid())"

    init(purpose: String?, since: Timestamp = .now) {
        let run = purpose.map { ",\"run\":\(Self.quoted($0))" } ?? ""
        text = "{\"pid\":\(getpid()),\(Self.machine),\"since\":\"\(since.text(fractionDigits: 3))\"\(run)}"
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
