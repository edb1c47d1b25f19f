import ArgumentParser
import Ledger
import ProcessRunner

struct RecordCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Run a command and record it as a run.",
        discussion: """
            The command's output, exit status and signals pass through. Recorded are its arguments, digests of
            its output (or the output itself), how it ended and how long it took. If the command
            is not found the status is 127.
            The policy is found and bound as by 'start'; when it refuses the run, the command is not run.
            """
    )

    @OptionGroup var write: WriteOptions
    @OptionGroup var options: RunStartOptions

    @Option(help: "digest: length and SHA-256 of each output stream. output: the bytes too.")
    var capture: Capture = .digest

    @Option(
        help: ArgumentHelp(
            "Bytes of each stream that --capture output keeps; the digest is of all.",
            valueName: "bytes"
        )
    )
    var captureLimit = 16 << 20

    @Argument(parsing: .captureForPassthrough, help: "-- and the command with its arguments.")
    var command: [String]

    enum Capture: String, ExpressibleByArgument, CaseIterable {
        case digest
        case output
    }

    func validate() throws {
        guard captureLimit >= 0 else { throw ValidationError("--capture-limit is a number of bytes") }
        guard words.first != nil else {
            throw ValidationError("name the command after --, as in: record -- make test")
        }
    }

    private var words: [String] { command.first == "--" ? Array(command.dropFirst()) : command }

    func run() async throws {
        let ledger = try await write.open(purpose: options.name ?? words.first)
        let recording: Recording
        do {
            var start = try await options.runStart(in: ledger)
            start.command = words
            let started = try await ledger.start(start)
            try tell(start.bound, of: started)
            if started.receipt.isRepeat {
                throw Failure(
                    .refused,
                    "a run of this name was recorded before: \(started.handle.id); 'record' needs a new --name"
                )
            }
            recording = try await Recording.begin(
                words,
                in: started.handle,
                ledger: ledger,
                captureLimit: capture == .output ? captureLimit : 0
            )
        } catch {
            await ledger.close()
            throw error
        }
        let end = await recording.runCommand()
        await ledger.close()
        Output.flush()
        end.reproduce()
    }
}
