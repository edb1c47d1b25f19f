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
            """
            Events in whose type, actor, stage or body this regular expression is found, whatever the case. RE2's: no \
            look-around and no back-references, so that no pattern takes for ever. ^ and $ are the ends of the whole \
            text; (?m) makes them those of lines.
            """,
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
            do { _ = try TextPattern(grep) } catch {
                throw ValidationError("'\(grep)' is not a regular expression of RE2: \(error)")
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
