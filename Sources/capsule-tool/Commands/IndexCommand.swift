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
            let file = try capsule.open()
            let state = try IndexState(file)
            if let state {
                describe(state, path)
            } else if json {
                Output.json(["index": .string(SnapshotIndex.path(for: path).string), "exists": false])
            } else {
                Output.line("no index; the next command that looks for a run makes it")
            }
            if let damage = try state?.damage(of: file) { throw Failure(.unreadable, notAll(of: path, damage)) }
        }

        private func describe(_ state: IndexState, _ path: FilePath) {
            guard !json else { return Output.json(state.value) }
            Output.line("index    \(Printable.escape(SnapshotIndex.path(for: path).string))")
            Output.line("size     \(state.sizeText)")
            let batches = Human.count(state.batches, "batch", "batches")
            Output.line("covers   \(Human.count(state.treeSize, "event")) in \(batches)")
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
            _ = try SnapshotIndex(remaking: file, observe: LedgerLog.observe)
            let start = ContinuousClock.now
            let reader = try openReader(capsule)
            let span = ContinuousClock.now - start
            let nanoseconds = span.components.seconds * 1_000_000_000 + span.components.attoseconds / 1_000_000_000
            if reader.index.isTemporary {
                let place = SnapshotIndex.path(for: path)
                throw Failure(
                    .system,
                    "no index can be kept at \(place): the folder is not writable, or something else has the name. "
                        + "Commands make one in memory each time"
                )
            }
            if json, let state = try IndexState(file) {
                Output.json(state.value)
            } else {
                let events = Human.count(reader.status.treeSize, "event")
                let batches = Human.count(reader.status.batches, "batch", "batches")
                Output.line("indexed \(events) in \(batches), \(Human.duration(nanoseconds: nanoseconds))")
            }
            try finish(reader)
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

/// What stands in an index now, before it is brought up to date. One that is damaged, or of another capsule, covers
/// nothing: it will be made anew.
struct IndexState {
    let bytes: UInt64
    let length: UInt64
    let end: UInt64
    let batches: UInt64
    let treeSize: UInt64
    let knownDurable: UInt64

    /// Nil if there is no index.
    init?(_ capsule: CapsuleFile) throws {
        guard let bytes = try IndexFileSize.of(capsule.path) else { return nil }
        self.bytes = bytes
        let reach = SnapshotIndex.reach(for: capsule.path, capsule.header)
        end = reach?.end ?? FileHeader.size
        batches = reach?.batches ?? 0
        treeSize = reach?.treeSize ?? 0
        knownDurable = reach?.knownDurable ?? FileHeader.size
        length = try capsule.length()
    }

    /// What keeps the index from covering the whole capsule.
    func damage(of capsule: CapsuleFile) throws -> CapsuleError? {
        let known = max(knownDurable, CapsuleSalvage.knownDurable(of: capsule) ?? 0)
        let ending = try CapsuleEnding(of: capsule, from: (min(end, length), batches), knownDurable: known)
        if case .damaged(let error) = ending { return error }
        return nil
    }

    var lag: UInt64 { length - min(length, end) }
    var lagText: String { lag == 0 ? "nothing" : "\(Human.bytes(lag)) of \(Human.bytes(length))" }

    var sizeText: String {
        let share = Double(bytes) / Double(max(1, length)) * 100
        return "\(Human.bytes(bytes)), \(Int(share.rounded())) % of the capsule"
    }

    var value: JSONValue {
        [
            "exists": true, "bytes": .number(JSONNumber(bytes)), "covers_bytes": .number(JSONNumber(end)),
            "covers_events": .number(JSONNumber(treeSize)),
            "covers_batches": .number(JSONNumber(batches)), "lag_bytes": .number(JSONNumber(lag)),
            "known_durable_bytes": .number(JSONNumber(knownDurable)),
        ]
    }
}
