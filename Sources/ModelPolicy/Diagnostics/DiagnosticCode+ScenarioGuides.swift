extension DiagnosticCode {
    /// Of scenario files; each example is a file of its own, for the policy that the other examples are parts of.
    static let guidesOfScenarios: [DiagnosticCode: DiagnosticGuide] = [
        .scenarioUnknownKey: guide(
            "A scenario has a key that scenarios do not have",
            "Nothing would be given or expected by it, and the scenario would pass for another reason. "
                + "`spec/policy-tests.md` lists all keys.",
            given: #"{ rol = "writer", role = "writer" }"#
        ),
        .scenarioMissingKey: guide(
            "Something is missing that a scenario needs",
            "A file says its `schema`, a scenario its `name`, and what is given names a `role`.",
            given: #"{ stage = "plan" }"#
        ),
        .scenarioBadValue: guide(
            "A value of a scenario is not what its key holds",
            "A scenario with a value that cannot be read is no test, so it is an error and never passed over.",
            given: #"{ role = "writer", confidence = 1.5 }"#
        ),
        .scenarioUndefinedName: guide(
            "A scenario names something that the policy does not define",
            "A role, a model, a stage or a rule of another name is mostly a slip. A scenario that is about an unknown "
                + "role, mode or stage expects `unknown-role`, `unknown-mode` or `unknown-stage` as its `reason`.",
            given: #"{ role = "wirter" }"#
        ),
        .scenarioRepeatedName: DiagnosticGuide(
            "A name is there twice",
            "Scenarios, fixtures and grids are known by their names, in all files together.",
            .scenarios,
            fault: good + "\n" + good.dropFirst("schema = 1\n".count),
            cure: good
        ),
        .scenarioBeyondLimit: DiagnosticGuide(
            "There is more than can be run",
            "A matrix has at most 8 axes, and all scenarios together are at most 20 000 once matrices are expanded.",
            .scenarios,
            fault: good
                + "matrix = { settled = [\((0..<150).map(String.init).joined(separator: ", "))], "
                + "failed_attempts = [\((0..<150).map(String.init).joined(separator: ", "))] }\n",
            cure: good + "matrix = { settled = [0, 1], failed_attempts = [0, 1] }\n"
        ),
        .scenarioExpectsNothing: DiagnosticGuide(
            "A scenario expects nothing",
            "It could not fail, whatever the policy says.",
            .scenarios,
            fault: good.replacing("expect = { model = \"big\" }\n", with: ""),
            cure: good
        ),
        .scenarioBadMatrix: DiagnosticGuide(
            "A matrix does not fit together",
            "An axis is a list of different values. What is expected by a value stands under that value of that axis.",
            .scenarios,
            fault: good + "matrix = { risk = [\"high\", \"low\"] }\n"
                + "expect_by = { risk = { hihg = { evidence = \"durable\" } } }\n",
            cure: good + "matrix = { risk = [\"high\", \"low\"] }\n"
                + "expect_by = { risk = { high = { evidence = \"durable\" } } }\n"
        ),
    ]

    private static let good = """
        schema = 1

        [[scenarios]]
        name = "a writer has the big model"
        given = { role = "writer" }
        expect = { model = "big" }

        """

    private static func guide(_ title: String, _ explanation: String, given: String) -> DiagnosticGuide {
        DiagnosticGuide(
            title,
            explanation,
            .scenarios,
            fault: good.replacing(#"{ role = "writer" }"#, with: given),
            cure: good
        )
    }
}
