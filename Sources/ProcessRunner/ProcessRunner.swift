#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Runs a command as a child process as if the caller were not there, and hands over a copy of its output.
///
/// The command keeps the caller's standard input, working directory and environment unless told otherwise. Its
/// standard output and standard error go through pipes; every byte is written to the caller's own descriptor 1 or 2
/// before it is handed to `onOutput`. Signals sent to the caller are forwarded, and ``Exit/reproduce()`` ends the
/// caller the way the command ended, so that whoever started the caller cannot tell the difference.
///
/// ### What the command can notice
/// - Its output is a pipe, never a terminal: programs that ask `isatty` drop colours and progress bars, and the C
///   library buffers their standard output in blocks.
/// - Order is kept within each stream, not between the two.
/// - After the command has exited, descendants that still hold its pipes are waited for only until they have been
///   silent for ``drainGracePeriod``. Their later writes fail with `EPIPE`.
///
/// ### Signals
/// `SIGINT`, `SIGTERM`, `SIGHUP`, `SIGQUIT`, `SIGUSR1`, `SIGUSR2` and `SIGWINCH` are forwarded while the command
/// runs, with these exceptions:
/// - What the terminal sent already reached the command, which is in the same process group; it is not sent twice.
///   Only the hang-up of a terminal is forwarded if the caller leads the session: the kernel tells nobody else then.
/// - What the command itself sent to the caller (`kill 0`, or a readiness signal to its parent) is not sent back.
/// - A signal that was ignored when ``run(passThrough:started:onOutput:)`` was called stays ignored, in the caller
///   and in the command: that is how `nohup` works, and how shells protect background jobs from Ctrl-C.
///
/// A signal that a process sends to the whole process group (`kill -TERM -PGID`, `timeout`) cannot be told from one
/// sent to the caller alone, and reaches the command twice; losing it would be worse. A value attached by `sigqueue`
/// is not passed on.
///
/// Job control (`SIGTSTP`, `SIGTTIN`, `SIGTTOU`, `SIGCONT`) is left to the kernel: the terminal stops, and the shell
/// continues, the whole process group. Catching these would open a race in which the caller stops itself after the
/// shell has already continued it. A command that stops only itself does not stop the caller.
///
/// ### Limits
/// Signal dispositions belong to the process, so only one run can be in progress in a process at a time. Handlers the
/// caller had installed for the signals above, `SIGPIPE` and `SIGCHLD` are not called during a run. `SIGPIPE` and
/// `SIGCHLD` always start with their default action in the command, whatever the caller does with them.
public struct ProcessRunner: Sendable {
    /// How long descendants that outlive the command may stay silent before they are no longer waited for.
    ///
    /// Long enough for a pipeline's last writer to be scheduled on a loaded machine, short enough not to be taken for
    /// a hang by somebody whose command started a daemon.
    public static let defaultDrainGracePeriod: Duration = .seconds(2)

    /// The command's name followed by its arguments, each without a terminating NUL.
    ///
    /// Bytes and not strings, because an argument (a file name in Latin-1, say) need not be valid UTF-8.
    public var argumentVector: [[UInt8]]

    /// The environment as `NAME=value` entries; `nil` inherits the caller's, byte for byte.
    ///
    /// The command is looked up in the `PATH` of the caller, not of this environment.
    public var environment: [String]?

    /// The directory the command starts in; `nil` inherits the caller's. A relative command name containing a slash
    /// is resolved against this directory.
    public var workingDirectory: String?

    /// See ``defaultDrainGracePeriod``.
    public var drainGracePeriod: Duration

    /// Creates a runner from raw bytes, as they come from ``commandLine(from:)``.
    public init(
        argumentVector: [[UInt8]],
        environment: [String]? = nil,
        workingDirectory: String? = nil,
        drainGracePeriod: Duration = ProcessRunner.defaultDrainGracePeriod
    ) {
        self.argumentVector = argumentVector
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.drainGracePeriod = drainGracePeriod
    }

    /// Creates a runner for a command and its arguments (without the command's name).
    public init(
        executable: String,
        arguments: [String] = [],
        environment: [String]? = nil,
        workingDirectory: String? = nil,
        drainGracePeriod: Duration = ProcessRunner.defaultDrainGracePeriod
    ) {
        self.init(
            argumentVector: ([executable] + arguments).map { Array($0.utf8) },
            environment: environment,
            workingDirectory: workingDirectory,
            drainGracePeriod: drainGracePeriod
        )
    }

