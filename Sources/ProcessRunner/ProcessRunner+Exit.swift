#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

extension ProcessRunner {
    /// How a command ended.
    public enum Exit: Hashable, Sendable {
        /// It exited with this status, 0 to 255.
        case exited(Int32)
        /// It was killed by this signal.
        case signalled(Int32, coreDumped: Bool)

        /// The status a shell reports in `$?`: the exit status, or 128 plus the signal's number.
        public var shellStatus: Int32 {
            switch self {
            case .exited(let status): status
            case .signalled(let signal, _): 128 + signal
            }
        }

        /// Takes a wait status apart. The macros in `sys/wait.h` are not imported; Linux and Darwin agree on the
        /// layout.
        init(waitStatus status: Int32) {
            let signal = status & 0x7F
            if signal == 0 {
                self = .exited((status >> 8) & 0xFF)
            } else {
                self = .signalled(signal, coreDumped: status & 0x80 != 0)
            }
        }

        /// Ends this process the way the command ended, so that our parent sees the same wait status.
        ///
        /// After an exit status, `atexit` handlers run. After a signal, the standard I/O buffers are flushed and the
        /// same signal is raised with its default action, without dumping a core of this process: only the `core
        /// dumped` flag differs. Where the signal does not kill us (process 1 of a container), the process exits
        /// with ``shellStatus``.
        public func reproduce() -> Never {
            guard case .signalled(let signal, _) = self else {
                exit(self.shellStatus)
            }
            fflush(nil)
            Self.disableCoreDump()
            var action = sigaction()
            sigemptyset(&action.sa_mask)
            _ = sigaction(signal, &action, nil)
            var mask = sigset_t()
            sigemptyset(&mask)
            sigaddset(&mask, signal)
            pthread_sigmask(SIG_UNBLOCK, &mask, nil)
            raise(signal)
            exit(self.shellStatus)
        }

        private static func disableCoreDump() {
            #if canImport(Darwin)
                let resource = RLIMIT_CORE
                let size: rlim_t = 0
            #else
                let resource = __rlimit_resource_t(UInt32(RLIMIT_CORE.rawValue))
                // 0 is ignored when cores are piped to a collector (systemd-coredump, apport); 1 stops those as well,
                // and is too small for a file.
                let size: rlim_t = 1
            #endif
            var limit = rlimit()
            guard getrlimit(resource, &limit) == 0 else { return }
            limit.rlim_cur = min(size, limit.rlim_max)
            _ = setrlimit(resource, &limit)
        }
    }
}
