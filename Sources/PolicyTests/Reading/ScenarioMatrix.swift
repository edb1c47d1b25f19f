import ModelPolicy

/// Lists of values, and their combinations.
struct ScenarioMatrix {
    struct Value {
        /// As it stands in names.
        var text: String
        var given: ScenarioGiven

        /// Whether a key of `expect_by` means this value; its digits may be grouped.
        func isCalled(_ key: String) -> Bool { key == text || key.replacing("_", with: "") == text }
    }

    struct Axis {
        var name: String
        var values: [Value]
    }

    /// In the order of the keys of ``GivenKey``, fixtures first: not the order of the file, which layout may change.
    let axes: [Axis]

    init(axes: [Axis]) {
        let order = ["use"] + GivenKey.allCases.map(\.rawValue)
        self.axes = axes.sorted { left, right in
            (order.firstIndex(of: left.name) ?? 0) < (order.firstIndex(of: right.name) ?? 0)
        }
    }

    /// How many combinations there are; the largest integer where there are more.
    var count: Int {
        axes.reduce(1) { product, axis in
            let (next, overflow) = product.multipliedReportingOverflow(by: axis.values.count)
            return overflow ? .max : next
        }
    }

    /// Every combination, the last axis running fastest. The caller has looked at ``count``.
    var combinations: [[Value]] {
        axes.reduce([[]]) { lists, axis in lists.flatMap { list in axis.values.map { list + [$0] } } }
    }

    /// What a combination gives: fixtures, the scenario's own, and the values over both.
    func given(_ used: ScenarioGiven, _ own: ScenarioGiven, _ combination: [Value]) -> ScenarioGiven {
        var given = used
        // A fixture of an axis is one like those of `use`: what the scenario gives itself is over it.
        for (axis, value) in zip(axes, combination) where axis.name == "use" { given = given.merging(value.given) }
        given = given.merging(own)
        for (axis, value) in zip(axes, combination) where axis.name != "use" { given = given.merging(value.given) }
        return given
    }

    /// ` [risk=high, failed_attempts=2]`; nothing without axes.
    func suffix(_ combination: [Value]) -> String {
        guard !axes.isEmpty else { return "" }
        let parts = zip(axes, combination).map { "\($0.name)=\($1.text)" }
        return " [\(parts.joined(separator: ", "))]"
    }
}
