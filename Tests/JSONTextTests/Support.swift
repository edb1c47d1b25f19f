import Testing

@testable import JSONText

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A small generator with a fixed seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

extension JSONError {
    /// The error that reading a text ends in, for a comparison in one line.
    static func of<Result>(_ body: () throws(JSONError) -> Result) -> JSONError? {
        do {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }
}

/// How many bytes two texts have in common before they differ.
func firstDifference(_ left: [UInt8], _ right: [UInt8]) -> Int {
    zip(left, right).prefix { $0 == $1 }.count
}

func isAccepted(_ body: () throws -> Void) -> Bool {
    (try? body()) != nil
}

/// The system's Python, as a second opinion on what is JSON and what follows a schema.
enum Python {
    /// Whether the tests are told to do without Python.
    static var isForbidden: Bool {
        getenv("CAPSULE_NO_PYTHON") != nil
    }

    static let whySkipped: Comment = "CAPSULE_NO_PYTHON is set, so there is no second opinion"

    /// Writes `files` into a new directory, runs `script` there and returns what it prints.
    static func run(_ script: String, files: [String: [UInt8]]) throws -> String {
        let all = files.merging(["script.py": Array(script.utf8)]) { $1 }
        return try OtherProgram.run(
            "python3 -W ignore script.py", files: all, remedy: "python3 is needed (set CAPSULE_NO_PYTHON to do without)")
    }
}

/// Node, where it is installed: the ECMAScript by which RFC 8785 defines its numbers.
enum Node {
    static let isThere = system("command -v node >/dev/null 2>&1") == 0
    static let whySkipped: Comment = "there is no 'node' on this machine; install nodejs to compare with ECMAScript's own"

    static func run(_ script: String, files: [String: [UInt8]]) throws -> String {
        let all = files.merging(["script.js": Array(script.utf8)]) { $1 }
        return try OtherProgram.run("node script.js", files: all, remedy: "node is there")
    }
}

/// A program of others.
enum OtherProgram {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Writes `files` into a new directory, runs `command` there and returns what it prints.
    static func run(_ command: String, files: [String: [UInt8]], remedy: String) throws -> String {
        var template = Array("/tmp/jsontext-tests-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else {
            throw Failure(description: "no temporary directory: errno \(errno)")
        }
        let directory = String(cString: made)
        defer {
            for name in files.keys { unlink("\(directory)/\(name)") }
            rmdir(directory)
        }
        for (name, bytes) in files {
            try write(bytes, to: "\(directory)/\(name)")
        }
        guard let pipe = popen("cd \(directory) && \(command) 2>&1", "r") else {
            throw Failure(description: "'\(command)' cannot be started: errno \(errno)")
        }
        var output: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = fread(&buffer, 1, buffer.count, pipe)
            guard count > 0 else { break }
            output += buffer[..<count]
        }
        let status = pclose(pipe)
        let text = String(decoding: output, as: UTF8.self)
        guard status == 0 else { throw Failure(description: "\(remedy) but failed: \(text)") }
        return text
    }

    private static func write(_ bytes: [UInt8], to path: String) throws {
        guard let file = fopen(path, "w") else { throw Failure(description: "cannot write \(path): errno \(errno)") }
        defer { fclose(file) }
        guard fwrite(bytes, 1, bytes.count, file) == bytes.count else {
            throw Failure(description: "cannot write \(path): errno \(errno)")
        }
    }
}