    /// The command's name for people to read; invalid UTF-8 is repaired. Empty if there is no command.
    public var executable: String {
        String(decoding: self.argumentVector.first ?? [], as: UTF8.self)
    }

    /// The arguments of this process from `index` on, exactly as they were passed.
    ///
    /// `CommandLine.arguments` replaces bytes that are not UTF-8, which would run a different command than the one
    /// the user typed.
    public static func commandLine(from index: Int) -> [[UInt8]] {
        let count = Int(CommandLine.argc)
        guard index < count else { return [] }
        return (index..<count).compactMap { position in
            CommandLine.unsafeArgv[position].map { pointer in
                Array(UnsafeRawBufferPointer(start: pointer, count: strlen(pointer)))
            }
        }
    }

    /// Runs the command and returns when it has exited and its output is drained.
    ///
    /// The closures run in the calling thread. While one runs, output and signals wait, so they should be quick. If
    /// one throws, neither is called again, but the command is run to its end: the user's command matters more than
    /// the observation. The first error is in ``Outcome/observerError``.
    ///
    /// If our own output cannot be written any more (`head` has seen enough, the disk is full), the command's pipe is
    /// closed, so that its next write fails as it would have without us. If our descriptor 1 or 2 is not open at all,
    /// the command's is not either, and nothing of that stream is observed.
    ///
    /// - Parameters:
    ///   - passThrough: Whether output is also written to our descriptors 1 and 2.
    ///   - started: Called once, with the process identifier, before any output is read.
    ///   - onOutput: Called with each non-empty chunk (at most 64 KiB) after it was written. The buffer is valid only
    ///     during the call. A chunk that could not be written completely is handed over nevertheless.
    /// - Returns: How the command ended, including by a signal; that is not an error.
    /// - Throws: ``ProcessRunnerError`` if the command could not be started. After it has started, only
    ///   ``ProcessRunnerError/systemCallFailed(call:errno:)``, if another part of this process took the command's
    ///   exit status by waiting for any child.
    public func run(
        passThrough: Bool = true,
        started: (pid_t) throws -> Void = { _ in },
        onOutput: (Stream, UnsafeRawBufferPointer) throws -> Void
    ) throws(ProcessRunnerError) -> Outcome {
        let signals = try SignalRelay()
        defer { signals.stop() }
        let standardOutput = try OutputChannel(.standardOutput, passThrough: passThrough)
        let standardError = try OutputChannel(.standardError, passThrough: passThrough)
        let channels = [standardOutput, standardError]

        let early = signals.takeEarly()
        let start = monotonicNanoseconds()
        let child = try self.spawn(channels: channels, defaultSignals: signals.defaultInChild)
        for channel in channels {
            channel.closeChildEnd()
        }

        var supervisor = Supervisor(child, channels, signals, gracePeriod: self.drainGracePeriod)
        supervisor.forwardEarly(early)
        var observerError: (any Error)?
        func observe(_ body: () throws -> Void) {
            guard observerError == nil else { return }
            do { try body() } catch { observerError = error }
        }
        observe { try started(child) }
        let (exit, end) = try supervisor.supervise { stream, bytes in
            observe { try onOutput(stream, bytes) }
        }

        return Outcome(
            exit: exit,
            processIdentifier: child,
            durationNanoseconds: end - start,
            forwardedSignals: supervisor.forwardedSignals,
            standardOutput: standardOutput.summary,
            standardError: standardError.summary,
            drain: supervisor.drain,
            observerError: observerError
        )
    }
}

extension ProcessRunner {
    /// One of the two output streams of a command.
    public enum Stream: Hashable, Sendable {
        case standardOutput, standardError
    }

