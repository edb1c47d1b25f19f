import Foundation
import Testing

/// The router as people and scripts use it.
@Suite struct RoutingToolTests {
    /// A policy under which a call of ten tokens each way costs 0.07 dollars.
    private static func shop(budget: String) throws -> Shop {
        let shop = try Shop.withPolicy()
        try shop.edit("{ input = 1.00, output = 2.00 }", "{ input = 3500.00, output = 3500.00 }")
        try shop.edit("\"10.00\"", "\"\(budget)\"")
        _ = try shop.run("start", "--name", "r", "--risk", "low", "--stage", "implement")
        return shop
    }

    private static let call = "route --run r --role writer --input-tokens 10 --max-output-tokens 10"

    @Test(arguments: [1, 5, 20, 50, 200])
    func fourProcessesThatShareARunAreServedExactlyTen(_ callers: Int) throws {
        let shop = try Self.shop(budget: "0.70")
        let each = (callers + 3) / 4
        let script = """
            for runner in 1 2 3 4; do
              (for call in $(seq \(each)); do
                 [ $(( (call - 1) * 4 + runner )) -le \(callers) ] && $TOOL \(Self.call) --lock-timeout 60 > /dev/null 2>&1
               done; true) &
            done
            wait
            """
        _ = try shop.shell(script)
        let report = try #require(try shop.json("report", "--json") as? [String: Any])
        let total = try #require(report["total"] as? [String: Any])
        #expect(total["decisions"] as? Int == callers && total["routed"] as? Int == min(callers, 10))
        #expect(try shop.run("replay").status == 0)
        let alerts = report["alerts"] as? [String: Int] ?? [:]
        #expect(alerts["warn"] ?? 0 == (callers >= 8 ? 1 : 0))
    }

