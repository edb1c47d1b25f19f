#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// One output stream on its way from the command to our own descriptor.
///
/// It alternates between two states, and never waits itself: without `pending` bytes it wants to read a chunk, with
/// them it wants to write. That keeps a reader who does not take our standard output from holding up standard error
/// or signals.
final class OutputChannel {
    private struct Sink {
        var number: Int32
        /// A write of at most this size does not block once `poll` has reported that writing is possible.
        var writeLimit: Int
        /// Whether `poll` tells us that the reader has gone before we write.
        var reportsDeparture: Bool
    }

    private static let bufferSize = 64 * 1024

    let stream: ProcessRunner.Stream
    private(set) var summary = ProcessRunner.StreamSummary()
    private var source: OwnedDescriptor?
    private var childEnd: OwnedDescriptor?
    private var sink: Sink?
    private let buffer: UnsafeMutableRawBufferPointer
    private var chunkLength = 0
    private var pending = 0..<0

    /// Creates the pipe, unless output is to be passed through to a descriptor that is not open.
    init(_ stream: ProcessRunner.Stream, passThrough: Bool) throws(ProcessRunnerError) {
        self.stream = stream
        self.buffer = .allocate(byteCount: Self.bufferSize, alignment: 16)
        if passThrough {
            var status = stat()
            guard fstat(stream.descriptor, &status) == 0 else { return }
            let kind = status.st_mode & S_IFMT
            self.sink = Sink(
                number: stream.descriptor,
                writeLimit: kind == S_IFREG ? Self.bufferSize : Int(PIPE_BUF),
                reportsDeparture: kind == S_IFIFO
            )
        }
        let pipe = try Pipe()
        self.source = consume pipe.readEnd
        self.childEnd = consume pipe.writeEnd
    }

    deinit {
        self.buffer.deallocate()
    }

    /// Whether nothing more will come out of this stream.
    var isFinished: Bool { self.source == nil && self.pending.isEmpty }

    /// Whether bytes wait for our own reader.
    var isWaitingForReader: Bool { !self.pending.isEmpty }

    /// What becomes the command's descriptor, if it gets one.
    var childDescriptor: Int32? { self.childEnd?.number }

    /// Gives up our copy of the command's end, without which end of file would never be seen.
    func closeChildEnd() {
        self.childEnd = nil
    }

    /// What to wait for at the command's end and at our own; `poll` skips negative descriptors.
    var pollEntries: (source: pollfd, sink: pollfd) {
        var source = pollfd(fd: -1, events: Int16(POLLIN), revents: 0)
        var sink = pollfd(fd: -1, events: 0, revents: 0)
        if self.isWaitingForReader {
            sink.fd = self.sink?.number ?? -1
            sink.events = Int16(POLLOUT)
        } else if let number = self.source?.number {
            source.fd = number
            // Errors are reported without being asked for. Only for pipes: a terminal or socket that has hung up
            // would keep waking us for as long as the command is silent.
            sink.fd = self.sink.map { $0.reportsDeparture ? $0.number : -1 } ?? -1
        }
        return (source, sink)
    }

    /// Moves bytes on, as far as that is possible without waiting.
    ///
    /// - Parameter deliver: Called with a chunk that is finished with.
    func advance(
        source: Int16,
        sink: Int16,
        deliver: (ProcessRunner.Stream, UnsafeRawBufferPointer) -> Void
    ) {
        if self.isWaitingForReader {
            guard sink != 0 else { return }
            self.writePending()
        } else if sink & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 {
            // The command must learn at its next write, not at the one after it, that nobody reads any more. What it
            // wrote up to now it could write, so it is still observed.
            self.sink = nil
            self.summary.passThroughErrno = EPIPE
            self.drainWrittenBytes(deliver)
            self.source = nil
            return
        } else if source != 0 {
            self.readChunk()
        } else {
            return
        }
        if self.chunkLength > 0, !self.isWaitingForReader {
            self.deliverChunk(deliver)
        }
    }

