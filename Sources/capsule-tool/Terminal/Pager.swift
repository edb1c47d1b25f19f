import Synchronization

#if canImport(Darwin)
    @preconcurrency import Darwin
#else
    @preconcurrency import Glibc
#endif

/// Gives what is printed to a pager, if standard output is a terminal.
///
/// `PAGER` says which, `less` otherwise. Where `LESS` is not set it is `FRX`: colours pass, what fits on the screen is
/// simply printed, and nothing is wiped off at the end.
enum Pager {
    private static let child = Mutex<pid_t?>(nil)

    /// Begins paging. What cannot be started is done without.
    static func start() {
        guard Terminal.isOutput, Terminal.environment("TERM") != "dumb" else { return }
        let command = Terminal.environment("PAGER") ?? "less"
        guard !command.isEmpty, command != "cat" else { return }
        // What the terminal can do is asked for the last time: from here on our output is a pipe.
        _ = (Terminal.width, Terminal.usesColour)
        if Terminal.environment("LESS") == nil { setenv("LESS", "FRX", 1) }
        if Terminal.environment("LV") == nil { setenv("LV", "-c", 1) }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let process = spawn(["/bin/sh", "-c", command], input: ends[0])
        close(ends[0])
        guard let process else {
            close(ends[1])
            return
        }
        dup2(ends[1], 1)
        close(ends[1])
        // An interrupt is for the pager, which would otherwise be left alone with the terminal.
        signal(SIGINT, SIG_IGN)
        child.withLock { $0 = process }
    }

    /// Waits until the reader has seen enough. To be called when everything was written.
    static func finish() {
        guard let process = child.withLock({ $0.take() }) else { return }
        close(1)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
    }

    private static func spawn(_ arguments: [String], input: Int32) -> pid_t? {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        guard posix_spawn_file_actions_init(&actions) == 0, posix_spawnattr_init(&attributes) == 0 else { return nil }
        defer {
            posix_spawn_file_actions_destroy(&actions)
            posix_spawnattr_destroy(&attributes)
        }
        posix_spawn_file_actions_adddup2(&actions, input, 0)
        // We ignore broken pipes; a pager need not.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
        var process: pid_t = 0
        var words = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        return posix_spawn(&process, arguments[0], &actions, &attributes, &words, environ) == 0 ? process : nil
    }
}
