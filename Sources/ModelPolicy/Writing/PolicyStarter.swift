/// What `policy init` writes: a policy that says what each part is for, and scenarios of what it should decide.
public enum PolicyStarter {
    /// The policy, in TOML.
    ///
    /// - Parameters:
    ///   - name: of the policy; must be a good name.
    ///   - owner: who answers for it.
    public static func policy(name: String, owner: String) -> String {
        template.replacing("NAME", with: name).replacing("\"OWNER\"", with: TOMLWriter.quoted(owner))
    }

    /// Whether a policy may be called so.
    public static func isGoodName(_ name: String) -> Bool {
        PolicyName.isGood(name) && !name.hasPrefix("builtin-")
    }

    private static let template = """
        # The policy of this workspace: which models do which work, what a run may spend, and what is kept of it.
        # 'capsule-tool policy validate' checks it, 'capsule-tool policy explain KEY' says more of a key.
        schema = 1

        # The stages of a run, in their order.
        stages = ["plan", "implement", "review"]

        [policy]
        name    = "NAME"
        version = "0.1.0"  # raise it whenever the meaning changes: 'capsule-tool policy bump'
        owner   = "OWNER"

        # Where models are called. A key is never written here, only the name of the variable that holds it.

        [providers.anthropic]
        api         = "anthropic"
        base_url    = "https://api.anthropic.com"
        api_key_env = "ANTHROPIC_API_KEY"

        [providers.workstation]
        api      = "openai"
        base_url = "http://localhost:8080/v1"

        # What may be called. The larger the tier, the stronger the model. Prices are dollars for a million tokens: put
        # in those of your contract.

        [models.strong]
        provider       = "anthropic"
        id             = "claude-opus-4"
        locality       = "cloud"
        tier           = 3
        context_tokens = 200_000
        price_per_mtok = { input = 15.00, output = 75.00 }

        [models.local]
        provider       = "workstation"
        id             = "gpt-oss-20b"
        locality       = "local"
        tier           = 1
        context_tokens = 131_072

        # Who does what. The first model is the choice; the rest are its fallbacks, in order.

        [roles.architect]
        models = ["strong"]

        [roles.implementer]
        models     = ["strong"]
        start_mode = "reflex"

        # A local model first, where the stage and the risk permit it.
        [roles.implementer.modes.reflex]
        models = ["local"]
        stages = ["implement"]

        # A judge is never a local model.
        [roles.judge]
        models  = ["strong"]
        require = { locality = "cloud" }

        # After two failed attempts of the local model, the one in the cloud.
        [[escalations]]
        id   = "reflex-exhausted"
        role = "implementer"
        when = { mode = "reflex", failed_attempts = 2 }
        to   = { mode = "default" }

        # An architect who is not sure asks a human.
        [[escalations]]
        id   = "architect-unsure"
        role = "architect"
        when = { confidence_below = 0.6 }
        to   = { then = "human" }

        # Unstated risk is high.

        [risk.high]
        deny_modes = ["reflex"]
        evidence   = "durable"

        [risk.low]
        evidence = "written"

        [budgets]
        per_run_usd = "5.00"

        # Each part can be rolled out on its own: observe, warn, enforce.
        [enforcement]
        routing   = "enforce"
        budgets   = "enforce"
        gates     = "warn"
        approvals = "observe"

        # Whose consent a change needs, once approvals are set to "warn" or "enforce": so many of those listed, and none
        # who made the change.
        [approvals]
        required       = 1
        exclude_author = true
        signers        = "policy/allowed_signers"

        [capture]
        mode = "summary"

        # What a spec's own file, policy/specs/SPEC.toml, may change.
        [overrides]
        allow        = ["roles.*.models"]
        tighten_only = ["budgets", "capture", "risk"]

        """

    /// The list of who may approve, as `policy/allowed_signers`: nobody yet, and how it is written.
    public static let signers = """
        # Who may approve a change of the policy: a name and an SSH key a line, as git and ssh-keygen have it.
        #
        #   grace@example.com,grace@example.org ssh-ed25519 AAAA...
        #
        # Put all addresses of a person on their line: who made a change under one does not approve it under another.
        # When people are listed, set 'approvals' under [enforcement] in the policy to "enforce". From the next change
        # on they sign what they agree to with 'capsule-tool policy approve'.

        """

    /// Keeps systems from changing the ends of lines, as `policy/.gitattributes`.
    public static let gitAttributes = """
        # Approvals are of bytes: the same on each system. What is no text stays as it is.
        * text=auto eol=lf

        """

    /// What the starter should decide, as `policy/tests/scenarios.toml`.
    public static let scenarios = """
        # What the policy should decide. Each scenario gives the inputs of a request and expects a decision; what is not
        # given is as at the start of a run. 'capsule-tool policy test' runs them, and with --coverage it drafts more.
        schema = 1

        [[scenarios]]
        name   = "an architect gets the strong model"
        given  = { role = "architect", stage = "plan", confidence = 0.6 }
        expect = { model = "strong", cause = "primary", rule = "roles.architect.models" }

        [[scenarios]]
        name   = "an architect who is not sure asks a human"
        given  = { role = "architect", stage = "plan", confidence = 0.59 }
        expect = { reason = "human-needed", cause = "escalation", rule = "escalations.architect-unsure" }

        [[scenarios]]
        name   = "an implementer begins with the local model where the risk is low"
        given  = { role = "implementer", stage = "implement", risk = "low" }
        expect = { model = "local", rule = "roles.implementer.modes.reflex.models", evidence = "written" }

        [[scenarios]]
        name   = "an implementer goes to the cloud after two failed attempts"
        given  = { role = "implementer", stage = "implement", risk = "low" }
        matrix = { failed_attempts = [1, 2] }

        [scenarios.expect_by.failed_attempts]
        1 = { model = "local", escalation = "none" }
        2 = { model = "strong", cause = "escalation", rule = "escalations.reflex-exhausted" }

        [[scenarios]]
        name   = "high risk permits no local model"
        given  = { role = "implementer", stage = "implement", risk = "high" }
        expect = { model = "strong", cause = "risk", evidence = "durable" }

        [[scenarios]]
        name   = "a judge is never local, whoever asks for it"
        given  = { role = "judge", stage = "review", answer = { model = "local" } }
        expect = { reason = "requirement", rule = "roles.judge.require" }

        [[scenarios]]
        name   = "a run that has spent its budget is refused"
        given  = { role = "judge", stage = "review", spent_usd = "5.00" }
        expect = { reason = "budget-usd", cause = "budget", rule = "budgets.per_run_usd" }

        """
}
