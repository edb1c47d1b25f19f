extension DiagnosticCode {
    static let guidesOfMeaning: [DiagnosticCode: DiagnosticGuide] = [
        .undefinedName: DiagnosticGuide(
            "A name is used that is not defined",
            "Told once for each name, at its first place, with the lines of the others.",
            .replacing,
            fault: """
                provider = "lap"
                id = "big-1"
                """,
            cure: """
                provider = "lab"
                id = "big-1"
                """
        ),
        .requirementBroken: DiagnosticGuide(
            "A listed model does not meet what its role requires",
            "`require` holds for every model that serves the role, fallbacks and modes among them.",
            .appended,
            fault: """
                [roles.reader]
                models = ["big", "tiny"]
                require = { locality = "cloud" }
                """,
            cure: """
                [roles.reader]
                models = ["big"]
                require = { locality = "cloud" }
                """
        ),
        .requirementUnmet: DiagnosticGuide(
            "No model meets what a role requires",
            "The role could never be served.",
            .appended,
            fault: """
                [roles.reader]
                models = ["big"]
                require = { tier_at_least = 9 }
                """,
            cure: """
                [roles.reader]
                models = ["big"]
                require = { tier_at_least = 2 }
                """
        ),
        .judgeAdmitsLocal: DiagnosticGuide(
            "A judge admits a local model",
            "The role `judge` is never served by a model on this machine: it must require the cloud.",
            .appended,
            fault: """
                [roles.judge]
                models = ["big"]
                """,
            cure: """
                [roles.judge]
                models = ["big"]
                require = { locality = "cloud" }
                """
        ),
        .warnAfterStop: DiagnosticGuide(
            "A budget warns after it stops",
            "The alert would never come.",
            .appended,
            fault: """
                [budgets]
                warn_at = 0.9
                stop_at = 0.8
                """,
            cure: """
                [budgets]
                warn_at = 0.7
                stop_at = 0.8
                """
        ),
        .missingPrice: DiagnosticGuide(
            "A model has no price where a budget needs one",
            "With `budgets.per_run_usd`, each cloud model has a price; a local one costs nothing "
                + "unless it says so.",
            .appended,
            fault: """
                [budgets]
                per_run_usd = "5.00"
                """,
            cure: """
                [budgets]
                per_run_usd = "5.00"

                [models.big.price_per_mtok]
                input = 3.00
                output = 15.00
                """
        ),
        .contradictoryBounds: DiagnosticGuide(
            "A gate can never pass",
            "Nothing is at least the one bound and at most the other.",
            .appended,
            fault: """
                [gates.latency]
                p95_ms = { at_least = 900, at_most = 500 }
                """,
            cure: """
                [gates.latency]
                p95_ms = { at_least = 0, at_most = 500 }
                """
        ),
        .missingBound: DiagnosticGuide(
            "A gate compares with nothing",
            "A metric has `at_most`, `at_least` or both.",
            .appended,
            fault: """
                [gates.latency]
                p95_ms = { samples = 50 }
                """,
            cure: """
                [gates.latency]
                p95_ms = { at_most = 500, samples = 50 }
                """
        ),
        .missingSigners: DiagnosticGuide(
            "Approvals count and no one can sign",
            "Where `enforcement.approvals` is `warn` or `enforce`, `approvals.signers` names the "
                + "`allowed_signers` file.",
            .appended,
            fault: """
                [enforcement]
                approvals = "warn"
                """,
            cure: """
                [enforcement]
                approvals = "warn"

                [approvals]
                signers = "policy/allowed_signers"
                """
        ),
        .modeNeverPermitted: DiagnosticGuide(
            "A mode is denied in both classes of risk",
            "It would never be used.",
            .replacing,
            fault: """
                [risk.high]
                deny_modes = ["quick"]
                evidence = "durable"

                [risk.low]
                deny_modes = ["quick"]
                evidence = "written"
                """,
            cure: """
                [risk.high]
                evidence = "durable"

                [risk.low]
                evidence = "written"
                """
        ),
        .unused: DiagnosticGuide(
            "Something is defined and never used",
            "No model is served by the provider, or no role lists the model and no escalation leads "
                + "to it.",
            .appended,
            fault: """
                [providers.spare]
                api = "openai"
                base_url = "https://spare.example"
                """,
            cure: """
                # no spare provider
                """
        ),
    ]
}
