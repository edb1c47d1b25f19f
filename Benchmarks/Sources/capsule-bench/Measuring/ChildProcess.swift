import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// A program that ran, and what it took.
struct ChildProcess {
    var exitStatus: Int32
    /// Seconds from before it was started until it was gone.
    var wall: Double
    /// Most memory that it had at a time, in bytes; not less than what the parent had when it started it.
    var peakBytes: Int

    struct CannotStart: Error {
        var program: String
        var errno: Int32
    }

    /// Runs a program to its end. What it prints goes to `output`, or nowhere.
    static func run(_ program: String, _ arguments: [String], output: String = "/dev/null") throws -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        var child: pid_t = 0
        let start = ContinuousClock.now
        let failure = posix_spawn(&child, program, &actions, nil, words, environ)
        guard failure == 0 else { throw CannotStart(program: program, errno: failure) }
        var status: Int32 = 0
        var usage = rusage()
        while wait4(child, &status, 0, &usage) < 0 && errno == EINTR {}
        let taken = ContinuousClock.now - start
        // Ended by a signal: the low seven bits name it.
        let exitStatus = status & 0x7F == 0 ? (status >> 8) & 0xFF : 128 + (status & 0x7F)
        return ChildProcess(exitStatus: exitStatus, wall: taken / .seconds(1), peakBytes: bytes(usage.ru_maxrss))
    }

    private static func bytes(_ peak: Int) -> Int {
        #if canImport(Darwin)
        peak
        #else
        peak << 10
        #endif
    }

    /// This program.
    static var own: String { Bundle.main.executablePath ?? CommandLine.arguments[0] }
}
