import ArgumentParser
import Ledger
import ModelPolicy
import PolicyTests

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension PolicyCommand {
    struct Test: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Hold the policy to its scenarios: what it should decide, and what it does.",
            discussion: """
                Scenarios are in policy/tests: every .toml, .yaml and .yml there; with --spec in
                policy/tests/specs/SPEC.toml (or .yaml). 'spec/policy-tests.md' says how they are written.
                --coverage says what no scenario shows, with a scenario to paste for each.
                Exit status: 0 passed · 2 a scenario failed, there is none, too little coverage, or the golden file says
                otherwise · 1 could not run.
                """
        )

        @Argument(
            help: "Files of scenarios, or folders of them.",
            completion: .file(extensions: ["toml", "yaml", "yml"])
        )
        var paths: [String] = []

        @OptionGroup var options: Options

        @Option(help: ArgumentHelp("Run only scenarios whose name contains this.", valueName: "text"))
        var filter: String?

        @Option(help: "human, json, junit or tap.")
        var format: TestReport.Format = .human

        @Flag(help: "The same as --format json.")
        var json = false

        @Flag(help: "Say what no scenario shows.")
        var coverage = false

        @Option(help: ArgumentHelp("Fail when less is shown, in percent.", valueName: "percent"))
        var minCoverage: Int?

        @Option(help: ArgumentHelp("Hold the decisions of all grids to this file.", valueName: "file"))
        var golden: String?

        @Flag(help: "Write the golden file anew.")
        var update = false

        @Flag(help: "Run again whenever a file changes, until Ctrl-C.")
        var watch = false

        struct Options: ParsableArguments {
            @Option(
                help: ArgumentHelp("The policy file, instead of the workspace's.", valueName: "file"),
                completion: .file(extensions: ["toml", "yaml", "yml"])
            )
            var policy: String?

            @Option(
                help: ArgumentHelp("Lay this spec's file over it, and run the spec's scenarios.", valueName: "spec")
            )
            var spec: String?
        }

        func validate() throws {
            if update, golden == nil { throw ValidationError("--update goes with --golden") }
            if let minCoverage, !(0...100).contains(minCoverage) {
                throw ValidationError("--min-coverage is a number from 0 to 100")
            }
            if filter != nil, minCoverage != nil {
                throw ValidationError("--min-coverage is about all scenarios, and goes with no --filter")
            }
        }

        func run() throws {
            guard watch else {
                let status = try attempt()
                if status != 0 { throw QuietFailure(status) }
                return
            }
            // Whoever starts it in the background may have it ignore an interrupt, or block it.
            signal(SIGINT, SIG_DFL)
            var interrupts = sigset_t()
            sigemptyset(&interrupts)
            sigaddset(&interrupts, SIGINT)
            sigprocmask(SIG_UNBLOCK, &interrupts, nil)
            while true {
                let files = PolicyTestFiles(options.policy, options.spec, paths)
                let before = files.stamps
                _ = try attempt()
                Output.flush()
                complain("watching; Ctrl-C ends")
                while PolicyTestFiles(options.policy, options.spec, paths).stamps == before { usleep(250_000) }
            }
        }

        /// Runs once; answers the exit status.
        private func attempt() throws -> Int32 {
            do {
                return try runOnce() ? 0 : ExitStatus.refused.rawValue
            } catch {
                // Whatever stands in the way of running is one status, so that CI tells it from a test that failed.
                if ExitStatus.status(for: error) == nil { throw error }
                complain("\(error)")
                return ExitStatus.no.rawValue
            }
        }

        private func runOnce() throws -> Bool {
            var subject = PolicySubject()
            (subject.file, subject.spec, subject.layer) = (options.policy, options.spec, nil)
            let snapshot = try subject.compileWhole().snapshot
            let sources = try PolicyTestFiles(options.policy, options.spec, paths).read()
            let suite = ScenarioReader.read(sources, for: snapshot.policy)
            guard suite.errors.isEmpty else {
                PolicySubject.tell(suite.diagnostics)
                let count = suite.errors.count
                throw Failure(.no, "the scenarios have \(count) error\(count == 1 ? "" : "s")")
            }
            let chosen = filter.map { text in suite.scenarios.filter { $0.name.contains(text) } } ?? suite.scenarios
            let decider = ScenarioDecider(snapshot)
            var report = TestReport(policy: snapshot, run: PolicyTestRun(chosen, under: decider))
            report.leastCoverage = minCoverage
            if coverage || minCoverage != nil {
                report.coverage = PolicyCoverage(report.run.results, under: decider)
            }
            if let golden { report.golden = try compare(golden, suite.cases, decider) }
            tell(report)
            return report.isPassed
        }

        private func compare(
            _ file: String,
            _ cases: [GridCase],
            _ decider: ScenarioDecider
        ) throws -> TestReport.Golden {
            guard !cases.isEmpty else {
                throw Failure(
                    .no,
                    "no file of scenarios declares a grid, and a golden file is what a policy decides over one"
                )
            }
            let new = GoldenFile(cases, under: decider)
            let bytes = Array(new.text.utf8)
            if update {
                try TextFile(file).replace(with: bytes)
                return TestReport.Golden(file: file)
            }
            guard TextFile(file).exists else {
                return TestReport.Golden(file: file, fault: "there is no \(file); --update writes it")
            }
            let old = try readInput(file, limit: PolicyTestLimits.goldenBytes)
            if old == bytes { return TestReport.Golden(file: file) }
            do throws(GoldenFile.Fault) {
                let changes = new.changes(from: try GoldenFile(text: old))
                let fault = changes.isEmpty ? "its cases stand in another order; --update writes it anew" : nil
                return TestReport.Golden(file: file, changes: changes, fault: fault)
            } catch {
                let place =
                    if case .malformed(let line) = error { "line \(line) is not as it is written" } else {
                        "it is too long"
                    }
                return TestReport.Golden(file: file, fault: "\(place); --update writes it anew")
            }
        }

        private func tell(_ report: TestReport) {
            switch json ? .json : format {
            case .json: Output.json(report.json)
            case .junit: Output.bytes(Array(report.junit.utf8))
            case .tap: Output.bytes(Array(report.tap.utf8))
            case .human: for line in PolicyTestView(report: report).lines { Output.line(line) }
            }
        }
    }
}

