import Foundation
import Testing

/// A repository with a policy, scenarios, a changelog and signers, in which the gate is used as a team would use it.
///
/// `main` is what changes are merged into; Ada writes on the branch `change`, Grace and Linus approve.
final class GateShop: Sendable {
    let shop: Shop
    private static let template = Result { try makeTemplate() }

    /// A copy of the repository, on the branch `change`.
    ///
    /// - Parameter main: what to change on `main` first.
    init(main: (GateShop) throws -> Void = { _ in }) throws {
        shop = try Shop(capsule: false)
        try sh("rm policy.json && cp -a \(try Self.template.get().folder)/. .")
        try main(self)
        try sh("git add -A && git commit -q --amend --allow-empty -m first && git checkout -q -b change")
    }

    /// The folder of everybody's keys, beside the repository.
    static var keys: String { get throws { try template.get().folder + "/.git/keys" } }

    private static func makeTemplate() throws -> Shop {
        let shop = try Shop(capsule: false)
        func sh(_ script: String) throws {
            let answer = try shop.shell("set -e\n" + script)
            guard answer.status == 0 else { throw Shop.Trouble(answer: answer) }
        }
        try sh(
            """
            rm policy.json; git init -q -b main .
            git config user.name Ada; git config user.email ada@example.com; git config commit.gpgsign false
            mkdir -p .git/keys policy/tests policy/specs
            for who in ada grace linus mallory gone; do ssh-keygen -q -t ed25519 -N '' -C $who -f .git/keys/$who; done
            line() { echo "$1 $(cut -d' ' -f1,2 .git/keys/$2.pub)"; }
            { line ada@example.com,ada@home.example ada; line grace@example.com grace
              line grace@home.example grace; line linus@example.com linus
              line 'gone@example.com valid-before="20250101Z"' gone; } > policy/allowed_signers
            """
        )
        try shop.write(GateTexts.policy, to: "model_policy.toml")
        try shop.write(GateTexts.scenarios, to: "policy/tests/writer.toml")
        try shop.write(GateTexts.budgets, to: "policy/tests/budgets.toml")
        try shop.write(GateTexts.failures, to: "policy/tests/failures.toml")
        try shop.write(GateTexts.spec, to: "policy/specs/SPEC-1.toml")
        try shop.write("# Changelog\n\n## 1.0.0\n\n- The first.\n", to: "policy/CHANGELOG.md")
        try shop.write("schema = 1\nmin_coverage = 70\ngolden = \"policy/golden.txt\"\n", to: "policy/gate.toml")
        try sh("$TOOL policy test --golden policy/golden.txt --update && git add -A && git commit -q -m first")
        return shop
    }

    @discardableResult
    func sh(_ script: String) throws -> Shop.Answer {
        let answer = try shop.shell("set -e\n" + script)
        guard answer.status == 0 else { throw Shop.Trouble(answer: answer) }
        return answer
    }

    func edit(_ old: String, _ new: String, in name: String = "model_policy.toml") throws {
        try shop.edit(old, new, in: name)
    }

    func commit(as who: String = "Ada <ada@example.com>") throws {
        try sh("git add -A && git commit -q --author '\(who)' -m change")
    }

    /// Raises the version, with an entry in the changelog.
    func raise(to version: String = "1.1.0", entry: String = "- Less money.") throws {
        try edit("version = \"1.0.0\"", "version = \"\(version)\"")
        let log = "# Changelog\n\n## \(version)\n\n\(entry)\n\n## 1.0.0\n\n- The first.\n"
        try shop.write(log, to: "policy/CHANGELOG.md")
    }

    /// Lets the golden file say what is decided now.
    func regenerate() throws { try shop.shell("$TOOL policy test --golden policy/golden.txt --update") }

    /// Signs, and commits the signature.
    func approve(_ who: String = "grace", _ name: String = "grace@example.com", _ more: String = "") throws {
        // It may not count, which is what some tests are about.
        try shop.shell("$TOOL policy approve --key \(try Self.keys)/\(who) --principal \(name) \(more)")
        try sh("git add -A && git commit -q -m approval")
    }

    /// A good change: less money, with all that belongs to it but the approval.
    func tighten() throws {
        try edit("per_run_usd = \"10.00\"", "per_run_usd = \"8.00\"")
        try raise(entry: "- Less: `a run stops at its budget` and `a run goes on below its budget` are at 8 dollars.")
        try edit("spent_usd = \"9.9999\"", "spent_usd = \"7.9999\"", in: "policy/tests/budgets.toml")
        try edit("spent_usd = \"9.99\"", "spent_usd = \"7.99\"", in: "policy/tests/budgets.toml")
        try regenerate()
    }

    struct Verdict {
        var status: Int32
        var errors: [Fault]
        var warnings: [Fault]
        var text: String
        var codes: Set<String> { Set(errors.map(\.code)) }
    }

