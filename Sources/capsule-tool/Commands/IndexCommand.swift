import ArgumentParser
import Ledger

struct IndexCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "index",
        abstract: "Look at the side index, make it anew, or delete it.",
        discussion: """
            It only says where to look, and is made again from the capsule whenever it is missing, damaged or of \
            another capsule. Deleting it loses nothing but one piece of evidence: how long the capsule once was.
            """,
        subcommands: [Status.self, Rebuild.self, Drop.self]
    )

    struct Status: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Say how large the index is, and how far it lags behind."
        )

        @OptionGroup var capsule: CapsuleOption

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let path = try capsule.path()
            _ = try capsule.open()
            guard let state = try IndexState(path) else {
                if json {
                    return Output.json(["index": .string(SnapshotIndex.path(for: path).string), "exists": false])
                }
                return Output.line("no index; the next command that looks for a run makes it")
            }
            guard !json else { return Output.json(state.value) }
            Output.line("index    \(Printable.escape(SnapshotIndex.path(for: path).string))")
            Output.line("size     \(state.sizeText)")
            let batches = Human.count(state.coverage.batches)
            Output.line("covers   \(Human.count(state.coverage.treeSize)) events in \(batches) batches")
            Output.line("lags     \(state.lagText)")
        }
    }

    struct Rebuild: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild",
            abstract: "Make the index anew from the capsule."
        )

        @OptionGroup var capsule: CapsuleOption

        @Flag(help: "Print JSON.")
        var json = false

        func run() throws {
            let path = try capsule.path()
            let file = try capsule.open()
            // What it knows of the capsule's length is looked at before it goes: a capsule that was cut is said to be.
            if try IndexFileSize.of(path) != nil { _ = try SnapshotIndex(for: file).coverage() }
            _ = try SnapshotIndex(remaking: file)
            let start = ContinuousClock.now
            let reader = try openReader(capsule)
            let span = ContinuousClock.now - start
            let nanoseconds = span.components.seconds * 1_000_000_000 + span.components.attoseconds / 1_000_000_000
            if json, let state = try IndexState(path) {
                Output.json(state.value)
            } else {
                let events =
                    "\(Human.count(reader.status.treeSize)) events in \(Human.count(reader.status.batches)) batches"
                Output.line("indexed \(events), \(Human.duration(nanoseconds: nanoseconds))")
            }
            if !reader.isWhole {
                throw Failure(.unreadable, "\(path): not all of the file could be read; see 'capsule-tool doctor'")
            }
        }
    }

    struct Drop: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "drop",
            abstract: "Delete the index.",
            discussion: "To be typed as well where a capsule was restored from an older copy on purpose."
        )

        @OptionGroup var capsule: CapsuleOption

        func run() throws {
            let path = try capsule.path()
            let existed = try IndexFileSize.of(path) != nil
            try SnapshotIndex.drop(for: path)
            Output.line(
                existed ? "deleted \(Printable.escape(SnapshotIndex.path(for: path).string))" : "there is no index"
            )
        }
    }
}

/// Bytes of the index's files.
enum IndexFileSize {
    /// Nil if there is no index beside the capsule.
    static func of(_ path: FilePath) throws -> UInt64? {
        let main = SnapshotIndex.path(for: path)
        let storage = PosixStorage()
        guard try storage.identity(of: main) != nil else { return nil }
        return ["", "-wal"].reduce(0) { sum, suffix in
            let file = try? storage.open(FilePath(main.string + suffix), for: .reading)
            defer { file?.close() }
            return sum + ((try? file?.length()) ?? 0)
        }
    }
}

/// What stands in an index now, before it is brought up to date.
struct IndexState {
    let bytes: UInt64
    let coverage: IndexCoverage
    let length: UInt64

    /// Nil if there is no index.
    init?(_ path: FilePath) throws {
        guard let bytes = try IndexFileSize.of(path) else { return nil }
        self.bytes = bytes
        let capsule = try naming(path) { try CapsuleFile(path) }
        coverage = try SnapshotIndex(for: capsule).coverage()
        length = try capsule.length()
    }

    var lag: UInt64 { length - min(length, coverage.end) }
    var lagText: String { lag == 0 ? "nothing" : "\(Human.bytes(lag)) of \(Human.bytes(length))" }

    var sizeText: String {
        let share = Double(bytes) / Double(max(1, length)) * 100
        return "\(Human.bytes(bytes)), \(Int(share.rounded())) % of the capsule"
    }

    var value: JSONValue {
        [
            "exists": true, "bytes": .number(JSONNumber(bytes)), "covers_bytes": .number(JSONNumber(coverage.end)),
            "covers_events": .number(JSONNumber(coverage.treeSize)),
            "covers_batches": .number(JSONNumber(coverage.batches)), "lag_bytes": .number(JSONNumber(lag)),
            "known_durable_bytes": .number(JSONNumber(coverage.knownDurable)),
        ]
    }
}
