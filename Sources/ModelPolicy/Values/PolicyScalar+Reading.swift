import JSONText

/// Why a value is not what its key holds.
package struct ValueFault: Error {
    package var code: DiagnosticCode
    package var message: String
    package var help: String?

    init(_ code: DiagnosticCode, _ message: String, _ help: String? = nil) {
        self.code = code
        self.message = message
        self.help = help
    }
}

extension PolicyScalar {
    /// What it is, in words that follow "is".
    package var words: String {
        switch self {
        case .integer(let range) where range.lowerBound == range.upperBound: "the integer \(range.lowerBound)"
        case .integer(let range): "an integer from \(range.lowerBound) to \(range.upperBound)"
        case .boolean: "true or false"
        case .choice(let words):
            words.count == 1 ? "`\(words[0])`" : "one of " + words.map { "`\($0)`" }.joined(separator: ", ")
        case .text: "text of one line"
        case .name(let namespace): "the name of a \(namespace.rawValue)"
        case .newName(let namespace): "a name for a \(namespace.rawValue)"
        case .policyName: "a name"
        case .semanticVersion: "a semantic version, such as `\"1.4.0\"`"
        case .time: "a date, such as `2026-11-01`"
        case .environmentVariable: "the name of an environment variable, such as `\"ANTHROPIC_API_KEY\"`"
        case .url: "an address, such as `\"https://api.example.com\"`"
        case .path: "a path in the workspace, such as `\"policy/allowed_signers\"`"
        case .glob: "a pattern of names, such as `\"*_KEY\"`"
        case .keyPattern: "a key, such as `\"roles.*.models\"`"
        case .dollars(let most): "an amount of dollars from 0 to \(most), such as `\"25.00\"`"
        case .ratio: "a share above 0 and up to 1, such as `0.8`"
        case .decimal: "a number"
        case .duration: "a time span, such as `\"120s\"`"
        }
    }

    /// The value as it is compiled.
    package func read(_ value: SyntaxValue) throws(ValueFault) -> JSONValue {
        switch value {
        case .localTime:
            throw ValueFault(.localTime, "this time has no offset", "add `Z` or an offset such as `+01:00`")
        case .float(let text) where Self.isNotFinite(text):
            throw ValueFault(.notFinite, "this is no finite number", "this is \(words)")
        default: break
        }
        switch self {
        case .integer(let range): return try readInteger(value, range)
        case .boolean:
            guard case .boolean(let truth) = value else { throw wrongType(value) }
            return .bool(truth)
        case .dollars(let most): return try readDecimal(value, 0...(most * 1_000_000))
        case .ratio(let range): return try readDecimal(value, range)
        case .decimal:
            let most = PolicyLimits.gateValue * 1_000_000
            return try readDecimal(value, -most...most)
        case .time:
            if case .time(let text) = value { return try readTime(text) }
            return try readTime(readText(value))
        case .duration: return try readDuration(readText(value))
        default: return .string(try checkForm(readText(value)))
        }
    }

    private static func isNotFinite(_ text: String) -> Bool {
        let letters = text.lowercased()
        return letters.hasSuffix("inf") || letters.hasSuffix("nan")
    }

    func wrongType(_ value: SyntaxValue) -> ValueFault {
        var help: String?
        switch (self, value) {
        case (.integer, .string(let text)) where Int(text) != nil: help = "leave the quotation marks out"
        case (.boolean, .string("true")), (.boolean, .string("false")): help = "leave the quotation marks out"
        case (.boolean, _): help = "write `true` or `false`"
        case (_, .integer), (_, .float), (_, .boolean), (_, .time): help = "put it in quotation marks"
        default: break
        }
        if case .integer = self, case .float = value { help = "write it without a fraction" }
        return ValueFault(.wrongType, "this is to be \(words), and here is \(value.kind)", help)
    }

    private func readInteger(_ value: SyntaxValue, _ range: ClosedRange<Int>) throws(ValueFault) -> JSONValue {
        guard case .integer(let text) = value else { throw wrongType(value) }
        guard let number = Self.integer(text), range.contains(number) else {
            throw ValueFault(.outOfRange, "this is to be \(words)")
        }
        return .number(JSONNumber(number))
    }

