/// The fields of a line of `allowed_signers`: set apart by blanks, which within `"…"` are part of a field.
struct SignersLine {
    struct Field {
        var text: String
        /// In bytes of the line.
        var range: Range<Int>
    }

    enum Next {
        case field(Field)
        case openQuote(Range<Int>)
        case end(Int)
    }

    private let bytes: [UInt8]
    private var offset = 0
    private var isFirst = true

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The next field. A comment that begins the line is no field; a first field that is quoted whole is given without
    /// its quotes.
    mutating func next() -> Next {
        while offset < bytes.count, Self.isBlank(bytes[offset]) { offset += 1 }
        guard offset < bytes.count, !(isFirst && bytes[offset] == UInt8(ascii: "#")) else { return .end(offset) }
        let start = offset
        var opened: Int?
        while offset < bytes.count, opened != nil || !Self.isBlank(bytes[offset]) {
            if bytes[offset] == UInt8(ascii: "\"") { opened = opened == nil ? offset : nil }
            offset += 1
        }
        if let opened { return .openQuote(opened..<bytes.count) }
        var content = bytes[start..<offset]
        if isFirst, content.count >= 2, content.first == UInt8(ascii: "\""), content.last == UInt8(ascii: "\"") {
            content = content.dropFirst().dropLast()
        }
        isFirst = false
        return .field(Field(text: String(decoding: content, as: UTF8.self), range: start..<offset))
    }

    /// The options of a field, set apart by commas outside quotes.
    static func options(_ field: Field) -> [Field] {
        var options: [Field] = []
        var start = field.range.lowerBound
        var isQuoted = false
        var current: [UInt8] = []
        func finish(_ end: Int) {
            options.append(Field(text: String(decoding: current, as: UTF8.self), range: start..<end))
        }
        for (index, byte) in zip(field.range, field.text.utf8) {
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if byte == UInt8(ascii: ","), !isQuoted {
                finish(index)
                (start, current) = (index + 1, [])
            } else {
                current.append(byte)
            }
        }
        finish(field.range.upperBound)
        return options
    }

    static func isKeyType(_ word: String) -> Bool {
        ["ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-", "webauthn-", "rsa-sha2-"].contains(where: word.hasPrefix)
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
}

/// What the options of a line say.
struct SignerOptions {
    typealias Fault = (code: DiagnosticCode, message: String, help: String?)

    var namespaces: [String]?
    var validAfter: PolicyTime?
    var validBefore: PolicyTime?
    /// Where `cert-authority` stands.
    var authority: Range<Int>?

    private static let names = ["cert-authority", "namespaces", "valid-after", "valid-before"]

    /// Takes one option, and says what is wrong with it.
    mutating func take(_ option: SignersLine.Field, _ sink: DiagnosticSink) -> Fault? {
        let parts = option.text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0].lowercased()
        guard Self.names.contains(name) else {
            return (
                .signerOption, "there is no option `\(parts[0].prefix(64))`",
                sink.suggestion(for: name, among: Self.names) ?? "options are \(Self.names.joined(separator: ", "))"
            )
        }
        guard !has(name) else { return (.signerOption, "`\(name)` stands twice", "keep one") }
        if name == "cert-authority" {
            authority = option.range
            return parts.count == 1 ? nil : (.signerOption, "`\(name)` takes no value", "write `\(name)` alone")
        }
        guard parts.count == 2, let value = Self.unquoted(parts[1]) else {
            return (.signerOption, "the value of `\(name)` is not in quotes", "write \(name)=\"…\"")
        }
        guard name != "namespaces" else { return take(namespaces: value) }
        return take(time: value, isAfter: name == "valid-after")
    }

    private func has(_ name: String) -> Bool {
        switch name {
        case "namespaces": namespaces != nil
        case "valid-after": validAfter != nil
        case "valid-before": validBefore != nil
        default: authority != nil
        }
    }

    private mutating func take(namespaces value: String) -> Fault? {
        let items = value.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard items.allSatisfy({ !$0.isEmpty && $0.utf8.count <= ApprovalLimits.nameBytes }),
            items.count <= ApprovalLimits.wildcards
        else {
            return (.signerOption, "`namespaces` has an empty or too long name", "names are set apart by one comma")
        }
        namespaces = items
        return nil
    }

    private mutating func take(time value: String, isAfter: Bool) -> Fault? {
        let isUTC = value.hasSuffix("Z") || value.hasSuffix("z")
        guard let time = Self.time(isUTC ? value.dropLast() : value[...]) else {
            return (
                .signerTime, "`\(value.prefix(64))` is no time",
                "write YYYYMMDDZ, YYYYMMDDHHMMZ or YYYYMMDDHHMMSSZ"
            )
        }
        // Time zones go from 12 hours behind UTC to 14 before it.
        let slack: Int64 = isUTC ? 0 : isAfter ? 12 * 3600 : -14 * 3600
        let strictest = PolicyTime(seconds: time.seconds + slack)
        if isAfter { validAfter = strictest } else { validBefore = strictest }
        guard !isUTC else { return nil }
        return (
            .signerLocalTime,
            "without a Z this time is another one on each machine; taken as \(isAfter ? "late" : "early") as it can be",
            "write `\(value)Z`"
        )
    }

    private static func unquoted(_ text: String) -> String? {
        guard text.utf8.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return nil }
        let inner = text.dropFirst().dropLast()
        return inner.contains("\"") || inner.contains("\\") ? nil : String(inner)
    }

    /// `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, in UTC.
    private static func time(_ digits: Substring) -> PolicyTime? {
        let bytes = Array(digits.utf8)
        guard [8, 12, 14].contains(bytes.count), bytes.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let padded = bytes + [UInt8](repeating: 0x30, count: 14 - bytes.count)
        func part(_ range: Range<Int>) -> String { String(decoding: padded[range], as: UTF8.self) }
        let date = "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))"
        let time = PolicyTime("\(date)T\(part(8..<10)):\(part(10..<12)):\(part(12..<14))Z")
        return time.flatMap { $0.seconds > 0 ? $0 : nil }
    }
}
