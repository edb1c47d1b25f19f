import Ledger
import ProcessRunner
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One command, run and recorded: a tool call, its output if asked for, its result, the seal.
struct Recording: Sendable {
    private let ledger: CapsuleLedger
    private let run: RunHandle
    private let words: [String]
    private let captureLimit: Int
    /// The event that records the call: what follows names it as its cause.
    private let call: EventReference

    /// The type of the events that hold captured output.
    private static let outputType = EventType.custom("org.capsule.process-output")

    /// How `capsule-tool` ends afterwards.
    enum End {
        case asCommand(ProcessRunner.Exit)
        case status(Int32)

        func reproduce() -> Never {
            switch self {
            case .asCommand(let end): end.reproduce()
            case .status(let status): exit(status)
            }
        }
    }

    /// Records the call, durably, before the command runs.
    ///
    /// - Parameter captureLimit: bytes of each stream that are kept; 0 keeps none.
    static func begin(
        _ words: [String],
        in run: RunHandle,
        ledger: CapsuleLedger,
        captureLimit: Int
    ) async throws -> Recording {
        var body = JSONWriter()
        body.object { object in
            object.member("tool", words[0])
            object.member("arguments", .array(words.dropFirst().map { .string($0) }))
            if let folder = getcwd(nil, 0) {
                object.member("working_directory", String(cString: folder))
                free(folder)
            }
        }
        let draft = EventDraft(.registered(.toolCall), body: body.bytes)
        let receipts = try await ledger.append([draft], to: run, durability: .durable)
        return Recording(
            ledger: ledger,
            run: run,
            words: words,
            captureLimit: captureLimit,
            call: receipts.first?.event ?? EventReference(run: run.id, sequence: 0)
        )
    }

    /// Runs the command and records how it ended. What goes wrong with recording is said, and does not change how the
    /// command ends.
    func runCommand() async -> End {
        let (pieces, feed) = AsyncStream.makeStream(of: CapturedOutput.Piece.self)
        let writer = Task { try await store(pieces) }
        let output = CapturedOutput(limit: captureLimit, feed: feed)
        let arguments = ProcessRunner.commandLine(from: Int(CommandLine.argc) - words.count)
        let result = await onOwnThread { () -> Result<ProcessRunner.Outcome, ProcessRunnerError> in
            do throws(ProcessRunnerError) {
                return .success(try ProcessRunner(argumentVector: arguments).run { output.take($0, $1) })
            } catch {
                return .failure(error)
            }
        }
        output.finish()
        do {
            try await writer.value
            switch result {
            case .success(let outcome): try await finish(outcome, output)
            case .failure(let error): try await finish(error)
            }
        } catch {
            complain("the command ended, and recording it did not succeed: \(error)")
        }
        switch result {
        case .success(let outcome): return Self.end(after: outcome)
        case .failure(let error):
            complain("\(error)")
            return .status(error.shellStatus)
        }
    }

    /// As the command ended, unless it ended well and its output did not get through.
    private static func end(after outcome: ProcessRunner.Outcome) -> End {
        for (name, stream) in [("output", outcome.standardOutput), ("error", outcome.standardError)] {
            guard let number = stream.passThroughErrno, number != EPIPE else { continue }
            complain("standard \(name): \(Errno(rawValue: number)); not all of the command's output was passed on")
            if outcome.exit == .exited(0) { return .status(ExitStatus.system.rawValue) }
        }
        return .asCommand(outcome.exit)
    }

    private func store(_ pieces: AsyncStream<CapturedOutput.Piece>) async throws {
        for await piece in pieces {
            let isText = String(validating: piece.bytes, as: UTF8.self) != nil
            var draft = EventDraft(Self.outputType, media: isText ? .text : .bytes, body: piece.bytes, time: piece.time)
            draft.causes = [call]
            draft.actor = ActorDraft(named: piece.stream == .standardOutput ? "stdout" : "stderr")
            _ = try await ledger.append([draft], to: run, durability: .written)
        }
    }

    private func finish(_ outcome: ProcessRunner.Outcome, _ output: CapturedOutput) async throws {
        var details = RunEnd()
        details.durationNanoseconds = Int64(clamping: outcome.durationNanoseconds)
        let isSuccess = outcome.exit == .exited(0)
        var body = JSONWriter()
        body.object { object in
            object.member("ok", isSuccess)
            switch outcome.exit {
            case .exited(let status):
                object.member("exit_status", status)
                details.exitStatus = status
            case .signalled(let signal, _): object.member("signal", signal)
            }
            object.member("duration_ns", outcome.durationNanoseconds)
            for (name, stream) in [("stdout", ProcessRunner.Stream.standardOutput), ("stderr", .standardError)] {
                let summary = output.summary(of: stream)
                object.member(
                    name,
                    ["bytes": .number(JSONNumber(summary.bytes)), "sha256": .string(summary.digest.hex)]
                )
            }
        }
        var result = EventDraft(.registered(.toolResult), body: body.bytes)
        result.causes = [call]
        _ = try await ledger.append([result], to: run, durability: .written)
        details.time = .now
        let wasStopped = !isSuccess && !outcome.forwardedSignals.isEmpty
        _ = try await ledger.end(
            run,
            outcome: isSuccess ? .completed : wasStopped ? .cancelled : .failed,
            details: details
        )
    }

    private func finish(_ error: ProcessRunnerError) async throws {
        var body = JSONWriter()
        body.object { object in
            object.member("ok", false)
            object.member("error", "\(error)")
        }
        var result = EventDraft(.registered(.toolResult), body: body.bytes)
        result.causes = [call]
        _ = try await ledger.append([result], to: run, durability: .written)
        var details = RunEnd()
        details.time = .now
        details.exitStatus = error.shellStatus
        details.reason = "the command could not be started"
        _ = try await ledger.end(run, outcome: .failed, details: details)
    }
}

/// Runs blocking work on a thread of its own: the shared pool has as many threads as cores, and a command may run for
/// hours.
private func onOwnThread<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R {
    await withCheckedContinuation { continuation in
        startThread { continuation.resume(returning: work()) }
    }
}