    private func deliverChunk(_ deliver: (ProcessRunner.Stream, UnsafeRawBufferPointer) -> Void) {
        let chunk = UnsafeRawBufferPointer(rebasing: self.buffer[..<self.chunkLength])
        self.chunkLength = 0
        deliver(self.stream, chunk)
    }

    private func drainWrittenBytes(_ deliver: (ProcessRunner.Stream, UnsafeRawBufferPointer) -> Void) {
        guard let number = self.source?.number else { return }
        var available: Int32 = 0
        // At most what a pipe holds: a command that writes without end must not keep us here.
        guard ioctl(number, UInt(FIONREAD), &available) == 0 else { return }
        var remaining = Int(available)
        while remaining > 0 {
            self.readChunk()
            guard self.chunkLength > 0 else { return }
            remaining -= self.chunkLength
            self.deliverChunk(deliver)
        }
    }

    private func readChunk() {
        guard let number = self.source?.number else { return }
        let count = read(number, self.buffer.baseAddress, self.buffer.count)
        if count > 0 {
            self.chunkLength = count
            self.summary.byteCount += UInt64(count)
            self.pending = self.sink == nil ? 0..<0 : 0..<count
        } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
            self.source = nil
        }
    }

    private func writePending() {
        guard let sink = self.sink else { return }
        let slice = UnsafeRawBufferPointer(rebasing: self.buffer[self.pending])
        let count = write(sink.number, slice.baseAddress, min(slice.count, sink.writeLimit))
        if count >= 0 {
            self.pending = (self.pending.lowerBound + count)..<self.pending.upperBound
        } else if errno != EINTR && errno != EAGAIN {
            self.summary.passThroughErrno = errno
            self.pending = 0..<0
            self.sink = nil
            self.source = nil
        }
    }
}

extension ProcessRunner.Stream {
    /// The descriptor of this stream, ours and the command's.
    var descriptor: Int32 {
        switch self {
        case .standardOutput: STDOUT_FILENO
        case .standardError: STDERR_FILENO
        }
    }
}

/// Waits for a started command: moves its output, forwards signals to it, and takes its exit status.
struct Supervisor {
    private(set) var forwardedSignals: [Int32] = []
    private(set) var drain = ProcessRunner.Drain.complete

    private let child: pid_t
    private let channels: [OutputChannel]
    private let signals: SignalRelay
    private let gracePeriod: Duration
    private var ending: (exit: ProcessRunner.Exit, time: UInt64)?
    private var lastActivity: ContinuousClock.Instant?
    private var interruptions = 0
    private var mustCheckChild = false

    init(_ child: pid_t, _ channels: [OutputChannel], _ signals: SignalRelay, gracePeriod: Duration) {
        self.child = child
        self.channels = channels
        self.signals = signals
        self.gracePeriod = gracePeriod
    }

    /// Forwards what arrived before the command existed.
    ///
    /// Even what came from the terminal, which could not reach it. What the terminal sends between taking these and
    /// the fork itself, some microseconds, is lost; forwarding it would mean that a Ctrl-C shortly after the fork
    /// reaches the command twice, which is far more likely.
    mutating func forwardEarly(_ numbers: [Int32]) {
        for number in numbers {
            self.forward(number)
        }
    }

