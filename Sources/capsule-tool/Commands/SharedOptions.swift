import ArgumentParser
import Ledger
import Logging

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Which capsule, for every command.
struct CapsuleOption: ParsableArguments {
    @Option(name: [.customShort("c"), .long], help: "The capsule file.", completion: .file(extensions: ["cpsl"]))
    var capsule: String?

    func path() throws -> FilePath {
        let folder = getcwd(nil, 0)
        defer { free(folder) }
        return try CapsuleLocator.find(
            option: capsule,
            environment: Terminal.environment("CAPSULE_FILE"),
            directory: FilePath(folder.map { String(cString: $0) } ?? ".")
        )
    }

    /// Opens the capsule for reading, and says so if one copy of its header is damaged.
    func open() throws -> CapsuleFile {
        let path = try path()
        let file = try naming(path) { try CapsuleFile(path) }
        if let copy = file.damagedHeaderCopy {
            complain("warning: copy \(copy + 1) of the file header is damaged; the other one was read")
        }
        return file
    }
}

/// A path that was named, if there is a file.
func existing(_ name: String) throws -> FilePath {
    guard try PosixStorage().identity(of: FilePath(name)) != nil else {
        throw LedgerError(.noCapsule, "there is no file \(name)")
    }
    return FilePath(name)
}

/// Says which file an error is about.
func naming<R>(_ path: FilePath, _ body: () throws -> R) throws -> R {
    do {
        return try body()
    } catch let error as CapsuleError {
        throw CapsuleError(error.code, at: error.offset, "\(path): \(error.reason)")
    }
}

/// How to write.
struct WriteOptions: ParsableArguments {
    @OptionGroup var capsule: CapsuleOption

    @Option(help: ArgumentHelp("Seconds to wait while another writer holds the capsule.", valueName: "seconds"))
    var lockTimeout: Double = 10

    func validate() throws {
        // Not a number is not at least 0 either.
        guard lockTimeout >= 0 else { throw ValidationError("--lock-timeout is a number of seconds, 0 or more") }
    }

    /// Opens the capsule for appending, and warns when it has grown large.
    func open(purpose: String? = nil) async throws -> CapsuleLedger {
        let path = try capsule.path()
        var options = WriterQueue.Options()
        options.lockTimeout = lockTimeout
        options.purpose = purpose
        let progress = Progress("reading \(path.lastComponent?.string ?? "capsule")")
        options.progress = { progress.update($0, of: $1) }
        let ledger: CapsuleLedger
        let (log, clock) = (Logger(label: "capsule.writer"), ContinuousClock())
        let start = clock.now
        do {
            ledger = try await CapsuleLedger(appendingTo: path, options: options)
        } catch let error as CapsuleError {
            throw CapsuleError(error.code, at: error.offset, "\(path): \(error.reason)")
        }
        progress.finish()
        let length = try CapsuleFile(path).length()
        log.debug(
            "the lock was taken and the capsule read, with recovery where it was needed",
            metadata: ["capsule": "\(path)", "bytes": "\(length)", "took": "\(clock.now - start)"]
        )
        if length > Limits.warnFileBytes {
            complain("warning: \(path) has \(Human.bytes(length)); consider beginning another capsule")
        }
        return ledger
    }

    /// Opens, does `body`, and closes whatever happened.
    func withLedger<R>(_ body: (CapsuleLedger) async throws -> R) async throws -> R {
        let ledger = try await open()
        do {
            let result = try await body(ledger)
            await ledger.close()
            return result
        } catch {
            await ledger.close()
            throw error
        }
    }
}

/// Which run, for commands that add to one.
struct RunOptions: ParsableArguments {
    @Argument(help: "The run: its ID, a unique prefix of it, or its name.")
    var run: String

    @Option(help: ArgumentHelp("The token that 'start --exclusive' printed.", valueName: "token"))
    var token: String?

    func handle(in ledger: CapsuleLedger) async throws -> RunHandle {
        let id = try await ledger.resolve(run)
        try tellOthers(run, takenFor: id, await ledger.runs(beginningWith: run, besides: id))
        return RunHandle(id, token: token ?? Terminal.environment("CAPSULE_TOKEN"))
    }
}

/// How events answer.
struct ReceiptOutput: ParsableArguments {
    @Flag(help: "Print JSON.")
    var json = false

    func print(_ receipt: Receipt) {
        guard json else { return Output.line("\(receipt.event)") }
        Output.json(Self.value(receipt))
    }

    static func value(_ receipt: Receipt) -> JSONValue {
        [
            "run": .string("\(receipt.event.run)"), "sequence": .number(JSONNumber(receipt.event.sequence)),
            "leaf_index": .number(JSONNumber(receipt.leafIndex)), "repeated": .bool(receipt.isRepeat),
        ]
    }
}

extension DurabilityArgument {
    var durability: Durability { self == .durable ? .durable : .written }
}

/// `--durability`.
enum DurabilityArgument: String, ExpressibleByArgument, CaseIterable {
    case durable
    case written
}

/// Reads a file, or standard input for `-`, up to a limit.
func readInput(_ name: String, limit: Int) throws -> [UInt8] {
    let descriptor = name == "-" ? 0 : open(name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw StorageError("open", FilePath(name), Errno(rawValue: errno)) }
    defer { if descriptor != 0 { close(descriptor) } }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
        let count = read(descriptor, &chunk, chunk.count)
        if count < 0, errno == EINTR { continue }
        guard count >= 0 else { throw StorageError("read", FilePath(name), Errno(rawValue: errno)) }
        if count == 0 { return bytes }
        bytes.append(contentsOf: chunk[..<count])
        guard bytes.count <= limit else {
            throw Failure(.malformedInput, "\(name == "-" ? "standard input" : name) has more than \(limit) bytes")
        }
    }
}

/// Reads a snapshot: the ID of one in the capsule, or a file of canonical JSON.
func policyArgument(_ text: String, state: CapsuleState) throws -> RunStart.Policy {
    if text.hasPrefix("sha256:") { return .stored(try RunResolver.snapshot(text, in: state)) }
    return .snapshot(try readSnapshot(text))
}

func readSnapshot(_ file: String) throws -> PolicySnapshot {
    var bytes = try readInput(file, limit: Limits.objectBytes + 1)
    // An editor's last newline is not part of the policy.
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    do throws(LedgerError) {
        return try PolicySnapshot(canonicalJSON: bytes)
    } catch {
        throw LedgerError(error.code, "\(file): \(error.reason)")
    }
}
