import ArgumentParser
import Ledger
import Logging
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Local logs: nothing unless they are asked for, by `--verbose` and `--log-file FILE` anywhere before `--`, or by
/// variables.
///
/// A log tells what happens within the tool. What happened in a run stands in the capsule and never only here.
enum LocalLog {
    /// Takes the options that every command has out of the arguments, and begins to log.
    static func begin(_ arguments: some Sequence<String>) throws -> [String] {
        var rest: [String] = []
        var isVerbose = Terminal.environment("CAPSULE_LOG") == "debug"
        var file = Terminal.environment("CAPSULE_LOG_FILE").flatMap { $0.isEmpty ? nil : $0 }
        var words = Array(arguments)[...]
        while let word = words.popFirst() {
            if word == "--" {
                rest.append(word)
                break
            } else if word == "--verbose" {
                isVerbose = true
            } else if word == "--log-file" {
                guard let name = words.popFirst() else { throw ValidationError("--log-file needs the name of a file") }
                file = name
            } else if word.hasPrefix("--log-file=") {
                file = String(word.dropFirst("--log-file=".count))
            } else {
                rest.append(word)
            }
        }
        try bootstrap(isVerbose: isVerbose, file: file)
        return rest + words
    }

    private static func bootstrap(isVerbose: Bool, file: String?) throws {
        let sink = try file.map { try LogFile($0) }
        LoggingSystem.bootstrap { label in
            guard isVerbose || sink != nil else { return SwiftLogNoOpLogHandler() }
            return LocalLogHandler(label: label, file: sink, isVerbose: isVerbose)
        }
    }
}

/// A file that lines are appended to, each with one write, so that several processes can share it.
final class LogFile: Sendable {
    private let descriptor: Int32

    init(_ name: String) throws {
        descriptor = open(name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw StorageError("open", FilePath(name), Errno(rawValue: errno)) }
    }

    /// A log that cannot be written stops nothing.
    func append(_ line: [UInt8]) { _ = line.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) } }
}

/// Writes lines for people on standard error, and JSON objects into a file.
struct LocalLogHandler: LogHandler {
    let label: String
    let file: LogFile?
    let isVerbose: Bool
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    init(label: String, file: LogFile?, isVerbose: Bool) {
        self.label = label
        self.file = file
        self.isVerbose = isVerbose
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        if isVerbose {
            let pairs = all.map { " \($0.key)=\($0.value)" }.joined()
            complain("\(event.level) \(label): \(event.message)\(pairs)")
        }
        guard let file else { return }
        var line = JSONWriter()
        line.object { object in
            object.member("time", "\(Timestamp.now)")
            object.member("level", event.level.rawValue)
            object.member("label", label)
            object.member("message", "\(event.message)")
            object.member("pid", Int(getpid()))
            for (key, value) in all { object.member("data_\(key)", "\(value)") }
        }
        file.append(line.bytes + [UInt8(ascii: "\n")])
    }
}
