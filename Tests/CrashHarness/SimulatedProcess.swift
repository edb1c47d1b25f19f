import Capsule

/// What one process sees of a `SimulatedDisk`, until it is killed.
///
/// Calls are counted, and any of them can be made to fail, to fall short, or to be the last.
public final class SimulatedProcess: Storage, @unchecked Sendable {
    /// What becomes of a call.
    public enum Fault: Equatable, Sendable {
        case error(Errno)
        /// A write or a read that stops after a byte or two; other calls succeed.
        case short
        /// The process is killed before the call is made.
        case kill
    }

    let disk: SimulatedDisk
    /// Calls so far, those that only look included.
    public private(set) var calls = 0
    /// Syncs of files so far.
    public private(set) var syncs = 0
    public private(set) var isDead = false
    /// Asked before every call, with its index and its name.
    public var fault: ((Int, String) -> Fault?)?
    /// The same, by name and path.
    public var faultOnPath: ((String, FilePath) -> Fault?)?
    fileprivate var locks: [(node: SimulatedDisk.Node, file: ObjectIdentifier)] = []

    init(_ disk: SimulatedDisk) { self.disk = disk }

    /// Ends the process: its locks are free, and nothing that it still tries has any effect.
    public func kill() {
        isDead = true
        for (node, file) in locks { Self.unlock(node, file) }
        locks = []
    }

    fileprivate static func unlock(_ node: SimulatedDisk.Node, _ file: ObjectIdentifier) {
        if node.exclusive == file { node.exclusive = nil }
        node.shared.remove(file)
    }

    fileprivate func forget(_ node: SimulatedDisk.Node, _ file: ObjectIdentifier) {
        locks.removeAll { $0.node === node && $0.file == file }
    }

    /// Begins a call. Returns whether it is to fall short.
    @discardableResult
    fileprivate func begin(_ name: String, _ path: FilePath, changes: Bool = false) throws(StorageError) -> Bool {
        if isDead { throw StorageError(name, path, .noSuchProcess) }
        let index = calls
        calls += 1
        if name == "sync" { syncs += 1 }
        if let fault = fault?(index, name) ?? faultOnPath?(name, path) {
            switch fault {
            case .short: return true
            case .error(let errno):
                if name == "sync", let node = disk.names[path.string] {
                    disk.beforeChange?()
                    node.failSync(&disk.dice)
                }
                throw StorageError(name, path, errno)
            case .kill:
                kill()
                throw StorageError(name, path, .noSuchProcess)
            }
        }
        if changes { disk.beforeChange?() }
        return false
    }

    public func open(_ path: FilePath, for access: StorageAccess) throws(StorageError) -> any StorageFile {
        try begin("open", path)
        guard let node = disk.names[path.string] else { throw StorageError("open", path, .noSuchFileOrDirectory) }
        return SimulatedFile(path, node, self)
    }

    public func create(_ path: FilePath) throws(StorageError) -> any StorageFile {
        try begin("create", path, changes: true)
        guard disk.names[path.string] == nil else { throw StorageError("create", path, .fileExists) }
        let node = disk.newNode()
        put(node, path)
        return SimulatedFile(path, node, self)
    }

    private func put(_ node: SimulatedDisk.Node, _ path: FilePath) {
        disk.names[path.string] = node
        disk.nameChanges.append(.put(path.string, node))
    }

    public func link(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        try begin("link", new, changes: true)
        guard let node = disk.names[existing.string] else { throw StorageError("link", new, .noSuchFileOrDirectory) }
        guard disk.names[new.string] == nil else { throw StorageError("link", new, .fileExists) }
        put(node, new)
    }

    public func rename(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        try begin("rename", new, changes: true)
        guard let node = disk.names.removeValue(forKey: existing.string) else {
            throw StorageError("rename", new, .noSuchFileOrDirectory)
        }
        put(node, new)
        disk.nameChanges.append(.remove(existing.string))
    }

    public func remove(_ path: FilePath) throws(StorageError) {
        try begin("remove", path, changes: true)
        guard disk.names.removeValue(forKey: path.string) != nil else {
            throw StorageError("remove", path, .noSuchFileOrDirectory)
        }
        disk.nameChanges.append(.remove(path.string))
    }

    public func syncDirectory(_ path: FilePath) throws(StorageError) {
        try begin("sync directory", path, changes: true)
        disk.namesOnDisk = disk.names
        disk.nameChanges = []
    }

    public func identity(of path: FilePath) throws(StorageError) -> FileIdentity? {
        try begin("look at", path)
        return disk.names[path.string].map { FileIdentity(device: 0, inode: $0.inode) }
    }

    public func names(in directory: FilePath) throws(StorageError) -> [String] {
        try begin("list", directory)
        return disk.names.keys.sorted().map { FilePath($0).lastComponent?.string ?? $0 }
    }
}

/// An open file of a `SimulatedProcess`.
final class SimulatedFile: StorageFile, @unchecked Sendable {
    private let path: FilePath
    private let node: SimulatedDisk.Node
    private let process: SimulatedProcess
    /// Failed syncs of the file that this descriptor was told of, or that came before it.
    private var seenFailures: Int

    init(_ path: FilePath, _ node: SimulatedDisk.Node, _ process: SimulatedProcess) {
        self.path = path
        self.node = node
        self.process = process
        seenFailures = node.failures
    }

    deinit { release() }

    private func release() {
        SimulatedProcess.unlock(node, ObjectIdentifier(self))
        process.forget(node, ObjectIdentifier(self))
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
        let isShort = try process.begin("read", path)
        guard offset < UInt64(node.cache.count), !buffer.isEmpty else { return 0 }
        let all = min(buffer.count, node.cache.count - Int(offset))
        let count = isShort ? (all + 1) / 2 : all
        node.cache.withUnsafeBytes { bytes in
            buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[Int(offset)..<(Int(offset) + count)]))
        }
        return count
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
        let isShort = try process.begin("write", path, changes: true)
        let count = isShort ? min(bytes.count, 1 + bytes.count / 2) : bytes.count
        node.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: Int(offset))
        return count
    }

    func sync() throws(StorageError) {
        do throws(StorageError) {
            try process.begin("sync", path, changes: true)
        } catch {
            seenFailures = node.failures
            throw error
        }
        if seenFailures < node.failures {
            seenFailures = node.failures
            throw StorageError("sync", path, .ioError)
        }
        node.sync()
    }

    func truncate(to length: UInt64) throws(StorageError) {
        try process.begin("cut", path, changes: true)
        node.truncate(to: Int(length))
    }

    func length() throws(StorageError) -> UInt64 {
        try process.begin("length", path)
        return UInt64(node.cache.count)
    }

    func identity() throws(StorageError) -> FileIdentity {
        try process.begin("identity", path)
        return FileIdentity(device: 0, inode: node.inode)
    }

    func tryLock(_ kind: LockKind) throws(StorageError) -> Bool {
        try process.begin("lock", path)
        if kind == .exclusive { process.disk.beforeLock?() } else { process.disk.beforeSharedLock?() }
        let me = ObjectIdentifier(self)
        guard node.exclusive == nil || node.exclusive == me, kind == .shared || node.shared.subtracting([me]).isEmpty
        else { return false }
        release()
        if kind == .exclusive { node.exclusive = me } else { node.shared.insert(me) }
        process.locks.append((node, me))
        return true
    }

    func unlock() throws(StorageError) {
        try process.begin("unlock", path)
        release()
    }

    func close() { release() }
}
