extension DiagnosticCode {
    static let guidesOfValue: [DiagnosticCode: DiagnosticGuide] = [
        .unknownKey: DiagnosticGuide(
            "A key is not of the language",
            "The tables of `spec/policy.md` say which keys there are. A misspelt key is read as the "
                + "one that was probably meant, so that what it holds is checked too.",
            .replacing,
            fault: """
                tire = 2
                """,
            cure: """
                tier = 2
                """
        ),
        .missingKey: DiagnosticGuide(
            "A key is not there",
            "The key has no default, so the policy must say it.",
            .replacing,
            fault: """
                # no owner
                """,
            cure: """
                owner = "team"
                """
        ),
        .wrongType: DiagnosticGuide(
            "A value has the wrong type",
            "Text is in quotation marks; numbers, `true` and `false` are not; lists are in square "
                + "brackets.",
            .replacing,
            fault: """
                tier = "2"
                """,
            cure: """
                tier = 2
                """
        ),
        .badName: DiagnosticGuide(
            "A name is not a name",
            "Names have small letters a-z, digits, `-` and `_`, and begin with a letter or a digit, "
                + "at most 64 in all: then a rule's path can be read one way only, and no two names look "
                + "alike.",
            .appended,
            fault: """
                [gates.Parity]
                success = { at_least = 0.9 }
                """,
            cure: """
                [gates.parity]
                success = { at_least = 0.9 }
                """
        ),
        .outOfRange: DiagnosticGuide(
            "A value is out of its bounds",
            "The message says the bounds. Times are longer than nothing; money is not negative.",
            .replacing,
            fault: """
                tier = 0
                """,
            cure: """
                tier = 2
                """
        ),
        .badForm: DiagnosticGuide(
            "A value has the wrong form",
            "The message says the form and gives an example.",
            .replacing,
            fault: """
                version = "1.0"
                """,
            cure: """
                version = "1.0.0"
                """
        ),
        .unknownWord: DiagnosticGuide(
            "A word is none of those that can stand here",
            "The message says which can.",
            .replacing,
            fault: """
                api = "open-ai"
                """,
            cure: """
                api = "openai"
                """
        ),
        .tooPrecise: DiagnosticGuide(
            "A number has too many places",
            "Money, shares and bounds are exact to six places.",
            .appended,
            fault: """
                [budgets]
                warn_at = 0.8000001
                """,
            cure: """
                [budgets]
                warn_at = 0.8
                """
        ),
        .repeatedItem: DiagnosticGuide(
            "An item is in a list twice",
            "The second can never matter. Take it out, or write the one that was meant.",
            .replacing,
            fault: """
                stages = ["plan", "implement", "plan"]
                """,
            cure: """
                stages = ["plan", "implement"]
                """
        ),
        .emptyList: DiagnosticGuide(
            "Something that needs an entry has none",
            "A role without models, or a gate without a metric, could never serve or pass.",
            .appended,
            fault: """
                [roles.reader]
                models = []
                """,
            cure: """
                [roles.reader]
                models = ["big"]
                """
        ),
        .reservedName: DiagnosticGuide(
            "A name is taken",
            "`default` is the mode that each role itself describes, and cannot be denied; names that "
                + "begin with `builtin-` are those of the tool's own policies.",
            .replacing,
            fault: """
                name = "builtin-mine"
                """,
            cure: """
                name = "guide"
                """
        ),
        .localTime: DiagnosticGuide(
            "A time says no offset",
            "Without an offset no one knows when it is. Add `Z` for UTC.",
            .replacing,
            fault: """
                owner = "team"
                effective = 2026-11-01T08:00:00
                """,
            cure: """
                owner = "team"
                """
        ),
        .notFinite: DiagnosticGuide(
            "A number is infinite or not a number",
            "There is no such budget, share or bound.",
            .appended,
            fault: """
                [budgets]
                warn_at = nan
                """,
            cure: """
                [budgets]
                warn_at = 0.8
                """
        ),
        .secret: DiagnosticGuide(
            "A value looks like a secret",
            "A policy and its snapshot are read by many and kept for good. Take the secret out, make "
                + "it invalid where it is used, and name the variable that holds the new one. Messages show "
                + "asterisks in its place.",
            .replacing,
            fault: """
                api_key_env = "sk-test-4f9a8b7c6d5e4f3a2b1c"
                """,
            cure: """
                api_key_env = "LAB_API_KEY"
                """
        ),
        .insecureURL: DiagnosticGuide(
            "An address can be read on the way",
            "`http` is for this machine only (`localhost`, `127.0.0.1`, `[::1]`).",
            .replacing,
            fault: """
                base_url = "http://lab.example"
                """,
            cure: """
                base_url = "https://lab.example"
                """
        ),
        .unknownSchema: DiagnosticGuide(
            "The language is of a version that this tool does not know",
            "A newer tool reads older policies; an older tool does not read newer ones.",
            .replacing,
            fault: """
                schema = 2
                """,
            cure: """
                schema = 1
                """
        ),
    ]
}
