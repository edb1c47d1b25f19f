import Capsule
import Synchronization

/// Files in memory, with names, contents and locks: for tests that need no disk.
public final class MemoryStorage: Storage {
    final class Node: Sendable {
        let inode: UInt64
        let content = Mutex<[UInt8]>([])
        /// Holder of the exclusive lock, or how many share it.
        let lock = Mutex<(exclusive: ObjectIdentifier?, shared: Set<ObjectIdentifier>)>((nil, []))
        init(inode: UInt64) { self.inode = inode }
    }

    private struct State {
        var names: [String: Node] = [:]
        var nextInode: UInt64 = 1
    }

    private let state = Mutex(State())

    public init() {}

    /// Puts a file there.
    public func put(_ bytes: [UInt8], at path: FilePath) {
        let node = state.withLock { state -> Node in
            let node = Node(inode: state.nextInode)
            state.nextInode += 1
            state.names[path.string] = node
            return node
        }
        node.content.withLock { $0 = bytes }
    }

    /// What a file holds; nil if there is none.
    public func contents(of path: FilePath) -> [UInt8]? {
        state.withLock { $0.names[path.string] }?.content.withLock { $0 }
    }

    public func open(_ path: FilePath, for access: StorageAccess) throws(StorageError) -> any StorageFile {
        guard let node = state.withLock({ $0.names[path.string] }) else {
            throw StorageError("open", path, .noSuchFileOrDirectory)
        }
        return MemoryFile(path, node)
    }

    public func create(_ path: FilePath) throws(StorageError) -> any StorageFile {
        let node = state.withLock { state -> Node? in
            guard state.names[path.string] == nil else { return nil }
            let node = Node(inode: state.nextInode)
            state.nextInode += 1
            state.names[path.string] = node
            return node
        }
        guard let node else { throw StorageError("create", path, .fileExists) }
        return MemoryFile(path, node)
    }

    public func link(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        let problem = state.withLock { state -> Errno? in
            guard let node = state.names[existing.string] else { return .noSuchFileOrDirectory }
            guard state.names[new.string] == nil else { return .fileExists }
            state.names[new.string] = node
            return nil
        }
        if let problem { throw StorageError("create", new, problem) }
    }

    public func rename(_ existing: FilePath, to new: FilePath) throws(StorageError) {
        let found = state.withLock { state -> Bool in
            guard let node = state.names.removeValue(forKey: existing.string) else { return false }
            state.names[new.string] = node
            return true
        }
        if !found { throw StorageError("rename to", new, .noSuchFileOrDirectory) }
    }

    public func remove(_ path: FilePath) throws(StorageError) {
        guard state.withLock({ $0.names.removeValue(forKey: path.string) }) != nil else {
            throw StorageError("remove", path, .noSuchFileOrDirectory)
        }
    }

    public func syncDirectory(_ path: FilePath) throws(StorageError) {}

    public func identity(of path: FilePath) throws(StorageError) -> FileIdentity? {
        state.withLock { $0.names[path.string] }.map { FileIdentity(device: 0, inode: $0.inode) }
    }

    public func names(in directory: FilePath) throws(StorageError) -> [String] {
        state.withLock { $0.names.keys.map { FilePath($0).lastComponent?.string ?? $0 } }
    }
}

final class MemoryFile: StorageFile {
    private let path: FilePath
    private let node: MemoryStorage.Node

    init(_ path: FilePath, _ node: MemoryStorage.Node) {
        self.path = path
        self.node = node
    }

    deinit { release() }

    private func release() {
        let me = ObjectIdentifier(self)
        node.lock.withLock { lock in
            if lock.exclusive == me { lock.exclusive = nil }
            lock.shared.remove(me)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
        node.content.withLock { content in
            guard offset < UInt64(content.count) else { return 0 }
            let count = min(buffer.count, content.count - Int(offset))
            content.withUnsafeBytes { buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[Int(offset)..<(Int(offset) + count)])) }
            return count
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(StorageError) -> Int {
        node.content.withLock { content in
            let end = Int(offset) + bytes.count
            if content.count < end { content.append(contentsOf: repeatElement(0, count: end - content.count)) }
            content.replaceSubrange(Int(offset)..<end, with: bytes)
        }
        return bytes.count
    }

    func sync() throws(StorageError) {}

    func truncate(to length: UInt64) throws(StorageError) {
        node.content.withLock { content in
            if content.count > Int(length) {
                content.removeLast(content.count - Int(length))
            } else {
                content.append(contentsOf: repeatElement(0, count: Int(length) - content.count))
            }
        }
    }

    func length() throws(StorageError) -> UInt64 { UInt64(node.content.withLock { $0.count }) }
    func identity() throws(StorageError) -> FileIdentity { FileIdentity(device: 0, inode: node.inode) }

    func tryLock(_ kind: LockKind) throws(StorageError) -> Bool {
        let me = ObjectIdentifier(self)
        return node.lock.withLock { lock in
            let others = lock.shared.subtracting([me])
            guard lock.exclusive == nil || lock.exclusive == me, kind == .shared || others.isEmpty else { return false }
            lock.exclusive = kind == .exclusive ? me : nil
            lock.shared = kind == .shared ? others.union([me]) : []
            return true
        }
    }

    func unlock() throws(StorageError) { release() }
    func close() { release() }
}

/// Bytes that count up: the same every time.
public final class CountingRandom: RandomSource {
    private let next: Mutex<UInt8>

    public init(from start: UInt8 = 1) { next = Mutex(start) }

    public func fill(_ buffer: UnsafeMutableRawBufferPointer) {
        next.withLock { next in
            for index in buffer.indices {
                buffer[index] = next
                next = next &+ 1
            }
        }
    }
}
