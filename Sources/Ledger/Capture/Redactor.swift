import ModelRouter

/// Takes out of bodies what a policy's `redaction` names: values of environment variables, and contents of files.
///
/// Every occurrence of a secret in a text or a JSON string becomes `[redacted:NAME]`. A member of content beside a
/// path with such a name goes as a whole. Values of fewer than ``leastBytes`` are left: they would stand in every
/// other word.
public struct Redactor: Sendable {
    /// Shorter values are no secrets that could be told from words.
    public static let leastBytes = 6
    /// So many secrets are looked for.
    public static let mostSecrets = 1000

    private let secrets: [Secret]
    private let files: [String]

    private struct Secret: Sendable {
        var name: String
        var text: String
    }

    /// - Parameters:
    ///   - environment: variables by name.
    ///   - files: contents of the workspace's files, by name; those whose name no pattern matches are left out.
    public init(_ rules: Redaction, environment: [String: String], files contents: [(name: String, text: String)]) {
        var secrets: [Secret] = []
        for (name, value) in environment where rules.environment.contains(where: { Glob.matches($0, name) }) {
            secrets.append(Secret(name: name, text: value))
        }
        for file in contents where Self.isNamed(file.name, rules.files) {
            for line in file.text.split(whereSeparator: \.isNewline) {
                secrets += Self.values(of: line).map { Secret(name: file.name, text: $0) }
            }
        }
        let kept = secrets.filter { $0.text.utf8.count >= Self.leastBytes }
        // The longest first: a secret that holds another goes as a whole.
        let sorted = kept.sorted { ($1.text.utf8.count, $0.name) < ($0.text.utf8.count, $1.name) }
        self.secrets = Array(sorted.prefix(Self.mostSecrets))
        files = rules.files
    }

    /// A line of a file of secrets, and what it sets if it sets something.
    private static func values(of line: Substring) -> [String] {
        let line = line.trimmed
        guard !line.isEmpty, !line.hasPrefix("#") else { return [] }
        guard let equals = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return [String(line)] }
        let value = line[line.index(after: equals)...].trimmed
        let quoted = value.count >= 2 && value.first == value.last && (value.first == "\"" || value.first == "'")
        return [String(quoted ? value.dropFirst().dropLast() : value)]
    }

    /// Whether the last part of a path matches one of the patterns.
    private static func isNamed(_ path: String, _ patterns: [String]) -> Bool {
        let name = path.split(whereSeparator: { $0 == "/" || $0 == "\\" }).last.map(String.init) ?? path
        return patterns.contains { Glob.matches($0, name) }
    }

    /// The text without secrets; nil if it has none.
    func redacted(_ text: String) -> String? {
        var result = text
        for secret in secrets where result.contains(secret.text) {
            result = result.replacing(secret.text, with: "[redacted:\(secret.name)]")
        }
        return result == text ? nil : result
    }

    /// The value without secrets; nil if it has none.
    func redacted(_ value: JSONValue) -> JSONValue? {
        switch value {
        case .string(let text): return redacted(text).map { .string($0) }
        case .array(let elements):
            let changed = elements.map { redacted($0) }
            guard changed.contains(where: { $0 != nil }) else { return nil }
            return .array(zip(elements, changed).map { $1 ?? $0 })
        case .object(let members):
            let namesSecretFile = members.contains { member in
                Self.pathKeys.contains(member.key) && member.value.string.map { Self.isNamed($0, files) } ?? false
            }
            var result = JSONValue.Members()
            var isChanged = false
            for member in members {
                let hides = namesSecretFile && Self.contentKeys.contains(member.key)
                let changed = hides ? JSONValue.string("[redacted:file]") : redacted(member.value)
                // A key may be a secret as well as a value.
                let key = redacted(member.key) ?? member.key
                if changed != nil || key != member.key { isChanged = true }
                result[key] = changed ?? member.value
            }
            return isChanged ? .object(result) : nil
        default: return nil
        }
    }

    private static let pathKeys: Set<String> = ["path", "file", "filename", "file_path"]
    private static let contentKeys: Set<String> = [
        "content", "contents", "text", "data", "output", "result", "diff", "patch", "body",
    ]

    /// The request with secrets taken out of what is the caller's own words.
    func redacted(_ request: RoutingRequest) -> RoutingRequest {
        var request = request
        request.task = redacted(request.task) ?? request.task
        request.by = request.by.map { redacted($0) ?? $0 }
        return request
    }

    /// Takes secrets out of a draft's body. A body without any stays byte for byte as it was given.
    func redact(_ draft: inout EventDraft) {
        guard let body = draft.body, draft.media.isText else { return }
        if draft.media == .json, let value = try? JSONValue.parse(body) {
            if let changed = redacted(value) { draft.body = changed.encoded() }
        } else if let text = String(validating: body, as: UTF8.self), let changed = redacted(text) {
            draft.body = Array(changed.utf8)
        }
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = self
        while text.first?.isWhitespace == true { text.removeFirst() }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

/// Patterns of names, scalar by scalar: `*` stands for any characters, `?` for one.
enum Glob {
    static func matches(_ pattern: String, _ name: String) -> Bool {
        Wildcards.match(Array(pattern.unicodeScalars), Array(name.unicodeScalars), any: "*", one: "?")
    }
}
