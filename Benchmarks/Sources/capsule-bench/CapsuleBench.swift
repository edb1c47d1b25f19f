import Foundation
import Ledger

/// Measures what the capsule promises, each figure beside what it is compared with, in one run.
///
/// Figures are the best of several interleaved rounds, so that what else the machine does spoils few of them.
@main
enum CapsuleBench {
    static func main() async {
        let arguments = CommandLine.arguments.dropFirst()
        if HiddenCommand.run(Array(arguments)) { return }
        if arguments.contains("--help") { return print(Options.usage) }
        do {
            let options = try Options(arguments)
            let figures = try await measure(options)
            print(options.printsJSON ? Report.json(figures) : Report.table(figures))
            if options.isStrict, figures.contains(where: { $0.isMet == false }) { exit(1) }
        } catch let error as UsageError {
            complain("\(error.reason)\n\n\(Options.usage)")
            exit(2)
        } catch {
            complain("capsule-bench: \(error)")
            exit(3)
        }
    }

    private static func measure(_ options: Options) async throws -> [Figure] {
        let scratch = try Scratch(in: options.directory)
        defer { scratch.remove() }
        var figures: [Figure] = []
        for benchmark in Benchmark.all where options.only.isEmpty || options.only.contains(benchmark.name) {
            complain("measuring \(benchmark.name) …")
            let found = try await benchmark.run(options, scratch)
            figures += found.map { $0.named(benchmark.name) }
        }
        return figures
    }
}

/// A line to standard error.
func complain(_ text: String) { FileHandle.standardError.write(Data("\(text)\n".utf8)) }
