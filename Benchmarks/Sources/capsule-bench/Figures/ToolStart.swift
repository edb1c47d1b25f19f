import Ledger

/// What a person waits for: the tool showing a small run, from the start of the process to its end.
enum ToolStart {
    static func measure(_ options: Options, _ scratch: Scratch) async throws -> [Figure] {
        guard let tool = options.tool else {
            complain("  CAPSULE_TOOL does not name a release build of capsule-tool: its start is not measured")
            return []
        }
        let recorder = try await Recorder(scratch.file("start.cpsl"))
        try await recorder.append(smallBodies(50), by: 50)
        try await recorder.finish()
        let command = try command(tool, recorder)
        var times: [Double] = []
        for _ in 0..<20 {
            let child = try ChildProcess.run(tool, command)
            guard child.exitStatus == 0 else {
                throw NotIntact(verdict: "\(command[0]) ended with \(child.exitStatus)")
            }
            times.append(child.wall * 1000)
        }
        times.sort()
        return [
            Figure("capsule-tool \(command[0]) of a small run, best of 20", times[0], .milliseconds),
            Figure("capsule-tool \(command[0]) of a small run, median", times[10], .milliseconds, goal: .atMost(40)),
        ]
    }

    /// `show`, or `verify` where this build of the tool cannot show yet.
    private static func command(_ tool: String, _ recorder: Recorder) throws -> [String] {
        let show = ["show", recorder.run.id.description, "--capsule", recorder.path.string]
        if try ChildProcess.run(tool, show).exitStatus == 0 { return show }
        complain("  this capsule-tool has no show: verify is measured in its place")
        return ["verify", "--capsule", recorder.path.string]
    }
}
