extension DiagnosticCode {
    static let guidesOfLayer: [DiagnosticCode: DiagnosticGuide] = [
        .changeNotAllowed: DiagnosticGuide(
            "A spec changes what it may not",
            "`overrides.allow` and `overrides.tighten_only` of the workspace say what a spec's file "
                + "may change.",
            .spec,
            fault: """
                [enforcement]
                routing = "observe"
                """,
            cure: """
                [roles.writer]
                models = ["big"]
                """
        ),
        .changeLoosens: DiagnosticGuide(
            "A spec loosens what it may only tighten",
            "`spec/policy.md` gives each key's order of strictness.",
            .spec,
            fault: """
                [capture]
                mode = "full_io"
                """,
            cure: """
                [capture]
                mode = "hash"
                """
        ),
        .patternMatchesNothing: DiagnosticGuide(
            "A pattern of `overrides` matches no key",
            "It is a key of the language with `*` for a name. `schema`, `policy` and `overrides` are "
                + "the workspace's alone.",
            .replacing,
            fault: """
                allow = ["roles.*.model", "redaction"]
                """,
            cure: """
                allow = ["roles.*.models", "redaction"]
                """
        ),
        .noStrictness: DiagnosticGuide(
            "A key has no order of strictness",
            "No change to it would be stricter, so `tighten_only` would permit nothing.",
            .replacing,
            fault: """
                tighten_only = ["budgets", "capture", "providers"]
                """,
            cure: """
                tighten_only = ["budgets", "capture"]
                """
        ),
    ]
}
