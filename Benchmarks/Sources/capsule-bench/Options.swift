import Foundation
import Ledger

/// What the command line asks for.
struct Options: Sendable {
    enum Size: Int, Comparable, Sendable {
        case quick
        case usual
        case full

        static func < (left: Size, right: Size) -> Bool { left.rawValue < right.rawValue }
    }

    var size = Size.usual
    var printsJSON = false
    var isStrict = false
    /// Names of benchmarks; empty for all.
    var only: [String] = []
    /// Where the measured files are made. Not `/tmp`, which often is memory: a sync costs nothing there.
    var directory = "/var/tmp"
    /// The release binary of `capsule-tool`, if there is one to measure.
    var tool = ProcessInfo.processInfo.environment["CAPSULE_TOOL"].flatMap { $0.isEmpty ? nil : $0 }

    static let usage = """
        usage: capsule-bench [--quick | --full] [--only NAME]... [--json] [--strict] [--directory DIR]

          --quick      smaller sizes and fewer rounds
          --full       also what takes minutes: a capsule of 2 GB
          --only NAME  one of: \(Benchmark.all.map(\.name).joined(separator: ", ")); may be repeated
          --json       print JSON instead of a table
          --strict     exit 1 if a goal was not met
          --directory  where the measured files are made (default /var/tmp); should be on a disk

        CAPSULE_TOOL=PATH in the environment names a release build of capsule-tool, whose start is then measured too.
        """

    /// - Throws: `UsageError`.
    init(_ arguments: some Sequence<String>) throws {
        var rest = arguments.makeIterator()
        while let argument = rest.next() {
            switch argument {
            case "--quick": size = .quick
            case "--full": size = .full
            case "--json": printsJSON = true
            case "--strict": isStrict = true
            case "--only":
                guard let name = rest.next(), Benchmark.all.contains(where: { $0.name == name }) else {
                    throw UsageError(reason: "--only needs the name of a benchmark")
                }
                only.append(name)
            case "--directory":
                guard let path = rest.next() else { throw UsageError(reason: "--directory needs a path") }
                directory = path
            default: throw UsageError(reason: "\(argument) is not known here")
            }
        }
    }

    /// One of three numbers, by size.
    func pick<Number>(quick: Number, usual: Number, full: Number? = nil) -> Number {
        switch size {
        case .quick: quick
        case .usual: usual
        case .full: full ?? usual
        }
    }
}

struct UsageError: Error {
    var reason: String
}