    /// What is known after a run.
    public struct Outcome: Sendable {
        /// How the command ended.
        public var exit: Exit
        /// The command's process identifier. The process is gone; the number may already be somebody else's.
        public var processIdentifier: pid_t
        /// From just before the command was started until its exit was noticed, on the monotonic clock. Draining the
        /// output of descendants is not included.
        public var durationNanoseconds: UInt64
        /// The numbers of the signals that were forwarded, in order, with repetitions.
        public var forwardedSignals: [Int32]
        /// What came through standard output.
        public var standardOutput: StreamSummary
        /// What came through standard error.
        public var standardError: StreamSummary
        /// Whether the output was read to its end.
        public var drain: Drain
        /// The first error thrown by `started` or `onOutput`, after which neither was called again.
        public var observerError: (any Error)?
    }

    /// What came through one output stream.
    public struct StreamSummary: Hashable, Sendable {
        /// The number of bytes read from the command.
        public var byteCount: UInt64
        /// Why our own descriptor could not be written, at which point the stream was closed; `EPIPE` is harmless.
        public var passThroughErrno: Int32?

        /// Creates a summary.
        public init(byteCount: UInt64 = 0, passThroughErrno: Int32? = nil) {
            self.byteCount = byteCount
            self.passThroughErrno = passThroughErrno
        }
    }

    /// How the reading of the output ended.
    public enum Drain: Hashable, Sendable {
        /// Every writer closed both streams, or they were closed because our own output failed.
        case complete
        /// A descendant of the command still held a stream, and was silent for the grace period.
        case gracePeriodElapsed
        /// Somebody sent SIGINT, SIGTERM, SIGHUP or SIGQUIT after the command had exited.
        ///
        /// The first such signal ends the wait for silent descendants; the second also gives up on output that our
        /// reader does not take.
        case interrupted
    }
}

/// Why a command could not be run.
public enum ProcessRunnerError: Error, Hashable, Sendable {
    /// There is no such command. Shells report status 127.
    case commandNotFound(command: String, errno: Int32)
    /// The command exists but the kernel refuses to execute it. Shells report status 126.
    case commandNotExecutable(command: String, errno: Int32)
    /// The working directory asked for cannot be entered.
    case workingDirectoryUnusable(path: String, errno: Int32)
    /// An argument, environment entry or directory contains a NUL byte, which no command can be passed.
    case embeddedNUL(in: String)
    /// Another ``ProcessRunner`` is running a command in this process.
    case alreadyRunning
    /// A system call failed that does not depend on the command: out of descriptors, processes or memory.
    case systemCallFailed(call: String, errno: Int32)

    /// The exit status a shell, `env` or `timeout` reports for the same failure: 127 and 126 as documented on the
    /// cases, and 125 for failures of the runner itself.
    public var shellStatus: Int32 {
        switch self {
        case .commandNotFound: 127
        case .commandNotExecutable: 126
        case .workingDirectoryUnusable, .embeddedNUL, .alreadyRunning, .systemCallFailed: 125
        }
    }
}

extension ProcessRunnerError: CustomStringConvertible {
    /// One line that says what failed, why, and what to do about it.
    public var description: String {
        switch self {
        case .commandNotFound(let command, let code):
            let hint = command.contains("/") ? "check the path" : "check the spelling, or that PATH contains it"
            return "\(command): command not found (\(describe(code))); \(hint)"
        case .commandNotExecutable(let command, let code):
            return "\(command): cannot be executed (\(describe(code))); \(Self.executionHint(code))"
        case .workingDirectoryUnusable(let path, let code):
            return "\(path): cannot be the working directory (\(describe(code))); check that it can be entered"
        case .embeddedNUL(let text):
            return "\(text.split(separator: "\0").joined(separator: "\\0")): contains a NUL byte; remove it"
        case .alreadyRunning:
            return "another command is being run by this process; wait until it has finished"
        case .systemCallFailed(let call, let code):
            return "\(call) failed (\(describe(code))); check the limits on descriptors, processes and memory"
        }
    }

    private static func executionHint(_ code: Int32) -> String {
        switch code {
        case ENOENT: "the interpreter named in its first line, or its dynamic loader, does not exist"
        case EACCES: "make it executable with chmod +x, and check that it is a file and not a directory"
        case ENOEXEC: "it was built for another kind of machine, or is damaged"
        case E2BIG: "pass fewer arguments, or a smaller environment"
        case ETXTBSY: "wait until nobody has it open for writing"
        default: "check the file and its file system"
        }
    }

    private func describe(_ code: Int32) -> String {
        "\(String(cString: strerror(code))), errno \(code)"
    }
}
