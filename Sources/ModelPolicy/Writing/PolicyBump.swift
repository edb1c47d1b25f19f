/// Drafts what belongs to a change of a policy: a higher version and an entry of the changelog.
public struct PolicyBump: Sendable {
    public enum Level: String, Sendable, CaseIterable {
        /// Nothing that decides changed.
        case patch
        /// A value changed, or something came.
        case minor
        /// Something went, or the policy has another name.
        case major
    }

    public let diff: PolicyDiff
    public let level: Level
    public let version: String

    /// - Parameter level: nil takes the least that fits the change.
    /// - Returns: nil when nothing changed but the version.
    public init?(from old: CompiledPolicy, to new: CompiledPolicy, level: Level? = nil) {
        let diff = PolicyDiff(from: old, to: new)
        let changes = diff.changes.filter { $0.path != "policy.version" }
        guard !changes.isEmpty else { return nil }
        let fitting = diff.level ?? .patch
        self.diff = diff
        self.level = level ?? fitting
        let raised = Self.raised(old.version, self.level)
        version = level == nil && Self.isEnough(new.version, for: self.level, after: old.version) ? new.version : raised
    }

    /// Whether whoever made the change has raised the version already.
    private static func isEnough(_ version: String, for level: Level, after old: String) -> Bool {
        guard let old = SemanticVersion(old), let new = SemanticVersion(version) else { return false }
        return level.isMet(from: old, to: new)
    }

    private var changes: [PolicyDiff.Change] { diff.changes.filter { $0.path != "policy.version" } }

    /// The next version; what is before 1.0.0 stays before it.
    package static func raised(_ version: String, _ level: Level) -> String {
        let core = version.prefix { $0 != "-" && $0 != "+" }
        let numbers = core.split(separator: ".").map { Int($0) ?? 0 } + [0, 0, 0]
        let (major, minor, patch) = (numbers[0], numbers[1], numbers[2])
        switch level {
        case .major where major > 0: return "\(major &+ 1).0.0"
        case .major, .minor: return "\(major).\(minor &+ 1).0"
        case .patch: return core.count < version.count ? String(core) : "\(major).\(minor).\(patch &+ 1)"
        }
    }

    /// The source with the new version in it; nil when it gives none.
    public func source(_ file: SourceFile) -> [UInt8]? {
        guard case .table(let root) = PolicyConverter.syntax(of: file)?.value,
            case .table(let policy) = root.first(where: { $0.key == "policy" })?.node.value,
            let span = policy.first(where: { $0.key == "version" })?.node.span
        else { return nil }
        let text = SourceText(file)
        let (start, end) = (text.offset(of: span.start), text.offset(of: span.end))
        guard start <= end, end <= text.bytes.count else { return nil }
        return Array(text.bytes[..<start]) + Array("\"\(version)\"".utf8) + Array(text.bytes[end...])
    }

    /// The entry, in Markdown.
    public func changelogEntry(day: String) -> String {
        let lines = ["## \(version) (\(day))", ""] + items.map { $0.start + $0.rest }
        return lines.joined(separator: "\n") + "\n"
    }

    /// A line for each change, in two parts: which value, and what became of it.
    private var items: [(start: String, rest: String)] {
        changes.map { change in
            let effect = change.effect == .neutral ? "" : " (\(change.effect.rawValue))"
            let (old, new) = (change.oldText ?? "nothing", change.newText ?? "nothing")
            return ("- `\(change.path)`: ", "\(old) → \(new)\(effect)")
        }
    }

    /// The changelog with the entry before those that are there. Where the version has one, what it says stays, and
    /// lines of values are brought up to date.
    public func changelog(_ old: String?, day: String) -> String {
        guard let old, !old.isEmpty else { return "# Changelog of the policy\n\n" + changelogEntry(day: day) }
        // A line's end of two characters would be one character to a text.
        let lines = old.replacing("\r\n", with: "\n").split(separator: "\n", omittingEmptySubsequences: false)
        if let heading = lines.firstIndex(where: isHeading) { return updated(lines.map(String.init), heading) }
        guard let first = lines.firstIndex(where: { $0.hasPrefix("## ") }) else {
            return old + (old.hasSuffix("\n") ? "\n" : "\n\n") + changelogEntry(day: day)
        }
        let before = lines[..<first].joined(separator: "\n")
        return before + (before.isEmpty ? "" : "\n") + changelogEntry(day: day) + "\n"
            + lines[first...].joined(separator: "\n")
    }

    /// Whether a line is the heading of the version's entry, however it is decorated.
    private func isHeading(_ line: Substring) -> Bool {
        guard line.hasPrefix("## "), let word = line.dropFirst(3).split(separator: " ").first else { return false }
        let bare = word.prefix { $0 != "]" }.drop { $0 == "[" || $0 == "v" }
        return bare == version
    }

    private func updated(_ lines: [String], _ heading: Int) -> String {
        let end = lines[(heading + 1)...].firstIndex { $0.hasPrefix("## ") } ?? lines.count
        var entry = Array(lines[heading..<end])
        for item in items {
            if let place = entry.firstIndex(where: { $0.hasPrefix(item.start) }) {
                entry[place] = item.start + item.rest
            } else {
                let last = entry.lastIndex { !$0.isEmpty } ?? 0
                entry.insert(contentsOf: (last == 0 ? [""] : []) + [item.start + item.rest], at: last + 1)
            }
        }
        return (lines[..<heading] + entry + lines[end...]).joined(separator: "\n")
    }
}
