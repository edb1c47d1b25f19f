import CrashHarness
import Foundation
import Testing

/// A part of what `make crash` does, small enough for every run of the tests; the figures are written for `make test`.
@Suite(.serialized) struct CrashTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    private static var products: URL {
        URL(fileURLWithPath: ProcessInfo.processInfo.arguments[0]).deletingLastPathComponent()
    }

    private func note(_ text: String, in file: String) throws {
        // Whoever builds elsewhere has none.
        let folder = Self.root.appendingPathComponent(".build")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data((text + "\n").utf8).write(to: folder.appendingPathComponent(file))
    }

    private func run(_ program: URL, _ arguments: String...) throws -> (status: Int32, output: String) {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        return (process.terminationStatus, text)
    }

    @Test func nothingIsLostInventedOrMisreadWhateverGoesWrong() throws {
        var options = CrashCampaign.Options()
        // Without optimisation an image takes a hundred times as long as in `make crash`.
        options.images = 2000
        // Short scripts, each for a rule, are `RuleTests`.
        options.isRandomOnly = true
        options.waysPerPoint = 2
        options.seed = .random(in: 1...1_000_000_000)
        let crashes = CrashCampaign(options).run()
        var faults = FaultCampaign()
        faults.stride = 41
        let damage = DamageCampaign()
        damage.bytes = 9 << 10
        damage.stride = 997
        let table = FigureTable(crashes: crashes, faults: faults.run(), damage: damage.run(), seed: options.seed)
        try note(table.description, in: "crash-figures.txt")
        #expect(table.isClean, "\(table)")
    }

    /// Some of them; `make crash` breaks every one. In a process of its own: a broken rule is broken for everyone there.
    @Test(arguments: ["acknowledge", "ignore a short"])
    func aRuleThatIsBrokenIsNoticed(_ rule: String) throws {
        let tool = Self.products.appendingPathComponent("capsule-crash")
        let answer = try run(tool, "mutants", "--images", "600", "--only", rule)
        #expect(answer.status == 0, "\(answer.output)")
    }

    /// The same inputs each time; `make fuzz` makes others.
    @Test func noParserTrapsUponVectorsAndWhatSeededDiceMakeOfThem() throws {
        let tool = Self.products.appendingPathComponent("fuzz-smoke")
        let answer = try run(tool, Self.root.path, "--runs", "1000", "--seed", "1")
        #expect(answer.status == 0, "\(answer.output)")
    }

    @Test func realProcessesLoseNothing() throws {
        let answer = try run(
            Self.root.appendingPathComponent("Scripts/crash-processes"),
            Self.products.appendingPathComponent("capsule-tool").path,
            "--small",
            Self.products.appendingPathComponent("capsule-crash").path,
            "--kills",
            "40",
            "--injections",
            "1000"
        )
        try note(answer.output, in: "crash-processes.txt")
        #expect(answer.status == 0, "\(answer.output)")
    }
}
