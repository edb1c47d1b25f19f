import Capsule
import Synchronization

/// Any storage, with every change to it written down, and a rule by which some calls fail, fall short or wait.
///
/// Calls that only look (open, read, length, lock) pass unseen.
public final class ObservedStorage: Storage {
    public enum Operation: Hashable, Sendable {
        case write, sync, truncate, create, link, rename, remove, syncDirectory
    }

    /// A call that changes something.
    public struct Call: Hashable, Sendable {
        public var operation: Operation
        public var path: FilePath
        /// Of a write; of a truncation, the new length.
        public var offset: UInt64 = 0
        public var count = 0
    }

    /// What a call does instead of what was asked.
    public enum Fault: Sendable {
        case error(Errno)
        /// A write that stops after so many bytes.
        case short(Int)
    }

    /// Looks at a call and at how many of its operation there were since the rule was set; may also wait.
    public typealias Rule = @Sendable (Call, Int) -> Fault?

    private struct State {
        var calls: [Call] = []
        var counts: [Operation: Int] = [:]
        var rule: Rule?
    }

    private let base: any Storage
    private let state = Mutex(State())

    public init(_ base: any Storage = MemoryStorage()) { self.base = base }

    /// The calls since the last `forget`, in order.
    public var calls: [Call] { state.withLock { $0.calls } }

    public func calls(_ operation: Operation, on path: FilePath? = nil) -> [Call] {
        calls.filter { $0.operation == operation && (path == nil || $0.path == path) }
    }

    public func forget() { state.withLock { $0.calls = [] } }

    /// From now on every call is put to `rule` before it is made.
    public func set(_ rule: Rule?) {
        state.withLock {
            $0.rule = rule
            $0.counts = [:]
        }
    }

    fileprivate func see(_ call: Call) throws(StorageError) -> Int? {
        let (rule, index) = state.withLock { state -> (Rule?, Int) in
            state.calls.append(call)
            let index = state.counts[call.operation, default: 0]
            state.counts[call.operation] = index + 1
            return (state.rule, index)
        }
        switch rule?(call, index) {
        case nil: return nil
        case .short(let count): return count
        case .error(let errno): throw StorageError("\(call.operation)", call.path, errno)
        }
    }

    public func open(_ path: FilePath, for access: StorageAccess) throws(StorageError) -> any StorageFile {
        ObservedFile(path, try base.open(path, for: access), self)
    }

    public func create(_ path: FilePath) throws(StorageError) -> any StorageFile {
        _ = try see(Call(operation: .create, path: path))
        return ObservedFile(path, try base.create(path), self)
    }

    public func link(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        _ = try see(Call(operation: .link, path: new))
        try base.link(existing, to: new)
    }

    public func rename(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        _ = try see(Call(operation: .rename, path: new))
        try base.rename(existing, to: new)
    }

    public func remove(_ path: FilePath) throws(StorageError) {
        _ = try see(Call(operation: .remove, path: path))
        try base.remove(path)
    }

    public func syncDirectory(_ path: FilePath) throws(StorageError) {
        _ = try see(Call(operation: .syncDirectory, path: path))
        try base.syncDirectory(path)
    }

    public func identity(of path: FilePath) throws(StorageError) -> FileIdentity? { try base.identity(of: path) }
    public func names(in directory: FilePath) throws(StorageError) -> [String] { try base.names(in: directory) }
}

private final class ObservedFile: StorageFile {
    private let path: FilePath
    private let base: any StorageFile
    private let storage: ObservedStorage

    init(_ path: FilePath, _ base: any StorageFile, _ storage: ObservedStorage) {
        self.path = path
        self.base = base
        self.storage = storage
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
        try base.read(into: buffer, at: offset)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
        let call = ObservedStorage.Call(operation: .write, path: path, offset: offset, count: bytes.count)
        let count = try storage.see(call) ?? bytes.count
        return try base.write(UnsafeRawBufferPointer(rebasing: bytes[..<min(count, bytes.count)]), at: offset)
    }

    func sync() throws(StorageError) {
        _ = try storage.see(ObservedStorage.Call(operation: .sync, path: path))
        try base.sync()
    }

    func truncate(to length: UInt64) throws(StorageError) {
        _ = try storage.see(ObservedStorage.Call(operation: .truncate, path: path, offset: length))
        try base.truncate(to: length)
    }

    func length() throws(StorageError) -> UInt64 { try base.length() }
    func identity() throws(StorageError) -> FileIdentity { try base.identity() }
    func tryLock(_ kind: LockKind) throws(StorageError) -> Bool { try base.tryLock(kind) }
    func unlock() throws(StorageError) { try base.unlock() }
    func close() { base.close() }
}
