import Capsule

/// A disk that keeps apart what processes see (the page cache) and what a power loss would leave.
///
/// Of each 512-byte sector that was written and not synced, a power loss leaves what the disk had or any version written
/// since; of the length, the old one or any since; of directory entries, any of the changes since the directory was
/// synced. A kill of a process takes nothing away. A sync that fails leaves on the disk any of what it was to write,
/// counts the rest as clean all the same, and tells everyone who has the file open once.
///
/// Used by one thread at a time. Paths have one directory between them.
public final class SimulatedDisk: @unchecked Sendable {
    static let sectorSize = 512

    /// A file: what is seen of it, and what of it would survive.
    final class Node {
        let inode: UInt64
        var cache: [UInt8] = []
        var disk: [UInt8] = []
        /// Contents of sectors since the last sync, oldest first.
        var dirty: [Int: [[UInt8]]] = [:]
        /// Lengths since the last sync, oldest first.
        var lengths: [Int] = []
        /// How many syncs failed; who opened the file before has to be told.
        var failures = 0
        var exclusive: ObjectIdentifier?
        var shared: Set<ObjectIdentifier> = []

        init(inode: UInt64) { self.inode = inode }
    }

    /// A change to the directory that a power loss may take back.
    enum NameChange {
        case put(String, Node)
        case remove(String)
    }

    var names: [String: Node] = [:]
    var namesOnDisk: [String: Node] = [:]
    var nameChanges: [NameChange] = []
    private var nextInode: UInt64 = 1
    /// Called before every call that changes something: a power loss may come here.
    public var beforeChange: (() -> Void)?
    /// Called when a process asks for the exclusive lock of a file: others may run before it gets it.
    public var beforeLock: (() -> Void)?
    /// The same for the shared lock.
    public var beforeSharedLock: (() -> Void)?
    /// Chooses what of a failed sync reaches the disk.
    var dice = Dice(1)

    public init() {}

    func newNode() -> Node {
        defer { nextInode += 1 }
        return Node(inode: nextInode)
    }

    /// A process's view of the disk.
    public func process() -> SimulatedProcess { SimulatedProcess(self) }

    /// What a file holds for those who read it now.
    public func contents(_ path: FilePath) -> [UInt8]? { names[path.string]?.cache }

    /// Puts a file there, safe on the disk.
    public func put(_ bytes: [UInt8], at path: FilePath) { put([path.string: bytes]) }

    /// The same for many, by their paths.
    func put(_ files: [String: [UInt8]]) {
        let nodes = files.mapValues { bytes in
            let node = newNode()
            node.cache = bytes
            node.disk = bytes
            return node
        }
        names.merge(nodes) { _, new in new }
        namesOnDisk.merge(nodes) { _, new in new }
    }

    /// Takes a name away, on the disk too.
    public func erase(_ path: FilePath) {
        names[path.string] = nil
        namesOnDisk[path.string] = nil
    }
}

extension SimulatedDisk.Node {
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        let size = SimulatedDisk.sectorSize
        let end = offset + bytes.count
        if cache.count < end {
            cache.append(contentsOf: repeatElement(0, count: end - cache.count))
            lengths.append(end)
        }
        cache.withUnsafeMutableBytes { cache in
            UnsafeMutableRawBufferPointer(rebasing: cache[offset..<end]).copyMemory(from: bytes)
        }
        guard end > offset else { return }
        for sector in (offset / size)...((end - 1) / size) {
            let content = content(of: sector)
            if dirty[sector]?.last != content { dirty[sector, default: []].append(content) }
        }
    }

    /// Whether a sector of the disk holds this, and the file ends within it or behind it.
    func diskHolds(_ content: [UInt8], at sector: Int) -> Bool {
        let start = sector * SimulatedDisk.sectorSize
        guard start < disk.count else { return false }
        return disk[start..<min(start + SimulatedDisk.sectorSize, disk.count)].elementsEqual(content)
    }

    private func content(of sector: Int) -> [UInt8] {
        let size = SimulatedDisk.sectorSize
        guard sector * size < cache.count else { return [] }
        return Array(cache[(sector * size)..<min((sector + 1) * size, cache.count)])
    }

    func truncate(to length: Int) {
        if length < cache.count {
            cache.removeLast(cache.count - length)
        } else {
            cache.append(contentsOf: repeatElement(0, count: length - cache.count))
        }
        lengths.append(length)
    }

    func sync() {
        var sectors: [Int: [UInt8]] = [:]
        for sector in dirty.keys { sectors[sector] = content(of: sector) }
        disk = Self.image(disk, length: cache.count, sectors: sectors, zeroedFrom: lengths.min())
        dirty = [:]
        lengths = []
    }

    /// Writes some of what is dirty, and calls all of it clean.
    func failSync(_ dice: inout Dice) {
        var sectors: [Int: [UInt8]] = [:]
        for sector in dirty.keys.sorted() where dice.isHeads() { sectors[sector] = content(of: sector) }
        let keepsLength = dice.isHeads()
        disk = Self.image(
            disk,
            length: keepsLength ? disk.count : cache.count,
            sectors: sectors,
            zeroedFrom: keepsLength ? nil : lengths.min()
        )
        dirty = [:]
        lengths = []
        failures += 1
    }

    /// What stands on a disk that had `old`, then got a length and some sectors.
    ///
    /// - Parameter zeroedFrom: the shortest length that the file had in between: what stood beyond is gone.
    static func image(_ old: [UInt8], length: Int, sectors: [Int: [UInt8]], zeroedFrom: Int?) -> [UInt8] {
        let size = SimulatedDisk.sectorSize
        var bytes = old
        if let zeroedFrom, zeroedFrom < bytes.count { bytes.removeLast(bytes.count - zeroedFrom) }
        if bytes.count < length {
            bytes.append(contentsOf: repeatElement(0, count: length - bytes.count))
        } else {
            bytes.removeLast(bytes.count - length)
        }
        for (sector, content) in sectors where sector * size < length {
            let start = sector * size
            let count = min(content.count, length - start)
            bytes.withUnsafeMutableBytes { bytes in
                content.withUnsafeBytes { content in
                    UnsafeMutableRawBufferPointer(rebasing: bytes[start..<(start + count)])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: content[..<count]))
                }
            }
        }
        return bytes
    }
}

/// SplitMix64: the same throws for the same seed on every machine.
public struct Dice: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(_ seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func isHeads() -> Bool { next() & 1 == 0 }
    /// Below `bound`, which is small.
    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }
}
