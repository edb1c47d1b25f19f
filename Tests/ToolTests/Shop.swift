import Foundation

/// A folder in which the built `capsule-tool` is used as a person would use it.
final class Shop: Sendable {
    let folder: String

    static let tool: String = {
        let bundle = ProcessInfo.processInfo.arguments[0]
        return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("capsule-tool").path
    }()

    init(capsule: Bool = true) throws {
        folder = FileManager.default.temporaryDirectory.path + "/shop-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try write(#"{"policy":{"name":"acme","version":"1.0.0"}}"#, to: "policy.json")
        if capsule { _ = try run("init") }
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    struct Answer: Sendable {
        var status: Int32
        var output: String
        var errors: String
        var lines: [Substring] { output.split(separator: "\n") }
    }

    func path(_ name: String) -> String { "\(folder)/\(name)" }
    func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: URL(fileURLWithPath: path(name))) }
    func bytes(_ name: String = "runs.cpsl") throws -> Data { try Data(contentsOf: URL(fileURLWithPath: path(name))) }

    /// Runs the tool in the folder.
    @discardableResult
    func run(_ arguments: String..., input: String = "", environment: [String: String] = [:]) throws -> Answer {
        try Self.launch(Self.tool, arguments, folder: folder, input: Data(input.utf8), environment: environment)
    }

    /// Runs a script in the folder, in which `$TOOL` is the tool. By bash: `Process` blocks SIGCHLD, on which the
    /// `wait` of dash hangs.
    @discardableResult
    func shell(_ script: String, input: String = "") throws -> Answer {
        try Self.launch("/bin/bash", ["-c", script], folder: folder, input: Data(input.utf8), environment: ["TOOL": Self.tool])
    }

    /// Begins a run and returns its ID.
    func start(_ more: String...) throws -> String {
        let answer = try Self.launch(
            Self.tool, ["start", "--snapshot", "policy.json"] + more, folder: folder, input: Data(), environment: [:])
        guard answer.status == 0 else { throw Trouble(answer: answer) }
        return String(answer.lines.first ?? "")
    }

    struct Trouble: Error {
        var answer: Answer
    }

    static func launch(
        _ program: String, _ arguments: [String], folder: String, input: Data, environment: [String: String]
    ) throws -> Answer {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        var variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        if environment["CAPSULE_FILE"] == nil { variables["CAPSULE_FILE"] = nil }
        variables["SWIFT_BACKTRACE"] = "enable=no"
        process.environment = variables
        // Files, not pipes: whatever the sizes, nobody waits for anybody.
        let names = ["in", "out", "err"].map { FileManager.default.temporaryDirectory.path + "/\(UUID().uuidString).\($0)" }
        defer { for name in names { try? FileManager.default.removeItem(atPath: name) } }
        for name in names { _ = FileManager.default.createFile(atPath: name, contents: name.hasSuffix(".in") ? input : nil) }
        process.standardInput = FileHandle(forReadingAtPath: names[0])
        process.standardOutput = FileHandle(forWritingAtPath: names[1])
        process.standardError = FileHandle(forWritingAtPath: names[2])
        try process.run()
        process.waitUntilExit()
        func text(_ name: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: name)), as: UTF8.self)
        }
        let signalled = process.terminationReason == .uncaughtSignal
        return Answer(
            status: signalled ? 128 + process.terminationStatus : process.terminationStatus,
            output: try text(names[1]), errors: try text(names[2]))
    }
}