    @Test func theStoryOfARunIsToldFromTheFileAlone() throws {
        let shop = try Self.shop(budget: "0.10")
        let routed = try shop.shell("$TOOL \(Self.call) --key a --by runner-1")
        #expect(routed.status == 0 && routed.lines.contains("endpoint  https://lab.example"), "\(routed)")
        let place = String(routed.lines[0])
        #expect(try shop.shell("$TOOL \(Self.call) --key a --by runner-1").lines[0] == routed.lines[0])
        let settled = try shop.run("settle", place, "--input-tokens", "9", "--output-tokens", "1", "--served", "big-1b")
        #expect(settled.status == 0 && settled.output.contains("$0.035"), "\(settled)")
        let refused = try shop.shell("$TOOL \(Self.call)")
        #expect(refused.status == 1 && refused.output.contains("refused   budget-usd"), "\(refused)")
        #expect(refused.errors.contains("budgets.per_run_usd leaves too little for this call: $0."))
        #expect(!refused.errors.contains("next:"), "\(refused)")

        // Without files, without an index, under another name.
        _ = try shop.shell("mkdir away && mv runs.cpsl away/x.cpsl && rm -f runs.cpsl* model_policy.toml")
        let why = try shop.run("why", "r#2", "--capsule", "away/x.cpsl")
        #expect(why.status == 0 && why.output.contains("agrees"), "\(why)")
        #expect(why.output.contains("requested was big-1") && why.output.contains("model_policy.toml:"))
        #expect(
            try shop.run("why", "r#3", "--capsule", "away/x.cpsl").output == why.output,
            "a settlement names its decision"
        )
        #expect(try shop.run("replay", "r", "--capsule", "away/x.cpsl").output == "2 decisions, 2 agree\n")
        #expect(try shop.run("why", "r#0", "--capsule", "away/x.cpsl").status == 1)
    }

    @Test func whoStatesNoTokensAndIsRefusedIsToldToStateThem() throws {
        let refused = try Self.shop(budget: "0.01").run("route", "--run", "r", "--role", "writer")
        #expect(refused.status == 1 && refused.output.contains("refused   budget-usd"), "\(refused)")
        #expect(refused.errors.contains("next: state --input-tokens and --max-output-tokens"), "\(refused)")
    }

    @Test func aDryRunExplainsAndRecordsNothing() throws {
        let shop = try Self.shop(budget: "0.10")
        let before = try shop.bytes()
        let answer = try shop.shell("$TOOL \(Self.call) --dry-run")
        #expect(answer.status == 0 && answer.output.contains("✓ taken") && answer.lines[0] == "not recorded")
        #expect(try shop.bytes() == before)
    }

    @Test func aCallThatWasNotAllowedIsRecordedAndToldAtOnce() throws {
        let shop = try Self.shop(budget: "0.10")
        let place = String(try shop.shell("$TOOL \(Self.call)").lines[0])
        let good = try shop.run("call", place, "--model", "big", "--input-tokens", "9", "--latency-ms", "12")
        #expect(good.status == 0 && good.errors.isEmpty, "\(good)")
        let second = try shop.run("call", place, "--model", "big")
        #expect(second.status == 0 && second.errors.contains("[call-repeated]"), "\(second)")
        let refused = String(try shop.shell("$TOOL \(Self.call)").lines[0])
        let stray = try shop.run("call", refused, "--model", "big")
        #expect(stray.status == 0 && stray.errors.contains("[call-refused]"), "\(stray)")
        #expect(try shop.run("call", place, "--model", "big", "--latency-ms", "-1").status == 64)
        #expect(try shop.run("settle", place, "--input-tokens", "-1").status == 64)
        #expect(try shop.run("verify", "--require-decisions").status == 1)
    }

    @Test func whatARunnerNamesNeitherSteersATerminalNorPushesFiguresAway() throws {
        let shop = try Self.shop(budget: "0.10")
        let role = "\u{1B}[2Jw\u{202E}" + String(repeating: "x", count: 200)
        #expect(try shop.run("route", "--run", "r", "--role", role).status == 1)
        let shown = try shop.run("show", "r")
        #expect(shown.output.contains("unknown-role") && !shown.output.contains("()"), "\(shown)")
        _ = try shop.run("override", "r", "budgets.per_run_usd", "--amount", "1", "--by", "ada", "--reason", "more")
        for command in ["show r", "report", "report --csv"] {
            let answer = try shop.shell("$TOOL \(command)")
            #expect(!answer.output.contains("\u{1B}") && !answer.output.contains("\u{202E}"), "\(command)")
            let isTold = command == "report --csv" || answer.output.contains("(unsigned)")
            #expect(isTold, "\(answer)")
        }
        #expect(try shop.run("report").lines.allSatisfy { $0.count < 200 })
        let overrides = try #require(
            (try shop.json("report", "--json") as? [String: Any])?["overrides"] as? [[String: Any]]
        )
        #expect(overrides.first?["signed"] as? Bool == false)
    }

    @Test func verifyAsksForADecisionBehindEachModelCall() throws {
        let shop = try Self.shop(budget: "0.10")
        _ = try shop.shell("$TOOL \(Self.call)")
        _ = try shop.run("append", "r", "--type", "model.call", "--body", #"{"model":"big"}"#, "--cause", "2")
        #expect(try shop.run("verify", "--require-decisions").status == 0)
        _ = try shop.run("append", "r", "--type", "model.call", "--body", #"{"model":"big"}"#)
        let answer = try shop.run("verify", "--require-decisions")
        #expect(answer.status == 1 && answer.output.contains("names no earlier decision"), "\(answer)")
        #expect(try shop.run("verify").status == 0)
        let value = try shop.json("verify", "--require-decisions", "--json") as? [String: Any]
        #expect((value?["decisions"] as? [String: Any])?["model_calls"] as? Int == 2)
    }

    @Test(arguments: [
        ("route --run r", 64), ("route --run r --role writer --confidence 2,5", 64), ("route --run x --role writer", 2),
        ("settle r", 64), ("settle r#99", 2), ("settle r#0 --outcome", 64), ("settle r#2 --outcome odd", 64),
        ("answer r#2 --by a", 64), ("answer r#2 --by a --proceed", 2), ("why r", 64), ("why r#99", 1),
        ("gate check r nothing", 65), ("gate record r g m NaN", 64), ("override r --by a --reason b", 64),
        ("override r odd --by a --reason b", 65), ("override r budgets.per_run_usd --by a --reason b --amount -5", 64),
        ("override r budgets.per_run_usd --by a --reason b --amount x", 65), ("report nobody", 2), ("replay nobody", 2),
    ])
    func whatIsWrongIsSaidAndNothingIsWritten(_ line: String, _ status: Int32) throws {
        let shop = try Self.shop(budget: "0.10")
        let before = try shop.bytes()
        let answer = try shop.shell("$TOOL \(line)")
        #expect(answer.status == status && !answer.errors.isEmpty, "\(line): \(answer)")
        #expect(try shop.bytes() == before)
    }
}
