import CProcessRunner

// For `environ`, a mutable C global that nothing here changes.
#if canImport(Darwin)
    @preconcurrency import Darwin
#else
    @preconcurrency import Glibc
#endif

/// A descriptor that is closed when its owner goes away.
struct OwnedDescriptor: ~Copyable {
    let number: Int32

    deinit {
        // Not retried after EINTR: Linux has released the number by then, and another thread may have it.
        _ = close(self.number)
    }
}

/// A pipe, neither end of which is inherited by a command, both with numbers above the standard streams'.
struct Pipe: ~Copyable {
    let readEnd: OwnedDescriptor
    let writeEnd: OwnedDescriptor

    init() throws(ProcessRunnerError) {
        var numbers: [Int32] = [-1, -1]
        guard cprocessrunner_pipe(&numbers) == 0 else { throw .systemCallFailed(call: "pipe", errno: errno) }
        // If we were started with a standard stream closed, the pipe may have got its number; in the child, it would
        // be overwritten by, or be taken for, that stream.
        let read = fcntl(numbers[0], F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        let readErrno = errno
        let write = fcntl(numbers[1], F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        let writeErrno = errno
        _ = close(numbers[0])
        _ = close(numbers[1])
        guard read >= 0, write >= 0 else {
            if read >= 0 { _ = close(read) }
            if write >= 0 { _ = close(write) }
            throw .systemCallFailed(call: "fcntl(F_DUPFD_CLOEXEC)", errno: read < 0 ? readErrno : writeErrno)
        }
        self.readEnd = OwnedDescriptor(number: read)
        self.writeEnd = OwnedDescriptor(number: write)
    }
}

/// Nanoseconds on a clock that nobody sets.
func monotonicNanoseconds() -> UInt64 {
    var time = timespec()
    _ = clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}

extension ProcessRunner {
    /// Starts the command with its streams connected to `channels`, an empty signal mask, and the default action for
    /// `defaultSignals`.
    ///
    /// Like `execvp`, and unlike `posix_spawnp` alone, a file without a `#!` line is run by `/bin/sh`.
    func spawn(channels: [OutputChannel], defaultSignals: sigset_t) throws(ProcessRunnerError) -> pid_t {
        try self.rejectNUL()
        var child: pid_t = -1
        var code = self.posixSpawn(&child, channels, defaultSignals, self.argumentVector)
        if code == ENOEXEC, let path = self.locateExecutable() {
            let script = [Array("/bin/sh".utf8), path] + self.argumentVector.dropFirst()
            code = self.posixSpawn(&child, channels, defaultSignals, script)
        }
        guard code == 0 else { throw self.explain(code) }
        return child
    }

    private func rejectNUL() throws(ProcessRunnerError) {
        var texts = self.argumentVector
        texts += (self.environment ?? []).map { Array($0.utf8) }
        texts.append(Array((self.workingDirectory ?? "").utf8))
        if let text = texts.first(where: { $0.contains(0) }) {
            throw .embeddedNUL(in: String(decoding: text, as: UTF8.self))
        }
    }

    private func posixSpawn(
        _ child: inout pid_t,
        _ channels: [OutputChannel],
        _ defaultSignals: sigset_t,
        _ argumentVector: [[UInt8]]
    ) -> Int32 {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
            var attributes: posix_spawnattr_t?
        #else
            var actions = posix_spawn_file_actions_t()
            var attributes = posix_spawnattr_t()
        #endif
        var code = posix_spawn_file_actions_init(&actions)
        guard code == 0 else { return code }
        defer { posix_spawn_file_actions_destroy(&actions) }
        code = posix_spawnattr_init(&attributes)
        guard code == 0 else { return code }
        defer { posix_spawnattr_destroy(&attributes) }

        var mask = sigset_t()
        sigemptyset(&mask)
        var signals = defaultSignals
        posix_spawnattr_setsigmask(&attributes, &mask)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK) | Int16(POSIX_SPAWN_SETSIGDEF))
        for channel in channels {
            guard let descriptor = channel.childDescriptor else { continue }
            code = posix_spawn_file_actions_adddup2(&actions, descriptor, channel.stream.descriptor)
            guard code == 0 else { return code }
        }
        if let directory = self.workingDirectory {
            code = cprocessrunner_add_chdir(&actions, directory)
            guard code == 0 else { return code }
        }
        return withCStrings(argumentVector) { arguments in
            guard let name = arguments[0] else { return ENOENT }
            guard let environment = self.environment else {
                return posix_spawnp(&child, name, &actions, &attributes, arguments, inheritedEnvironment())
            }
            return withCStrings(environment.map { Array($0.utf8) }) { environment in
                posix_spawnp(&child, name, &actions, &attributes, arguments, environment)
            }
        }
    }

    /// Finds out which of the things that `posix_spawnp` does the error number is about.
    private func explain(_ code: Int32) -> ProcessRunnerError {
        if code == EAGAIN || code == ENOMEM || code == EMFILE || code == ENFILE || code == EINVAL {
            return .systemCallFailed(call: "posix_spawnp", errno: code)
        }
        if let directory = self.workingDirectory {
            var status = stat()
            let exists = stat(directory, &status) == 0
            if !exists || access(directory, X_OK) != 0 {
                return .workingDirectoryUnusable(path: directory, errno: errno)
            }
            if status.st_mode & S_IFMT != S_IFDIR {
                return .workingDirectoryUnusable(path: directory, errno: ENOTDIR)
            }
        }
        if code == ENOENT || code == ENOTDIR, self.locateExecutable() == nil {
            return .commandNotFound(command: self.executable, errno: code)
        }
        return .commandNotExecutable(command: self.executable, errno: code)
    }

    /// The file `posix_spawnp` would execute, or `nil`. Only consulted after it has failed.
    private func locateExecutable() -> [UInt8]? {
        guard let name = self.argumentVector.first, !name.isEmpty else { return nil }
        let slash = UInt8(ascii: "/")
        guard !name.contains(slash) else {
            let isRelative = name[0] != slash
            let prefix = isRelative ? self.workingDirectory.map { Array($0.utf8) + [slash] } ?? [] : []
            return isExecutable(prefix + name) ? name : nil
        }
        let path = getenv("PATH").map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) }
        for directory in (path ?? Array("/bin:/usr/bin".utf8)).split(
            separator: UInt8(ascii: ":"),
            omittingEmptySubsequences: false
        ) {
            let candidate = (directory.isEmpty ? [UInt8(ascii: ".")] : Array(directory)) + [slash] + name
            if isExecutable(candidate) { return candidate }
        }
        return nil
    }
}

private func isExecutable(_ path: [UInt8]) -> Bool {
    (path + [0]).withUnsafeBytes { bytes in
        guard let pointer = bytes.baseAddress?.assumingMemoryBound(to: CChar.self) else { return false }
        var status = stat()
        return stat(pointer, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && access(pointer, X_OK) == 0
    }
}

private func inheritedEnvironment() -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? {
    #if canImport(Darwin)
        _NSGetEnviron().pointee
    #else
        environ
    #endif
}

/// Calls `body` with a NULL-terminated array of NUL-terminated copies of `strings`.
private func withCStrings<R>(
    _ strings: [[UInt8]],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> R
) -> R {
    let array = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: strings.count + 1)
    for (index, string) in strings.enumerated() {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
        for (offset, byte) in string.enumerated() {
            copy[offset] = CChar(bitPattern: byte)
        }
        copy[string.count] = 0
        array[index] = copy
    }
    array[strings.count] = nil
    defer {
        for index in strings.indices {
            array[index]?.deallocate()
        }
        array.deallocate()
    }
    return body(array)
}
