/// A version as semver.org 2.0.0 orders them.
public struct SemanticVersion: Sendable, Hashable, Comparable {
    /// Major, minor, patch.
    public let core: [Int]
    /// What follows the hyphen, part by part; empty for a release.
    public let prerelease: [String]

    /// Nil for what is no version. What follows a `+` does not count.
    public init?(_ text: String) {
        guard PolicyScalar.isSemanticVersion(text) else { return nil }
        let ordered = text.prefix { $0 != "+" }
        let parts = ordered.split(separator: "-", maxSplits: 1)
        core = parts[0].split(separator: ".").compactMap { Int($0) }
        prerelease = parts.count > 1 ? parts[1].split(separator: ".").map(String.init) : []
    }

    public static func < (left: SemanticVersion, right: SemanticVersion) -> Bool {
        if left.core != right.core { return left.core.lexicographicallyPrecedes(right.core) }
        // A pre-release comes before its release.
        if left.prerelease.isEmpty || right.prerelease.isEmpty {
            return !left.prerelease.isEmpty && right.prerelease.isEmpty
        }
        return left.prerelease.lexicographicallyPrecedes(right.prerelease, by: precedes)
    }

    /// Numbers by their value and before words, words by their bytes.
    private static func precedes(_ left: String, _ right: String) -> Bool {
        switch (Int(left), Int(right)) {
        case (let left?, let right?): left < right
        case (_?, nil): true
        case (nil, _?): false
        case (nil, nil): left.utf8.lexicographicallyPrecedes(right.utf8)
        }
    }
}

extension PolicyDiff {
    /// How far a version must be raised for these changes; nil when nothing but the version changed.
    ///
    /// Major is what a caller or an operator who relied on the old policy may trip over: something went, or the policy
    /// has another name. What is looser and what is stricter does not matter here: that is for approvers.
    public var level: PolicyBump.Level? {
        changes.filter { $0.path != "policy.version" }.map(Self.level).max()
    }

    /// How far the version must be raised for one change.
    public static func level(of change: Change) -> PolicyBump.Level {
        if change.path == "policy.name" { return .major }
        if change.effect == .neutral { return .patch }
        return change.new == nil ? .major : .minor
    }
}

extension PolicyBump.Level: Comparable {
    private var rank: Int {
        switch self {
        case .patch: 0
        case .minor: 1
        case .major: 2
        }
    }

    public static func < (left: Self, right: Self) -> Bool { left.rank < right.rank }

    /// The least version that raises one by this much. One that is a pre-release is raised by any later one; before
    /// 1.0.0 a minor version stands for a major one.
    public func isMet(from old: SemanticVersion, to new: SemanticVersion) -> Bool {
        guard old < new else { return false }
        if !old.prerelease.isEmpty { return true }
        let kept = self == .patch ? 3 : self == .major && old.core[0] > 0 ? 1 : 2
        return kept == 3 || old.core.prefix(kept).lexicographicallyPrecedes(new.core.prefix(kept))
    }
}
