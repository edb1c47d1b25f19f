import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// The descriptor the signal handler writes to; -1 when no run is in progress.
private let handlerDescriptor = Atomic<Int32>(-1)

/// How many threads are in the signal handler.
private let handlersActive = Atomic<Int>(0)

/// Turns signals into bytes that `poll` can wait for, while it exists and is not stopped.
///
/// The self-pipe trick: unlike `signalfd` it exists everywhere, and does not need the signals to be blocked in every
/// thread of the process.
final class SignalRelay {
    /// What is forwarded. Not the signals the kernel raises for a fault of ours, nor those of job control.
    static let forwardable = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH]

    /// The signals that must start with their default action in the command.
    private(set) var defaultInChild = sigset_t()

    private let pipe: Pipe
    private var previousActions: [(signal: Int32, action: sigaction)] = []
    private var previousMask = sigset_t()
    private var isStopped = false

    /// The descriptor that becomes readable when a signal has arrived.
    var descriptor: Int32 { self.pipe.readEnd.number }

    /// Installs the handlers.
    ///
    /// - Throws: ``ProcessRunnerError/alreadyRunning``, or
    ///   ``ProcessRunnerError/systemCallFailed(call:errno:)`` if there are no descriptors left.
    init() throws(ProcessRunnerError) {
        self.pipe = try Pipe()
        // The handler must never block, and neither may emptying the pipe.
        for number in [self.pipe.readEnd.number, self.pipe.writeEnd.number] {
            _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) | O_NONBLOCK)
        }
        let (exchanged, _) = handlerDescriptor.compareExchange(
            expected: -1,
            desired: self.pipe.writeEnd.number,
            ordering: .sequentiallyConsistent
        )
        guard exchanged else { throw .alreadyRunning }
        // The first call in a process initialises globals and type metadata under locks, which must not happen in a
        // real signal handler. Signal 0 is not a signal; its record is discarded with the early ones.
        var nothing = siginfo_t()
        noteSignal(0, &nothing, nil)
        self.installHandlers()
    }

    private func installHandlers() {
        var caught = sigset_t()
        sigemptyset(&caught)
        sigemptyset(&self.defaultInChild)
        for signal in Self.forwardable + [SIGCHLD] where signal == SIGCHLD || !isIgnored(signal) {
            var action = sigaction()
            #if canImport(Darwin)
                action.__sigaction_u.__sa_sigaction = noteSignal
            #else
                action.__sigaction_handler.sa_sigaction = noteSignal
            #endif
            // Observers' system calls need not expect EINTR because of us; `poll` is interrupted regardless.
            action.sa_flags = SA_SIGINFO | SA_RESTART | SA_NOCLDSTOP
            sigfillset(&action.sa_mask)
            self.replaceAction(of: signal, with: action)
            sigaddset(&caught, signal)
            sigaddset(&self.defaultInChild, signal)
        }
        var ignore = sigaction()
        #if canImport(Darwin)
            ignore.__sigaction_u.__sa_handler = SIG_IGN
        #else
            ignore.__sigaction_handler.sa_handler = SIG_IGN
        #endif
        self.replaceAction(of: SIGPIPE, with: ignore)
        sigaddset(&self.defaultInChild, SIGPIPE)
        // A caller that blocked SIGCHLD would otherwise never learn that the command has exited.
        pthread_sigmask(SIG_UNBLOCK, &caught, &self.previousMask)
    }

    private func replaceAction(of signal: Int32, with action: sigaction) {
        var new = action
        var old = sigaction()
        if sigaction(signal, &new, &old) == 0 {
            self.previousActions.append((signal, old))
        }
    }

    /// Puts the previous handlers and signal mask back. Signals that arrived but were not read are dropped.
    func stop() {
        guard !self.isStopped else { return }
        self.isStopped = true
        pthread_sigmask(SIG_SETMASK, &self.previousMask, nil)
        for (signal, action) in self.previousActions {
            var action = action
            _ = sigaction(signal, &action, nil)
        }
        handlerDescriptor.store(-1, ordering: .sequentiallyConsistent)
        // A handler in another thread may have read the number before; the pipe must not be closed under it.
        while handlersActive.load(ordering: .sequentiallyConsistent) != 0 {
            sched_yield()
        }
    }

    /// The numbers of the signals that have arrived up to now, to be called before there is a command.
    func takeEarly() -> [Int32] {
        var numbers: [Int32] = []
        while let signal = self.next() {
            if Self.forwardable.contains(signal.number) {
                numbers.append(signal.number)
            }
        }
        return numbers
    }

    /// The next signal that has arrived, or `nil` if there is none.
    func next() -> ReceivedSignal? {
        var record: UInt64 = 0
        while true {
            let count = read(self.pipe.readEnd.number, &record, MemoryLayout<UInt64>.size)
            if count == MemoryLayout<UInt64>.size {
                return ReceivedSignal(record: record)
            }
            guard count < 0, errno == EINTR else { return nil }
        }
    }
}

/// A signal this process has received.
struct ReceivedSignal {
    var number: Int32
    /// The process that sent it; 0 if the kernel did, on behalf of the terminal.
    var sender: pid_t
    var isFromKernel: Bool

    /// Computed, because a stored global would be initialised lazily, in the signal handler.
    private static var kernelFlag: UInt64 { 1 << 40 }

    init(record: UInt64) {
        self.number = Int32(record >> 32 & 0xFF)
        self.sender = pid_t(truncatingIfNeeded: record)
        self.isFromKernel = record & Self.kernelFlag != 0
    }

    /// One word, so that it is written to the pipe whole and without allocating.
    @inline(__always)
    static func record(_ number: Int32, sender: pid_t, isFromKernel: Bool) -> UInt64 {
        let flag = isFromKernel ? Self.kernelFlag : 0
        return flag | UInt64(UInt32(bitPattern: number) & 0xFF) << 32 | UInt64(UInt32(bitPattern: sender))
    }
}

private func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(signal, nil, &action) == 0 else { return false }
    #if canImport(Darwin)
        let handler = action.__sigaction_u.__sa_handler
    #else
        let handler = action.__sigaction_handler.sa_handler
    #endif
    // Functions cannot be compared, but the "ignore" handler is a number in disguise.
    return unsafeBitCast(handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
}

/// The signal handler. Everything it does is async-signal-safe: lock-free atomics, `write`, and `errno` put back.
private func noteSignal(
    _ signal: Int32,
    _ information: UnsafeMutablePointer<siginfo_t>?,
    _ context: UnsafeMutableRawPointer?
) {
    let savedErrno = errno
    handlersActive.wrappingAdd(1, ordering: .sequentiallyConsistent)
    let descriptor = handlerDescriptor.load(ordering: .sequentiallyConsistent)
    if descriptor >= 0, let information {
        #if canImport(Darwin)
            let sender = information.pointee.si_pid
            let isFromKernel = sender == 0
        #else
            let sender = information.pointee._sifields._kill.si_pid
            let isFromKernel = information.pointee.si_code == SI_KERNEL
        #endif
        var record = ReceivedSignal.record(signal, sender: sender, isFromKernel: isFromKernel)
        // If the pipe is full, thousands of signals wait to be read; like the kernel, merge this one with them.
        _ = write(descriptor, &record, MemoryLayout<UInt64>.size)
    }
    handlersActive.wrappingSubtract(1, ordering: .sequentiallyConsistent)
    errno = savedErrno
}
