extension DiagnosticCode {
    /// What is wrong with a change: see `spec/policy-gate.md`.
    static let guidesOfGate: [DiagnosticCode: DiagnosticGuide] = [
        .gatePolicyGone: DiagnosticGuide(
            "The policy is gone",
            "The base has a policy, and the change has none in its place. A policy that moved is "
                + "one that nobody checks. Keep it where it is; to another format, convert it in place.",
            .gate,
            fault: "D model_policy.toml",
            cure: "M model_policy.toml"
        ),
        .gateFileTwice: DiagnosticGuide(
            "Two files stand where one is to be",
            "A policy in TOML and its twin in YAML, or two files of one spec: which of them holds "
                + "would be chance.",
            .gate,
            fault: "A model_policy.yaml beside model_policy.toml",
            cure: "R model_policy.toml -> model_policy.yaml"
        ),
        .gateLink: DiagnosticGuide(
            "A file of the gate is a link",
            "What a link leads to can differ from machine to machine, and is not in the change "
                + "that is reviewed. Policies, layers, scenarios, signers, changelog and rules of the "
                + "gate are files.",
            .gate,
            fault: "policy/allowed_signers -> /tmp/signers",
            cure: "policy/allowed_signers is a file"
        ),
        .gateRules: DiagnosticGuide(
            "The rules of the gate cannot be read",
            "policy/gate.toml has `schema = 1`, and perhaps `min_coverage`, `golden` and "
                + "`checks`.",
            .gate,
            fault: "min_coverge = 90",
            cure: "min_coverage = 90"
        ),
        .gateBaseUnread: DiagnosticGuide(
            "The policy of the base cannot be read",
            "The base has a policy with errors, so nothing can be compared with it and no rules "
                + "be taken from it; the change is checked as a first one.",
            .gate,
            fault: "the base does not compile",
            cure: "the base compiles"
        ),
        .versionNotRaised: DiagnosticGuide(
            "The meaning changed and the version did not",
            "Whoever reads a version must know what it means. Any change of the compiled policy, "
                + "of the workspace or of a spec, raises `policy.version`. 'capsule-tool policy bump' "
                + "does.",
            .gate,
            fault: "version = \"1.4.0\"",
            cure: "version = \"1.5.0\""
        ),
        .versionRaisedTooLittle: DiagnosticGuide(
            "The version is raised too little",
            "Major when something went or the policy has another name, minor when a value changed "
                + "or something came, patch when nothing that decides did (spec/policy-gate.md).",
            .gate,
            fault: "1.4.0 -> 1.4.1, and a role went",
            cure: "1.4.0 -> 2.0.0"
        ),
        .versionLowered: DiagnosticGuide(
            "The version goes back",
            "A lower version would stand for a newer meaning.",
            .gate,
            fault: "1.4.0 -> 1.3.9",
            cure: "1.4.0 -> 1.5.0"
        ),
        .changelogEntryMissing: DiagnosticGuide(
            "The changelog has no entry for the version",
            "policy/CHANGELOG.md has a heading `## VERSION` for each version; 'capsule-tool "
                + "policy bump' drafts it.",
            .gate,
            fault: "## 1.3.0",
            cure: "## 1.5.0 (2026-11-01)"
        ),
        .changelogEntryEmpty: DiagnosticGuide(
            "The changelog's entry says nothing",
            "An entry says what changed, and why.",
            .gate,
            fault: "## 1.5.0",
            cure: "## 1.5.0\n\n- More tokens for plans: large specs did not fit."
        ),
        .noScenario: DiagnosticGuide(
            "No scenario tests the policy",
            "What nothing tests has not passed. Scenarios are in policy/tests; 'capsule-tool "
                + "policy test --coverage' drafts them.",
            .gate,
            fault: "policy/tests is empty",
            cure: "policy/tests/budgets.toml"
        ),
        .scenarioFails: DiagnosticGuide(
            "A scenario fails",
            "The policy does not decide as one of its scenarios says. 'capsule-tool policy test' "
                + "shows the whole decision.",
            .gate,
            fault: "expect = { model = \"opus\" }, and it is sonnet",
            cure: "expect = { model = \"sonnet\" }, or the policy as it was"
        ),
        .changeNotExercised: DiagnosticGuide(
            "A changed value that no scenario exercises",
            "With the old value put back, every hand-written scenario passes all the same: "
                + "nothing shows that the change does what it should. The golden file does not count.",
            .gate,
            fault: "per_run_usd = \"30.00\"",
            cure: "a scenario that 26 dollars are spent in"
        ),
        .coverageTooLow: DiagnosticGuide(
            "The scenarios show too little",
            "`min_coverage` of the base's policy/gate.toml, or 50 percent. 'capsule-tool policy "
                + "test --coverage' has a scenario to paste for each gap.",
            .gate,
            fault: "61 %",
            cure: "83 %"
        ),
        .goldenDiffers: DiagnosticGuide(
            "The golden file is not what the policy decides",
            "The base's policy/gate.toml names a golden file. 'capsule-tool policy test --golden "
                + "FILE --update' writes it; read what changed.",
            .gate,
            fault: "a golden file of yesterday",
            cure: "a golden file of today"
        ),
        .promiseBroken: DiagnosticGuide(
            "A scenario of the base no longer holds, and the changelog does not say so",
            "The base promised it. Keep the promise, or name the scenario in the changelog's "
                + "entry of this version, in backquotes, so that readers know.",
            .gate,
            fault: "- More money.",
            cure: "- More money: `a run stops at 25 dollars` no longer holds, it stops at 30."
        ),
        .promiseDeleted: DiagnosticGuide(
            "A scenario of the base is gone, though it still holds",
            "Nothing is won by it but less testing. Where what it is about went as well, it may "
                + "go.",
            .gate,
            fault: "the scenario is deleted",
            cure: "the scenario stays"
        ),
        .promiseWeakened: DiagnosticGuide(
            "A scenario of the base was changed or expects less, though it still holds",
            "Keep what it gives and expects; more may be expected. Say other things in other scenarios. Or "
                + "name the scenario in the changelog's entry of this version, in backquotes.",
            .gate,
            fault: "expect = { result = \"model\" }",
            cure: "expect = { model = \"opus\", rule = \"roles.architect.models\" }"
        ),
    ]
}
