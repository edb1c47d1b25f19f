extension DiagnosticCode {
    static let guidesOfEscalation: [DiagnosticCode: DiagnosticGuide] = [
        .escalationWithoutLimit: DiagnosticGuide(
            "An escalation has nothing that makes it fire",
            "`mode` says where it applies; `failed_attempts` or `confidence_below` say when.",
            .appended,
            fault: """
                [[escalations]]
                id = "slow"
                role = "writer"
                when = { mode = "quick" }
                to = { mode = "default" }
                """,
            cure: """
                [[escalations]]
                id = "slow"
                role = "writer"
                when = { mode = "quick", failed_attempts = 2 }
                to = { mode = "default" }
                """
        ),
        .escalationNeverFires: DiagnosticGuide(
            "An escalation can never fire",
            "It leads to the only mode that its role has.",
            .appended,
            fault: """
                [roles.reader]
                models = ["big"]

                [[escalations]]
                id = "again"
                role = "reader"
                when = { failed_attempts = 2 }
                to = { mode = "default" }
                """,
            cure: """
                [roles.reader]
                models = ["big"]

                [[escalations]]
                id = "again"
                role = "reader"
                when = { failed_attempts = 2 }
                to = { then = "human" }
                """
        ),
        .escalationCircle: DiagnosticGuide(
            "Escalations go in a circle",
            "One leads to a mode from which others lead back: what has failed would be tried again.",
            .appended,
            fault: """
                [[escalations]]
                id = "slow"
                role = "writer"
                when = { mode = "quick", failed_attempts = 2 }
                to = { mode = "default" }

                [[escalations]]
                id = "fast"
                role = "writer"
                when = { mode = "default", failed_attempts = 2 }
                to = { mode = "quick" }
                """,
            cure: """
                [[escalations]]
                id = "slow"
                role = "writer"
                when = { mode = "quick", failed_attempts = 2 }
                to = { mode = "default" }

                [[escalations]]
                id = "fast"
                role = "writer"
                when = { mode = "default", failed_attempts = 2 }
                to = { then = "human" }
                """
        ),
        .escalationWithoutTarget: DiagnosticGuide(
            "An escalation leads nowhere",
            "`to` names no mode, tier or human, or a tier that no model has which may serve the role.",
            .appended,
            fault: """
                [[escalations]]
                id = "unsure"
                role = "writer"
                when = { confidence_below = 0.5 }
                to = { tier_at_least = 7 }
                """,
            cure: """
                [[escalations]]
                id = "unsure"
                role = "writer"
                when = { confidence_below = 0.5 }
                to = { tier_at_least = 2 }
                """
        ),
        .repeatedIdentifier: DiagnosticGuide(
            "Two escalations have one id",
            "Layers change an escalation by its `id`, so each has its own.",
            .appended,
            fault: """
                [[escalations]]
                id = "unsure"
                role = "writer"
                when = { confidence_below = 0.5 }
                to = { then = "human" }

                [[escalations]]
                id = "unsure"
                role = "writer"
                when = { failed_attempts = 3 }
                to = { then = "human" }
                """,
            cure: """
                [[escalations]]
                id = "unsure"
                role = "writer"
                when = { confidence_below = 0.5 }
                to = { then = "human" }

                [[escalations]]
                id = "stuck"
                role = "writer"
                when = { failed_attempts = 3 }
                to = { then = "human" }
                """
        ),
    ]
}
