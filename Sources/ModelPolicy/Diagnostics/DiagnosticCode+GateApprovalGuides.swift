extension DiagnosticCode {
    /// What is wrong with the approvals of a change, what changes the gate itself, and what a capsule shows.
    static let guidesOfGateApprovals: [DiagnosticCode: DiagnosticGuide] = [
        .approvalsMissing: DiagnosticGuide(
            "A changed layer lacks approvals",
            "Each changed layer needs `approvals.required` different persons of the base's list "
                + "of signers who did not make the change. 'capsule-tool policy approve' signs. "
                + "Severity is the base's `enforcement.approvals`.",
            .gate,
            fault: "no signature in policy/approvals",
            cure: "policy/approvals/DIGEST/grace.json and .json.sig"
        ),
        .gateFileNotApproved: DiagnosticGuide(
            "A changed file of the gate lacks approvals",
            "The list of signers and policy/gate.toml say who may approve the next change and how "
                + "it is tested. They are signed as layers are: 'capsule-tool policy approve "
                + "--gate-file FILE'.",
            .gate,
            fault: "a key more in policy/allowed_signers",
            cure: "the same, and a signature of a signer of the base"
        ),
        .approvalUnreadable: DiagnosticGuide(
            "An approval cannot be read",
            "The statement or its signature is malformed, is missing, or is by a kind of key that "
                + "is not verified.",
            .gate,
            fault: "grace.json without grace.json.sig",
            cure: "both files"
        ),
        .approvalTampered: DiagnosticGuide(
            "An approval's signature is not of its statement",
            "Something was changed after it was signed, or it was signed for another purpose.",
            .gate,
            fault: "a statement that was edited",
            cure: "the statement as 'policy approve' wrote it"
        ),
        .approvalOfSomethingElse: DiagnosticGuide(
            "An approval is about something else",
            "A statement counts for the digest, the layer, the spec and the policy that it names.",
            .gate,
            fault: "a statement copied from another digest's folder",
            cure: "a new statement"
        ),
        .approvalNotBySigner: DiagnosticGuide(
            "An approval is not by a signer of the base",
            "Who may approve is said by the list in the base, not by the one that the change "
                + "brings.",
            .gate,
            fault: "a key that the change adds",
            cure: "a key that the base lists"
        ),
        .approvalOutOfTime: DiagnosticGuide(
            "An approval's key was not valid",
            "`valid-after` and `valid-before` hold for the time of the statement and for now.",
            .gate,
            fault: "valid-before=\"20250101Z\"",
            cure: "a key that is valid"
        ),
        .approvalByAuthor: DiagnosticGuide(
            "An approval is by an author of the change",
            "Authors are those of every commit since the last approved one, by name and by "
                + "address, and all other names under which the list knows them.",
            .gate,
            fault: "Ada wrote it, and signs as ada@home.example",
            cure: "Grace signs"
        ),
        .approvalTwice: DiagnosticGuide(
            "An approval is by a person who counts already",
            "Who holds a key counts once, whatever names it has.",
            .gate,
            fault: "two keys of Grace",
            cure: "Grace and Linus"
        ),
        .enforcementLowered: DiagnosticGuide(
            "The change lowers what is enforced",
            "It holds from the next change on; this one is judged by the base.",
            .gate,
            fault: "routing = \"warn\"",
            cure: "routing = \"enforce\""
        ),
        .approvalRulesChanged: DiagnosticGuide(
            "The change makes approvals easier, or asks others",
            "Fewer persons, authors too, or another list. It holds from the next change on; this "
                + "one is judged by the base.",
            .gate,
            fault: "required = 1",
            cure: "required = 2"
        ),
        .signersChanged: DiagnosticGuide(
            "The list of signers changed",
            "It holds from the next change on; this one is judged by the base's list.",
            .gate,
            fault: "+ mallory@example.com ssh-ed25519 …",
            cure: "the list as it was"
        ),
        .testRulesLowered: DiagnosticGuide(
            "The change asks for less testing",
            "It holds from the next change on; this one is judged by the base.",
            .gate,
            fault: "min_coverage = 10",
            cure: "min_coverage = 90"
        ),
        .checksChanged: DiagnosticGuide(
            "The change touches what runs the gate",
            "No gate can watch over the script that calls it. Make the check required, and let "
                + "its files be reviewed by their owners.",
            .gate,
            fault: "M .github/workflows/policy.yml",
            cure: "nothing"
        ),
        .capsuleNotSound: DiagnosticGuide(
            "The capsule does not verify",
            "'capsule-tool verify --require-snapshots --require-decisions' says what is wrong.",
            .gate,
            fault: "a model call without a decision",
            cure: "each model call names the decision that allowed it"
        ),
        .snapshotNotFromBranch: DiagnosticGuide(
            "A run's policy is not from the protected branch",
            "The run's policy was not compiled from files of a commit of that branch: nobody "
                + "reviewed it.",
            .gate,
            fault: "\"differs\": true",
            cure: "\"differs\": false, and the commit is on main"
        ),
        .policyFellBack: DiagnosticGuide(
            "A run's policy did not load",
            "It was refused, or ran under a policy of before, or under one that routes nothing.",
            .gate,
            fault: "policy.failure",
            cure: "a policy that loads"
        ),
        .ruleSetAside: DiagnosticGuide(
            "Somebody set a rule aside",
            "An override is a decision of a person, to be read by others.",
            .gate,
            fault: "override budgets.per_run_usd",
            cure: "none"
        ),
        .glassBroken: DiagnosticGuide(
            "Somebody broke the glass",
            "Budgets and gates did not stop anything from then on.",
            .gate,
            fault: "override with break_glass",
            cure: "none"
        ),
    ]
}