    struct Fault: Hashable {
        var code: String
        var file: String
        var line: Int
    }

    func check(_ more: String = "") throws -> Verdict {
        let answer = try shop.shell("$TOOL policy check --base main --json \(more)")
        let json = try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any]
        let found = json?["diagnostics"] as? [[String: Any]] ?? []
        func faults(_ severity: String) -> [Fault] {
            found.filter { $0["severity"] as? String == severity }.map {
                Fault(code: $0["code"] as? String ?? "", file: $0["file"] as? String ?? "", line: $0["line"] as? Int ?? 0)
            }
        }
        let text = found.map { "\($0["code"] ?? "") \($0["file"] ?? ""):\($0["line"] ?? "") \($0["message"] ?? "")" }
        return Verdict(
            status: answer.status, errors: faults("error"), warnings: faults("warning"),
            text: text.joined(separator: "\n") + answer.errors
        )
    }

    /// The line, from 1, that a text stands in; of the branch `main` where `base` says so.
    func line(of text: String, in file: String, base: Bool = false) throws -> Int {
        let content = base ? try sh("git show main:\(file)").output : try shop.read(file)
        return try #require(content.components(separatedBy: "\n").firstIndex { $0.contains(text) }) + 1
    }

    /// The last file of its kind in the folder of approvals.
    func approval(_ ending: String = ".json") throws -> String {
        let found = try sh("git ls-files 'policy/approvals/*\(ending)'").lines
        return String(try #require(found.last))
    }
}

enum GateTexts {
    static let policy = """
        schema = 1
        stages = ["plan", "implement"]

        [policy]
        name = "team"
        version = "1.0.0"
        owner = "platform"

        [providers.lab]
        api = "openai"
        base_url = "https://lab.example"
        api_key_env = "LAB_API_KEY"

        [models.big]
        provider = "lab"
        id = "big-1"
        locality = "cloud"
        tier = 2
        context_tokens = 1000
        price_per_mtok = { input = 1.00, output = 2.00 }

        [models.spare]
        provider = "lab"
        id = "spare-1"
        locality = "cloud"
        tier = 2
        context_tokens = 1000
        price_per_mtok = { input = 1.00, output = 2.00 }

        [roles.writer]
        models = ["big", "spare"]

        [roles.reviewer]
        models = ["big"]

        [risk.high]
        evidence = "durable"

        [risk.low]
        evidence = "written"

        [budgets]
        per_run_usd = "10.00"

        [enforcement]
        routing = "enforce"
        budgets = "enforce"
        gates = "enforce"
        approvals = "enforce"

        [approvals]
        required = 1
        exclude_author = true
        signers = "policy/allowed_signers"

        [overrides]
        allow = ["roles.*.models"]
        tighten_only = ["budgets"]

        """

    static let scenarios = """
        schema = 1

        [[scenarios]]
        name = "a writer begins with the big model"
        given = { role = "writer", stage = "plan" }
        expect = { model = "big", rule = "roles.writer.models", evidence = "durable" }

        [[scenarios]]
        name = "a writer falls back to the spare one"
        given = { role = "writer", failed = { big = "1s" } }
        expect = { model = "spare", cause = "fallback" }

        [[scenarios]]
        name = "a reviewer has one model"
        matrix = { stage = ["plan", "implement"] }
        given = { role = "reviewer", risk = "low" }
        expect = { model = "big", evidence = "written" }

        [[grids]]
        name = "all"
        given = { stage = "plan" }
        matrix = { role = ["writer", "reviewer"], risk = ["high", "low"] }

        """

    static let budgets = """
        schema = 1

        [[scenarios]]
        name = "a run stops at its budget"
        given = { role = "writer", spent_usd = "9.9999" }
        expect = { result = "refused", reason = "budget-usd" }

        [[scenarios]]
        name = "a run goes on below its budget"
        given = { role = "writer", spent_usd = "9.99" }
        expect = { result = "model" }

        """

    static let failures = """
        schema = 1

        [[scenarios]]
        name = "nothing is routed without a policy"
        matrix = { policy = ["builtin-refuse", "builtin-fallback"] }
        given = { role = "writer" }
        expect = { reason = "load-failure" }

        [[scenarios]]
        name = "a provider is put aside after three failures"
        matrix = { failing = [{ lab = { failures = 3, age = "0s" } }] }
        given = { role = "reviewer" }
        expect = { reason = "cooldown" }

        [[scenarios]]
        name = "a provider comes back"
        matrix = { failing = [{ lab = { failures = 3, age = "1m" } }, { lab = { failures = 2, age = "0s" } }] }
        given = { role = "reviewer" }
        expect = { model = "big" }

        """

    static let spec = """
        schema = 1

        [budgets]
        per_run_usd = "5.00"

        """
}
