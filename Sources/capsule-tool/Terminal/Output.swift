import Ledger
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Standard output: data only, written in large pieces, quiet about a reader that went away.
enum Output {
    private static let pending = Mutex<[UInt8]>([])

    static func line(_ text: String = "") { bytes(Array(text.utf8) + [UInt8(ascii: "\n")]) }

    static func json(_ value: JSONValue) {
        bytes(value.encoded(.pretty) + [UInt8(ascii: "\n")])
    }

    static func bytes(_ bytes: some Sequence<UInt8>) {
        let full = pending.withLock { pending -> [UInt8]? in
            pending.append(contentsOf: bytes)
            guard pending.count > 1 << 16 else { return nil }
            defer { pending.removeAll(keepingCapacity: true) }
            return pending
        }
        if let full { writeAll(full) }
    }

    static func flush() {
        let rest = pending.withLock { pending in
            defer { pending.removeAll() }
            return pending
        }
        writeAll(rest)
    }

    /// Writes what waits, and lets a pager have its time.
    static func finish() {
        flush()
        Pager.finish()
    }

    private static func writeAll(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { write(1, $0.baseAddress! + done, bytes.count - done) }
            if count >= 0 {
                done += count
            } else if errno == EPIPE {
                Pager.finish()
                exit(0)
            } else if errno != EINTR {
                complain("cannot write to standard output: \(Errno(rawValue: errno))")
                exit(ExitStatus.system.rawValue)
            }
        }
    }
}

/// Makes a write to a closed pipe fail instead of ending the process.
func ignoreBrokenPipes() { signal(SIGPIPE, SIG_IGN) }

/// Puts something into descriptors 0, 1 and 2 where the caller closed them, so that no file of ours gets such a number.
/// Reading and writing them fails as it would have.
func fillClosedStandardDescriptors() {
    for (descriptor, mode) in [(Int32(0), O_WRONLY), (1, O_RDONLY), (2, O_RDONLY)]
    where fcntl(descriptor, F_GETFD) < 0 {
        let opened = open("/dev/null", mode)
        if opened >= 0, opened != descriptor {
            dup2(opened, descriptor)
            close(opened)
        }
    }
}

/// What the terminal can do.
enum Terminal {
    // Asked once: a pager takes the place of the terminal later.
    static let isOutput = isatty(1) == 1
    static let isError = isatty(2) == 1

    /// Columns to write in: the terminal's, or none where the output is no terminal.
    static let width: Int? = {
        var size = winsize()
        if isOutput, ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return isOutput ? 80 : nil
    }()

    static let usesColour =
        isOutput && environment("NO_COLOR").map(\.isEmpty) ?? true && environment("TERM") != "dumb"

    static func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    /// Wraps text in an escape sequence where that does something.
    static func styled(_ text: String, _ style: Style) -> String {
        usesColour ? "\u{1B}[\(style.rawValue)m\(text)\u{1B}[0m" : text
    }

    enum Style: Int {
        case bold = 1
        case dim = 2
        case red = 31
        case green = 32
        case yellow = 33
    }
}

/// Text from a file made safe to print.
enum Printable {
    /// Escapes what a terminal would act upon: control characters, and those that reorder text.
    static func escape(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isDangerous) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            if isDangerous(scalar) {
                result += "\\u{\(String(scalar.value, radix: 16))}"
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    private static func isDangerous(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069, 0x2028, 0x2029, 0xFEFF: true
        default: false
        }
    }
}
