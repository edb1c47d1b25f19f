extension DiagnosticCode {
    static let guidesOfText: [DiagnosticCode: DiagnosticGuide] = [
        .syntax: DiagnosticGuide(
            "The text cannot be read",
            "The file is not valid TOML or YAML at this place. A TOML file is read on without the "
                + "faulty line, so that other faults are told too.",
            .appended,
            fault: """
                [capture
                mode = "hash"
                """,
            cure: """
                [capture]
                mode = "hash"
                """
        ),
        .invalidUTF8: DiagnosticGuide(
            "A byte is not UTF-8",
            "Policies are UTF-8. Save the file in that encoding.",
            .replacing,
            fault: """
                owner = "te\u{FFFD}m"
                """,
            cure: """
                owner = "team"
                """
        ),
        .beyondLimit: DiagnosticGuide(
            "There is too much of something",
            "A limit of `spec/policy.md` is passed: the size of the file, of a text, of a table, or "
                + "the number of faults.",
            .replacing,
            fault: """
                owner = "\(String(repeating: "team ", count: 201))"
                """,
            cure: """
                owner = "team"
                """
        ),
        .duplicateKey: DiagnosticGuide(
            "A key is there twice",
            "In one table each key has one value. Keep the one that is meant.",
            .replacing,
            fault: """
                tier = 2
                tier = 3
                """,
            cure: """
                tier = 2
                """
        ),
        .tooDeep: DiagnosticGuide(
            "Tables or lists nest too deep",
            "No policy needs that; see the limits in `spec/policy.md`.",
            .appended,
            fault: """
                [redaction]
                files = [[[[[[[[[[[[[[[[[["x"]]]]]]]]]]]]]]]]]]
                """,
            cure: """
                [redaction]
                files = ["x"]
                """
        ),
        .unsupportedYAML: DiagnosticGuide(
            "YAML that a policy does not use",
            "Anchors, aliases, merge keys, tags and second documents make one text mean another in "
                + "different tools. Write the value out.",
            .yaml,
            fault: """
                capture: &content
                  mode: hash
                """,
            cure: """
                capture:
                  mode: hash
                """
        ),
        .notATable: DiagnosticGuide(
            "The file is no table of keys",
            "A policy begins with keys, the first of them `schema`.",
            .wholeYAML,
            fault: """
                - schema: 1
                """,
            cure: """
                schema: 1
                """
        ),
        .hiddenCharacter: DiagnosticGuide(
            "A character cannot be seen",
            "Text with hidden characters, or with ones that turn the order of others round, does not "
                + "say what it shows.",
            .replacing,
            fault: """
                owner = "te\u{202E}am"
                """,
            cure: """
                owner = "team"
                """
        ),
    ]
}