extension TestReport.Format: ExpressibleByArgument {}

/// Where a policy's scenarios are.
struct PolicyTestFiles {
    private let policy: String?
    private let spec: String?
    private let paths: [String]

    init(_ policy: String?, _ spec: String?, _ paths: [String]) {
        (self.policy, self.spec, self.paths) = (policy, spec, paths)
    }

    private static let suffixes = [".toml", ".yaml", ".yml"]

    /// The files, in the order of their names; a folder stands for all in it.
    ///
    /// - Throws: `Failure` where a path that was named is not there.
    func names() throws -> [String] {
        if paths.isEmpty { return try defaults() }
        return try paths.flatMap { path -> [String] in
            guard let folder = Self.list(path) else {
                guard TextFile(path).exists else { throw Failure(.no, "there is no \(path)") }
                return [path]
            }
            return folder
        }
    }

    private func defaults() throws -> [String] {
        let workspace = try PolicyWorkspace.find(option: policy, directory: currentFolder())
        let folder = workspace.root.appending(PolicyTests.folder)
        if let spec {
            let found = Self.suffixes.map { folder.appending("specs").appending(spec + $0).string }
                .filter { TextFile($0).exists }
            return found.map(Self.shown)
        }
        return (Self.list(folder.string) ?? []).map(Self.shown)
    }

    /// From the current folder where it is below it.
    private static func shown(_ path: String) -> String {
        var path = FilePath(path)
        return path.removePrefix(currentFolder()) ? path.string : path.string
    }

    private static func list(_ path: String) -> [String]? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return nil }
        let names = (try? PosixStorage().names(in: FilePath(path))) ?? []
        return names.filter { name in !name.hasPrefix(".") && suffixes.contains { name.hasSuffix($0) } }.sorted()
            .map { FilePath(path).appending($0).string }
    }

    func read() throws -> [SourceFile] {
        let names = try names()
        guard names.count <= PolicyTestLimits.files else {
            throw Failure(
                .no,
                "there are \(names.count) files of scenarios, and at most \(PolicyTestLimits.files) are read"
            )
        }
        return try names.map {
            SourceFile(name: $0, bytes: try readInput($0, limit: PolicyLimits.sourceBytes + 1))
        }
    }

    /// What changes when one of the files does.
    var stamps: [String] {
        var files = (try? names()) ?? []
        if let workspace = try? PolicyWorkspace.find(option: policy, directory: currentFolder()) {
            files.append(workspace.root.pushing(FilePath(workspace.file)).string)
            if let layer = workspace.layerPath(spec) { files.append(workspace.root.pushing(FilePath(layer)).string) }
        }
        return files.map { file in
            var status = stat()
            guard stat(file, &status) == 0 else { return file }
            #if canImport(Darwin)
                let time = status.st_mtimespec
            #else
                let time = status.st_mtim
            #endif
            return "\(file) \(status.st_ino) \(status.st_size) \(time.tv_sec).\(time.tv_nsec)"
        }
    }
}
