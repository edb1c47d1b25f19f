import Foundation

/// What CI waits for: the tests of a policy, and the gate.
enum GateSpeed {
    private static let scenarios = 1000
    private static let example = (0..<5).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
        url.deletingLastPathComponent()
    }.appendingPathComponent("Examples/policy")

    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        guard let tool = options.tool else {
            complain("  CAPSULE_TOOL does not name a release build of capsule-tool: the gate is not measured")
            return []
        }
        let folder = scratch.file("gate").string
        try repository(folder, tool)
        // Interleaved, so that what else the machine does is done to all three.
        var times: [[Double]] = [[], [], []]
        for _ in 0..<options.pick(quick: 5, usual: 20) {
            try times[0].append(run(tool, ["--version"], in: folder))
            try times[1].append(run(tool, ["policy", "test"], in: folder))
            try times[2].append(run(tool, ["policy", "check", "--base", "HEAD^"], in: folder))
        }
        let medians = times.map { $0.sorted()[$0.count / 2] * 1000 }
        return [
            Figure(
                "policy test of \(scenarios) scenarios and the example's, a process, median",
                medians[1],
                .milliseconds,
                goal: .atMost(300)
            ),
            Figure("that, against a process that only says its version", medians[1] / medians[0], .times),
            Figure(
                "policy check of a change of that policy, a process, median",
                medians[2],
                .milliseconds,
                goal: .atMost(1000)
            ),
            Figure("that, against a process that only says its version", medians[2] / medians[0], .times),
        ]
    }

    /// The example's policy with scenarios added, and a commit that changes a value of it as the gate asks.
    private static func repository(_ folder: String, _ tool: String) throws {
        try FileManager.default.copyItem(at: example, to: URL(fileURLWithPath: folder))
        var added = "schema = 1\n"
        for number in 0..<scenarios {
            added += """

                [[scenarios]]
                name   = "an architect who has spent \(number) cents"
                given  = { role = "architect", stage = "plan", confidence = 0.6, spent_usd = "\(cents(number))" }
                expect = { model = "opus", causes = ["primary"], rule = "roles.architect.models", mode = "default" }

                """
        }
        try write(added, to: "policy/tests/many.toml", in: folder)
        try git(["init", "--quiet", "--initial-branch", "main"], in: folder)
        try commit(folder)
        let policy = try String(contentsOfFile: folder + "/model_policy.toml", encoding: .utf8)
        try write(
            policy.replacing(#/(?m)^owner\s*=.*$/#, with: "owner = \"somebody else\""),
            to: "model_policy.toml",
            in: folder
        )
        _ = try run(tool, ["policy", "bump", "--base", "HEAD"], in: folder)
        try commit(folder)
    }

    private static func cents(_ number: Int) -> String {
        "\(number / 100)." + (number % 100 < 10 ? "0" : "") + "\(number % 100)"
    }

    private static func write(_ text: String, to file: String, in folder: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/\(file)"))
    }

    private static func commit(_ folder: String) throws {
        try git(["add", "--all"], in: folder)
        let author = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgSign=false"]
        try git(author + ["commit", "--quiet", "--message", "A step"], in: folder)
    }

    private static func git(_ arguments: [String], in folder: String) throws {
        _ = try run("git", arguments, in: folder)
    }

    /// Seconds that it took, with the shell that goes to the folder.
    private static func run(_ program: String, _ arguments: [String], in folder: String) throws -> Double {
        let shell = ["-c", "cd \"$1\" && shift && exec \"$@\"", "sh", folder, program]
        let child = try ChildProcess.run("/bin/sh", shell + arguments)
        guard child.exitStatus == 0 else {
            throw Failed(program: program, arguments: arguments, status: child.exitStatus)
        }
        return child.wall
    }

    struct Failed: Error {
        var program: String
        var arguments: [String]
        var status: Int32
    }
}
