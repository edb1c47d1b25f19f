import Foundation
import Ledger
import ModelPolicy

/// What a person waits for who checks a policy, and how fast one is compiled.
enum PolicySpeed {
    private static let lines = 500
    /// The repository: this file is five folders below it.
    private static let root = (0..<5).reduce(URL(fileURLWithPath: #filePath)) { url, _ in
        url.deletingLastPathComponent()
    }

    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        let example = try Array(Data(contentsOf: root.appendingPathComponent("Examples/policy/model_policy.toml")))
        let file = SourceFile(name: "model_policy.toml", bytes: example)
        let count = options.pick(quick: 200, usual: 1000)
        let costs = try await bestOf(
            rounds: options.pick(quick: 3, usual: 7),
            { _ in
                try await cost {
                    for _ in 0..<count {
                        guard PolicyCompiler.compile(workspace: file).snapshot != nil else { throw NotValid() }
                    }
                }
            })
        let figures = [
            Figure(
                "compile the example policy, a second and core", Double(count) / costs[0].cpu, .perSecond,
                goal: .atLeast(1000))
        ]
        guard let tool = options.tool else {
            complain("  CAPSULE_TOOL does not name a release build of capsule-tool: validate is not measured")
            return figures
        }
        return figures + [try validate(tool, example, scratch)]
    }

    private static func validate(_ tool: String, _ example: [UInt8], _ scratch: Scratch) throws -> Figure {
        let path = scratch.file("model_policy.toml").string
        try Data(lengthened(String(decoding: example, as: UTF8.self)).utf8).write(to: URL(fileURLWithPath: path))
        var times: [Double] = []
        for _ in 0..<40 {
            let child = try ChildProcess.run(tool, ["policy", "validate", path])
            guard child.exitStatus == 0 else { throw NotValid() }
            times.append(child.wall * 1000)
        }
        times.sort()
        return Figure(
            "capsule-tool policy validate, \(lines) lines, median of 40", times[20], .milliseconds, goal: .atMost(25))
    }

    /// With roles added until the policy has so many lines.
    private static func lengthened(_ text: String) -> String {
        var all = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var number = 0
        while all.count < lines {
            all += ["", "[roles.worker-\(number)]", "models  = [\"sonnet\", \"gpt-high\"]", "require = { tier_at_least = 2 }"]
            number += 1
        }
        return all.joined(separator: "\n") + "\n"
    }

    struct NotValid: Error {}
}
