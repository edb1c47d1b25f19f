import ArgumentParser
import Ledger

/// Which events of a run to show.
struct EventSelection: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Events of this type only, or with tool.* of all that begin so; may be repeated.",
            valueName: "type"
        )
    )
    var type: [String] = []

    @Option(help: ArgumentHelp("Events in this stage only; may be repeated.", valueName: "stage"))
    var stage: [String] = []

    @Option(
        help: ArgumentHelp("Events at or after \(TimeArgument.help).", valueName: "time"),
        transform: { try TimeArgument($0) }
    )
    var since: TimeArgument?

    @Option(
        help: ArgumentHelp(
            "Events in whose type, actor, stage or body this regular expression is found, whatever the case.",
            valueName: "pattern"
        )
    )
    var grep: String?

    @Flag(help: "Events only that say that something went wrong.")
    var errors = false

    var isEmpty: Bool { type.isEmpty && stage.isEmpty && since == nil && grep == nil && !errors }

    func validate() throws {
        for name in type where !name.hasSuffix("*") {
            do { _ = try EventType(name: name) } catch { throw ValidationError("\(error.reason)") }
        }
        if let grep {
            do { _ = try Regex(grep) } catch {
                throw ValidationError("'\(grep)' is not a regular expression: \(error)")
            }
        }
    }
}

/// A selection made ready to be asked of many events.
struct EventMatcher {
    private let names: Set<String>
    private let prefixes: [String]
    private let stages: Set<String>
    private let since: Timestamp?
    private let pattern: TextPattern?
    private let errors: Bool

    /// - Throws: what is wrong with the pattern.
    init(_ selection: EventSelection) throws {
        names = Set(selection.type.filter { !$0.hasSuffix("*") })
        prefixes = selection.type.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
        stages = Set(selection.stage)
        since = selection.since?.first
        pattern = try selection.grep.map { try TextPattern($0) }
        errors = selection.errors
    }

    func matches(_ event: ReadEvent, stage: String?, actor: String?) -> Bool {
        let type = event.envelope.type.name
        if !names.isEmpty || !prefixes.isEmpty, !names.contains(type), !prefixes.contains(where: type.hasPrefix) {
            return false
        }
        if !stages.isEmpty, stage.map(stages.contains) != true { return false }
        if let since, event.envelope.time < since { return false }
        if errors, !event.isFailure { return false }
        guard let pattern else { return true }
        return [type, stage, actor].contains { $0.map(pattern.isFound) ?? false } || bodyMatches(event, pattern)
    }

    private func bodyMatches(_ event: ReadEvent, _ pattern: TextPattern) -> Bool {
        guard event.event.envelope.media.isText, let bytes = event.event.inlineBody else { return false }
        if pattern.isFound(in: bytes) { return true }
        // What was written as an escape is found as the character that it stands for, too.
        guard bytes.contains(UInt8(ascii: "\\")), let body = event.body else { return false }
        return Self.strings(in: body).contains { pattern.isFound($0) }
    }

    private static func strings(in value: JSONValue) -> [String] {
        switch value {
        case .string(let text): [text]
        case .array(let elements): elements.flatMap(strings)
        case .object(let members): members.flatMap { [$0.key] + strings(in: $0.value) }
        default: []
        }
    }
}

/// What `--grep` looks for, whatever the case.
enum TextPattern {
    /// Letters, digits and the like only, in lower case: found at a nanosecond a byte, where a regular expression takes
    /// fifty.
    case literal([UInt8])
    case expression(Regex<AnyRegexOutput>)

    /// - Throws: what is wrong with the expression.
    init(_ text: String) throws {
        let isLiteral = !text.isEmpty && text.utf8.allSatisfy { Self.isPlain($0) }
        self =
            isLiteral
            ? .literal(text.lowercased().utf8.map { $0 })
            : .expression(try Regex(text).ignoresCase().matchingSemantics(.unicodeScalar))
    }

    /// ASCII that means itself in every regular expression.
    private static func isPlain(_ byte: UInt8) -> Bool {
        let scalar = Unicode.Scalar(byte)
        return scalar.isASCII && (scalar.properties.isAlphabetic || ("0"..."9").contains(scalar))
            || " _-/:,\"@#=<>%&;'~".utf8.contains(byte)
    }

    func isFound(_ text: String) -> Bool {
        switch self {
        case .literal: isFound(in: Array(text.utf8))
        case .expression(let regex): text.firstMatch(of: regex) != nil
        }
    }

    func isFound(in bytes: [UInt8]) -> Bool {
        switch self {
        case .literal(let literal): Self.find(literal.span, in: bytes.span)
        case .expression(let regex): String(decoding: bytes, as: UTF8.self).firstMatch(of: regex) != nil
        }
    }

    private static func find(_ literal: Span<UInt8>, in bytes: Span<UInt8>) -> Bool {
        guard literal.count <= bytes.count else { return false }
        for start in 0...(bytes.count - literal.count) {
            var length = 0
            while length < literal.count, lower(bytes[start + length]) == literal[length] { length += 1 }
            if length == literal.count { return true }
        }
        return false
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