    /// Runs until the command has exited and its output is drained, or not worth waiting for any more.
    ///
    /// - Returns: How the command ended, and when.
    /// - Throws: ``ProcessRunnerError/systemCallFailed(call:errno:)`` if the exit status was taken by somebody else.
    mutating func supervise(
        deliver: (ProcessRunner.Stream, UnsafeRawBufferPointer) -> Void
    ) throws(ProcessRunnerError) -> (exit: ProcessRunner.Exit, time: UInt64) {
        while true {
            if self.mustCheckChild {
                self.mustCheckChild = false
                try self.checkChild()
            }
            if let ending = self.ending, self.channels.allSatisfy(\.isFinished) {
                return ending
            }
            var entries = self.pollEntries()
            let ready = poll(&entries, nfds_t(entries.count), self.pollTimeout())
            if ready < 0 {
                let code = errno
                guard code == EINTR || code == EAGAIN else {
                    throw .systemCallFailed(call: "poll", errno: code)
                }
            } else if ready == 0 {
                // With a rounded or clamped timeout, the period need not be over.
                guard let ending = self.ending, self.pollTimeout() == 0 else { continue }
                self.drain = self.interruptions > 0 ? .interrupted : .gracePeriodElapsed
                return ending
            } else {
                self.react(to: entries, deliver: deliver)
            }
        }
    }

    private func pollEntries() -> [pollfd] {
        var entries = [pollfd(fd: self.signals.descriptor, events: Int16(POLLIN), revents: 0)]
        for channel in self.channels {
            let (source, sink) = channel.pollEntries
            entries += [source, sink]
        }
        return entries
    }

    /// In milliseconds, -1 for ever: a command that runs, or a reader that takes its time, is waited for patiently.
    private func pollTimeout() -> Int32 {
        guard self.ending != nil, let lastActivity = self.lastActivity else { return -1 }
        if self.channels.contains(where: \.isWaitingForReader) {
            return self.interruptions > 1 ? 0 : -1
        }
        guard self.interruptions == 0 else { return 0 }
        let remaining = self.gracePeriod - lastActivity.duration(to: .now)
        guard remaining > .zero else { return 0 }
        // Rounded up, so as not to spin through the last millisecond.
        return Int32(min((remaining / .milliseconds(1)).rounded(.up), 3_600_000))
    }

    private mutating func react(
        to entries: [pollfd],
        deliver: (ProcessRunner.Stream, UnsafeRawBufferPointer) -> Void
    ) {
        if entries[0].revents != 0 {
            self.handleSignals()
        }
        for (index, channel) in self.channels.enumerated() {
            let source = entries[1 + 2 * index].revents
            let sink = entries[2 + 2 * index].revents
            guard source != 0 || sink != 0 else { continue }
            channel.advance(source: source, sink: sink, deliver: deliver)
            self.lastActivity = .now
        }
    }

    private mutating func handleSignals() {
        while let signal = self.signals.next() {
            guard signal.number != SIGCHLD else { continue }
            if self.ending == nil {
                if self.shouldForward(signal) {
                    self.forward(signal.number)
                }
            } else if [SIGINT, SIGTERM, SIGHUP, SIGQUIT].contains(signal.number) {
                self.interruptions += 1
            }
        }
        // Whatever it was: the record of a SIGCHLD is lost if the pipe was full.
        self.mustCheckChild = true
    }

    private func shouldForward(_ signal: ReceivedSignal) -> Bool {
        if signal.isFromKernel {
            // The terminal signals its foreground process group, which the command is in. Only the hang-up goes to
            // the session leader alone, which passes it on by exiting; and we do not exit.
            return signal.number == SIGHUP && getsid(0) == getpid()
        }
        return signal.sender != self.child
    }

    private mutating func forward(_ signal: Int32) {
        // Until its status is taken the number cannot be reused. A command that changed its user may be out of reach;
        // then it would not have had the signal from our sender either.
        guard kill(self.child, signal) == 0 else { return }
        self.forwardedSignals.append(signal)
    }

    private mutating func checkChild() throws(ProcessRunnerError) {
        guard self.ending == nil else { return }
        var status: Int32 = 0
        var result: pid_t
        repeat {
            result = waitpid(self.child, &status, WNOHANG)
        } while result < 0 && errno == EINTR
        guard result >= 0 else { throw .systemCallFailed(call: "waitpid", errno: errno) }
        if result == self.child {
            self.ending = (ProcessRunner.Exit(waitStatus: status), monotonicNanoseconds())
            self.lastActivity = .now
        }
    }
}
