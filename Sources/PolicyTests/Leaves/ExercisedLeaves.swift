import JSONText
import ModelPolicy

/// What the scenarios say of one changed leaf.
public struct LeafExercise: Sendable, Equatable {
    public enum Verdict: Sendable, Equatable {
        /// Putting it back makes this scenario fail.
        case exercised(by: String)
        /// Nothing fails when it is put back: the change is not tested.
        case unexercised
        /// The router does not read it, so no scenario could.
        case notDecisive
    }

    public var change: PolicyDiff.Change
    /// The paths that were put back: the leaf alone; or what had to go with it, where the leaf belongs to something
    /// that came or went as a whole.
    public var putBack: [String]
    public var verdict: Verdict
}

/// For each leaf that a change changed: does a scenario fail when it alone is put back?
public enum ExercisedLeaves {
    /// Judges every change from a base to a changed policy.
    ///
    /// - Parameter scenarios: hand-written ones that pass under the changed policy; one that does not proves nothing
    ///   and is left out.
    ///
    /// Cost: for each decisive change a policy is laid out, and scenarios are decided until one fails.
    public static func judge(
        base: CompiledPolicy,
        changed: CompiledPolicy,
        scenarios: [Scenario]
    ) -> [LeafExercise] {
        let decider = ScenarioDecider(changed)
        let passing = scenarios.filter { $0.expect.unmet(by: decider.decide($0.given).decision).isEmpty }
        let changes = PolicyDiff(from: base, to: changed).changes
        var known: [[String]: LeafExercise.Verdict] = [:]
        return changes.map { change in
            guard PolicyLeaf.isDecisive(change.path) || change.path == "escalations" else {
                return LeafExercise(change: change, putBack: [], verdict: .notDecisive)
            }
            let (paths, policy) = restored(change, changes, base, changed)
            let verdict = known[paths] ?? Self.verdict(policy, passing)
            known[paths] = verdict
            return LeafExercise(change: change, putBack: paths, verdict: verdict)
        }
    }

    private static func verdict(_ policy: CompiledPolicy, _ passing: [Scenario]) -> LeafExercise.Verdict {
        ScenarioDecider(policy).firstFailure(passing).map { .exercised(by: $0.name) } ?? .unexercised
    }

    /// The changed policy with a leaf put back; where that is no policy, with its table; where that is none either,
    /// with all changed leaves that name the table; and else the base.
    static func restored(
        _ change: PolicyDiff.Change,
        _ changes: [PolicyDiff.Change],
        _ base: CompiledPolicy,
        _ changed: CompiledPolicy
    ) -> ([String], CompiledPolicy) {
        var attempts = [[change.path]]
        if let table = table(of: change.path) {
            attempts.append([table])
            let name = table.split(separator: ".").last.map(String.init) ?? ""
            let users = changes.filter { other in
                !other.path.hasPrefix(table + ".") && (names(other.old, name) || names(other.new, name))
            }
            if !users.isEmpty { attempts.append([table] + users.map(\.path)) }
        }
        for paths in attempts {
            let values = paths.map { (path: $0, value: base.value(at: $0)) }
            // The order of escalations is no value of its own.
            let ordered = values.map { path, value in
                path == "escalations" ? (path, JSONValue.array(base.escalations.map { .string($0.id) })) : (path, value)
            }
            if let policy = try? changed.replacing(ordered), policy != changed { return (paths, policy) }
        }
        return (changes.map(\.path), base)
    }

    /// The table of a name that a leaf is in, such as `models.opus` or `roles.implementer.modes.reflex`.
    private static func table(of path: String) -> String? {
        let steps = path.split(separator: ".").map(String.init)
        guard steps.count > 2, ["providers", "models", "roles", "escalations", "gates"].contains(steps[0]) else {
            return nil
        }
        if steps[0] == "roles", steps.count > 4, steps[2] == "modes" { return steps[..<4].joined(separator: ".") }
        if steps[0] == "gates", steps.count > 3 { return steps[..<3].joined(separator: ".") }
        return steps[..<2].joined(separator: ".")
    }

    private static func names(_ value: JSONValue?, _ name: String) -> Bool {
        value?.string == name || (value?.array?.contains(.string(name)) ?? false)
    }
}
