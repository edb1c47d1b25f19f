#if canImport(Darwin)
    @preconcurrency import Darwin
#elseif canImport(Glibc)
    @preconcurrency import Glibc
#elseif canImport(Musl)
    @preconcurrency import Musl
#endif

/// What git says of a folder: through its own program, so that every kind of repository is read as git reads it.
///
/// Without git, outside a repository, or when git does not answer in time, the answer is nil: provenance is evidence
/// where it can be had, and no condition for a run.
public struct GitRepository: Sendable {
    public let folder: FilePath

    /// How long git may take.
    public static let milliseconds: Int32 = 10_000

    /// Where some files stand against the commit that is checked out.
    public struct Standing: Sendable, Equatable {
        public var commit: String
        /// Whether one of the files is not as the commit has it, or not in it.
        public var differs: Bool
    }

    public init(_ folder: FilePath) { self.folder = folder }

    /// Compares files, named from the folder, with the commit that is checked out.
    public func standing(of paths: [String]) -> Standing? {
        let flags = ["--porcelain=v2", "--branch", "--untracked-files=all", "--ignored=matching", "-z", "--"]
        // A hook of a repository is not to be run by looking at it.
        guard let output = run(["-c", "core.fsmonitor=false", "--no-optional-locks", "status"] + flags + paths)
        else { return nil }
        let records = output.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        let mark = "# branch.oid "
        guard let commit = records.first(where: { $0.hasPrefix(mark) })?.dropFirst(mark.count),
            commit.allSatisfy(\.isHexDigit)
        else { return nil }
        return Standing(commit: String(commit), differs: records.contains { !$0.hasPrefix("#") })
    }

    /// The content of a file, named from the folder, as a revision has it; nil where it has none.
    public func content(of path: String, at revision: String) -> [UInt8]? {
        guard !revision.hasPrefix("-") else { return nil }
        return run(["show", "--no-textconv", "\(revision):./\(path)"])
    }

    /// What objects hold, each named as git names them, such as `REV:./PATH`; nil for one that is not there.
    ///
    /// One process for about two hundred of them.
    ///
    /// - Returns: nil when git has no answer.
    public func contents(_ names: [String]) -> [[UInt8]?]? {
        var contents: [[UInt8]?] = []
        var rest = names[...]
        while let first = rest.first {
            guard first.utf8.count < Self.inputBytes else { return nil }
            var input: [UInt8] = []
            var asked = 0
            while let name = rest.first, input.count + name.utf8.count < Self.inputBytes {
                guard !name.utf8.contains(0x0A) else { return nil }
                input += Array(name.utf8) + [0x0A]
                asked += 1
                rest.removeFirst()
            }
            guard let output = run(["--no-replace-objects", "cat-file", "--batch"], input: input),
                let found = Self.blobs(output), found.count == asked
            else { return nil }
            contents += found
        }
        return contents
    }

    /// A pipe takes so much before anybody reads from it.
    private static let inputBytes = 16_384

    /// Takes the output of `cat-file --batch` apart: `ID blob SIZE`, a line's end, the content, a line's end; or one
    /// line for what is not there.
    private static func blobs(_ output: [UInt8]) -> [[UInt8]?]? {
        var found: [[UInt8]?] = []
        var rest = output[...]
        while !rest.isEmpty {
            guard let end = rest.firstIndex(of: 0x0A) else { return nil }
            let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ")
            rest = rest[(end + 1)...]
            guard words.count == 3, words[0].allSatisfy(\.isHexDigit), let size = Int(words[2]) else {
                found.append(nil)
                continue
            }
            guard size >= 0, size < rest.count else { return nil }
            found.append(words[1] == "blob" ? Array(rest.prefix(size)) : nil)
            rest = rest.dropFirst(size + 1)
        }
        return found
    }

    /// What git prints; nil unless it ends well, in time, within the limit of an object.
    ///
    /// - Parameter input: what git reads; at most what a pipe holds.
    public func run(_ arguments: [String], input: [UInt8]? = nil) -> [UInt8]? {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return nil }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var source: Int32 = -1
        if let input { source = Self.source(holding: input) }
        let child =
            input != nil && source < 0
            ? nil : Self.spawn(["git", "-C", folder.string] + arguments, input: source, output: ends[1])
        close(ends[1])
        if source >= 0 { close(source) }
        guard let child else { return nil }
        let output = Self.read(ends[0])
        if output == nil { kill(child, SIGKILL) }
        var status: Int32 = 0
        while waitpid(child, &status, 0) < 0 { guard errno == EINTR else { return nil } }
        return status == 0 ? output : nil
    }

    /// The end to read from of a pipe that holds some bytes; -1 when there is none to be had.
    private static func source(holding bytes: [UInt8]) -> Int32 {
        var ends: [Int32] = [-1, -1]
        guard bytes.count <= inputBytes, pipe(&ends) == 0 else { return -1 }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let count = bytes.withUnsafeBytes { write(ends[1], $0.baseAddress, $0.count) }
        close(ends[1])
        guard count == bytes.count else {
            close(ends[0])
            return -1
        }
        return ends[0]
    }

    private static func read(_ descriptor: Int32) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count <= Limits.objectBytes {
            var ready = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let answer = poll(&ready, 1, milliseconds)
            if answer < 0, errno == EINTR { continue }
            guard answer > 0 else { return nil }
            #if canImport(Darwin)
                let count = Darwin.read(descriptor, &chunk, chunk.count)
            #elseif canImport(Glibc)
                let count = Glibc.read(descriptor, &chunk, chunk.count)
            #else
                let count = Musl.read(descriptor, &chunk, chunk.count)
            #endif
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count == 0 ? bytes : nil }
            bytes.append(contentsOf: chunk[..<count])
        }
        return nil
    }

    private static func spawn(_ words: [String], input: Int32, output: Int32) -> pid_t? {
        #if canImport(Darwin)
            var actions: posix_spawn_file_actions_t?
        #else
            var actions = posix_spawn_file_actions_t()
        #endif
        guard posix_spawn_file_actions_init(&actions) == 0 else { return nil }
        defer { posix_spawn_file_actions_destroy(&actions) }
        if input >= 0 {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        var arguments = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        var child: pid_t = 0
        #if canImport(Darwin)
            let variables = _NSGetEnviron().pointee
        #else
            let variables = environ
        #endif
        return posix_spawnp(&child, "git", &actions, nil, &arguments, variables) == 0 ? child : nil
    }
}