    /// Reads TOML's and YAML's ways to write an integer; nil beyond 64 bits.
    static func integer(_ text: String) -> Int? {
        let digits = String(text.utf8.filter { $0 != UInt8(ascii: "_") }.map { Character(Unicode.Scalar($0)) })
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
            return Int(digits.dropFirst(2), radix: radix)
        }
        return Int(digits)
    }

    private func readDecimal(_ value: SyntaxValue, _ range: ClosedRange<Int64>) throws(ValueFault) -> JSONValue {
        let text: String
        switch value {
        case .integer(let number): text = Self.integer(number).map(String.init) ?? number
        case .float(let number): text = number
        case .string(let number):
            guard case .dollars = self else { throw wrongType(value) }
            text = number
        default: throw wrongType(value)
        }
        let number: Int64
        do throws(Decimal6.Fault) {
            number = try Decimal6(text).millionths
        } catch {
            switch error {
            case .notANumber: throw ValueFault(.badForm, "this is to be \(words)")
            case .tooPrecise:
                throw ValueFault(.tooPrecise, "this number has more than six places", "round it to six places")
            case .tooLarge: throw ValueFault(.outOfRange, "this is to be \(words)")
            }
        }
        guard range.contains(number) else {
            throw ValueFault(.outOfRange, "this is to be \(words)" + (number < 0 ? "; it cannot be negative" : ""))
        }
        return .number(JSONNumber(number))
    }

    private func readText(_ value: SyntaxValue) throws(ValueFault) -> String {
        guard case .string(let text) = value else { throw wrongType(value) }
        guard !SecretPattern.matches(text) else {
            throw ValueFault(
                .secret,
                "this looks like a secret, and a policy is read by many",
                "take it out and make the secret invalid; a policy names the variable that holds it (`api_key_env`)"
            )
        }
        guard text.utf8.count <= PolicyLimits.textBytes else {
            throw ValueFault(.beyondLimit, "this text is longer than \(PolicyLimits.textBytes) bytes")
        }
        if let hidden = text.unicodeScalars.first(where: { HiddenCharacter.isHidden($0) || $0 == "\n" || $0 == "\t" }) {
            throw ValueFault(
                .hiddenCharacter,
                "this text holds the character \(HiddenCharacter.name(hidden)), which cannot be seen",
                "take it out"
            )
        }
        return text
    }

    private func readTime(_ text: String) throws(ValueFault) -> JSONValue {
        guard let time = PolicyTime(text) else {
            let isLocal = PolicyTime(text + "Z") != nil
            throw isLocal
                ? ValueFault(.localTime, "this time has no offset", "add `Z` or an offset such as `+01:00`")
                : ValueFault(.badForm, "this is to be \(words), or a time with an offset to the second")
        }
        guard (0...253_402_300_799).contains(time.seconds) else {
            throw ValueFault(.outOfRange, "this is to be a time from 1970 to 9999")
        }
        return .string(time.description)
    }

    private static let units: [(name: String, milliseconds: Int64)] = [
        ("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    private func readDuration(_ text: String) throws(ValueFault) -> JSONValue {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == "-" || $0 == "+" || $0 == ".") }
        let unit = Self.units.first { $0.name == text.dropFirst(digits.count) }
        guard let unit, let number = Int64(digits) else {
            throw ValueFault(.badForm, "this is to be \(words)", "write a whole number and `ms`, `s`, `m`, `h` or `d`")
        }
        guard number > 0 else {
            throw ValueFault(.outOfRange, "a time span is longer than nothing", "write a larger one, such as `\"60s\"`")
        }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        guard !overflow, milliseconds <= PolicyLimits.durationDays * 86_400_000 else {
            throw ValueFault(.outOfRange, "a time span is at most \(PolicyLimits.durationDays) days")
        }
        return .number(JSONNumber(milliseconds))
    }
}
